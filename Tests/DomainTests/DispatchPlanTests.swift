import TestSupport
import Testing

@testable import Domain

@Suite("Which endpoint may send next")
struct DispatchPlanTests {
    /// Everything that may be sent now, in order.
    private func drain(_ plan: inout DispatchPlan) -> [Int64] {
        var sent: [Int64] = []
        while let endpoint = plan.next() { sent.append(endpoint) }
        return sent
    }

    @Test("In turn, up to four for each, however much one has")
    func roundRobin() {
        var plan = DispatchPlan()
        for endpoint in [7, 8, 9] as [Int64] { plan.add(endpoint) }
        #expect(drain(&plan) == [7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9])
        plan.finish(8, .succeeded)
        plan.finish(7, .failed)
        #expect(drain(&plan) == [8, 7], "a freed slot goes to its endpoint")
    }

    @Test("At most 64 for all, the others in their turn afterwards")
    func globalLimit() {
        var plan = DispatchPlan()
        for endpoint in 1...100 as ClosedRange<Int64> { plan.add(endpoint) }
        #expect(drain(&plan) == Array(1...64))
        plan.finish(5, .succeeded)
        #expect(drain(&plan) == [65], "who has not had a turn goes before who has")
    }

    @Test("An endpoint without due work leaves the round until it has some")
    func runsDry() {
        var plan = DispatchPlan()
        plan.add(1)
        plan.add(2)
        #expect(plan.next() == 1)
        plan.runDry(1)
        #expect(plan.inFlight == 0 && plan.next() == 2 && plan.next() == 2)
        plan.add(1)
        #expect(plan.next() == 2 && plan.next() == 1 && plan.inFlight == 4, "at the end of the round")
    }

    @Test("After a time-out one slot, until a success")
    func suspect() {
        var plan = DispatchPlan()
        plan.add(1)
        #expect(drain(&plan) == [1, 1, 1, 1])
        plan.finish(1, .timedOut)
        #expect(drain(&plan).isEmpty && plan.suspectsInFlight == 3, "three are still under way")
        for _ in 0..<2 { plan.finish(1, .timedOut) }
        #expect(drain(&plan).isEmpty)
        plan.finish(1, .failed)
        #expect(drain(&plan) == [1], "a failure alone clears nothing")
        plan.finish(1, .failed)
        #expect(drain(&plan) == [1])
        plan.finish(1, .succeeded)
        #expect(drain(&plan) == [1, 1, 1, 1] && plan.suspectsInFlight == 0)
    }

    @Test("A failure that is no time-out makes no suspect")
    func failure() {
        var plan = DispatchPlan()
        plan.add(1)
        #expect(drain(&plan).count == 4)
        plan.finish(1, .failed)
        #expect(drain(&plan) == [1])
    }

    @Test("All suspects together get half of the slots; the others get the rest at once")
    func suspectsTogether() {
        var plan = DispatchPlan()
        for endpoint in 1...1_000 as ClosedRange<Int64> {
            plan.suspect(endpoint)
            plan.add(endpoint)
        }
        #expect(drain(&plan) == Array(1...32) && plan.suspectsInFlight == 32)
        for endpoint in 2_001...2_008 as ClosedRange<Int64> { plan.add(endpoint) }
        let sent = drain(&plan)
        #expect(sent.count == 32 && sent.allSatisfy { $0 > 2_000 } && plan.inFlight == 64)
        plan.finish(1, .timedOut)
        #expect(drain(&plan) == [33], "suspects take turns too")
        plan.finish(2, .succeeded)
        #expect(drain(&plan) == [34], "one that has recovered goes to the end of the others")
    }

    @Test("A disabled endpoint gets nothing, and what it has in flight still ends")
    func removed() {
        var plan = DispatchPlan()
        plan.add(1)
        #expect(plan.next() == 1 && plan.next() == 1)
        plan.remove(1)
        #expect(drain(&plan).isEmpty && plan.inFlight == 2)
        plan.finish(1, .timedOut)
        plan.finish(1, .succeeded)
        #expect(plan.inFlight == 0 && plan.suspectsInFlight == 0)
        plan.finish(1, .succeeded)
        plan.runDry(99)
        #expect(plan.inFlight == 0, "what was never given a slot frees none")
        plan.add(1)
        #expect(drain(&plan).count == 4)
    }

    /// A dead endpoint answers nothing for its whole deadline; the others answer in 10 ms. One tick is 1 ms.
    @Test("In virtual time: dead endpoints with endless work take nothing from the others once they are known")
    func isolation() {
        var plan = DispatchPlan()
        let (dead, living) = (Array(1...40 as ClosedRange<Int64>), Array(101...110 as ClosedRange<Int64>))
        var ends: [Int: [(Int64, DispatchPlan.Result)]] = [:]
        var sent: [Int64: Int] = [:]
        for endpoint in dead + living { plan.add(endpoint) }
        for now in 0..<90_000 {
            for (endpoint, result) in ends.removeValue(forKey: now) ?? [] { plan.finish(endpoint, result) }
            while let endpoint = plan.next() {
                let isDead = endpoint <= 40
                ends[now + (isDead ? 15_000 : 10), default: []].append((endpoint, isDead ? .timedOut : .succeeded))
                if now >= 30_000 { sent[endpoint, default: 0] += 1 }
            }
            #expect(plan.inFlight <= 64)
        }
        // 32 slots of 10 ms for a minute are 192 000, in turn over ten endpoints.
        #expect(living.allSatisfy { (19_000...24_000).contains(sent[$0] ?? 0) })
        // 32 slots of 15 s for a minute are 128, in turn over forty.
        #expect(dead.allSatisfy { (3...4).contains(sent[$0] ?? 0) })
    }

    @Test("Whatever happens, in any order: the limits hold, nothing starves, and nothing is left over")
    func anyOrder() {
        var random = SeededGenerator("dispatch plan")
        var plan = DispatchPlan(limits: .init(endpoint: 3, all: 10, suspects: 5))
        var inFlight: [Int64] = []
        var suspects: Set<Int64> = []
        for _ in 0..<50_000 {
            let endpoint = Int64.random(in: 1...20, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3: plan.add(endpoint)
            case 4: plan.remove(endpoint); suspects.remove(endpoint)
            case 5: plan.suspect(endpoint); suspects.insert(endpoint)
            case 6...7:
                guard let next = plan.next() else { break }
                let before = inFlight.filter { $0 == next }.count
                #expect(before < (suspects.contains(next) ? 1 : 3))
                inFlight.append(next)
            default:
                guard let index = inFlight.indices.randomElement(using: &random) else { break }
                let ended = inFlight.remove(at: index)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: plan.finish(ended, .timedOut); suspects.insert(ended)
                case 1: plan.finish(ended, .failed)
                case 2: plan.runDry(ended)
                default: plan.finish(ended, .succeeded); suspects.remove(ended)
                }
            }
            #expect(plan.inFlight == inFlight.count && inFlight.count <= 10)
            #expect(plan.suspectsInFlight == inFlight.filter(suspects.contains).count)
        }
        for endpoint in inFlight { plan.finish(endpoint, .succeeded) }
        for endpoint in 1...20 as ClosedRange<Int64> { plan.add(endpoint) }
        var reached: Set<Int64> = []
        for _ in 0..<200 {
            guard let next = plan.next() else { break }
            reached.insert(next)
            plan.finish(next, .succeeded)
        }
        #expect(reached.count == 20 && plan.inFlight == 0 && plan.suspectsInFlight == 0)
    }

    @Test("Thousands of endpoints cost what a few do")
    func speed() {
        var plan = DispatchPlan()
        for endpoint in 1...5_000 as ClosedRange<Int64> { plan.add(endpoint) }
        let clock = ContinuousClock()
        let taken = clock.measure {
            for _ in 0..<200_000 {
                guard let next = plan.next() else { break }
                plan.finish(next, .succeeded)
            }
        }
        // Unoptimised and on a busy machine too; a plan that looked at every endpoint would take minutes.
        #expect(taken < .seconds(20))
        #expect(plan.inFlight == 0)
    }
}

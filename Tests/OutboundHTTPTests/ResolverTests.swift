import Addresses
import Foundation
import Testing

@testable import OutboundHTTP

/// Look-ups: shared, remembered, and never in each other's way.
@Suite(.timeLimit(.minutes(1))) struct ResolverTests {
    /// Look-ups that hang for names with `hang` in them until they are let go, and count.
    private final class Names: Sendable {
        let asked = Shared<[String]>([])
        let running = Shared(0)
        private let gate = DispatchSemaphore(value: 0)

        func lookUp(_ name: String) -> Result<[IPAddress], ResolutionError> {
            asked.update { $0.append(name) }
            guard name.contains("hang") else { return IPAddress("127.0.0.1").map { .success([$0]) } ?? .failure(.notFound) }
            running.update { $0 += 1 }
            gate.wait()
            running.update { $0 -= 1 }
            return .failure(.failed("gave up"))
        }

        func letGo(_ count: Int) { for _ in 0..<count { gate.signal() } }
    }

    private func resolve(_ resolver: SystemResolver, _ name: String) async -> Result<[IPAddress], ResolutionError> {
        await withCheckedContinuation { continuation in resolver.resolve(name) { continuation.resume(returning: $0) } }
    }

    @Test func aHangingLookUpStopsNobodyAndIsAskedOnce() async throws {
        // given
        let names = Names()
        let resolver = SystemResolver { names.lookUp($0) }
        let client = try Sending.client(resolver: resolver)
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        defer { names.letGo(1) }

        // when
        async let one = Sending.failure(client, Sending.post("http://hang.test/", timeout: .milliseconds(400)))
        async let two = Sending.failure(client, Sending.post("http://hang.test/", endpoint: 2, timeout: .milliseconds(400)))
        let other = try await client.send(Sending.post("http://hook.test:\(receiver.port)/"))

        // then
        #expect(other.status == 200)
        let reasons = try await [one.reason, two.reason]
        #expect(reasons == [.timedOut(.resolving), .timedOut(.resolving)])
        #expect(names.asked.value.filter { $0 == "hang.test" }.count == 1)
    }

    @Test func hangingNamesLeaveThreadsToTheOthersAndTheQueueIsBounded() async throws {
        // given
        let names = Names()
        var limits = SystemResolver.Limits()
        limits.threads = 4
        limits.queue = 5
        limits.positiveLife = .zero
        let resolver = SystemResolver(limits: limits) { names.lookUp($0) }
        #expect(try await resolve(resolver, "quick.test").get().count == 1)

        // when: three may run, five wait, the rest is turned away
        let answers = Shared<[Result<[IPAddress], ResolutionError>]>([])
        for number in 0..<10 { resolver.resolve("hang\(number).test") { answer in answers.update { $0.append(answer) } } }

        // then
        #expect(try await Sending.eventually { names.running.value == 3 })
        #expect(answers.value == [.failure(.busy), .failure(.busy)])
        #expect(await resolve(resolver, "new.test") == .failure(.busy))
        names.letGo(8)
        #expect(try await Sending.eventually { answers.value.count == 10 })
        #expect(names.asked.value.count == 9)
    }

    @Test func aQuickNameIsLookedUpBesideHangingOnes() async throws {
        let names = Names()
        var limits = SystemResolver.Limits()
        limits.threads = 4
        limits.slow = .seconds(30)
        limits.positiveLife = .zero
        let resolver = SystemResolver(limits: limits) { names.lookUp($0) }
        _ = await resolve(resolver, "quick.test")
        for number in 0..<10 { resolver.resolve("hang\(number).test") { _ in } }
        #expect(try await resolve(resolver, "quick.test").get().count == 1)
        names.letGo(10)
        #expect(try await Sending.eventually { names.running.value == 0 })
    }

    @Test func answersAreKeptForATime() async throws {
        let names = Names()
        var limits = SystemResolver.Limits()
        limits.positiveLife = .seconds(60)
        let resolver = SystemResolver(limits: limits) { names.lookUp($0) }
        for _ in 0..<3 { _ = await resolve(resolver, "a.test") }
        #expect(names.asked.value == ["a.test"])
    }

    @Test func theSystemKnowsLocalhostAndNoInvalidName() async throws {
        let addresses = try SystemResolver.askSystem("localhost").get()
        #expect(!addresses.isEmpty && addresses.allSatisfy { AddressGuard().refusal(of: $0) == "loopback" })
        #expect(throws: ResolutionError.self) { try SystemResolver.askSystem("name.invalid").get() }
    }
}

/// Which look-up may run next.
@Suite struct LookupQueueTests {
    private static let second: UInt64 = 1_000_000_000

    private func start(_ queue: inout LookupQueue, _ name: String, _ now: UInt64) -> String? {
        if case .waits(let start) = queue.admit(name, now: now, waiter: { _ in }) { return start }
        return nil
    }

    @Test func namesThatTookLongGetHalfOfTheThreadsAndUnknownOnesThreeQuarters() throws {
        // given: four names that took two seconds, one that took none
        var queue = LookupQueue(limits: SystemResolver.Limits())
        let slow = (0..<6).map { "slow\($0)" }
        for name in slow + ["quick"] {
            #expect(start(&queue, name, 0) == name)
            _ = queue.finish(name, .failure(.notFound), now: name == "quick" ? 0 : 2 * Self.second)
        }
        let now = 60 * Self.second

        // when
        let slowStarts = slow.compactMap { start(&queue, $0, now) }
        let newStarts = ["new0", "new1", "new2"].compactMap { start(&queue, $0, now) }
        let quickStart = start(&queue, "quick", now)
        let (_, next) = queue.finish("slow0", .failure(.notFound), now: now)

        // then
        #expect(slowStarts == ["slow0", "slow1", "slow2", "slow3"])
        #expect(newStarts == ["new0", "new1"] && quickStart == "quick" && next == "slow4")
    }

    @Test func waitersShareALookUpAndItsAnswerIsKept() throws {
        var limits = SystemResolver.Limits()
        limits.waitersOfAName = 2
        var queue = LookupQueue(limits: limits)
        #expect(start(&queue, "a", 0) == "a")
        #expect(start(&queue, "a", 0) == nil)
        guard case .busy = queue.admit("a", now: 0, waiter: { _ in }) else { return #expect(Bool(false)) }
        let answer = Result<[IPAddress], ResolutionError>.success([try #require(IPAddress("8.8.8.8"))])
        #expect(queue.finish("a", answer, now: 0).waiters.count == 2)
        guard case .known(answer) = queue.admit("a", now: 9 * Self.second, waiter: { _ in }) else { return #expect(Bool(false)) }
        #expect(start(&queue, "a", 10 * Self.second) == "a")
        _ = queue.finish("a", .failure(.notFound), now: 10 * Self.second)
        guard case .known(.failure(.notFound)) = queue.admit("a", now: 11 * Self.second, waiter: { _ in }) else {
            return #expect(Bool(false))
        }
        #expect(start(&queue, "a", 12 * Self.second) == "a")
    }
}

import Domain
import SQLiteStorage
import Synchronization
import TestSupport
import Testing

@Suite("Storage contract: updated_at never repeats and never goes back")
struct TimeContractTests {
    @Test("It rises strictly while the clock stands still, goes back, jumps and is opened anew")
    func rises() throws {
        var random = SeededGenerator("updated_at rises")
        var bench = try Workbench(clock: TestClock(step: 0))
        var last: [RecordKind: Timestamp] = [:]
        for round in 0..<60 {
            bench.clock.move(by: Int64(random.number(-5_000_000...4_000_000)))
            if random.chance(10) { bench = try bench.reopened() }
            for turn in 0..<random.number(1...5) {
                let kind = random.pick([RecordKind.candidate, .job, .training])
                let clock = bench.clock.shown
                let name = random.number(0...9)
                let json =
                    kind == .training
                    ? #"{"duration_seconds":\#(round * 10 + turn)}"# : #"{"\#(kind == .job ? "title" : "full_name")":"\#(round) \#(turn)"}"#
                let record = try bench.put(kind, #"{"external_id":"\#(name)","#.joining(json)).record
                if let last = last[kind] {
                    #expect(record.updatedAt == max(clock, Timestamp(microseconds: last.microseconds + 1)))
                } else {
                    #expect(record.updatedAt == clock)
                }
                last[kind] = record.updatedAt
            }
        }
    }

    @Test("The deleted and the changed share one order")
    func deletions() throws {
        let bench = try Workbench(clock: TestClock(step: 0))
        let ids = try (0..<6).map { try bench.put(.candidate, #"{"external_id":"\#($0)"}"#).id }
        for id in ids.prefix(3) { try bench.delete(id) }
        try bench.put(.candidate, #"{"external_id":"4","full_name":"x"}"#)
        let times = try bench.list(.candidate, "include_deleted=true").rows.compactMap { $0.time("updated_at") }
        #expect(times.count == 6 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("A fast import by the real clock does not run ahead of it")
    func real() throws {
        let clock = SystemTime()
        let engine = try makeEngine(clock)
        let organization = try engine.organization("default")
        var options = ChangeOptions()
        options.isHistory = true
        for batch in 0..<10 {
            // The system may set its clock meanwhile.
            let before = clock.now
            try engine.writing.write { writer in
                for row in 0..<500 {
                    var input = RecordInput(kind: .training)
                    input.externalID = "\(batch)-\(row)"
                    let record = try writer.apply(input, in: organization, options: options).record
                    #expect(record.updatedAt >= before && record.updatedAt <= clock.now)
                }
            }
        }
    }

    /// The wall clock as a system gives it: it stands for `grain` microseconds, then jumps. Each look is `step` later.
    private final class CoarseClock: TimeSource {
        static let grain: Int64 = 4_000
        private let elapsed = Atomic<Int64>(1_767_225_600_000_000)
        private let step: Int64

        init(step: Int64) { self.step = step }

        var now: Timestamp {
            let elapsed = elapsed.wrappingAdd(step, ordering: .relaxed).newValue
            return Timestamp(microseconds: elapsed / Self.grain * Self.grain)
        }
        /// Without a look, and without the grain.
        var truth: Timestamp { Timestamp(microseconds: elapsed.load(ordering: .relaxed)) }
    }

    @Test("An import of a million rows does not run ahead of the clock, not by a microsecond")
    func million() throws {
        // given: two hundred thousand rows a second, faster than any import, by the coarsest of clocks
        let clock = CoarseClock(step: 5)
        let engine = try makeEngine(clock)
        let organization = try engine.organization("default")
        var options = ChangeOptions()
        options.isHistory = true
        var last = Timestamp.earliest
        var ahead = 0
        var backwards = 0

        // when
        for _ in 0..<200 {
            try engine.writing.write { writer in
                for _ in 0..<5_000 {
                    let updated = try writer.apply(RecordInput(kind: .training), in: organization, options: options).record.updatedAt
                    if updated <= last { backwards += 1 }
                    if updated > clock.truth { ahead += 1 }
                    last = updated
                }
            }
        }

        // then
        #expect(ahead == 0 && backwards == 0)
    }

    @Test("Organizations have clocks of their own")
    func organizations() throws {
        let bench = try Workbench(clock: TestClock(step: 0))
        let other = try bench.inOrganization("other")
        let first = try bench.put(.candidate, #"{"external_id":"a"}"#).record
        let second = try other.put(.candidate, #"{"external_id":"a"}"#).record
        #expect(first.updatedAt == second.updatedAt && first.id != second.id)
        #expect(try bench.list(.candidate).ids == [first.recordID.description])
        #expect(try other.list(.candidate).ids == [second.recordID.description])
    }

    @Test("as_of lies just after the last change of the kind, in an empty organization too")
    func mark() throws {
        let bench = try Workbench(clock: TestClock(step: 0))
        let empty = try bench.list(.candidate)
        #expect(empty.rows.isEmpty)
        #expect(try bench.list(.candidate, "updated_after=\(empty.end.asOf)").rows.isEmpty)
        let record = try bench.put(.candidate, #"{"external_id":"a"}"#).record
        try bench.put(.job, #"{"title":"later"}"#)
        let mark = try bench.asOf(.candidate)
        #expect(mark.microseconds == record.updatedAt.microseconds + 1)
        #expect(try bench.list(.candidate, "updated_after=\(mark)").rows.isEmpty)
        #expect(try bench.list(.candidate, "updated_before=2025-12-01T00:00:00Z").end.asOf == Timestamp(rfc3339: "2025-12-01T00:00:00Z"))
    }
}

import Domain
import Testing

@testable import SQLiteStorage

@Suite("Interviews that were started and never ended")
struct InterviewExpiryTests {
    private let outbox: OutboxBench
    private let endpoint: Endpoint

    init() throws {
        outbox = try OutboxBench(clock: TestClock("2026-01-10T00:00:00Z"))
        endpoint = try outbox.add()
    }

    private func interview(_ status: String, started: String?, in bench: Workbench? = nil) throws -> RecordID {
        let start = started.map { #","started_at":"\#($0)""# } ?? ""
        return try (bench ?? outbox.bench).put(.interview, #"{"status":"\#(status)"\#(start)}"#).id
    }

    private func status(_ id: RecordID, in bench: Workbench? = nil) throws -> String? {
        try (bench ?? outbox.bench).record(id)?.string("status")
    }

    @Test("They become abandoned as by any change: a version, an event, deliveries")
    func abandoned() throws {
        let old = try interview("in_progress", started: "2026-01-01T00:00:00Z")
        let young = try interview("in_progress", started: "2026-01-09T00:00:00Z")
        let done = try interview("completed", started: "2026-01-01T00:00:00Z")
        let other = try outbox.bench.inOrganization("other")
        let elsewhere = try interview("in_progress", started: "2026-01-01T00:00:00Z", in: other)
        let moment = try #require(Timestamp(rfc3339: "2026-01-05T00:00:00Z"))
        #expect(try outbox.database.expireInterviews(startedBefore: moment) == 2)
        #expect(try [old, young, done].map { try status($0) } == ["abandoned", "in_progress", "completed"])
        #expect(try status(elsewhere, in: other) == "abandoned")
        #expect(try outbox.bench.record(old)?.number("version") == 2)
        #expect(try outbox.bench.events().last?.string("type") == "interview.abandoned")
        #expect(try outbox.types(endpoint) == [.interviewCompleted, .interviewAbandoned])
        #expect(try outbox.database.expireInterviews(startedBefore: moment) == 0)
    }

    @Test("Without a start, the last change counts")
    func withoutStart() throws {
        let id = try interview("in_progress", started: nil)
        let changed = try #require(try outbox.bench.record(id)?.time("updated_at"))
        #expect(try outbox.database.expireInterviews(startedBefore: changed) == 0)
        #expect(try outbox.database.expireInterviews(startedBefore: Timestamp(microseconds: changed.microseconds + 1)) == 1)
        #expect(try status(id) == "abandoned")
    }

    @Test("Many go a batch at a time, the longest under way first")
    func batches() throws {
        let ids = try (1...5).map { try interview("in_progress", started: "2026-01-0\(6 - $0)T00:00:00Z") }
        let moment = try #require(Timestamp(rfc3339: "2026-01-09T00:00:00Z"))
        #expect(try outbox.database.expireInterviews(startedBefore: moment, batch: 2) == 2)
        #expect(try ids.map { try status($0) == "abandoned" } == [false, false, false, true, true])
        #expect(try outbox.database.expireInterviews(startedBefore: moment, batch: 9) == 3)
    }
}

import Domain
import Testing

@testable import SQLiteStorage

@Suite("Outbox: claims and what attempts come to")
struct OutboxClaimTests {
    private let outbox: OutboxBench
    private let endpoint: Endpoint

    init() throws {
        outbox = try OutboxBench()
        endpoint = try outbox.add()
    }

    private func put(_ count: Int = 1) throws {
        for _ in 0..<count { try outbox.bench.put(.candidate, "{}") }
    }

    @Test("The longest due come first, no more than asked for, without those held already")
    func order() throws {
        try put(5)
        let all = try outbox.due(endpoint)
        #expect(all.count == 5 && all.map(\.dueAt) == all.map(\.dueAt).sorted())
        #expect(try outbox.due(endpoint, limit: 2).map(\.number) == all.prefix(2).map(\.number))
        #expect(
            try outbox.due(endpoint, limit: 2, except: [all[0].number, all[2].number]).map(\.number) == [all[1].number, all[3].number])
        try outbox.record(all[0], .retry(at: Timestamp(microseconds: outbox.soon.microseconds - 1)))
        #expect(try outbox.due(endpoint).map(\.number) == all.dropFirst().map(\.number) + [all[0].number])
    }

    @Test("Nothing is due before its time, and the earliest time to come is told")
    func times() throws {
        try put()
        let delivery = try #require(try outbox.due(endpoint).first)
        let before = Timestamp(microseconds: delivery.dueAt.microseconds - 1)
        #expect(try outbox.outbox.due(of: endpoint.number, now: before, limit: 9, except: []).isEmpty)
        #expect(try outbox.outbox.work(now: before).next == delivery.dueAt && outbox.outbox.work(now: before).endpoints.isEmpty)
        #expect(try outbox.outbox.work(now: delivery.dueAt).endpoints == [endpoint.number])
        #expect(try outbox.outbox.work(now: delivery.dueAt).next == nil)
        let later = Timestamp(microseconds: outbox.soon.microseconds + 1_000_000)
        try outbox.record(delivery, .retry(at: later))
        let work = try outbox.outbox.work(now: outbox.soon)
        #expect(work.endpoints.isEmpty && work.next == later)
    }

    @Test("A claim writes nothing, and another process finds the same")
    func claims() throws {
        try put(3)
        let mark = outbox.bench.engine.reading.commitMark
        let numbers = try outbox.due(endpoint).map(\.number)
        #expect(outbox.bench.engine.reading.commitMark == mark)
        let again = try OutboxBench(outbox.bench.reopened())
        #expect(try again.due(endpoint).map(\.number) == numbers)
    }

    @Test("A success ends a delivery and clears the endpoint's failures; a failure begins them")
    func verdicts() throws {
        try put(3)
        let due = try outbox.due(endpoint)
        let failed = outbox.attempt(500, error: "status 500")
        try outbox.record(due[0], .retry(at: outbox.soon), failed)
        try outbox.record(due[1], .failed, outbox.attempt(nil, error: "refused"))
        #expect(try outbox.database.endpoint(endpoint.id)?.failingSince == failed.startedAt)
        var (first, second) = (try outbox.state(due[0].id), try outbox.state(due[1].id))
        #expect(first.status == .pending && first.dueAt != nil && first.lastStatus == 500 && first.lastError == "status 500")
        #expect(second.status == .failed && second.dueAt == nil && second.finishedAt != nil && second.lastStatus == nil)
        #expect(try outbox.due(endpoint).first { $0.number == due[0].number }?.attempts == 1)
        let success = outbox.attempt()
        try outbox.record(due[0], .succeeded, success)
        (first, second) = (try outbox.state(due[0].id), try outbox.state(due[2].id))
        #expect(first.status == .succeeded && first.attempts == 2 && second.status == .pending)
        let stored = try #require(try outbox.database.endpoint(endpoint.id))
        #expect(stored.failingSince == nil && stored.lastSuccessAt?.microseconds == success.startedAt.microseconds + success.duration)
    }

    @Test("What can't be signed is parked with its reason, and says nothing of the endpoint")
    func parked() throws {
        try put()
        try outbox.record(try outbox.due(endpoint)[0], .parked(reason: "no key"), outbox.attempt(nil, error: "no key"))
        let row = try #require(try outbox.log().first)
        #expect(row.status == .parked && row.reason == "no key")
        #expect(try outbox.database.endpoint(endpoint.id)?.failingSince == nil)
    }

    @Test("An attempt may disable its endpoint; the first reason stays")
    func disabling() throws {
        try put(2)
        let due = try outbox.due(endpoint)
        try outbox.record(due[0], .failed, outbox.attempt(410), disables: "gone (410)")
        try outbox.record(due[1], .failed, outbox.attempt(410), disables: "another")
        guard case .disabled(let reason, _) = try #require(try outbox.database.endpoint(endpoint.id)).state else {
            Issue.record("not disabled")
            return
        }
        #expect(reason == "gone (410)")
    }

    @Test("What is no longer pending keeps its state, and a delivery that is gone is left out of the batch")
    func late() throws {
        try put(2)
        let due = try outbox.due(endpoint)
        try outbox.record(due[0], .succeeded)
        try outbox.record(due[0], .failed)
        #expect(try outbox.state(due[0].id).status == .succeeded && outbox.state(due[0].id).attempts == 2)
        let foreign = try outbox.add()
        try outbox.outbox.record([
            AttemptRecord(delivery: 999, endpoint: endpoint.number, attempt: outbox.attempt(), next: .succeeded),
            AttemptRecord(delivery: due[1].number, endpoint: foreign.number, attempt: outbox.attempt(), next: .failed),
            AttemptRecord(delivery: due[1].number, endpoint: endpoint.number, attempt: outbox.attempt(), next: .succeeded),
        ])
        #expect(try outbox.state(due[1].id).status == .succeeded && outbox.count("attempts") == 3)
    }

    @Test(
        "A damaged delivery is parked with its reason, and the others go out",
        arguments: [
            ("UPDATE deliveries SET body = 99 WHERE number = 1", "body"), ("DELETE FROM bodies WHERE number = 1", "body"),
            ("UPDATE deliveries SET body = NULL WHERE number = 1", "body"), ("UPDATE deliveries SET id = x'00' WHERE number = 1", "id"),
            ("UPDATE deliveries SET type = 99 WHERE number = 1", "unknown"),
        ])
    func damaged(sql: String, reason: String) throws {
        try put(3)
        try outbox.damage(sql)
        #expect(try outbox.due(endpoint, limit: 1).count == 1)
        #expect(try outbox.due(endpoint).map(\.number) == [2, 3])
        let state = try outbox.database.transaction {
            try $0("SELECT status, reason FROM deliveries WHERE number = 1").first { ($0.integer(0), $0.string(1)) }
        }
        #expect(state?.0 == DeliveryStatus.parked.code && state?.1.contains(reason) == true)
    }

    @Test("Impossible values are refused by the schema or read as the nearest possible")
    func impossible() throws {
        try put(2)
        for sql in [
            "UPDATE deliveries SET status = 9", "UPDATE deliveries SET status = 1", "UPDATE deliveries SET due_at = NULL",
            "UPDATE deliveries SET body = NULL", "UPDATE deliveries SET body = 99", "UPDATE deliveries SET endpoint = 99",
            "DELETE FROM bodies", "DELETE FROM endpoints", "UPDATE endpoints SET disabled_at = 1", "UPDATE endpoints SET types = '['",
            "UPDATE deliveries SET event = 7",
        ] {
            #expect(throws: StoreError.self, "\(sql)") { try outbox.run(sql) }
        }
        try outbox.damage("UPDATE deliveries SET attempts = -4 WHERE number = 1")
        #expect(try outbox.due(endpoint).map(\.attempts) == [0, 0])
    }

    @Test("The state counts what waits, and tells since when the oldest is due")
    func state() throws {
        try put(3)
        let due = try outbox.due(endpoint)
        try outbox.record(due[0], .retry(at: Timestamp(microseconds: outbox.soon.microseconds * 2)))
        let state = try outbox.outbox.outboxState(now: outbox.soon)
        #expect(state.pending == 3 && state.held == 0 && state.oldestDue == due[1].dueAt && state.disabledEndpoints == 0)
        #expect(try outbox.outbox.waiting() == [endpoint.id: 3])
        // One that waits for its next attempt is the oldest that has not arrived.
        for delivery in due.dropFirst() { try outbox.record(delivery, .succeeded) }
        let rest = try outbox.outbox.outboxState(now: outbox.soon)
        #expect(rest.pending == 1 && rest.oldestDue == nil)
        #expect(state.oldestPending != nil && rest.oldestPending == state.oldestPending)
    }
}

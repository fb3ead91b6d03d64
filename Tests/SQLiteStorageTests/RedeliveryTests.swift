import Domain
import Testing

@testable import SQLiteStorage

@Suite("Redelivery and replay")
struct RedeliveryTests {
    private let outbox: OutboxBench

    init() throws { outbox = try OutboxBench() }

    private func put(_ count: Int, from first: Int = 0) throws {
        for number in first..<(first + count) {
            try outbox.bench.put(.candidate, #"{"external_id":"\#(number)","full_name":"N \#(number)"}"#)
        }
    }

    /// The whole replay, in the parts that it makes.
    private func replay(_ request: ReplayRequest) throws -> (total: ReplayPart, parts: Int) {
        var (total, parts, cursor) = (ReplayPart(), 0, ReplayCursor?.none)
        repeat {
            let part = try outbox.outbox.replay(request, from: cursor)
            total.restarted += part.restarted
            total.added += part.added
            total.parked += part.parked
            total.erased += part.erased
            // As it would come back from a command's argument.
            cursor = part.cursor.flatMap { ReplayCursor($0.description) }
            parts += 1
        } while cursor != nil
        return (total, parts)
    }

    @Test(
        "A redelivery has the same id and bytes, in a new round of attempts",
        arguments: [DeliveryNext.succeeded, .failed, .parked(reason: "x")])
    func again(outcome: DeliveryNext) throws {
        let endpoint = try outbox.add(.rejento)
        try put(1)
        let first = try #require(try outbox.due(endpoint).first)
        try outbox.record(first, .retry(at: outbox.clock.shown))
        try outbox.record(first, outcome)
        #expect(try outbox.due(endpoint).isEmpty)
        let state = try #require(try outbox.outbox.redeliver(first.id))
        #expect(state.status == .pending && state.attempts == 2 && state.reason == nil && state.finishedAt == nil)
        let second = try #require(try outbox.due(endpoint).first)
        #expect(second.id == first.id && second.event == first.event && second.body == first.body && second.attempts == 0)
        #expect(try outbox.outbox.redeliver(DeliveryID(ULID(high: 1, low: 1))) == nil)
    }

    @Test("What could not be built is built when it is sent again, once it can be")
    func rebuilt() throws {
        let endpoint = try outbox.add(.tenzo)
        try outbox.bench.put(.candidate, #"{"external_id":"c"}"#)
        let json = #"{"external_id":"i","candidate_external_id":"c","status":"completed","result":{"summary":"unrenderable"}}"#
        let interview = try outbox.bench.put(.interview, json).id
        let parked = try #require(try outbox.log().first)
        #expect(parked.status == .parked)
        #expect(try outbox.outbox.redeliver(parked.id)?.status == .parked)
        try outbox.run("UPDATE events SET data = replace(data, 'unrenderable', 'fine') WHERE type = 'interview.completed'")
        #expect(try outbox.outbox.redeliver(parked.id)?.status == .pending)
        #expect(try outbox.due(endpoint).map(\.id) == [parked.id] && outbox.due(endpoint)[0].json.string("name") == "completed")
        // Its record is gone, and the dialect needs it.
        try outbox.run("UPDATE deliveries SET body = NULL, status = 3, reason = 'x', due_at = NULL, finished_at = 1")
        try outbox.bench.delete(interview)
        let again = try #require(try outbox.outbox.redeliver(parked.id))
        #expect(again.status == .parked && again.reason?.contains("interview") == true)
        try outbox.run("DELETE FROM events")
        #expect(throws: InputFaults.self) { try outbox.outbox.redeliver(parked.id) }
    }

    @Test("A replay sends a range of time again, and leaves out what is due already")
    func range() throws {
        let endpoint = try outbox.add()
        try put(10)
        let all = try outbox.due(endpoint)
        for delivery in all.prefix(8) { try outbox.record(delivery, delivery.number % 2 == 0 ? .succeeded : .failed) }
        let events = try outbox.bench.events().compactMap { $0.time("created_at") }
        let failed = try replay(ReplayRequest(endpoint: endpoint.id, since: events[1], until: events[6], status: .failed)).total
        #expect(failed.restarted == 2 && failed.added == 0)
        #expect(try outbox.due(endpoint).map(\.number).sorted() == [3, 5, 9, 10])
        let whole = try replay(ReplayRequest(endpoint: endpoint.id)).total
        #expect(whole.restarted == 6 && whole.added == 0 && whole.parked == 0)
        let again = try outbox.due(endpoint).sorted { $0.number < $1.number }
        #expect(again.map(\.id) == all.map(\.id) && again.map(\.body) == all.map(\.body))
        #expect(throws: InputFaults.self) { try outbox.outbox.replay(ReplayRequest(endpoint: EndpointID(ULID(high: 1, low: 1)))) }
    }

    @Test("A delivery that waits for a retry is due at once after a replay")
    func waiting() throws {
        let endpoint = try outbox.add()
        try put(1)
        let delivery = try outbox.due(endpoint)[0]
        try outbox.record(delivery, .retry(at: Timestamp(microseconds: outbox.soon.microseconds * 2)))
        #expect(try outbox.due(endpoint).isEmpty)
        #expect(try replay(ReplayRequest(endpoint: endpoint.id)).total.restarted == 1)
        #expect(try outbox.due(endpoint).map(\.attempts) == [0])
    }

    @Test("An endpoint added later gets the events that it was never owed, from what is stored")
    func later() throws {
        try put(3)
        let gone = try outbox.bench.put(.candidate, #"{"external_id":"gone","full_name":"Gone"}"#).id
        try outbox.bench.delete(gone)
        try outbox.bench.put(.candidate, #"{"external_id":"0","status":"offer"}"#)
        let (endpoint, created) = (try outbox.add(), try outbox.add(.rejento, types: [.candidateCreated]))
        #expect(try replay(ReplayRequest(endpoint: endpoint.id)).total.added == 6)
        let bodies = try outbox.due(endpoint).map(\.json)
        #expect(bodies.map { $0.string("event") } == (try outbox.bench.events().map(\.id)))
        #expect(bodies.map { $0.number("sequence") } == [1, 2, 3, 4, 5, 6] && bodies.map { $0.number("version") } == [1, 1, 1, 1, 2, 2])
        #expect(try replay(ReplayRequest(endpoint: endpoint.id)).total.added == 0)
        #expect(try replay(ReplayRequest(endpoint: created.id, status: .failed)).total.added == 0)
        #expect(try replay(ReplayRequest(endpoint: created.id)).total.added == 4)
        let named = try outbox.due(created)
        #expect(named.allSatisfy { $0.json.string("delivery") == $0.id.description })
        #expect(try outbox.log { $0.endpoint = created.id }.map(\.createdAt).last == outbox.bench.events().first?.time("created_at"))
    }

    @Test("A dialect that needs the record is parked where it is gone")
    func records() throws {
        let ids = try (0..<2).map { try outbox.bench.put(.interview, #"{"external_id":"\#($0)","status":"completed"}"#).id }
        try outbox.bench.delete(ids[0])
        let endpoint = try outbox.add(.tenzo)
        let total = try replay(ReplayRequest(endpoint: endpoint.id)).total
        #expect(total.added == 2 && total.parked == 1)
        #expect(try outbox.due(endpoint).map { $0.json.string("name") } == ["completed"])
        #expect(try outbox.log { $0.statuses = [.parked] }.first?.reason?.contains("gone") == true)
    }

    @Test("Tests and what was erased are left out of a replay")
    func leftOut() throws {
        let endpoint = try outbox.add()
        try put(1)
        let erased = try outbox.bench.put(.candidate, #"{"external_id":"e"}"#).id
        _ = try outbox.database.createTest(for: endpoint.id)
        try outbox.finish(endpoint)
        #expect(try outbox.bench.engine.erase(erased, in: outbox.bench.organization))
        try outbox.finish(endpoint)
        let total = try replay(ReplayRequest(endpoint: endpoint.id)).total
        #expect(total.restarted == 2 && total.erased == 1)
        #expect(Set(try outbox.types(endpoint)) == [.candidateCreated, .candidateDeleted])
        let second = try outbox.add()
        let added = try replay(ReplayRequest(endpoint: second.id)).total
        #expect(added.added == 2 && added.erased == 1)
    }

    @Test("A long replay goes in parts, each with a cursor to go on from")
    func parts() throws {
        let count = SQLiteOutbox.replayBatch * 2 + 10
        let input = RecordInput(kind: .candidate)
        try outbox.database.write { writer in
            for _ in 0..<count { _ = try writer.apply(input, in: outbox.bench.organization, options: ChangeOptions()) }
        }
        let endpoint = try outbox.add()
        let first = try outbox.outbox.replay(ReplayRequest(endpoint: endpoint.id))
        #expect(first.added == SQLiteOutbox.replayBatch && first.cursor != nil)
        // Interrupted here, it goes on from the cursor; what comes meanwhile is not its business.
        try put(1)
        let second = try outbox.outbox.replay(ReplayRequest(endpoint: endpoint.id), from: first.cursor)
        let third = try outbox.outbox.replay(ReplayRequest(endpoint: endpoint.id), from: second.cursor)
        #expect(second.added == SQLiteOutbox.replayBatch && third.added == 10 && third.cursor == nil)
        #expect(try outbox.count("deliveries") == count + 1)
        #expect(ReplayCursor("12-x") == nil && ReplayCursor("12") == nil)
    }

    @Test("Deliveries outlive their events in a replay")
    func expiredEvents() throws {
        let endpoint = try outbox.add()
        try put(3)
        try outbox.finish(endpoint)
        #expect(try outbox.bench.engine.expireEvents(before: outbox.soon) == 3)
        try put(1, from: 9)
        #expect(try replay(ReplayRequest(endpoint: endpoint.id)).total.restarted == 3)
        #expect(try outbox.due(endpoint).count == 4)
    }
}

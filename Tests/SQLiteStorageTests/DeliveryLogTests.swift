import Domain
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("Delivery log: lists, one delivery, expiry")
struct DeliveryLogTests {
    /// Deliveries of three endpoints in every state.
    private func populated() throws -> (OutboxBench, [Endpoint]) {
        let outbox = try OutboxBench()
        let endpoints = [try outbox.add(), try outbox.add(), try outbox.inOrganization("two").add()]
        var random = SeededGenerator("delivery log")
        for bench in [outbox.bench, try outbox.bench.inOrganization("two")] {
            for number in 0..<30 {
                try bench.put(.candidate, #"{"external_id":"\#(number / 2)","status":"\#(number % 2 == 0 ? "new" : "offer")"}"#)
            }
        }
        for endpoint in endpoints {
            for (index, delivery) in try outbox.due(endpoint).enumerated() {
                let states: [DeliveryNext] = [.succeeded, .failed, .retry(at: outbox.soon), .parked(reason: "because"), .succeeded]
                // Each of them once, the rest by chance.
                try outbox.record(delivery, index < states.count ? states[index] : random.pick(states))
            }
        }
        return (outbox, endpoints)
    }

    @Test("Every filter gives what it names, newest first, whole and in pages")
    func filters() throws {
        let (outbox, endpoints) = try populated()
        let all = try outbox.log()
        #expect(all.count == 90)
        #expect(all.map(\.createdAt) == all.map(\.createdAt).sorted(by: >))
        let (since, until) = (all[70].createdAt, all[20].createdAt)
        for endpoint in [nil, endpoints[0].id, endpoints[2].id] {
            for types in [[], [EventType.candidateCreated], [.candidateStatusChanged, .candidateCreated]] {
                for statuses in [[], [DeliveryStatus.failed], [.pending, .parked]] {
                    for times in [(nil, nil), (since, nil), (nil, until), (since, until)] {
                        var query = DeliveryQuery()
                        (query.endpoint, query.types, query.statuses, query.since, query.until) = (
                            endpoint, types, statuses, times.0, times.1
                        )
                        query.limit = 7
                        let expected = all.filter { row in
                            endpoint.map { $0 == row.endpoint } ?? true && (types.isEmpty || row.type.map(types.contains) ?? false)
                                && (statuses.isEmpty || statuses.contains(row.status)) && times.0.map { row.createdAt >= $0 } ?? true
                                && times.1.map { row.createdAt < $0 } ?? true
                        }
                        #expect(try pages(outbox, query) == expected.map(\.id))
                    }
                }
            }
        }
        let second = try outbox.bench.engine.organization("two").number
        #expect(try outbox.log { $0.organization = second }.map(\.endpoint) == [EndpointID](repeating: endpoints[2].id, count: 30))
    }

    private func pages(_ outbox: OutboxBench, _ first: DeliveryQuery) throws -> [DeliveryID] {
        var (query, ids) = (first, [DeliveryID]())
        while true {
            let page = try outbox.outbox.deliveries(query)
            ids += page.rows.map(\.id)
            guard page.hasMore, let last = page.rows.last else { return ids }
            query.before = last.id
        }
    }

    @Test("What is held for a disabled endpoint is named by its own word, alone and beside statuses")
    func held() throws {
        let (outbox, endpoints) = try populated()
        _ = try outbox.database.setEndpoint(endpoints[1].id, .disabled(reason: "because", at: outbox.clock.shown))
        let (one, two) = (endpoints[0].id, endpoints[1].id)
        let held = try outbox.log { $0.withHeld = true }
        #expect(!held.isEmpty && held.allSatisfy { $0.isHeld && $0.endpoint == two })
        #expect(try held.map(\.id) == outbox.log { ($0.endpoint, $0.statuses) = (two, [.pending]) }.map(\.id))
        #expect(try outbox.log { ($0.endpoint, $0.withHeld) = (one, true) }.isEmpty)
        let both = try outbox.log { ($0.statuses, $0.withHeld) = ([.failed], true) }
        #expect(try Set(both.map(\.id)) == Set((held + outbox.log { $0.statuses = [.failed] }).map(\.id)))
    }

    @Test("A row that is damaged is listed too, and the pages go on behind it")
    func damaged() throws {
        let (outbox, endpoints) = try populated()
        let all = try outbox.log { $0.endpoint = endpoints[0].id }
        try outbox.damage("UPDATE deliveries SET type = 99 WHERE number = \(all[4].number)")
        for row in all[9...10] { try outbox.damage("UPDATE deliveries SET id = x'0\(row.number % 10)' WHERE number = \(row.number)") }
        var (query, numbers) = (DeliveryQuery(), [Int64]())
        (query.endpoint, query.limit) = (endpoints[0].id, 2)
        while true {
            let page = try outbox.outbox.deliveries(query)
            numbers += page.rows.map(\.number)
            for row in page.rows where row.number == all[4].number { #expect(row.type == nil) }
            guard page.hasMore else { break }
            query.last = page.rows.last
        }
        #expect(numbers == all.map(\.number))
    }

    @Test("An endpoint or a delivery that is not there is refused by its name")
    func unknown() throws {
        let (outbox, endpoints) = try populated()
        let (endpoint, delivery) = (EndpointID(ULID(high: 1, low: 2)), DeliveryID(ULID(high: 1, low: 2)))
        #expect(throws: InputFaults.self) { try outbox.log { $0.endpoint = endpoint } }
        #expect(throws: InputFaults.self) { try outbox.log { $0.before = delivery } }
        #expect(throws: InputFaults.self) {
            try outbox.log { ($0.endpoint, $0.organization) = (endpoints[2].id, outbox.bench.organization.number) }
        }
        #expect(try outbox.outbox.delivery(delivery) == nil)
    }

    @Test("A delivery shows its body and every attempt, whole and in order")
    func detail() throws {
        let outbox = try OutboxBench()
        let endpoint = try outbox.add()
        try outbox.bench.put(.candidate, "{}")
        let due = try #require(try outbox.due(endpoint).first)
        let later = outbox.soon
        var cut = outbox.attempt(503, body: "be back \u{1F600}\u{0}", error: "status 503")
        cut.isCut = true
        try outbox.record(due, .retry(at: later), cut)
        try outbox.record(due, .failed, outbox.attempt(nil, body: "", error: "timed out"))
        let detail = try #require(try outbox.outbox.delivery(due.id))
        #expect(detail.body == due.body && detail.summary.attempts == 2 && detail.summary.event == due.event)
        #expect(detail.attempts.map(\.nextAt) == [later, nil])
        let first = try #require(detail.attempts.first?.attempt)
        #expect(first.startedAt == cut.startedAt && first.duration == 1_500 && first.responseStatus == 503 && first.isCut)
        #expect(first.responseBody == cut.responseBody && first.error == "status 503")
        #expect(first.requestHeaders.map(\.name) == ["webhook-id", "x-a"] && first.requestHeaders.map(\.value) == ["evt_1", "\"b\""])
        #expect(first.responseHeaders.map(\.value) == ["be back \u{1F600}\u{0}"])
        let second = try #require(detail.attempts.last?.attempt)
        #expect(second.responseStatus == nil && second.responseBody.isEmpty && second.error == "timed out")
    }

    @Test("Finished deliveries go after the retention, attempts and bodies with them; pending and held ones stay")
    func expiry() throws {
        let outbox = try OutboxBench()
        let (one, two) = (try outbox.add(), try outbox.add())
        for _ in 0..<4 { try outbox.bench.put(.candidate, "{}") }
        let due = try outbox.due(one)
        try outbox.record(due[0], .succeeded)
        try outbox.record(due[1], .failed)
        try outbox.record(due[2], .parked(reason: "because"))
        let shared = try #require(try outbox.due(two).first)
        outbox.clock.move(by: 1_000_000)
        let moment = outbox.clock.shown
        try outbox.record(try outbox.due(one)[0], .succeeded)
        #expect(try !outbox.outbox.expireDeliveries(before: moment))
        #expect(try outbox.log { $0.endpoint = one.id }.map(\.id) == [due[3].id])
        #expect(try outbox.due(two).count == 4 && outbox.count("bodies") == 4 && outbox.count("attempts") == 1)
        try outbox.finish(two)
        #expect(try outbox.outbox.delivery(shared.id)?.body == shared.body)
        #expect(try !outbox.outbox.expireDeliveries(before: outbox.soon))
        #expect(try outbox.count("deliveries") == 0 && outbox.count("bodies") == 0 && outbox.count("attempts") == 0)
        #expect(try outbox.bench.events().count == 4)
    }

    @Test("Expiry goes a part at a time and says that there is more")
    func parts() throws {
        let outbox = try OutboxBench()
        let endpoint = try outbox.add()
        let input = RecordInput(kind: .candidate)
        let count = SQLiteOutbox.expiryBatch + 1
        try outbox.database.write { writer in
            for _ in 0..<count { _ = try writer.apply(input, in: outbox.bench.organization, options: ChangeOptions()) }
        }
        try outbox.outbox.record(
            try outbox.due(endpoint).map {
                AttemptRecord(delivery: $0.number, endpoint: endpoint.number, attempt: outbox.attempt(), next: .succeeded)
            })
        #expect(try outbox.outbox.expireDeliveries(before: outbox.soon) && outbox.count("deliveries") == 1)
        #expect(try !outbox.outbox.expireDeliveries(before: outbox.soon) && outbox.count("deliveries") == 0)
    }
}

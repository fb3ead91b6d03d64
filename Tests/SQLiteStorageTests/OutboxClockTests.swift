import Domain
import Testing

@testable import SQLiteStorage

@Suite("Outbox: when the wall clock is set")
struct OutboxClockTests {
    private static let day: Int64 = 86_400_000_000
    private let outbox: OutboxBench
    private let endpoint: Endpoint

    init() throws {
        outbox = try OutboxBench()
        endpoint = try outbox.add()
    }

    /// When each is due, by its number.
    private func dueTimes() throws -> [Int64: Timestamp] {
        let all = try outbox.outbox.due(of: endpoint.number, now: .latest, limit: 100, except: [])
        return Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0.dueAt) })
    }

    @Test("What waits for another attempt waits as long, and what was due or is new is due", arguments: [-day, day])
    func moved(by: Int64) throws {
        // given: one never tried, one whose second attempt is due, one whose second attempt waits
        for _ in 0..<3 { try outbox.bench.put(.candidate, "{}") }
        let due = try outbox.due(endpoint)
        let from = outbox.soon
        let waiting = from.adding(milliseconds: 60_000)
        try outbox.record(due[1], .retry(at: from.adding(milliseconds: -1)))
        try outbox.record(due[2], .retry(at: waiting))
        let now = Timestamp(microseconds: from.microseconds + by)
        // and one that was written by the new time, before anybody noticed
        try outbox.bench.put(.candidate, "{}")
        try outbox.run("UPDATE deliveries SET due_at = \(now.microseconds - 5) WHERE number = (SELECT max(number) FROM deliveries)")

        // when
        try outbox.outbox.clockMoved(by: by, from: from)

        // then
        let times = try dueTimes()
        #expect(times.count == 4)
        for (number, time) in times {
            if number == due[2].number {
                #expect(time == Timestamp(microseconds: waiting.microseconds + by))
            } else {
                #expect(time <= now, "\(number) is due")
            }
        }
    }

    @Test("An endpoint has failed for as long as before", arguments: [-day, day])
    func failing(by: Int64) throws {
        // given
        try outbox.bench.put(.candidate, "{}")
        try outbox.record(try #require(try outbox.due(endpoint).first), .failed, outbox.attempt(500, error: "status 500"))
        let before = try #require(try outbox.database.endpoint(endpoint.id)?.failingSince)

        // when
        try outbox.outbox.clockMoved(by: by, from: outbox.soon)

        // then
        #expect(try outbox.database.endpoint(endpoint.id)?.failingSince == Timestamp(microseconds: before.microseconds + by))
    }

    @Test("A secret that was rotated signs for as long as before", arguments: [-day, day])
    func rotated(by: Int64) throws {
        // given
        let (old, new) = (SealedSecret([1, 2, 3]), SealedSecret([4, 5, 6]))
        let rotated = try outbox.add(secret: old)
        let until = outbox.soon
        _ = try outbox.database.changeSecret(of: rotated.id, to: new, previousUntil: until)

        // when
        try outbox.outbox.clockMoved(by: by, from: outbox.clock.shown)

        // then
        let previous = try #require(try outbox.database.endpoint(rotated.id)?.previous)
        #expect(previous.secret == old && previous.until == Timestamp(microseconds: until.microseconds + by))
        #expect(try outbox.database.endpoint(endpoint.id)?.previous == nil)
    }

    @Test("Nothing of one endpoint is due later than it may be, however much that is; what is due sooner stays")
    func forward() throws {
        // given
        let other = try outbox.add()
        for _ in 0..<10 { try outbox.bench.put(.candidate, "{}") }
        let latest = outbox.soon
        let (sooner, later) = (latest.adding(milliseconds: -5), latest.adding(milliseconds: 86_400_000))
        let due = try outbox.due(endpoint)
        for (index, delivery) in due.enumerated() { try outbox.record(delivery, .retry(at: index < 2 ? sooner : later)) }
        for delivery in try outbox.due(other) { try outbox.record(delivery, .retry(at: later)) }

        // when
        try outbox.outbox.bringForward(of: endpoint.number, to: latest, part: 3)

        // then
        #expect(try dueTimes().values.sorted() == [sooner, sooner] + Array(repeating: latest, count: 8))
        let others = try outbox.outbox.due(of: other.number, now: .latest, limit: 100, except: [])
        #expect(others.map(\.dueAt) == Array(repeating: later, count: 10))
    }
}

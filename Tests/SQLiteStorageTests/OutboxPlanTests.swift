import Domain
import Testing

@testable import SQLiteStorage

@Suite("Outbox: how SQLite goes about it")
struct OutboxPlanTests {
    private let outbox: OutboxBench

    init() throws { outbox = try OutboxBench() }

    private func steps(_ sql: String) throws -> [String] {
        try outbox.outbox.read { try $0("EXPLAIN QUERY PLAN " + sql).all { $0.string(3) } }
    }

    private func isSorted(_ steps: [String]) -> Bool { !steps.contains { $0.contains("TEMP B-TREE") } }

    @Test("A claim is a range of the pending ones' index, sorted already")
    func claim() throws {
        let steps = try steps(SQLiteOutbox.due)
        #expect(steps.contains { $0 == "SEARCH d USING INDEX deliveries_due (endpoint=? AND due_at<?)" }, "\(steps)")
        #expect(isSorted(steps) && !steps.contains { $0.hasPrefix("SCAN ") }, "\(steps)")
    }

    @Test("What is due is one look into the index for each endpoint")
    func work() throws {
        for sql in [SQLiteOutbox.nextDue, SQLiteOutbox.owed] {
            let steps = try steps(sql)
            #expect(steps.filter { $0.hasPrefix("SCAN ") && !$0.hasSuffix("CONSTANT ROWS") } == ["SCAN e"], "\(steps)")
            #expect(steps.contains { $0.hasPrefix("SEARCH deliveries USING INDEX deliveries_due (endpoint=?") }, "\(steps)")
            #expect(!steps.contains { $0.hasSuffix("deliveries_of_endpoint (endpoint=?)") }, "\(steps)")
        }
        let count = "SEARCH deliveries USING COVERING INDEX deliveries_of_endpoint (endpoint=? AND type=? AND status=?)"
        #expect(try steps(SQLiteOutbox.owed).contains(count))
    }

    @Test("Each range of a list comes sorted from its index alone")
    func lists() throws {
        let range = try steps(SQLiteOutbox.range)
        #expect(range.count == 1 && isSorted(range), "\(range)")
        #expect(range[0].hasPrefix("SEARCH deliveries USING COVERING INDEX deliveries_of_endpoint (endpoint=? AND type=? AND status=? AND"))
        let summary = try steps(SQLiteOutbox.summary)
        #expect(!summary.contains { $0.hasPrefix("SCAN ") }, "\(summary)")
    }

    @Test(
        "Nothing that a delivery needs reads a table from end to end",
        arguments: [
            "SELECT number FROM deliveries WHERE id = ?", "SELECT number FROM deliveries WHERE event = ? AND body = ?",
            "SELECT number FROM deliveries WHERE finished_at < ? ORDER BY finished_at LIMIT ?",
            "SELECT number FROM deliveries WHERE endpoint = ? LIMIT ?", "SELECT number FROM attempts WHERE delivery = ?",
            "SELECT number FROM bodies WHERE candidate_id = ?", SQLiteOutbox.replayDeliveries, SQLiteOutbox.replayEvents,
            Database.expiredInterviews,
        ])
    func plans(sql: String) throws {
        let steps = try steps(sql)
        #expect(isSorted(steps) && steps.allSatisfy { $0.hasPrefix("SEARCH ") }, "\(steps)")
    }

    @Test("Of a hundred thousand pending ones the longest due are claimed first, each once")
    func many() throws {
        let endpoint = try outbox.add()
        let (count, start) = (100_000, outbox.clock.shown.microseconds)
        try outbox.run(
            """
            INSERT INTO bodies (event, bytes)
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < \(count)) SELECT n, x'7B7D' FROM n
            """)
        // Stored the other way round than they are due.
        try outbox.run(
            """
            INSERT INTO deliveries (endpoint, event, type, status, created_at, id, event_id, due_at, body)
            SELECT \(endpoint.number), event, 1, 0, \(start), randomblob(16), randomblob(16),
                \(start) - event, number
            FROM bodies
            """)
        var claimed: [Int64] = []
        for _ in 0..<20 {
            let due = try outbox.due(endpoint, limit: 64)
            claimed += due.map(\.number)
            try outbox.outbox.record(
                due.map { AttemptRecord(delivery: $0.number, endpoint: endpoint.number, attempt: outbox.attempt(), next: .succeeded) })
        }
        #expect(claimed == (0..<Int64(claimed.count)).map { Int64(count) - $0 } && claimed.count == 20 * 64)
        #expect(try outbox.outbox.outboxState(now: outbox.soon).pending == count - claimed.count)
    }
}

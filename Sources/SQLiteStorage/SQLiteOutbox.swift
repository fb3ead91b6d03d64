import Domain
import GRDBSQLite
import Synchronization

/// The outbox as the dispatcher and the delivery log see it: read on connections of its own, which no writer holds up,
/// written in the database's ordinary transactions.
public final class SQLiteOutbox: OutboxStore {
    let database: Database
    private let idle = Mutex<[Lent]>([])

    /// A read-only connection with its statements.
    private final class Connection {
        let statements: StatementCache

        init(path: String) throws {
            statements = StatementCache(try Reader.open(path, flags: SQLITE_OPEN_READONLY))
            try statements("PRAGMA cache_size = -4096").run()
            try statements("PRAGMA query_only = 1").run()
        }

        deinit {
            statements.removeAll()
            sqlite3_close_v2(statements.connection)
        }
    }

    /// A connection moves between threads but is with one at a time: the mutex hands it over.
    private struct Lent: @unchecked Sendable {
        let connection: Connection
    }

    public init(_ database: Database) throws {
        self.database = database
        try read { _ in }
    }

    /// Runs `body` on one snapshot.
    ///
    /// - Throws: ``StoreError``.
    func read<Result>(_ body: (StatementCache) throws -> Result) throws -> Result {
        do {
            let lent = try idle.withLock { $0.popLast() } ?? Lent(connection: Connection(path: database.path))
            defer { idle.withLock { $0.append(lent) } }
            let statements = lent.connection.statements
            try statements("BEGIN").run()
            // A failed COMMIT of a read leaves nothing behind but the transaction itself.
            defer { if sqlite3_get_autocommit(statements.connection) == 0 { sqlite3_exec(statements.connection, "COMMIT", nil, nil, nil) } }
            return try body(statements)
        } catch let failure as SQLiteFailure {
            throw StoreError(failure)
        }
    }

    // MARK: What the dispatcher asks

    public func endpoints() throws -> [Endpoint] {
        try read { try $0(EndpointRows.select + " ORDER BY e.number").all([], EndpointRows.endpoint) }
    }

    static let nextDue = """
        SELECT number,
            (SELECT min(due_at) FROM deliveries WHERE endpoint = e.number AND status = \(DeliveryStatus.pending.code)),
            (SELECT min(due_at) FROM deliveries WHERE endpoint = e.number AND status = \(DeliveryStatus.pending.code) AND due_at > ?1)
        FROM endpoints e WHERE disabled_at IS NULL AND removed_at IS NULL ORDER BY number
        """

    public func work(now: Timestamp) throws -> (endpoints: [Int64], next: Timestamp?) {
        try read { statements in
            var endpoints: [Int64] = []
            var next: Timestamp?
            try statements(Self.nextDue).forEach([SQLValue(now)]) { row in
                if let due = row.optionalTime(1), due <= now { endpoints.append(row.integer(0)) }
                if let later = row.optionalTime(2) { next = min(next ?? later, later) }
            }
            return (endpoints, next)
        }
    }

    static let due = """
        SELECT d.number, d.id, d.event_id, d.type, d.attempts, d.due_at, b.bytes, (SELECT secret FROM endpoints WHERE number = ?1)
        FROM deliveries d LEFT JOIN bodies b ON b.number = d.body AND b.event = d.event
        WHERE d.endpoint = ?1 AND d.status = \(DeliveryStatus.pending.code) AND d.due_at <= ?2
            AND EXISTS (SELECT 1 FROM endpoints WHERE number = ?1 AND disabled_at IS NULL AND removed_at IS NULL)
        ORDER BY d.due_at, d.number LIMIT ?3
        """

    /// What can't be read is parked with its reason, and the others come without it. Nothing of a disabled endpoint is due.
    public func due(of endpoint: Int64, now: Timestamp, limit: Int, except held: Set<Int64>) throws -> [DueDelivery] {
        while true {
            var (found, damaged): ([DueDelivery], [Int64: String]) = ([], [:])
            try read { statements in
                let most = SQLValue.integer(Int64(limit + held.count))
                try statements(Self.due).forEach([.integer(endpoint), SQLValue(now), most]) { row in
                    guard found.count < limit, !held.contains(row.integer(0)) else { return }
                    switch Self.delivery(row, endpoint) {
                    case .success(let delivery): found.append(delivery)
                    case .failure(let damage): damaged[row.integer(0)] = damage.reason
                    }
                }
            }
            if damaged.isEmpty { return found }
            try park(damaged, now: now)
            if !found.isEmpty { return found }
        }
    }

    private struct Damage: Error {
        let reason: String
    }

    private static func delivery(_ row: StatementRow, _ endpoint: Int64) -> Result<DueDelivery, Damage> {
        guard row.byteCount(1) == 16, row.byteCount(2) == 16 else { return .failure(Damage(reason: "its id is damaged")) }
        guard let type = EventType(code: row.integer(3)) else {
            return .failure(Damage(reason: "its event type is unknown to this hirewire"))
        }
        guard !row.isNull(6) else { return .failure(Damage(reason: "its body is missing")) }
        return .success(
            DueDelivery(
                number: row.integer(0), id: DeliveryID(row.ulid(1)), endpoint: endpoint, event: EventID(row.ulid(2)), type: type,
                isTest: type == .webhookTest, attempts: max(Int(row.integer(4)), 0), dueAt: row.time(5), body: row.blob(6),
                secret: row.isNull(7) ? nil : SealedSecret(row.blob(7))))
    }

    private func park(_ damaged: [Int64: String], now: Timestamp) throws {
        try database.transaction { statements in
            for (number, reason) in damaged {
                try statements(
                    "UPDATE deliveries SET status = \(DeliveryStatus.parked.code), reason = ?, due_at = NULL, finished_at = ? WHERE number = ? AND status = \(DeliveryStatus.pending.code)"
                ).run([.text(reason), SQLValue(now), .integer(number)])
            }
        }
    }

    /// Counted by type, so that an index has all that is read.
    static let owed = """
        WITH types (code) AS (VALUES \(EventType.allCases.map { "(\($0.code))" }.joined(separator: ", ")))
        SELECT e.disabled_at IS NOT NULL,
            (SELECT count(*) FROM deliveries WHERE endpoint = e.number AND status = \(DeliveryStatus.pending.code)
                AND type IN (\(EventType.allCases.map { String($0.code) }.joined(separator: ", ")))),
            (SELECT min(due_at) FROM deliveries WHERE endpoint = e.number AND status = \(DeliveryStatus.pending.code)), e.id,
            (SELECT min(oldest) FROM (
                SELECT (SELECT min(created_at) FROM deliveries
                    WHERE endpoint = e.number AND type = t.code AND status = \(DeliveryStatus.pending.code)) AS oldest
                FROM types t))
        FROM endpoints e WHERE e.removed_at IS NULL
        """

    public func outboxState(now: Timestamp) throws -> OutboxState {
        try read { statements in
            var state = OutboxState()
            try statements(Self.owed).forEach { row in
                if row.integer(0) == 1 {
                    state.disabledEndpoints += 1
                    state.held += Int(row.integer(1))
                    return
                }
                state.pending += Int(row.integer(1))
                if let made = row.optionalTime(4) { state.oldestPending = min(state.oldestPending ?? made, made) }
                if let due = row.optionalTime(2), due <= now { state.oldestDue = min(state.oldestDue ?? due, due) }
            }
            return state
        }
    }

    /// How many deliveries wait for each endpoint, held ones too.
    public func waiting() throws -> [EndpointID: Int] {
        try read { statements in
            var counts: [EndpointID: Int] = [:]
            try statements(Self.owed).forEach { counts[EndpointID($0.ulid(3))] = Int($0.integer(1)) }
            return counts
        }
    }
}

extension StatementRow {
    /// The bytes of a BLOB or a text; 0 for NULL.
    func byteCount(_ column: Int) -> Int { Int(sqlite3_column_bytes(handle, base + Int32(column))) }
}

import Domain

extension SQLiteOutbox {
    /// One transaction. A delivery that is gone is left out, though its number may be another endpoint's by now; one that is
    /// no longer pending keeps its status, and of an erased one the answer is not kept.
    public func record(_ records: [AttemptRecord]) throws {
        try database.transaction { statements in
            for record in records { try Self.record(record, statements) }
        }
    }

    private static func record(_ record: AttemptRecord, _ statements: StatementCache) throws {
        let found = try statements("SELECT status, body IS NULL FROM deliveries WHERE number = ? AND endpoint = ?")
            .first([.integer(record.delivery), .integer(record.endpoint)]) {
                (isPending: $0.integer(0) == DeliveryStatus.pending.code, isEmpty: $0.integer(1) == 1)
            }
        guard let found else { return }
        try insert(record, keepsAnswer: !found.isEmpty, goesOn: found.isPending, statements)
        if found.isPending { try advance(record, statements) }
        try judge(record, statements)
    }

    private static func insert(
        _ record: AttemptRecord, keepsAnswer: Bool, goesOn: Bool, _ statements: StatementCache
    ) throws {
        let attempt = record.attempt
        var next = SQLValue.null
        if goesOn, case .retry(let time) = record.next { next = SQLValue(time) }
        try statements(
            """
            INSERT INTO attempts (delivery, started_at, duration, request_headers, response_status, response_headers,
                response_body, is_cut, error, next_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(record.delivery), SQLValue(attempt.startedAt), .integer(max(attempt.duration, 0)),
            .text(StoredHeaders.text(of: attempt.requestHeaders)), attempt.responseStatus.map { .integer(Int64($0)) } ?? .null,
            .text(StoredHeaders.text(of: keepsAnswer ? attempt.responseHeaders : [])), .blob(keepsAnswer ? attempt.responseBody : []),
            .integer(attempt.isCut ? 1 : 0), SQLValue(attempt.error), next,
        ])
    }

    private static func advance(_ record: AttemptRecord, _ statements: StatementCache) throws {
        let end = SQLValue(record.end)
        let (status, due, finished, reason): (DeliveryStatus, SQLValue, SQLValue, SQLValue) =
            switch record.next {
            case .succeeded: (.succeeded, .null, end, .null)
            case .retry(let time): (.pending, SQLValue(time), .null, .null)
            case .failed: (.failed, .null, end, .null)
            case .parked(let reason): (.parked, .null, end, .text(reason))
            }
        try statements(
            "UPDATE deliveries SET status = ?, attempts = attempts + 1, due_at = ?, finished_at = ?, reason = ? WHERE number = ?"
        ).run([.integer(status.code), due, finished, reason, .integer(record.delivery)])
    }

    /// What the attempt says of the endpoint. What could not be built or signed says nothing.
    private static func judge(_ record: AttemptRecord, _ statements: StatementCache) throws {
        let (end, endpoint) = (SQLValue(record.end), SQLValue.integer(record.endpoint))
        switch record.next {
        case .succeeded:
            try statements(
                "UPDATE endpoints SET last_success_at = max(ifnull(last_success_at, ?1), ?1), failing_since = NULL WHERE number = ?2"
            ).run([end, endpoint])
        case .retry, .failed:
            try statements("UPDATE endpoints SET failing_since = ? WHERE number = ? AND failing_since IS NULL")
                .run([SQLValue(record.attempt.startedAt), endpoint])
        case .parked: break
        }
        guard let reason = record.disables else { return }
        try statements("UPDATE endpoints SET disabled_reason = ?, disabled_at = ? WHERE number = ? AND disabled_at IS NULL")
            .run([.text(reason), end, endpoint])
    }

    // MARK: The clock

    public func clockMoved(by: Int64, from: Timestamp) throws {
        try database.transaction { statements in
            // What was due stays due, though the clock goes back. A first attempt is due when it is written, so one that
            // comes later than now was written by the old time; only what waits for another attempt waits on.
            try statements(
                """
                UPDATE deliveries SET due_at = CASE WHEN attempts > 0 AND due_at > ?1 THEN due_at + ?2 ELSE min(due_at, ?1 + ?2) END
                WHERE status = \(DeliveryStatus.pending.code) AND due_at > min(?1, ?1 + ?2)
                """
            ).run([SQLValue(from), .integer(by)])
            // NULL stays NULL. A secret that was rotated signs for as long as it was to.
            try statements(
                "UPDATE endpoints SET failing_since = failing_since + ?1, previous_until = previous_until + ?1"
            ).run([.integer(by)])
        }
    }

    public func bringForward(of endpoint: Int64, to latest: Timestamp) throws { try bringForward(of: endpoint, to: latest, part: 10_000) }

    /// A part at a time: SQLite keeps each row of a statement that changes what it looks for by, and holds the lock as long.
    func bringForward(of endpoint: Int64, to latest: Timestamp, part: Int64) throws {
        let later = "SELECT number FROM deliveries WHERE endpoint = ?1 AND status = \(DeliveryStatus.pending.code) AND due_at > ?2"
        let values: [SQLValue] = [.integer(endpoint), SQLValue(latest)]
        while try read({ try $0(later + " LIMIT 1").first(values) { _ in true } ?? false }) {
            try database.transaction { statements in
                try statements("UPDATE deliveries SET due_at = ?2 WHERE number IN (\(later) LIMIT ?3)").run(values + [.integer(part)])
            }
        }
    }

    // MARK: Expiry

    /// How many go in one transaction: the lock is short.
    static let expiryBatch = 500

    /// Goes on with the removal of endpoints too, where that was interrupted.
    public func expireDeliveries(before moment: Timestamp) throws -> Bool {
        try database.transaction { statements in
            let old = try statements("SELECT number FROM deliveries WHERE finished_at < ? ORDER BY finished_at LIMIT ?")
                .all([SQLValue(moment), .integer(Int64(Self.expiryBatch))]) { $0.integer(0) }
            for number in old { try statements("DELETE FROM deliveries WHERE number = ?").run([.integer(number)]) }
            if old.count == Self.expiryBatch { return true }
            let removed = try statements("SELECT number FROM endpoints WHERE removed_at IS NOT NULL LIMIT 1").first { $0.integer(0) }
            guard let removed else { return false }
            try Self.removePart(of: removed, statements)
            return true
        }
    }

    /// Deletes a part of a removed endpoint's deliveries; when there are none left, the endpoint. False then.
    @discardableResult
    static func removePart(of endpoint: Int64, _ statements: StatementCache) throws -> Bool {
        let part = try statements("SELECT number FROM deliveries WHERE endpoint = ? LIMIT ?")
            .all([.integer(endpoint), .integer(Int64(expiryBatch))]) { $0.integer(0) }
        for number in part { try statements("DELETE FROM deliveries WHERE number = ?").run([.integer(number)]) }
        if part.count == expiryBatch { return true }
        try statements("DELETE FROM endpoints WHERE number = ?").run([.integer(endpoint)])
        return false
    }
}

extension AttemptRecord {
    /// When the attempt was over.
    var end: Timestamp { Timestamp(microseconds: attempt.startedAt.microseconds + max(attempt.duration, 0)) }
}

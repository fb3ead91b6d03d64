import Domain

extension SQLiteOutbox {
    /// Where a page of deliveries goes on: just before this time and number.
    private struct Position {
        let time: SQLValue
        let number: SQLValue
    }

    /// The deliveries asked for, newest first; `hasMore` says that there are others after the last one.
    ///
    /// Each endpoint, type and state is a range of an index, sorted already; the page is what is newest of them all.
    /// - Throws: ``InputFaults`` for an endpoint or a delivery that is not there.
    public func deliveries(_ query: DeliveryQuery) throws -> (rows: [DeliverySummary], hasMore: Bool) {
        try read { statements in
            let limit = min(max(query.limit, 1), 1_000)
            let endpoints = try endpoints(of: query, statements)
            let position = try position(of: query, statements)
            let since = SQLValue.integer(query.since?.microseconds ?? .min)
            var found: [(time: Int64, number: Int64)] = []
            for range in try endpoints.flatMap({ try Self.ranges(query, $0, statements) }) {
                let values = range + [position.time, position.number, since, .integer(Int64(limit + 1))]
                try statements(Self.range).forEach(values) { found.append(($0.integer(1), $0.integer(0))) }
            }
            found.sort { $0 > $1 }
            let rows = try found.prefix(limit).compactMap { try summary($0.number, statements) }
            return (rows, found.count > limit)
        }
    }

    static let range = """
        SELECT number, created_at FROM deliveries
        WHERE endpoint = ? AND type = ? AND status = ? AND (created_at, number) < (?, ?) AND created_at >= ?
        ORDER BY created_at DESC, number DESC LIMIT ?
        """

    /// The types that an endpoint has deliveries of, by their numbers; also one that this program does not know.
    static let types = """
        WITH RECURSIVE found (type) AS (
            SELECT min(type) FROM deliveries WHERE endpoint = ?1 UNION ALL
            SELECT (SELECT min(type) FROM deliveries WHERE endpoint = ?1 AND type > found.type) FROM found WHERE type IS NOT NULL)
        SELECT type FROM found WHERE type IS NOT NULL
        """

    private static func ranges(
        _ query: DeliveryQuery, _ endpoint: (number: Int64, isDisabled: Bool), _ statements: StatementCache
    ) throws -> [[SQLValue]] {
        let number = SQLValue.integer(endpoint.number)
        var statuses = Set(query.statuses)
        if query.statuses.isEmpty, !query.withHeld { statuses = Set(DeliveryStatus.allCases) }
        if query.withHeld, endpoint.isDisabled { statuses.insert(.pending) }
        if statuses.isEmpty { return [] }
        let types = try query.types.isEmpty ? statements(Self.types).all([number]) { $0.integer(0) } : query.types.map(\.code)
        return Set(types).flatMap { type in statuses.map { [number, .integer(type), .integer($0.code)] } }
    }

    private func endpoints(of query: DeliveryQuery, _ statements: StatementCache) throws -> [(number: Int64, isDisabled: Bool)] {
        let organization = query.organization.map { SQLValue.integer($0.value) } ?? .null
        let id = query.endpoint.map { SQLValue.ulid($0.ulid) } ?? .null
        let found = try statements(
            """
            SELECT number, disabled_at IS NOT NULL FROM endpoints
            WHERE id = ifnull(?, id) AND organization = ifnull(?, organization) AND removed_at IS NULL
            """
        ).all([id, organization]) { (number: $0.integer(0), isDisabled: $0.integer(1) == 1) }
        if let endpoint = query.endpoint, found.isEmpty { throw InputFaults([InputFault("endpoint", "there is no \(endpoint)")]) }
        return found
    }

    private func position(of query: DeliveryQuery, _ statements: StatementCache) throws -> Position {
        let until = query.until?.microseconds ?? .max
        var found = query.last.map { ($0.createdAt.microseconds, $0.number) }
        if found == nil, let id = query.before {
            found = try statements("SELECT created_at, number FROM deliveries WHERE id = ?").first([.ulid(id.ulid)]) {
                ($0.integer(0), $0.integer(1))
            }
            if found == nil { throw InputFaults([InputFault("before", "there is no \(id), or no longer")]) }
        }
        guard let found else { return Position(time: .integer(until), number: .integer(.min)) }
        if found.0 >= until { return Position(time: .integer(until), number: .integer(.min)) }
        return Position(time: .integer(found.0), number: .integer(found.1))
    }

    // MARK: One delivery

    /// Everything of a delivery; nil when there is none.
    public func delivery(_ id: DeliveryID) throws -> DeliveryDetail? {
        try read { statements in
            guard let number = try Self.number(of: id, statements), let summary = try summary(number, statements) else { return nil }
            let body = try statements("SELECT b.bytes FROM deliveries d JOIN bodies b ON b.number = d.body WHERE d.number = ?")
                .first([.integer(number)]) { $0.blob(0) }
            let attempts = try statements(
                """
                SELECT started_at, duration, request_headers, response_status, response_headers, response_body, is_cut, error, next_at
                FROM attempts WHERE delivery = ? ORDER BY number
                """
            ).all([.integer(number)], Self.made)
            return DeliveryDetail(summary: summary, body: body, attempts: attempts)
        }
    }

    private static func made(_ row: StatementRow) -> DeliveryDetail.Made {
        DeliveryDetail.Made(
            attempt: Attempt(
                startedAt: row.time(0), duration: row.integer(1), requestHeaders: StoredHeaders.read(row.string(2)),
                responseStatus: row.isNull(3) ? nil : Int(row.integer(3)), responseHeaders: StoredHeaders.read(row.string(4)),
                responseBody: row.blob(5), isCut: row.integer(6) == 1, error: row.optionalString(7)),
            nextAt: row.optionalTime(8))
    }

    static func number(of id: DeliveryID, _ statements: StatementCache) throws -> Int64? {
        try statements("SELECT number FROM deliveries WHERE id = ?").first([.ulid(id.ulid)]) { $0.integer(0) }
    }

    static let summary = """
        SELECT d.id, e.id, d.event_id, d.type, d.status, e.disabled_at, d.created_at,
            (SELECT count(*) FROM attempts WHERE delivery = d.number), d.due_at, d.finished_at, d.reason,
            a.response_status, a.error
        FROM deliveries d JOIN endpoints e ON e.number = d.endpoint
        LEFT JOIN attempts a ON a.number = (SELECT max(number) FROM attempts WHERE delivery = d.number)
        WHERE d.number = ?
        """

    func summary(_ number: Int64, _ statements: StatementCache) throws -> DeliverySummary? {
        try statements(Self.summary).first([.integer(number)]) { row in
            guard let status = DeliveryStatus(code: row.integer(4)) else { return nil }
            return DeliverySummary(
                number: number, id: DeliveryID(row.ulid(0)), endpoint: EndpointID(row.ulid(1)), event: EventID(row.ulid(2)),
                type: EventType(code: row.integer(3)),
                status: status, isHeld: status == .pending && !row.isNull(5), createdAt: row.time(6), attempts: Int(row.integer(7)),
                dueAt: row.optionalTime(8), finishedAt: row.optionalTime(9), reason: row.optionalString(10),
                lastStatus: row.isNull(11) ? nil : Int(row.integer(11)), lastError: row.optionalString(12))
        } ?? nil
    }
}

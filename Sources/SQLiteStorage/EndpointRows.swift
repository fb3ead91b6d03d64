import Domain

/// Endpoints as rows.
enum EndpointRows {
    /// Ends in a condition: more are joined with `AND`.
    static let select = """
        SELECT e.number, e.id, e.organization, o.name, e.url, e.dialect, e.types, e.job_id, e.includes_personal, e.schedule,
            e.attempts, e.timeout, e.disabled_reason, e.disabled_at, e.secret, e.previous_secret, e.previous_until,
            e.created_at, e.failing_since, e.last_success_at
        FROM endpoints e JOIN organizations o ON o.number = e.organization WHERE e.removed_at IS NULL
        """

    /// - Throws: ``StoreError`` for a dialect that this program does not know.
    static func endpoint(_ row: StatementRow) throws -> Endpoint {
        let id = EndpointID(row.ulid(1))
        guard let dialect = DialectName(rawValue: row.string(5)) else {
            throw StoreError.unavailable("the endpoint \(id) speaks a dialect that this hirewire does not know")
        }
        let disabled = row.optionalTime(13).map { Endpoint.State.disabled(reason: row.string(12), at: $0) }
        return Endpoint(
            number: row.integer(0), id: id, organization: OrganizationNumber(row.integer(2)), organizationName: row.string(3),
            url: row.string(4), dialect: dialect, types: types(row.optionalString(6)), job: row.optionalULID(7),
            includesPersonal: row.integer(8) == 1, schedule: delays(row.optionalString(9)),
            attempts: row.isNull(10) ? nil : Int(row.integer(10)), timeout: row.isNull(11) ? nil : row.integer(11),
            state: disabled ?? .active, secret: row.isNull(14) ? nil : SealedSecret(row.blob(14)),
            previous: row.optionalTime(16).map { (SealedSecret(row.blob(15)), $0) }, createdAt: row.time(17),
            failingSince: row.optionalTime(18), lastSuccessAt: row.optionalTime(19))
    }

    /// The values of the columns that an operator sets, in the order of ``settings``.
    static func values(_ endpoint: Endpoint) -> [SQLValue] {
        let types = endpoint.types.map { JSONValue.array($0.map(\.rawValue).sorted().map(JSONValue.string)).text }
        let schedule = endpoint.schedule.map { JSONValue.array($0.map { .number(String($0)) }).text }
        return [
            .text(endpoint.url), SQLValue(types), endpoint.job.map(SQLValue.ulid) ?? .null,
            .integer(endpoint.includesPersonal ? 1 : 0), SQLValue(schedule),
            endpoint.attempts.map { .integer(Int64($0)) } ?? .null, endpoint.timeout.map(SQLValue.integer) ?? .null,
        ]
    }

    static let settings = ["url", "types", "job_id", "includes_personal", "schedule", "attempts", "timeout"]

    private static func types(_ text: String?) -> Set<EventType>? {
        guard let text, case .array(let elements)? = try? JSONParser.parse(text) else { return nil }
        return Set(elements.compactMap { if case .string(let name) = $0 { EventType(rawValue: name) } else { nil } })
    }

    private static func delays(_ text: String?) -> [Int64]? {
        guard let text, case .array(let elements)? = try? JSONParser.parse(text) else { return nil }
        return elements.compactMap { if case .number(let spelling) = $0 { Int64(spelling) } else { nil } }
    }
}

import Domain

/// The event types with a JSON Schema for each one's `data`, made from the records' own schemas.
enum EventCatalogue {
    /// What a key without `read:pii` sees as `null` in events.
    static let masked: [String] = RecordKind.allCases.flatMap { kind in
        (["external_id"] + RecordForm(kind: kind, projection: .detail, personal: false).masked).map { "data.\(kind.singular).\($0)" }
    }

    /// The body of `/api/v1/event-types`.
    static var body: JSONValue {
        .object([
            .init(
                "data",
                .array(
                    EventType.allCases.map { type in
                        .object([
                            .init("type", .string(type.rawValue)), .init("description", .string(type.summary)),
                            .init("schema", schema(of: type)),
                        ])
                    })),
            .init("has_more", .bool(false)), .init("meta", .object([])), .init("next", .null), .init("next_cursor", .null),
        ])
    }

    private static func schema(of type: EventType) -> JSONValue {
        var properties: [JSONValue.Member] = []
        if let kind = type.subject {
            let onlyID = type == .candidateDeleted
            properties.append(.init(kind.singular, onlyID ? object([.init("id", text)]) : record(kind, .detail)))
            for related in [RecordKind.candidate, .job] where kind.relates(to: related) {
                properties.append(.init(related.singular, nullable(record(related, .brief))))
            }
        }
        switch type {
        case .candidateStatusChanged: properties += [.init("from", anyText), .init("to", anyText), .init("reason", anyText)]
        case .jobStatusChanged: properties += [.init("from", anyText), .init("to", anyText)]
        case .interviewScheduled: properties.append(.init("rescheduled_from", anyTime))
        default: break
        }
        guard case .object(let members) = object(properties) else { return .null }
        return .object([.init("$schema", .string("https://json-schema.org/draft/2020-12/schema"))] + members)
    }

    private static func record(_ kind: RecordKind, _ projection: Projection) -> JSONValue {
        let schema = kind.schema
        var properties: [JSONValue.Member] = [.init("id", text), .init("external_id", anyText)]
        if projection != .brief {
            properties += [
                .init("version", .object([.init("type", .string("integer"))])), .init("created_at", anyTime),
                .init("updated_at", anyTime), .init("deleted_at", anyTime),
            ]
        }
        let fields = projection.fields(of: kind).map { schema.fields[$0] }
        for name in schema.topLevelNames {
            let own = fields.filter { ($0.group ?? $0.name) == name }
            guard let first = own.first else { continue }
            if first.group == nil {
                properties.append(.init(name, form(first)))
            } else {
                properties.append(.init(name, nullable(object(own.map { .init($0.member, form($0)) }))))
            }
            if kind == .match, name == "score" { properties.append(.init("rank", typed("integer"))) }
        }
        return object(properties)
    }

    private static func form(_ field: Field) -> JSONValue {
        switch field.form {
        case .text, .choice, .reference: anyText
        case .integer: typed("integer")
        case .number: typed("number")
        case .time: anyTime
        case .list: .object([.init("type", types("array")), .init("items", text)])
        case .object: typed("object")
        case .array: typed("array")
        case .json: .object([])
        }
    }

    private static let text = JSONValue.object([.init("type", .string("string"))])
    private static let anyText = typed("string")
    private static let anyTime = JSONValue.object([.init("type", types("string")), .init("format", .string("date-time"))])

    private static func types(_ type: String) -> JSONValue { .array([.string(type), .string("null")]) }
    private static func typed(_ type: String) -> JSONValue { .object([.init("type", types(type))]) }
    private static func object(_ properties: [JSONValue.Member]) -> JSONValue {
        .object([.init("type", .string("object")), .init("properties", .object(properties))])
    }
    private static func nullable(_ schema: JSONValue) -> JSONValue {
        .object([.init("anyOf", .array([schema, .object([.init("type", .string("null"))])]))])
    }
}

import Domain
import Testing

/// An engine with an organization and a clock, and short words for what the suites do with it.
struct Workbench {
    let clock: TestClock
    let engine: any StorageEngine
    let organization: Organization

    init(clock: TestClock = TestClock()) throws {
        try self.init(clock: clock, engine: makeEngine(clock), organization: "default")
    }

    private init(clock: TestClock, engine: any StorageEngine, organization: String) throws {
        self.clock = clock
        self.engine = engine
        self.organization = try engine.organization(organization)
    }

    func inOrganization(_ name: String) throws -> Workbench { try Workbench(clock: clock, engine: engine, organization: name) }
    func reopened() throws -> Workbench { try Workbench(clock: clock, engine: engine.reopened(), organization: organization.name) }

    // MARK: Writing

    @discardableResult
    func put(
        _ kind: RecordKind, _ json: String, mode: ChangeMode = .merge, isHistory: Bool = false, reason: String? = nil
    ) throws -> ChangeOutcome {
        let input = try RecordInput(kind: kind, json: JSONParser.parse(json))
        var options = ChangeOptions()
        options.mode = mode
        options.isHistory = isHistory
        options.reason = reason
        return try engine.writing.write { try $0.apply(input, in: organization, options: options) }
    }

    @discardableResult
    func change(_ id: RecordID, _ json: String, mode: ChangeMode = .merge) throws -> ChangeOutcome? {
        let input = try RecordInput(kind: id.kind, json: JSONParser.parse(json))
        var options = ChangeOptions()
        options.mode = mode
        return try engine.writing.write { try $0.change(id, by: input, in: organization, options: options) }
    }

    @discardableResult
    func delete(_ id: RecordID, isHistory: Bool = false) throws -> Bool {
        var options = ChangeOptions()
        options.isHistory = isHistory
        return try engine.writing.write { try $0.delete(id, in: organization, options: options) }
    }

    // MARK: Reading

    func request(_ kind: RecordKind, _ parameters: [RequestParameter]) throws -> ListRequest {
        try ListRequest(parameters, definition: #require(ListDefinition.of(kind)))
    }

    func list(_ kind: RecordKind, _ query: String = "", personal: Bool = true) throws -> Page {
        try list(kind, RequestParameter.read(query), personal: personal)
    }

    func list(_ kind: RecordKind, _ parameters: [RequestParameter], personal: Bool = true) throws -> Page {
        try page(request(kind, parameters), personal: personal)
    }

    func page(_ request: ListRequest, personal: Bool = true) throws -> Page {
        let embeds = ListDefinition.of(request.query.kind)?.embeds ?? []
        let form = ListForm(kind: request.query.kind, personal: personal, only: request.fields, embedding: embeds)
        return try engine.reading.read { reader in
            var out = ByteWriter()
            let end = try reader.list(request.query, of: organization.number, form: form, into: &out)
            return Page(rows: try JSONParser.parse("[" + out.text + "]").elements, end: end, request: request)
        }
    }

    /// The whole walk, by cursors alone after the first page.
    func walk(_ kind: RecordKind, _ query: String = "", limit: Int = 100, personal: Bool = true) throws -> [JSONValue] {
        var page = try list(kind, RequestParameter.read(query) + [RequestParameter("limit", String(limit))], personal: personal)
        var rows = page.rows
        while let cursor = page.cursor {
            page = try list(kind, [RequestParameter("cursor", cursor), RequestParameter("limit", String(limit))], personal: personal)
            rows += page.rows
        }
        return rows
    }

    func ids(_ kind: RecordKind, _ query: String = "", personal: Bool = true) throws -> Set<String> {
        Set(try walk(kind, query, personal: personal).map(\.id))
    }

    func record(_ id: RecordID, personal: Bool = true) throws -> JSONValue? {
        let form = ListForm(kind: id.kind, detail: true, personal: personal)
        return try engine.reading.read { reader in
            var out = ByteWriter()
            guard case .found = try reader.record(id, of: organization.number, form: form, into: &out) else { return nil }
            return try JSONParser.parse(out.text + "}")
        }
    }

    func isGone(_ id: RecordID) throws -> Bool {
        let form = ListForm(kind: id.kind, personal: true)
        return try engine.reading.read { reader in
            var out = ByteWriter()
            if case .deleted = try reader.record(id, of: organization.number, form: form, into: &out) { return true }
            return false
        }
    }

    func events(after: Int64 = 0, personal: Bool = true) throws -> [JSONValue] {
        var query = EventQuery()
        query.after = after
        query.limit = 10_000
        return try events(query, personal: personal).rows
    }

    func events(_ query: EventQuery, personal: Bool = true) throws -> (rows: [JSONValue], end: EventEnd) {
        try engine.reading.read { reader in
            var out = ByteWriter()
            let end = try reader.events(query, of: organization.number, personal: personal, into: &out)
            return (try JSONParser.parse("[" + out.text + "]").elements, end)
        }
    }

    func counter() throws -> Int64 { try engine.reading.read { try $0.changeCounter(of: organization.number) } }

    func asOf(_ kind: RecordKind) throws -> Timestamp { try list(kind, "limit=1").end.asOf }
}

struct Page {
    let rows: [JSONValue]
    let end: ListEnd
    let request: ListRequest

    var ids: [String] { rows.map(\.id) }
    var cursor: String? { end.hasMore ? end.last.map { request.cursor(after: $0) } : nil }
}

extension RequestParameter {
    /// `a=b&c=d`, nothing escaped.
    static func read(_ query: String) -> [RequestParameter] {
        query.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return RequestParameter(sides[0], sides.count == 2 ? sides[1] : "")
        }
    }
}

extension JSONValue {
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var members: [Member] { if case .object(let members) = self { members } else { [] } }
    var asString: String? { if case .string(let text) = self { text } else { nil } }
    var asNumber: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    var isNull: Bool { if case .null = self { true } else { false } }
    var id: String { string("id") ?? "" }
    func string(_ name: String) -> String? { self[name]?.asString }
    func number(_ name: String) -> Double? { self[name]?.asNumber }
    func time(_ name: String) -> Timestamp? { string(name).flatMap { Timestamp(rfc3339: $0) } }
}

extension ChangeOutcome {
    var isCreated: Bool { if case .created = self { true } else { false } }
    var isUpdated: Bool { if case .updated = self { true } else { false } }
    var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
    var id: RecordID { record.recordID }
}

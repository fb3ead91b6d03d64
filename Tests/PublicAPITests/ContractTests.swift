import Domain
import Foundation
import HTTPSupport
import Testing

@testable import PublicAPI

/// The hand-written contract and the program say the same.
@Suite("The contract's document and the program agree")
struct ContractTests {
    private let document: JSONValue
    private let reader: ContractReader

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "openapi/public.yaml"), encoding: .utf8)
        document = try ContractDocument(yaml: text).value
        reader = ContractReader(document)
    }

    private func operation(_ path: String) throws -> ContractReader.Operation {
        try #require(reader.operations.first { $0.path == path && $0.method == "GET" })
    }

    private func queryNames(_ path: String) throws -> [String] { try operation(path).parameters.filter { $0.place == "query" }.map(\.name) }

    /// The names of a schema's properties, those of `allOf` one after the other.
    private func properties(_ schema: JSONValue?) -> [String] {
        guard let schema = reader.resolved(schema) else { return [] }
        let own = schema["properties"].asMembers.map(\.name)
        return (schema["allOf"]?.asElements ?? []).flatMap(properties) + own
    }

    private func schema(_ name: String) -> JSONValue? { document["components"]?["schemas"]?[name] }

    private func name(_ kind: RecordKind) -> String { kind.singular.prefix(1).uppercased() + kind.singular.dropFirst() }

    @Test("Paths are the routes, and each has GET alone")
    func paths() {
        #expect(Set(document["paths"].asMembers.map(\.name)) == Set(Route.patterns))
        #expect(document["paths"].asMembers.count == Route.patterns.count)
        #expect(reader.operations.allSatisfy { $0.method == "GET" } && reader.operations.count == Route.patterns.count)
    }

    @Test("Each pattern's route is found by its address, and is called by the pattern")
    func routes() {
        for pattern in Route.patterns {
            let segments = pattern.dropFirst().split(separator: "/").map { $0 == "{id}" ? "some" : String($0) }
            #expect(Route(segments)?.pattern == pattern)
        }
        for path in [
            "", "api", "api/v2", "api/v1/", "api/v1/trainings", "api/v1/jobs/1/resume", "api/v1/candidates/1/resume/2", "api/v1/keys",
            "healthz/", "docs/x", "API/v1",
        ] {
            #expect(Route(path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)) == nil, "\(path)")
        }
    }

    @Test("A list's parameters are the definition's", arguments: ListDefinition.all.map(\.kind))
    func listParameters(kind: RecordKind) throws {
        let definition = try #require(ListDefinition.of(kind))
        let names = try queryNames("/api/v1/\(kind.plural)")
        #expect(Set(names) == Set(definition.parameters) && names.count == definition.parameters.count)
        #expect(try queryNames("/api/v1/\(kind.plural)/{id}") == (definition.embeds.isEmpty ? [] : ["expand"]))
    }

    @Test("The events' parameters are the program's; nothing else takes any")
    func otherParameters() throws {
        #expect(try Set(queryNames("/api/v1/events")) == Set(EventRequest.parameters))
        let lists = Route.kinds.flatMap { ["/api/v1/\($0.plural)", "/api/v1/\($0.plural)/{id}"] } + ["/api/v1/events"]
        for pattern in Route.patterns where !lists.contains(pattern) { #expect(try queryNames(pattern) == [], "\(pattern)") }
    }

    @Test("Documented words of choices, sorts and limits are the program's", arguments: ListDefinition.all.map(\.kind))
    func values(kind: RecordKind) throws {
        let definition = try #require(ListDefinition.of(kind))
        let parameters = try operation("/api/v1/\(kind.plural)").parameters
        /// The words of an enumeration, in the parameter's own schema or in its items'.
        func words(_ name: String) throws -> [String] {
            let schema = reader.resolved(try #require(parameters.first { $0.name == name }).value["schema"])
            return (schema?["enum"] ?? schema?["x-list"]?["items"]?["enum"])?.asElements.compactMap(\.asText) ?? []
        }
        #expect(try Set(words("sort")) == Set(definition.sorts.flatMap { [$0, "-" + $0] }))
        #expect(try words("fields") == definition.fieldNames)
        for filter in definition.filters {
            if case .choice(let choices) = filter.form { #expect(try words(filter.name) == choices, "\(filter.name)") }
        }
        let limit = reader.resolved(try #require(parameters.first { $0.name == "limit" }).value["schema"])
        #expect(
            limit?["maximum"]?.text == String(ListDefinition.largestPage) && limit?["default"]?.text == String(ListDefinition.defaultPage))
    }

    @Test("A parameter that takes a comma list is a text, whose pattern is made of its list's words; only free text is an array")
    func commaLists() throws {
        var lists = 0
        for parameter in reader.operations.flatMap(\.parameters) where parameter.place == "query" {
            let schema = reader.resolved(parameter.value["schema"])
            if schema?["type"]?.asText == "array" {
                let filters = ListDefinition.all.flatMap(\.filters).filter { $0.name == parameter.name }
                #expect(parameter.value["explode"]?.text == "true" && filters.contains { $0.form == .text }, "\(parameter.name)")
            }
            guard let list = schema?["x-list"], let items = reader.resolved(list["items"]) else { continue }
            let words = items["enum"]?.asElements.compactMap(\.asText).joined(separator: "|").replacing(".", with: "\\.")
            let one = try words.map { "(\($0))" } ?? String(#require(items["pattern"]?.asText).dropFirst().dropLast())
            let more = (list["maxItems"]?.text).flatMap(Int.init).map { "{0,\($0 - 1)}" } ?? "*"
            #expect(schema?["pattern"]?.asText == "^\(one)(,\(one))\(more)$" && schema?["type"]?.asText == "string", "\(parameter.name)")
            lists += 1
        }
        #expect(lists > 20)
    }

    @Test("The codes of problems are the program's, each with its status among the operations' answers")
    func codes() throws {
        let documented = schema("Problem")?["x-codes"]?.asElements.compactMap(\.asText) ?? []
        #expect(documented == Problem.Code.ofPublicAPI.map(\.rawValue))
        let statuses = Set(reader.operations.flatMap(\.responses).map(\.status))
        #expect(reader.components("responses").contains { $0.name == "MethodNotAllowed" })
        for code in Problem.Code.ofPublicAPI where code != .methodNotAllowed {
            #expect(statuses.contains(String(code.status)), "\(code.rawValue)")
        }
    }

    @Test("The event types are the program's")
    func eventTypes() throws {
        let words = reader.resolved(schema("Event"))?["properties"]?["type"]?["x-extensible-enum"]?.asElements.compactMap(\.asText)
        #expect(words == EventType.allCases.map(\.rawValue))
        let type = try #require(operation("/api/v1/events").parameters.first { $0.name == "type" })
        let choices = reader.resolved(type.value["schema"]?["x-list"]?["items"])?["enum"]?.asElements.compactMap(\.asText)
        #expect(choices == words)
        let described = reader.resolved(schema("Event"))?["x-data-schemas"].asMembers.map(\.name) ?? []
        #expect(Set(described) == Set(EventType.allCases.filter { $0.subject != nil }.map(\.rawValue)))
    }

    /// The names in which a form writes a record, in its order.
    private func written(_ kind: RecordKind, _ projection: Projection) throws -> [String] {
        let record = Record(
            kind: kind, id: ULID(high: 1, low: 1), externalID: nil, version: 1, createdAt: .earliest, updatedAt: .earliest,
            values: kind.schema.fields.map { _ in .null })
        var out = ByteWriter()
        RecordRow.write(record, by: RecordForm(kind: kind, projection: projection, personal: true), to: &out)
        return try JSONParser.parse(out.text + "}").asMembers.map(\.name)
    }

    @Test("Records are written with the documented names in the documented order", arguments: RecordKind.allCases)
    func records(kind: RecordKind) throws {
        let embeds = (ListDefinition.of(kind)?.embeds ?? []).map(\.singular)
        let names = try written(kind, ListDefinition.of(kind) == nil ? .detail : .list) + embeds
        #expect(properties(schema(name(kind))) == names)
        if kind == .candidate || kind == .job { #expect(try properties(schema("Brief" + name(kind))) == written(kind, .brief)) }
        guard ListDefinition.of(kind) != nil else { return }
        let parts =
            kind == .candidate
            ? ["applications", "matched_jobs", "truncated"] : kind == .job ? ["matched_candidates", "broadcasts", "truncated"] : []
        let detail = try Set(written(kind, .detail) + embeds + parts + ["masked"])
        #expect(Set(properties(schema(name(kind) + "Detail"))) == detail)
    }

    @Test("The groups in records have the documented members in their order")
    func groups() {
        for (kind, group, name) in [(RecordKind.candidate, "resume", "Resume"), (.interview, "result", "InterviewResult")] {
            let members = kind.schema.fields.filter { $0.group == group && (name != "Resume" || !$0.detailOnly) }.map(\.member)
            #expect(properties(schema(name)).filter { members.contains($0) } == members)
        }
    }

    @Test("What only read:pii may see is marked so, and nothing else is")
    func scopes() {
        for kind in RecordKind.allCases {
            let named =
                (reader.resolved(schema(name(kind)))?["properties"].asMembers ?? [])
                + (kind == .interview ? reader.resolved(schema("InterviewResult"))?["properties"].asMembers ?? [] : [])
            for field in kind.schema.fields where field.group == nil || field.group == "result" {
                guard let property = named.first(where: { $0.name == field.member }) else { continue }
                let isMarked = property.value["x-scope"] != nil || reader.resolved(property.value)?["x-scope"] != nil
                #expect(isMarked == (field.privacy == .personal) || field.privacy == .emailsInside, "\(kind).\(field.name)")
            }
        }
    }
}

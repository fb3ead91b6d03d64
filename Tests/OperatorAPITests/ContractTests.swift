import Domain
import Foundation
import HTTPSupport
import HTTPTypes
import Testing

@testable import OperatorAPI
@testable import PublicAPI

/// The hand-written contract of the operator listener and the program say the same.
@Suite("The operator contract's document and the program agree")
struct OperatorContractTests {
    private let document: JSONValue
    private let reader: ContractReader
    private static let watching = ["/healthz", "/readyz", "/metrics"]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "openapi/operator.yaml"), encoding: .utf8)
        document = try ContractDocument(yaml: text).value
        reader = ContractReader(document)
    }

    private func schema(_ name: String) -> JSONValue? { document["components"]?["schemas"]?[name] }
    private func name(_ kind: RecordKind) -> String { kind.singular.prefix(1).uppercased() + kind.singular.dropFirst() }

    /// A schema's properties, those of `allOf` one after the other.
    private func properties(_ schema: JSONValue?) -> [JSONValue.Member] {
        guard let schema = reader.resolved(schema) else { return [] }
        return (schema["allOf"]?.asElements ?? []).flatMap(properties) + schema["properties"].asMembers
    }

    private static func route(_ pattern: String) -> PushRoute? {
        PushRoute(pattern.dropFirst().split(separator: "/").map { $0.hasPrefix("{") ? "some" : String($0) })
    }

    @Test("Paths and methods are the routes")
    func paths() {
        let routes = Dictionary(uniqueKeysWithValues: PushRoute.table.map { ($0.pattern, Set($0.methods.map(\.rawValue))) })
            .merging(Self.watching.map { ($0, ["GET"]) }) { $1 }
        let documented = Dictionary(grouping: reader.operations, by: \.path).mapValues { Set($0.map(\.method)) }
        #expect(documented == routes)
        #expect(Set(reader.operations.map(\.id)).count == reader.operations.count)
    }

    @Test("Each pattern's route is found by its address, and is called by the pattern")
    func routes() {
        for (pattern, methods) in PushRoute.table {
            #expect(Self.route(pattern)?.pattern == pattern)
            #expect(Self.route(pattern)?.methods == methods)
        }
        for path in [
            "/operator", "/operator/v2", "/operator/v1/jobs", "/operator/v1/jobs/a/b", "/api/v1/jobs", "/Operator/v1", "/operator/v1/",
        ] {
            let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            #expect(PushRoute(segments) == nil, "\(path)")
        }
    }

    @Test("Each operation's parameters are the route's")
    func parameters() throws {
        for operation in reader.operations where !Self.watching.contains(operation.path) {
            let route = try #require(Self.route(operation.path))
            let query = operation.parameters.filter { $0.place == "query" }.map(\.name)
            let method = try #require(HTTPRequest.Method(rawValue: operation.method))
            #expect(Set(query) == Set(Parameters.known(of: route, method)) && Set(query).count == query.count, "\(operation.id)")
            let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            #expect(operation.parameters.filter { $0.place == "path" }.map(\.name) == inPath, "\(operation.id)")
        }
    }

    @Test("The codes of problems are the program's, each with an example and its status among the operations' answers")
    func codes() {
        let documented = schema("Problem")?["x-codes"]?.asElements.compactMap(\.asText) ?? []
        #expect(documented == Problem.Code.ofOperatorAPI.map(\.rawValue))
        let statuses = Set(reader.operations.flatMap(\.responses).map(\.status))
        #expect(reader.components("responses").contains { $0.name == "MethodNotAllowed" })
        let examples = reader.components("examples")
        for code in Problem.Code.ofOperatorAPI {
            #expect(code == .methodNotAllowed || statuses.contains(String(code.status)), "\(code.rawValue)")
            let example = examples.first { $0.name == code.rawValue }?.value["value"]
            #expect(example?["status"]?.text == String(code.status) && example?["title"].asText == code.title, "\(code.rawValue)")
        }
    }

    @Test("What takes a body says how it is refused, and what needs no key says so")
    func answers() throws {
        for operation in reader.operations {
            let described = document["paths"]?[operation.path]?[operation.method.lowercased()]
            let statuses = Set(operation.responses.map(\.status))
            if described?["requestBody"] != nil { #expect(statuses.isSuperset(of: ["408", "413", "415", "422"]), "\(operation.id)") }
            let isOpen = Self.watching.contains(operation.path) || operation.path.contains("/openapi.")
            #expect((operation.access == .open) == isOpen, "\(operation.id)")
            if !isOpen { #expect(statuses.isSuperset(of: ["400", "401", "403", "429", "500", "503"]), "\(operation.id)") }
        }
    }

    @Test("Records have the documented fields in the documented order", arguments: RecordKind.allCases)
    func records(kind: RecordKind) throws {
        let record = Record(
            kind: kind, id: ULID(high: 1, low: 1), externalID: nil, version: 1, createdAt: .earliest, updatedAt: .earliest,
            values: kind.schema.fields.map { _ in .null })
        let caller = Caller(organization: OrganizationNumber(1), readsPersonal: true, name: "", keyID: nil, limit: nil)
        let answer = ChangeAnswer(.updated(record), for: caller)
        let written = try JSONParser.parse(String(decoding: answer.body, as: UTF8.self)).asMembers.map(\.name)
        #expect(properties(schema(name(kind))).map(\.name) == written)
        #expect(properties(schema(name(kind) + "Fields")).map(\.name).filter { $0 != "rank" } == kind.schema.topLevelNames)
        let relations = kind.schema.fields.compactMap { field -> String? in
            if case .reference = field.form { String(field.name.dropLast("id".count)) + "external_id" } else { nil }
        }
        let shown = ["id", "version", "created_at", "updated_at", "deleted_at", "rank", "masked"]
        for form in ["Input", "Patch"] {
            let names = Set(properties(schema(name(kind) + form)).map(\.name))
            #expect(names == Set(kind.schema.topLevelNames + relations + ["external_id"] + shown), "\(kind) \(form)")
            // Whatever is documented is taken, and nothing else is.
            let unknown = RecordInput(kind: kind, reading: .object(names.subtracting(shown).map { .init($0, .null) })).faults
            #expect(unknown.isEmpty, "\(unknown)")
        }
    }

    @Test("Bounds of values are the program's", arguments: RecordKind.allCases)
    func bounds(kind: RecordKind) throws {
        let top = properties(schema(name(kind) + "Fields"))
        let groups = ["resume": properties(schema("Resume")), "result": properties(schema("InterviewResult"))]
        for field in kind.schema.fields {
            let own = field.group.map { groups[$0] ?? [] } ?? top
            let property = try #require(own.first { $0.name == field.member }?.value, "\(kind).\(field.name)")
            let words = property["enum"].asElements.compactMap(\.asText)
            func number(_ name: String) -> Double? { property[name].flatMap { Double($0.text) } }
            switch field.form {
            case .text(let limit): #expect(number("maxLength") == Double(limit), "\(kind).\(field.name)")
            case .integer(let range):
                #expect(
                    number("minimum") == Double(range.lowerBound) && number("maximum") == Double(range.upperBound), "\(kind).\(field.name)")
            case .number(let range):
                #expect(number("minimum") == range.lowerBound && number("maximum") == range.upperBound, "\(kind).\(field.name)")
            case .choice(let choices): #expect(words == choices, "\(kind).\(field.name)")
            case .list: #expect(number("maxItems") == Double(RecordInput.longestList), "\(kind).\(field.name)")
            default: break
            }
            let isMarked = property["x-scope"] != nil
            #expect(isMarked == (field.privacy == .personal), "\(kind).\(field.name)")
        }
    }

    @Test("What is required is what the program asks for", arguments: RecordKind.allCases)
    func required(kind: RecordKind) {
        let own = schema(name(kind) + "Input")?["allOf"].asElements.last
        let alternatives =
            own?["allOf"].asElements.map { $0["anyOf"].asElements.flatMap { $0["required"].asElements.compactMap(\.asText) } } ?? []
        let plain = own?["required"].asElements.compactMap(\.asText) ?? []
        let wanted = kind.schema.fields.filter(\.required)
        #expect(plain + alternatives.compactMap(\.first) == wanted.map(\.name).sorted { a, b in plain.contains(a) && !plain.contains(b) })
        for pair in alternatives { #expect(pair.count == 2 && pair[1] == pair[0].dropLast(2) + "external_id") }
    }

    @Test("A result's members, a résumé's types and a batch's limits are the program's")
    func others() throws {
        let result = kindFields("result")
        #expect(properties(schema("InterviewResult")).map(\.name) == result)
        #expect(properties(schema("ResultInput")).map(\.name) == result + PushAPI.interviewFields)
        #expect(
            properties(schema("Resume")).map(\.name) == RecordKind.candidate.schema.fields.filter { $0.group == "resume" }.map(\.member) + [
                "content"
            ])
        let types = document["components"]?["requestBodies"]?["Resume"]?["content"].asMembers.map(\.name)
        #expect(types == ResumeForm.all.keys.sorted())
        #expect(schema("Batch")?["properties"]?["records"]?["maxItems"]?.text == String(PushAPI.largestBatch))
        #expect(properties(schema("BatchRecord")).map(\.name) == PushAPI.Step.members)
        let properties = properties(schema("BatchRecord"))
        #expect(properties.first?.value["enum"].asElements.compactMap(\.asText) == RecordKind.allCases.map(\.singular))
    }

    private func kindFields(_ group: String) -> [String] { RecordKind.interview.schema.fields.filter { $0.group == group }.map(\.member) }

    @Test("What is not supported says the same words in the document")
    func capabilities() throws {
        for capability in Capability.unsupported {
            let address = try #require(capability.address)
            let operation = reader.operations.first { $0.path == PushRoute.base + address.pattern && $0.method == address.method.rawValue }
            let words = operation?.description.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words == capability.explanation, "\(capability.operation)")
            #expect(operation?.responses.contains { $0.status == "501" } == true)
        }
        let supported = Capability.all.filter(\.isSupported).compactMap(\.address)
        for address in supported {
            #expect(
                reader.operations.contains { $0.path == PushRoute.base + address.pattern && $0.method == address.method.rawValue },
                "\(address)")
        }
    }

    @Test("Organizations and keys are written with the documented names in the documented order")
    func management() {
        let organization = Organization(
            number: OrganizationNumber(1), id: ULID(high: 1, low: 1), name: "a", displayName: nil, matchThreshold: 70, createdAt: .earliest)
        #expect(properties(schema("Organization")).map(\.name) == organization.members.map(\.name))
        #expect(properties(schema("Plan")).map(\.name) == organization.plan.json.asMembers.map(\.name))
        let key = APIKey(
            keyID: "k", name: "n", organization: OrganizationNumber(1), organizationName: "a", scopes: .read, secretHash: [], previous: nil,
            rateLimit: 1,
            createdAt: .earliest, expiresAt: nil, revokedAt: nil, lastUsedAt: nil, usageCount: 0)
        #expect(properties(schema("Key")).map(\.name) == key.members.map(\.name))
        #expect(properties(schema("NewKey")).map(\.name) == ["key"] + key.members.map(\.name))
        let endpoint = Endpoint(
            id: EndpointID(ULID(high: 1, low: 1)), organization: OrganizationNumber(1), url: "", dialect: .standard, createdAt: .earliest)
        let policy = DeliveryPolicy(delays: [], attempts: 1, deadline: 1)
        let facts = DialectFacts(
            types: [], policy: policy, secretIsMade: true, secretIsGiven: true, secretIsOptional: false, signsWithBoth: true)
        let members = endpoint.members(facts, now: .earliest).map(\.name)
        #expect(properties(schema("Endpoint")).map(\.name) == members)
        #expect(properties(schema("EndpointSecret")).map(\.name) == members + ["secret"])
        #expect(properties(schema("CreatedEndpoint")).map(\.name) == members + ["secret", "notes"])
    }

    @Test("The document is served in both forms")
    func served() throws {
        let contract = OperatorContract()
        let json = try contract.answer(.json)
        #expect(String(buffer: json.body) == document.text)
        let yaml = try contract.answer(.yaml)
        #expect(try ContractDocument(yaml: String(buffer: yaml.body)).value.text == document.text)
    }
}

import Domain
import Testing

@testable import PublicAPI
@testable import Webhooks

/// The hand-written contract and the dialects say the same.
@Suite("The contract's webhooks and the dialects agree")
struct WebhookContractTests {
    private let reader: ContractReader
    private let check: SchemaCheck

    init() throws {
        reader = try ContractFile.reader()
        check = SchemaCheck(reader: reader)
    }

    private func webhooks(of name: DialectName) -> [ContractReader.Webhook] { reader.webhooks.filter { $0.dialect == name.rawValue } }

    private func webhook(_ name: DialectName, of type: EventType) throws -> ContractReader.Webhook {
        try #require(webhooks(of: name).first { $0.eventTypes.contains(type.rawValue) || type == .webhookTest }, "\(name), \(type)")
    }

    // MARK: What there is

    @Test("Every dialect is documented, and each of its event types once")
    func eventTypes() {
        #expect(Set(reader.webhooks.map(\.dialect)) == Set(DialectName.allCases.map(\.rawValue)))
        for name in DialectName.allCases {
            let types = webhooks(of: name).flatMap(\.eventTypes)
            #expect(types == EventType.allCases.filter(Dialect.of(name).types.contains).map(\.rawValue), "\(name)")
        }
        for webhook in reader.webhooks { #expect(webhook.operation.method == "POST" && webhook.operation.access == .open) }
    }

    @Test("Attempts, delays and deadline are the dialect's", arguments: DialectName.allCases)
    func attempts(name: DialectName) {
        let policy = Dialect.of(name).policy
        // Only the delays that come before an attempt.
        let delays = (1..<max(policy.attempts, 1)).map { Int(policy.delay(after: $0)! / 1_000) }
        for webhook in webhooks(of: name) {
            #expect(webhook.attempts.most == policy.attempts && webhook.attempts.delays == delays, "\(webhook.name)")
            #expect(webhook.attempts.deadline * 1_000 == Int(policy.deadline), "\(webhook.name)")
        }
    }

    @Test("What counts as a success is the dialect's; every other answer is documented as none", arguments: DialectName.allCases)
    func answers(name: DialectName) {
        let policy = Dialect.of(name).policy
        for webhook in webhooks(of: name) {
            let statuses = webhook.operation.responses.map(\.status)
            let good = statuses.filter { $0.hasPrefix("2") }
            let codes = good == ["2XX"] ? Array(200...299) : good.compactMap { Int($0) }
            #expect(codes == (100...599).filter(policy.isSuccess), "\(webhook.name)")
            #expect(statuses.filter { !$0.hasPrefix("2") } == ["410", "429", "503", "default"], "\(webhook.name)")
            for (status, response) in webhook.operation.responses where status == "429" || status == "503" {
                #expect(response["headers"].asMembers.map(\.name) == ["Retry-After"])
            }
        }
    }

    // MARK: Headers

    @Test("The headers are the dialect's, in its order; those that are not always there say so", arguments: DialectName.allCases)
    func headers(name: DialectName) throws {
        let dialect = Dialect.of(name)
        for type in dialect.types.union([.webhookTest]) {
            let webhook = try webhook(name, of: type)
            let parameters = webhook.operation.parameters
            #expect(parameters.allSatisfy { $0.place == "header" } && webhook.body.map(\.name) == ["application/json"])
            let message = Facts.message([123, 125], type: type, isTest: type == .webhookTest)
            func names(_ secret: String?) throws -> [String] {
                let headers = dialect.headers(for: message, keys: try dialect.keys(secret: secret), version: "1.0.0")
                #expect(headers.first.map { $0 == ("Content-Type", "application/json") } ?? false)
                return headers.dropFirst().map(\.name)
            }
            #expect(try parameters.map(\.name) == names(Facts.secret(name)), "\(webhook.name)")
            let always = parameters.filter { $0.value["required"]?.text == "true" }.map(\.name)
            #expect(try always == names(dialect.secrets.isOptional ? nil : Facts.secret(name)), "\(webhook.name)")
        }
    }

    @Test("The examples' headers are those of the first example, signed with the example's secret")
    func exampleHeaders() throws {
        let deliveries = try DocumentedDelivery.all()
        for webhook in reader.webhooks {
            let delivery = try #require(deliveries.first { $0.webhook == webhook.name && $0.example == webhook.examples.first?.name })
            let dialect = Dialect.of(delivery.dialect)
            let keys = try dialect.keys(secret: webhook.exampleSecret)
            let sent = dialect.headers(for: delivery.message, keys: keys, version: "1.0.0").dropFirst()
                .map { "\($0.name): \($0.value)" }
            let shown = webhook.operation.parameters.map { "\($0.name): \($0.value["example"]?.spelling ?? "")" }
            #expect(shown == sent, "\(webhook.name)")
        }
    }

    // MARK: Bodies

    @Test("The examples are what the dialects make, byte for byte")
    func examples() throws {
        let deliveries = try DocumentedDelivery.all()
        #expect(
            reader.webhooks.flatMap { webhook in webhook.examples.map { "\(webhook.name) \($0.name)" } }
                == deliveries.map { "\($0.webhook) \($0.example)" })
        for delivery in deliveries {
            let webhook = reader.webhooks.first { $0.name == delivery.webhook }
            let shown = webhook?.examples.first { $0.name == delivery.example }?.value["value"]
            #expect(shown?.text == String(decoding: delivery.message.body, as: UTF8.self), "\(delivery.webhook) \(delivery.example)")
        }
    }

    @Test("The examples' bodies are as their schemas say, the events' data too")
    func exampleSchemas() throws {
        for delivery in try DocumentedDelivery.all() {
            let webhook = try #require(reader.webhooks.first { $0.name == delivery.webhook })
            let body = try Body(delivery.message.body).json
            #expect(check.faults(body, webhook.schema) == [], "\(delivery.webhook) \(delivery.example)")
            guard delivery.dialect == .standard || delivery.dialect == .rejento, !delivery.message.isTest else { continue }
            let schemas = reader.resolved(reader.components("schemas").first { $0.name == "Event" }?.value)?["x-data-schemas"]
            let data = schemas?[delivery.message.type.rawValue].map { JSONValue.object([.init("$ref", $0)]) }
            #expect(check.faults(body["data"] ?? .null, data, at: "data") == [], "\(delivery.webhook) \(delivery.example)")
        }
    }

    @Test("Bodies of records that hold all or nothing, and those of tests, are as the schemas say", arguments: DialectName.allCases)
    func bodies(name: DialectName) throws {
        let dialect = Dialect.of(name)
        for type in dialect.types.union([.webhookTest]) {
            let subject = try type.subject.map { try Facts.record($0, $0 == .interview ? Facts.interviewJSON : "{}") }
            let candidate = try Facts.record(.candidate, Facts.candidateJSON)
            let bare = try type.subject.map { try Facts.record($0) }
            for facts in [Facts.of(type, subject, candidate: candidate), Facts.of(type, bare)] {
                let body = try Body(dialect.body(of: facts, personal: true, delivery: Facts.delivery))
                #expect(check.faults(body.json, try webhook(name, of: type).schema) == [], "\(name), \(type)")
            }
        }
    }

    @Test("Bodies have the documented members in their order")
    func order() throws {
        for delivery in try DocumentedDelivery.all() where delivery.dialect != .standard {
            let schema = try #require(reader.webhooks.first { $0.name == delivery.webhook }).schema
            func compare(_ value: JSONValue, _ schema: JSONValue?, _ path: String) {
                let documented = check.properties(schema)
                guard case .object(let members) = value, !documented.isEmpty else { return }
                let names = members.map(\.name)
                #expect(names == documented.map(\.name).filter(names.contains), "\(delivery.webhook)\(path)")
                for member in members {
                    compare(member.value, documented.first { $0.name == member.name }?.value, "\(path).\(member.name)")
                }
            }
            compare(try Body(delivery.message.body).json, schema, "")
        }
    }
}

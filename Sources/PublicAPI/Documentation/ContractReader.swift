import Domain

/// Finds its way in an OpenAPI document.
struct ContractReader: Sendable {
    struct Operation: Sendable {
        let method: String
        let path: String
        let id: String
        let tag: String
        let summary: String
        let description: String
        let parameters: [Parameter]
        /// By status, in the document's order.
        let responses: [(status: String, response: JSONValue)]
        let access: Access
        /// A query that makes a good first try.
        let exampleQuery: String?
    }

    struct Parameter: Sendable {
        let value: JSONValue
        /// Its name among the reusable ones; nil for one of this operation alone.
        let component: String?

        var name: String { value["name"].asText ?? "" }
        var place: String { value["in"].asText ?? "" }
    }

    /// What a caller needs.
    enum Access: Sendable, Equatable {
        case open
        case optional
        case anyKey
        case scope(String)
    }

    let document: JSONValue
    let operations: [Operation]
    let webhooks: [Webhook]

    init(_ document: JSONValue) {
        self.document = document
        let index = Index(document: document)
        operations = Self.methods(in: document["paths"]) { index.operation($0, method: $1, path: $2) }
        webhooks = Self.methods(in: document["webhooks"]) {
            Webhook($0, operation: index.operation($0, method: $1, path: $2), body: index.resolved($0["requestBody"]))
        }
    }

    /// What to make of each method of each path, in the document's order.
    private static func methods<Read>(
        in paths: JSONValue?, _ read: (_ value: JSONValue, _ method: String, _ path: JSONValue.Member) -> Read
    ) -> [Read] {
        paths.asMembers.flatMap { path in
            path.value.asMembers.filter { methods.contains($0.name) }.map { read($0.value, $0.name.uppercased(), path) }
        }
    }

    private static let methods = ["get", "put", "post", "delete", "patch", "options", "head", "trace"]

    /// What the value stands for: itself, or what its `$ref` leads to. Nil where a reference leads nowhere or round.
    func resolved(_ value: JSONValue?) -> JSONValue? { Index(document: document).resolved(value) }

    /// The name of the component of that section which the value refers to.
    func component(_ section: String, of value: JSONValue?) -> String? { Index.component(section, of: value) }

    func components(_ section: String) -> [JSONValue.Member] { document["components"]?[section].asMembers ?? [] }

    /// The reusable parameters of many operations: headers, and what lists take but single things do not.
    var sharedParameters: Set<String> {
        var uses: [String: Int] = [:]
        var special: Set<String> = []
        for operation in operations {
            let isList = !operation.parameters.contains { $0.place == "path" }
            for parameter in operation.parameters {
                guard let name = parameter.component else { continue }
                uses[name, default: 0] += 1
                if !isList, parameter.place != "header" { special.insert(name) }
            }
        }
        return Set(uses.filter { $0.value >= 6 }.keys).subtracting(special)
    }
}

/// The document alone, before its operations are read.
private struct Index {
    let document: JSONValue

    func resolved(_ value: JSONValue?) -> JSONValue? {
        var value = value
        var seen: Set<String> = []
        while let target = value?["$ref"].asText {
            guard seen.insert(target).inserted else { return nil }
            value = find(target)
        }
        return value
    }

    /// Follows a JSON Pointer (RFC 6901) in a fragment.
    private func find(_ reference: String) -> JSONValue? {
        guard reference.utf8.starts(with: "#/".utf8) else { return nil }
        var value: JSONValue? = document
        for token in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            value = value?[Self.unescaped(token)]
        }
        return value
    }

    private static func unescaped(_ token: Substring) -> String {
        var name: [UInt8] = []
        var escaped = false
        for byte in token.utf8 {
            if escaped {
                name.append(byte == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                escaped = false
            } else if byte == UInt8(ascii: "~") {
                escaped = true
            } else {
                name.append(byte)
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    static func component(_ section: String, of value: JSONValue?) -> String? {
        guard let reference = value?["$ref"].asText else { return nil }
        let start = "#/components/\(section)/"
        guard reference.utf8.starts(with: start.utf8) else { return nil }
        return String(decoding: reference.utf8.dropFirst(start.utf8.count), as: UTF8.self)
    }

    func operation(_ value: JSONValue, method: String, path: JSONValue.Member) -> ContractReader.Operation {
        let parameters = path.value["parameters"].asElements + value["parameters"].asElements
        return ContractReader.Operation(
            method: method, path: path.name, id: value["operationId"].asText ?? "\(method) \(path.name)",
            tag: value["tags"].asElements.first.asText ?? "", summary: value["summary"].asText ?? path.name,
            description: value["description"].asText ?? "",
            parameters: parameters.compactMap { parameter in
                resolved(parameter).map { .init(value: $0, component: Self.component("parameters", of: parameter)) }
            },
            responses: value["responses"].asMembers.compactMap { member in
                resolved(member.value).map { (member.name, $0) }
            },
            access: access(value["security"] ?? document["security"]),
            exampleQuery: value["x-example-query"].asText)
    }

    private func access(_ security: JSONValue?) -> ContractReader.Access {
        let ways = security.asElements
        guard let first = ways.first else { return .open }
        if ways.contains(where: { $0.asMembers.isEmpty }) { return .optional }
        return first.asMembers.first?.value.asElements.first.asText.map(ContractReader.Access.scope) ?? .anyKey
    }
}

extension JSONValue {
    var asText: String? { if case .string(let text) = self { text } else { nil } }
    var asMembers: [Member] { if case .object(let members) = self { members } else { [] } }
    var asElements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// A scalar's spelling; of anything else its compact JSON.
    var spelling: String { asText ?? text }
}

extension JSONValue? {
    var asText: String? { self?.asText }
    var asMembers: [JSONValue.Member] { self?.asMembers ?? [] }
    var asElements: [JSONValue] { self?.asElements ?? [] }
}

import Domain

@testable import PublicAPI

/// Whether values are as a contract's schemas say, in the part of JSON Schema that the contract uses. Stricter in one
/// respect: a member that no schema names is a fault, unless `additionalProperties` allows it or no members are named.
struct SchemaCheck {
    let reader: ContractReader

    /// What is wrong and where; empty when nothing is.
    func faults(_ value: JSONValue, _ schema: JSONValue?, at path: String = "") -> [String] {
        guard let schema = reader.resolved(schema) else { return ["\(path): no schema"] }
        if let choices = schema["anyOf"] ?? schema["oneOf"] {
            let found = choices.asElements.map { faults(value, $0, at: path) }
            return found.contains(where: \.isEmpty) ? [] : found.flatMap { $0 }
        }
        let types = schema["type"].asText.map { [$0] } ?? schema["type"].asElements.compactMap(\.asText)
        guard types.isEmpty || types.contains(where: { Self.fits(value, $0) }) else {
            return ["\(path): \(value.text) is no \(types.joined(separator: " or "))"]
        }
        switch value {
        case .object(let members): return faults(members, schema, path)
        case .array(let elements):
            guard let items = schema["items"] else { return [] }
            return elements.enumerated().flatMap { faults($0.element, items, at: "\(path)[\($0.offset)]") }
        default: return []
        }
    }

    private func faults(_ members: [JSONValue.Member], _ schema: JSONValue, _ path: String) -> [String] {
        let known = properties(schema)
        guard !known.isEmpty else { return [] }
        let names = Set(members.map(\.name))
        let missing = required(schema).filter { !names.contains($0) }.map { "\(path).\($0): missing" }
        let isOpen = schema["additionalProperties"]?.text == "true"
        return missing
            + members.flatMap { member in
                guard let property = known.first(where: { $0.name == member.name }) else {
                    return isOpen ? [] : ["\(path).\(member.name): not documented"]
                }
                return faults(member.value, property.value, at: "\(path).\(member.name)")
            }
    }

    /// With those of `allOf`, of which the later ones win.
    func properties(_ schema: JSONValue?) -> [JSONValue.Member] {
        guard let schema = reader.resolved(schema) else { return [] }
        return schema["properties"].asMembers + schema["allOf"].asElements.reversed().flatMap(properties)
    }

    private func required(_ schema: JSONValue?) -> [String] {
        guard let schema = reader.resolved(schema) else { return [] }
        return schema["required"].asElements.compactMap(\.asText) + schema["allOf"].asElements.flatMap(required)
    }

    private static func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let text): type == "number" || type == "integer" && Int64(text) != nil
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}

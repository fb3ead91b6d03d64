import Domain

/// Header fields as a table holds them: a JSON array of pairs, in their order.
enum StoredHeaders {
    static func text(of headers: [(name: String, value: String)]) -> String {
        JSONValue.array(headers.map { .array([.string($0.name), .string($0.value)]) }).text
    }

    static func read(_ text: String) -> [(name: String, value: String)] {
        guard case .array(let pairs)? = try? JSONParser.parse(text) else { return [] }
        return pairs.compactMap { pair in
            guard case .array(let parts) = pair, parts.count == 2, case .string(let name) = parts[0], case .string(let value) = parts[1]
            else { return nil }
            return (name, value)
        }
    }
}

import Domain
import Yams

/// A contract that is written in YAML, in the forms in which it is served. Made once, at start.
public struct ContractDocument: Sendable {
    /// As it was written.
    public let yaml: [UInt8]
    /// Compact JSON, its keys in the same order.
    public let json: [UInt8]
    public let value: JSONValue

    /// - Throws: `YamlError` for what is no YAML, ``ContractFault`` for YAML that is no JSON.
    public init(yaml text: String) throws {
        // Without resolver rules: plain scalars are read here by YAML 1.2, where Yams would apply 1.1's.
        guard let root = try Yams.compose(yaml: text, .basic) else { throw ContractFault("the document is empty") }
        value = try JSONValue(yaml: root, depth: 0)
        yaml = Array(text.utf8)
        json = Array(value.text.utf8)
    }
}

/// Why a YAML document can't be a contract.
public struct ContractFault: Error, CustomStringConvertible {
    public let description: String

    init(_ message: String, at mark: Mark? = nil) {
        description = mark.map { "line \($0.line): \(message)" } ?? message
    }
}

extension JSONValue {
    /// Anchors have been replaced by what they stand for, so an alias costs what its anchor holds.
    fileprivate init(yaml node: Node, depth: Int) throws {
        guard depth < JSONParser.maximumDepth else { throw ContractFault("nested too deeply", at: node.mark) }
        switch node {
        case .scalar(let scalar): self = try YAMLScalar.value(of: scalar)
        case .sequence(let sequence):
            self = .array(try sequence.map { try JSONValue(yaml: $0, depth: depth + 1) })
        case .mapping(let mapping):
            self = .object(
                try mapping.map { key, value in
                    guard case .scalar(let name) = key else { throw ContractFault("a key is no text", at: key.mark) }
                    return Member(name.string, try JSONValue(yaml: value, depth: depth + 1))
                })
        case .alias(let alias): throw ContractFault("an alias without its anchor", at: alias.mark)
        }
    }
}

/// Scalars by the core schema of YAML 1.2.2, chapter 10.3: what is quoted is a text, what is plain may be more.
enum YAMLScalar {
    static func value(of scalar: Node.Scalar) throws -> JSONValue {
        switch (scalar.tag.rawValue, scalar.style) {
        case ("tag:yaml.org,2002:str", _): return .string(scalar.string)
        case ("", .plain):
            guard let value = plain(scalar.string) else {
                throw ContractFault("JSON has no \(scalar.string)", at: scalar.mark)
            }
            return value
        case ("", _): return .string(scalar.string)
        case (let tag, _): throw ContractFault("the tag \(tag) is not read here", at: scalar.mark)
        }
    }

    /// Nil for the infinities and for what is no number, which JSON can't write.
    static func plain(_ text: String) -> JSONValue? {
        switch text {
        case "", "~", "null", "Null", "NULL": .null
        case "true", "True", "TRUE": .bool(true)
        case "false", "False", "FALSE": .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN": nil
        default: (based(text) ?? decimal(text)).map(JSONValue.number) ?? .string(text)
        }
    }

    /// `0o17` and `0x1F`.
    private static func based(_ text: String) -> String? {
        let radix: Int
        switch text.prefix(2) {
        case "0o": radix = 8
        case "0x": radix = 16
        default: return nil
        }
        let digits = text.dropFirst(2)
        // A sign would be read by `UInt64` but is none of YAML's.
        guard digits.utf8.first.map({ $0 >= 48 }) ?? false else { return nil }
        return UInt64(digits, radix: radix).map(String.init)
    }

    /// A decimal number, in the spelling that JSON allows for it.
    private static func decimal(_ text: String) -> String? {
        var rest = Array(text.utf8)[...]
        var out = ""
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            if sign == UInt8(ascii: "-") { out = "-" }
            rest.removeFirst()
        }
        let whole = takeDigits(&rest)
        var fraction = ""
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = takeDigits(&rest)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = whole.drop { $0 == "0" }
        out += significant.isEmpty ? "0" : String(significant)
        if !fraction.isEmpty { out += "." + fraction }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            out += "e"
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                if sign == UInt8(ascii: "-") { out += "-" }
                rest.removeFirst()
            }
            let exponent = takeDigits(&rest)
            guard !exponent.isEmpty else { return nil }
            out += exponent
        }
        return rest.isEmpty ? out : nil
    }

    private static func takeDigits(_ rest: inout ArraySlice<UInt8>) -> String {
        let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
        rest.removeFirst(digits.count)
        return String(decoding: digits, as: UTF8.self)
    }
}

/// A JSON value (RFC 8259). Numbers keep their spelling and objects the order of their members, so that what came in
/// goes out the same.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Sendable {
        public let name: String
        public let value: JSONValue
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member of that name; of several the last, as ECMAScript reads it.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// Clears a field: `null`, or a text without a character.
    public var isNothing: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        default: false
        }
    }

    /// The word for the value's type, for messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The compact text.
    public var text: String {
        var writer = ByteWriter(capacity: 256)
        write(to: &writer)
        return writer.text
    }

    public func write(to writer: inout ByteWriter) {
        switch self {
        case .null: writer.append("null")
        case .bool(let value): writer.append(value ? "true" : "false")
        case .number(let spelling): writer.append(text: spelling)
        case .string(let value): writer.append(quoted: value)
        case .array(let elements):
            writer.append(byte: 0x5B)
            for (index, element) in elements.enumerated() {
                if index > 0 { writer.append(byte: 0x2C) }
                element.write(to: &writer)
            }
            writer.append(byte: 0x5D)
        case .object(let members):
            writer.append(byte: 0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { writer.append(byte: 0x2C) }
                writer.append(quoted: member.name)
                writer.append(byte: 0x3A)
                member.value.write(to: &writer)
            }
            writer.append(byte: 0x7D)
        }
    }

    /// Equal as values: the order of members and the spelling of numbers do not count.
    public func isEquivalent(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)):
            left == right || (Double(left) != nil && Double(left) == Double(right) && Double(left)!.magnitude < 0x1p53)
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isEquivalent(to: $1) }
        case (.object(let left), .object(let right)):
            Self.areEquivalent(Self.merged(left), Self.merged(right))
        default: false
        }
    }

    private static func areEquivalent(_ left: [[UInt8]: JSONValue], _ right: [[UInt8]: JSONValue]) -> Bool {
        left.count == right.count && left.allSatisfy { name, value in right[name].map { value.isEquivalent(to: $0) } ?? false }
    }

    /// By the names' bytes: as keys, Swift would take canonically equivalent texts for one.
    private static func merged(_ members: [Member]) -> [[UInt8]: JSONValue] {
        Dictionary(members.map { (Array($0.name.utf8), $0.value) }, uniquingKeysWith: { _, last in last })
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a file, a push or the shell says of a record: some of its fields.
public struct RecordInput: Sendable, Codable {
    /// A relation that is named by the other record's `external_id`, to be looked up where it is stored.
    public struct NamedReference: Sendable, Codable {
        public let field: Int
        public let kind: RecordKind
        public let externalID: String
        /// Stays empty where there is no such record; else the input is refused.
        public var isLoose = false
    }

    /// The bytes of a résumé, on their way to the store.
    public struct Document: Sendable {
        public let content: any ByteSource
        public init(_ content: any ByteSource) { self.content = content }
    }

    public let kind: RecordKind
    public var externalID: String?
    /// By the index in the schema. A field that is not here keeps its value; `.null` clears it.
    public var values: [Int: FieldValue] = [:]
    public var references: [NamedReference] = []
    public var resume: Document?
    /// What could not be read of it: refused where it is stored, together with what is found there.
    public var faults: [InputFault] = []

    public init(kind: RecordKind) { self.kind = kind }

    /// All but a document, and what could not be read.
    private enum CodingKeys: CodingKey { case kind, externalID, values, references }
}

/// Bytes that are read in pieces, so that a large document is never in memory as a whole.
public protocol ByteSource: Sendable {
    var count: Int { get }
    /// Fills the buffer from its start with the bytes from `offset` on, which are there.
    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws
}

extension [UInt8]: ByteSource {
    public func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int) {
        buffer.copyBytes(from: self[offset..<offset + buffer.count])
    }
}

/// What is wrong with one part of an input: where (a JSON Pointer, RFC 6901, or a field's name) and why.
public struct InputFault: Error, Sendable, CustomStringConvertible {
    public let pointer: String
    public let message: String
    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }
    public var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }
}

/// Says no to a change before anything of it was written, so that the transaction can go on.
public protocol Refusal: Error {}

public struct InputFaults: Refusal, Sendable, CustomStringConvertible {
    public let faults: [InputFault]
    public init(_ faults: [InputFault]) { self.faults = faults }
    public var description: String { faults.map(\.description).joined(separator: "; ") }
}

extension RecordInput {
    /// The longest `external_id`, in UTF-8 bytes.
    public static let longestExternalID = 500
    public static let largestResume = 10 << 20
    public static let longestList = 1_000

    /// Reads a JSON object with the fields' names.
    ///
    /// Relations may be given as `candidate_id` or `candidate_external_id`; a group as an object or by dotted names.
    /// - Throws: ``InputFaults`` with every fault of the object.
    public init(kind: RecordKind, json: JSONValue) throws(InputFaults) {
        self.init(kind: kind, reading: json)
        if !faults.isEmpty { throw InputFaults(faults) }
    }

    /// As ``init(kind:json:)``, but keeps the faults for later, see ``faults``.
    ///
    /// - Parameter overlooked: names that say nothing and are no fault.
    public init(kind: RecordKind, reading json: JSONValue, overlooking overlooked: Set<String> = []) {
        self.init(kind: kind)
        guard case .object(let members) = json else {
            faults = [InputFault("", "a record is a JSON object, not \(json.typeName)")]
            return
        }
        let schema = kind.schema
        values.reserveCapacity(members.count)
        for member in members {
            do throws(InputFaults) { try read(member, schema, overlooked) } catch { faults += error.faults }
        }
    }

    private mutating func read(
        _ member: JSONValue.Member, _ schema: RecordSchema, _ overlooked: Set<String>
    ) throws(InputFaults) {
        switch schema.meaning(of: member.name) {
        case .field(let index):
            values[index] = try Self.value(member.value, of: schema.fields[index], at: "/" + member.name)
        case .namedReference(let index, let target):
            if let text = try Self.externalID(member.value, at: "/" + member.name) {
                references.append(.init(field: index, kind: target, externalID: text))
            } else if values[index] == nil {
                // Given as an id as well, it is not cleared by the name that was left empty.
                values[index] = .null
            }
        case .group: try readGroup(member)
        case nil where member.name == "external_id": externalID = try Self.externalID(member.value, at: "/external_id")
        case nil where overlooked.contains(member.name): break
        case nil:
            let known = ["external_id"] + schema.topLevelNames
            throw InputFaults([
                InputFault("/" + JSONPointer.escaped(member.name), "no such field\(Suggestion.text(for: member.name, in: known))")
            ])
        }
    }

    private mutating func readGroup(_ group: JSONValue.Member) throws(InputFaults) {
        let schema = kind.schema
        switch group.value {
        case .null:
            for (index, field) in schema.fields.enumerated() where field.group == group.name { values[index] = .null }
        case .object(let members):
            var faults: [InputFault] = []
            // The content last: the size is its size, whatever else is said.
            for member in members.filter({ $0.name != "content" }) + members.filter({ $0.name == "content" }) {
                let path = "/\(group.name)/\(JSONPointer.escaped(member.name))"
                if group.name == "resume", member.name == "content" {
                    do throws(InputFaults) { try readResume(member.value, at: path) } catch { faults += error.faults }
                } else if let index = schema.index(of: "\(group.name).\(member.name)") {
                    do throws(InputFaults) {
                        values[index] = try Self.value(member.value, of: schema.fields[index], at: path)
                    } catch { faults += error.faults }
                } else {
                    let known = schema.fields.filter { $0.group == group.name }.map(\.member)
                    faults.append(InputFault(path, "no such field\(Suggestion.text(for: member.name, in: known))"))
                }
            }
            if !faults.isEmpty { throw InputFaults(faults) }
        default:
            throw InputFaults([InputFault("/" + group.name, "should be an object, not \(group.value.typeName)")])
        }
    }

    /// The file's bytes in base 64. Without any, those that are stored go, and their size with them.
    private mutating func readResume(_ value: JSONValue, at path: String) throws(InputFaults) {
        let size = kind.schema.position("resume.size")
        if value.isNothing {
            resume = nil
            values[size] = .null
            return
        }
        guard case .string(let text) = value, let bytes = Base64.decode(text) else {
            throw InputFaults([InputFault(path, "should be the file's bytes in base 64 (RFC 4648)")])
        }
        guard bytes.count <= Self.largestResume else {
            throw InputFaults([InputFault(path, "over \(Self.largestResume >> 20) MB")])
        }
        resume = Document(bytes)
        values[size] = .integer(Int64(bytes.count))
    }

    static func externalID(_ value: JSONValue, at path: @autoclosure () -> String) throws(InputFaults) -> String? {
        let text: String
        switch value {
        case .null: return nil
        case .string(let string): text = string
        case .number(let spelling): text = spelling
        default: throw InputFaults([InputFault(path(), "should be a text, not \(value.typeName)")])
        }
        if text.isEmpty { return nil }
        guard text.utf8.count <= longestExternalID else {
            throw InputFaults([InputFault(path(), "longer than \(longestExternalID) bytes")])
        }
        guard !text.holdsNUL else { throw InputFaults([InputFault(path(), "holds a NUL character")]) }
        return text
    }

    /// Reads one field's value from JSON. An empty text clears, as an empty cell does.
    public static func value(
        _ value: JSONValue, of field: Field, at path: @autoclosure () -> String
    ) throws(InputFaults) -> FieldValue {
        func wrong(_ what: String) -> InputFaults { InputFaults([InputFault(path(), what)]) }
        if case .null = value { return .null }
        switch field.form {
        case .text(let limit):
            switch value {
            case .string(let text): return try self.text(text, limit: limit, wrong: wrong)
            case .number(let text): return .text(text)
            default: throw wrong("should be a text, not \(value.typeName)")
            }
        case .choice(let words):
            guard case .string(let text) = value else { throw wrong("should be a text, not \(value.typeName)") }
            if text.isEmpty { return .null }
            guard words.contains(text) else {
                throw wrong("'\(text.prefix(60))' is not one of \(words.joined(separator: ", "))")
            }
            return .text(text)
        case .integer(let range):
            guard let number = try number(value, wrong: wrong) else { return .null }
            guard number == number.rounded(), let whole = Int64(exactly: number) else { throw wrong("should be a whole number") }
            guard range.contains(whole) else {
                throw wrong("should be from \(range.lowerBound) to \(range.upperBound)")
            }
            return .integer(whole)
        case .number(let range):
            guard let number = try number(value, wrong: wrong) else { return .null }
            guard range.contains(number) else { throw wrong("should be from \(shown(range.lowerBound)) to \(shown(range.upperBound))") }
            return .number(number)
        case .time:
            guard case .string(let text) = value else { throw wrong("should be a time, not \(value.typeName)") }
            if text.isEmpty { return .null }
            guard let time = Timestamp(rfc3339: text) else {
                throw wrong("'\(text.prefix(60))' is no RFC 3339 time, such as 2026-01-31T09:00:00Z")
            }
            return .time(time)
        case .list:
            return try list(value, wrong: wrong)
        case .object:
            guard case .object = value else { throw wrong("should be an object, not \(value.typeName)") }
            return .json(value.text)
        case .array:
            guard case .array = value else { throw wrong("should be an array, not \(value.typeName)") }
            return .json(value.text)
        case .json:
            return .json(value.text)
        case .reference(let kind):
            guard case .string(let text) = value else { throw wrong("should be an id, not \(value.typeName)") }
            if text.isEmpty { return .null }
            guard let id = RecordID(text, kind: kind) else {
                throw wrong("'\(text.prefix(60))' is no \(kind.singular) id (\(kind.prefix)_…)")
            }
            return .reference(id.ulid)
        }
    }

    /// Whole numbers without a fraction.
    private static func shown(_ bound: Double) -> String { Int64(exactly: bound).map(String.init) ?? String(bound) }

    private static func text(
        _ text: String, limit: Int, wrong: (String) -> InputFaults
    ) throws(InputFaults) -> FieldValue {
        if text.isEmpty { return .null }
        // Scalars are at most as many as bytes, so most texts need no count.
        if text.utf8.count > limit, text.unicodeScalars.count > limit { throw wrong("longer than \(limit) characters") }
        if text.holdsNUL { throw wrong("holds a NUL character") }
        return .text(text)
    }

    private static func number(_ value: JSONValue, wrong: (String) -> InputFaults) throws(InputFaults) -> Double? {
        switch value {
        case .number(let spelling):
            guard let number = Double(spelling), number.isFinite else { throw wrong("is out of range") }
            return number
        case .string(let text):
            if text.isEmpty { return nil }
            // Decimal notation alone: no 0x1F, inf or nan.
            let isDecimal = text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || "+-.eE".utf8.contains($0) }
            guard isDecimal, let number = Double(text), number.isFinite else {
                throw wrong("'\(text.prefix(60))' is not a number")
            }
            return number
        default: throw wrong("should be a number, not \(value.typeName)")
        }
    }

    private static func list(_ value: JSONValue, wrong: (String) -> InputFaults) throws(InputFaults) -> FieldValue {
        if case .string(let text) = value, text.isEmpty { return .null }
        guard case .array(let elements) = value else { throw wrong("should be an array of texts, not \(value.typeName)") }
        guard elements.count <= longestList else { throw wrong("has over \(longestList) elements") }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw wrong("should hold texts alone, not \(element.typeName)") }
            guard text.utf8.count <= 8_000 else { throw wrong("holds a text of over 8000 bytes") }
            guard !text.holdsNUL else { throw wrong("holds a NUL character") }
            if !text.isEmpty { texts.append(text) }
        }
        return .list(texts)
    }
}

extension String {
    /// By bytes in a row: as a sequence, they are looked at one call after the other.
    var holdsNUL: Bool {
        utf8.withContiguousStorageIfAvailable { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        } ?? utf8.contains(0)
    }
}

import Domain

extension Record {
    /// The field as JSON, `null` where the record does not hold it.
    ///
    /// - Throws: ``BodyFault`` where a JSON field does not hold JSON.
    func json(_ name: String) throws -> JSONValue {
        switch self[name] {
        case .null: return .null
        case .text(let text): return .string(text)
        case .integer(let value): return .number(String(value))
        case .number(let value): return JSONValue(value)
        case .time(let time): return .string(time.description)
        case .list(let texts): return .array(texts.map(JSONValue.string))
        case .json(let text):
            do { return try JSONParser.parse(text) } catch {
                throw BodyFault("\(kind.singular).\(name) holds no JSON: \(error)")
            }
        case .reference(let id):
            guard case .reference(let kind) = kind.schema.fields[kind.schema.position(name)].form else { return .null }
            return .string(RecordID(kind: kind, ulid: id).description)
        }
    }

    /// A number, whole or not; nil where there is none.
    func number(_ name: String) -> Double? {
        switch self[name] {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}

extension Optional where Wrapped == Record {
    /// The field of a record that may not be there.
    func json(_ name: String) throws -> JSONValue { try self?.json(name) ?? .null }
}

extension JSONValue {
    /// A finite number, whole ones without a point.
    init(_ number: Double) {
        var out = ByteWriter(capacity: 64)
        out.append(number: number)
        self = .number(out.text)
    }

    init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }

    var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The first of these members that there is.
    func first(of names: [String]) -> JSONValue? {
        for name in names { if let value = self[name], !value.isNull { return value } }
        return nil
    }

    var bytes: [UInt8] {
        var out = ByteWriter(capacity: 4_096)
        write(to: &out)
        return Array(out.bytes)
    }
}

extension EventFacts {
    /// The record that the event is about.
    func subject(_ kinds: RecordKind...) throws -> Record {
        guard let subject, kinds.contains(subject.kind) else {
            throw BodyFault("\(type.rawValue) comes without its \(kinds.map(\.singular).joined(separator: " or "))")
        }
        return subject
    }
}

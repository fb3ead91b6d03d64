import Domain

/// Why a rule can't give a value for a row.
struct RuleFailure: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// How a mapping works out one value of a record.
struct Rule: Sendable {
    indirect enum Source: Sendable {
        /// The index of a path in the mapping.
        case path(Int)
        case constant(JSONValue)
        case join([Rule], with: String, omittingEmpty: Bool)
        case object([(name: String, rule: Rule)])
        case list([Rule])
        /// The first of them that gives something.
        case first([Rule])
    }

    /// What a text is read as.
    enum Reading: Sendable {
        case date(DateReading)
        case number(NumberReading)
    }

    let source: Source
    let when: Condition?
    let split: String?
    let translation: [String: JSONValue]?
    let reading: Reading?
    let otherwise: JSONValue?

    /// The value; nil where the row has nothing for it, so that the field keeps its own.
    func value(in row: some RowValues) throws(RuleFailure) -> JSONValue? {
        if let when, try !when.holds(in: row) { return nil }
        let found = try source.value(in: row)
        guard var value = found, !value.isNothing else { return otherwise ?? found }
        if let split { value = try Self.split(value, at: split) }
        if let translation {
            value = translate(value, by: translation)
            // The table said so: not a case for `otherwise`.
            if case .null = value { return value }
        }
        if let reading { value = try reading.value(of: value) }
        return value
    }

    private static func split(_ value: JSONValue, at separator: String) throws(RuleFailure) -> JSONValue {
        let texts = try value.texts()
        return .array(texts.flatMap { CellText.parts(of: $0, separator: separator).map(JSONValue.string) })
    }

    private func translate(_ value: JSONValue, by table: [String: JSONValue]) -> JSONValue {
        guard case .array(let elements) = value else {
            return value.scalarText.flatMap { table[$0] } ?? otherwise ?? value
        }
        return .array(
            elements.compactMap { element in
                let translated = translate(element, by: table)
                return translated.isNothing ? nil : translated
            })
    }
}

extension Rule.Source {
    func value(in row: some RowValues) throws(RuleFailure) -> JSONValue? {
        switch self {
        case .path(let path): return row.value(path)
        case .constant(let value): return value
        case .join(let rules, let glue, let omittingEmpty):
            return try Self.join(rules, with: glue, omittingEmpty: omittingEmpty, in: row)
        case .object(let members):
            var values: [JSONValue.Member] = []
            for member in members {
                if let value = try member.rule.value(in: row), !value.isNothing {
                    values.append(.init(member.name, value))
                }
            }
            return .object(values)
        case .list(let rules):
            var values: [JSONValue] = []
            for rule in rules {
                guard let value = try rule.value(in: row), !value.isNothing else { continue }
                if case .array(let inner) = value { values += inner } else { values.append(value) }
            }
            return .array(values)
        case .first(let rules):
            var nothing: JSONValue?
            for rule in rules {
                let value = try rule.value(in: row)
                if let value, !value.isNothing { return value }
                nothing = nothing ?? value
            }
            return nothing
        }
    }

    /// Nil where every part is missing, `null` where every part is empty.
    private static func join(
        _ rules: [Rule], with glue: String, omittingEmpty: Bool, in row: some RowValues
    ) throws(RuleFailure) -> JSONValue? {
        var parts: [String] = []
        var isFound = false
        for rule in rules {
            let value = try rule.value(in: row)
            isFound = isFound || value != nil
            let texts = try value?.texts() ?? []
            parts += texts.isEmpty ? [""] : texts
        }
        if omittingEmpty { parts.removeAll(where: \.isEmpty) }
        if parts.allSatisfy(\.isEmpty) { return isFound ? .null : nil }
        return .string(parts.joined(separator: glue))
    }
}

extension Rule.Reading {
    func value(of value: JSONValue) throws(RuleFailure) -> JSONValue {
        switch self {
        case .date(let reading): .string(try reading.time(of: value).description)
        case .number(let reading): try reading.number(of: value)
        }
    }
}

extension JSONValue {
    /// A text, or the spelling of a number or boolean.
    var scalarText: String? {
        switch self {
        case .string(let text): text
        case .number(let spelling): spelling
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    /// A scalar's text, or the texts of an array's elements.
    func texts() throws(RuleFailure) -> [String] {
        guard case .array(let elements) = self else {
            if case .null = self { return [] }
            guard let text = scalarText else { throw RuleFailure("an object can't be made a text") }
            return [text]
        }
        var texts: [String] = []
        for element in elements {
            if case .null = element { continue }
            guard let text = element.scalarText else {
                throw RuleFailure("an array that holds \(element.typeName) can't be made a text")
            }
            texts.append(text)
        }
        return texts
    }
}

import Domain

/// Whether a row, or a rule, is taken.
indirect enum Condition: Sendable {
    case all([Condition])
    case any([Condition])
    case not(Condition)
    /// Every test of the value at a path, by its index in the mapping.
    case value(Int, [Test])

    enum Test: Sendable {
        case present(Bool)
        /// One of these texts; of an array, any element.
        case equals([String])
        case startsWith(String)
        case contains(String)
        /// Strictly before.
        case before(Timestamp, DateReading)
        /// At that time or after it.
        case since(Timestamp, DateReading)
    }

    /// - Throws: ``RuleFailure`` where a value that should be a time is none.
    func holds(in row: some RowValues) throws(RuleFailure) -> Bool {
        switch self {
        case .all(let conditions):
            for condition in conditions where try !condition.holds(in: row) { return false }
            return true
        case .any(let conditions):
            for condition in conditions where try condition.holds(in: row) { return true }
            return false
        case .not(let condition): return try !condition.holds(in: row)
        case .value(let path, let tests):
            let value = row.value(path)
            for test in tests where try !test.holds(for: value) { return false }
            return true
        }
    }
}

extension Condition.Test {
    /// Nothing passes no test but `present: false`.
    func holds(for value: JSONValue?) throws(RuleFailure) -> Bool {
        let isPresent = value.map { !$0.isNothing } ?? false
        if case .present(let wanted) = self { return isPresent == wanted }
        guard isPresent, let value else { return false }
        switch self {
        case .present: return true
        case .equals(let wanted): return value.anyText { text in wanted.contains { $0.utf8.elementsEqual(text.utf8) } }
        case .startsWith(let start): return value.anyText { $0.utf8.starts(with: start.utf8) }
        case .contains(let word): return value.anyText { $0.contains(word) }
        case .before(let moment, let reading): return try reading.time(of: value) < moment
        case .since(let moment, let reading): return try reading.time(of: value) >= moment
        }
    }
}

extension JSONValue {
    /// Of a scalar its text, of an array any element's.
    fileprivate func anyText(_ test: (String) -> Bool) -> Bool {
        if case .array(let elements) = self { return elements.contains { $0.scalarText.map(test) ?? false } }
        return scalarText.map(test) ?? false
    }
}

import Domain

/// Reads numbers as people write them: `$1,234.50`, `1.234,50 EUR`, `80k`, `85 %`.
///
/// Taken off are one currency sign or code, a percent sign, and separators between thousands; a trailing `k` is a
/// thousand. Groups must be of three digits (or of two before the last, as in India), so that a decimal comma is
/// not taken for a separator.
struct NumberReading: Sendable {
    /// `.` or `,`; the other of them separates thousands, as spaces and apostrophes do.
    let decimal: Unicode.Scalar

    func number(of value: JSONValue) throws(RuleFailure) -> JSONValue {
        switch value {
        case .number: return value
        case .string(let text):
            guard let spelling = spelling(of: text) else { throw RuleFailure("'\(text.prefix(60))' is not a number") }
            return .number(spelling)
        default: throw RuleFailure("\(value.typeName) is not a number")
        }
    }

    /// The number as JSON spells it.
    func spelling(of text: String) -> String? {
        var rest = Array(text.unicodeScalars)[...]
        Self.trim(&rest)
        var isNegative = Self.takeSign(&rest)
        Self.takeCurrency(&rest)
        if !isNegative { isNegative = Self.takeSign(&rest) }
        var exponent = ""
        if rest.last == "%" { rest.removeLast() }
        Self.trim(&rest)
        if let last = rest.last, last == "k" || last == "K", rest.dropLast().last.map(Self.isDigit) == true {
            rest.removeLast()
            exponent = "e3"
        }
        guard let number = plain(rest) else { return nil }
        return (isNegative ? "-" : "") + number + exponent
    }

    private func plain(_ text: ArraySlice<Unicode.Scalar>) -> String? {
        let parts = text.split(separator: decimal, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = ungrouped(first) else { return nil }
        let digits = whole.drop { $0 == "0" }
        var spelling = String(String.UnicodeScalarView(digits.isEmpty ? ["0"] : Array(digits)))
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].allSatisfy(Self.isDigit) else { return nil }
            spelling += "." + String(String.UnicodeScalarView(parts[1]))
        } else if whole.isEmpty {
            return nil
        }
        return spelling
    }

    /// The digits, where the separators between them stand where they should.
    private func ungrouped(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        let groups = text.split(omittingEmptySubsequences: false) { self.isSeparator($0) }
        guard groups.allSatisfy({ $0.allSatisfy(Self.isDigit) }) else { return nil }
        if groups.count > 1 {
            guard let first = groups.first, (1...3).contains(first.count), groups.last?.count == 3,
                groups.dropFirst().allSatisfy({ $0.count == 3 || $0.count == 2 })
            else { return nil }
        }
        return groups.flatMap { $0 }
    }

    private func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == decimal { return false }
        return scalar == "," || scalar == "." || scalar == "'" || scalar == "\u{2019}" || Self.isSpace(scalar)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        // The Unicode database is slow to ask, and seldom has to be.
        scalar.isASCII ? scalar == " " || (9...13).contains(scalar.value) : scalar.properties.isWhitespace
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

    private static func trim(_ text: inout ArraySlice<Unicode.Scalar>) {
        while let first = text.first, isSpace(first) { text.removeFirst() }
        while let last = text.last, isSpace(last) { text.removeLast() }
    }

    private static func takeSign(_ text: inout ArraySlice<Unicode.Scalar>) -> Bool {
        if text.first == "+" { text.removeFirst() }
        guard text.first == "-" || text.first == "\u{2212}" else { return false }
        text.removeFirst()
        return true
    }

    /// A sign with at most two capitals before it (`US$`), or a code of three capitals, or a few words, at either end.
    private static func takeCurrency(_ text: inout ArraySlice<Unicode.Scalar>) {
        let head = text.prefix { !isDigit($0) && $0 != "-" && $0 != "." && $0 != "," && !isSpace($0) }
        let tail = text.reversed().prefix { !isDigit($0) && $0 != "." && $0 != "," && !isSpace($0) }.reversed()
        if isCurrency(Array(head)) {
            text.removeFirst(head.count)
        } else if isCurrency(Array(tail)) {
            text.removeLast(tail.count)
        }
        trim(&text)
    }

    private static func isCurrency(_ scalars: [Unicode.Scalar]) -> Bool {
        let word = String(String.UnicodeScalarView(scalars))
        if ["kr", "zł", "Kč", "Ft"].contains(word) { return true }
        let capitals = scalars.prefix { $0 >= "A" && $0 <= "Z" }
        if capitals.count == 3, scalars.count == 3 { return true }
        return capitals.count <= 2 && scalars.count == capitals.count + 1
            && scalars.last?.properties.generalCategory == .currencySymbol
    }
}

import Domain

/// A date format in the letters of Unicode TR 35: `yyyy yy M MM MMM MMMM d dd H HH h hh m mm s ss S a X Z E`.
///
/// A letter alone takes one or two digits, doubled exactly two. `S` takes a fraction of any length, `MMM` an English
/// month's name, long or short, `X`, `XXX` and `Z` an offset (`Z`, `+02`, `+0200`, `+02:00`), `E` a weekday's name,
/// which is passed over. Text between `'` stands for itself, as does everything that is no letter.
struct DatePattern: Sendable {
    enum Part: Sendable, Equatable {
        case year(digits: Int)
        case month(digits: ClosedRange<Int>)
        case monthName
        case weekday
        case day(ClosedRange<Int>)
        case hour(ClosedRange<Int>)
        case halfDayHour(ClosedRange<Int>)
        case minute(ClosedRange<Int>)
        case second(ClosedRange<Int>)
        case fraction
        case halfDay
        case offset
        case literal([UInt8])
    }

    let parts: [Part]

    /// Nil for letters that are not among these, an unclosed `'`, or a pattern without year, month and day.
    init?(_ pattern: String) {
        var parts: [Part] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.first {
            let part: Part?
            if byte == UInt8(ascii: "'") {
                part = Self.quoted(&rest)
            } else if byte.isLetter {
                let run = rest.prefix { $0 == byte }
                rest = rest.dropFirst(run.count)
                part = Self.field(byte, count: run.count)
            } else {
                rest.removeFirst()
                part = .literal([byte])
            }
            guard let part else { return nil }
            parts.append(part)
        }
        let hasYear = parts.contains { if case .year = $0 { true } else { false } }
        let hasMonth = parts.contains { if case .month = $0 { true } else { $0 == .monthName } }
        let hasDay = parts.contains { if case .day = $0 { true } else { false } }
        guard hasYear, hasMonth, hasDay else { return nil }
        self.parts = parts
    }

    /// `'T'`; two quotes are one that stands for itself.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> Part? {
        rest.removeFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "'") {
                text.append(byte)
            } else if !text.isEmpty, rest.first == byte {
                rest.removeFirst()
                text.append(byte)
            } else {
                return .literal(text.isEmpty ? [byte] : text)
            }
        }
        return nil
    }

    private static func field(_ letter: UInt8, count: Int) -> Part? {
        let digits = count == 1 ? 1...2 : 2...2
        switch (letter, count) {
        case (UInt8(ascii: "y"), 1), (UInt8(ascii: "y"), 4): return .year(digits: 4)
        case (UInt8(ascii: "y"), 2): return .year(digits: 2)
        case (UInt8(ascii: "M"), 1...2): return .month(digits: digits)
        case (UInt8(ascii: "M"), 3...4): return .monthName
        case (UInt8(ascii: "d"), 1...2): return .day(digits)
        case (UInt8(ascii: "H"), 1...2): return .hour(digits)
        case (UInt8(ascii: "h"), 1...2): return .halfDayHour(digits)
        case (UInt8(ascii: "m"), 1...2): return .minute(digits)
        case (UInt8(ascii: "s"), 1...2): return .second(digits)
        case (UInt8(ascii: "S"), 1...9): return .fraction
        case (UInt8(ascii: "a"), 1): return .halfDay
        case (UInt8(ascii: "X"), 1...3), (UInt8(ascii: "Z"), 1...5): return .offset
        case (UInt8(ascii: "E"), 1...4): return .weekday
        default: return nil
        }
    }
}

extension UInt8 {
    var isLetter: Bool { (65...90).contains(self & 0xDF) }
    var isDigit: Bool { (48...57).contains(self) }
}

import Domain

extension DatePattern {
    /// The time that a text stands for; nil where it does not fit, or is no day or time of day.
    func time(of text: String, zone: ZoneRule) -> Timestamp? {
        var fields = PatternFields(rest: Array(text.utf8)[...])
        for part in parts {
            guard fields.take(part) else { return nil }
        }
        guard fields.rest.isEmpty else { return nil }
        return fields.time(zone: zone)
    }
}

/// What was taken off a text so far.
private struct PatternFields {
    var rest: ArraySlice<UInt8>
    var year = 0
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0
    var isAfternoon: Bool?
    var offsetSeconds: Int?

    mutating func take(_ part: DatePattern.Part) -> Bool {
        switch part {
        case .year(let digits): return takeYear(digits)
        case .month(let digits): return take(digits, into: \.month)
        case .monthName: return takeMonthName()
        case .weekday: return !takeLetters().isEmpty
        case .day(let digits): return take(digits, into: \.day)
        case .hour(let digits), .halfDayHour(let digits): return take(digits, into: \.hour)
        case .minute(let digits): return take(digits, into: \.minute)
        case .second(let digits): return take(digits, into: \.second)
        case .fraction: return takeFraction()
        case .halfDay:
            switch takeLetters() {
            case "am": isAfternoon = false
            case "pm": isAfternoon = true
            default: return false
            }
            return true
        case .offset: return takeOffset()
        case .literal(let text):
            guard rest.starts(with: text) else { return false }
            rest = rest.dropFirst(text.count)
            return true
        }
    }

    func time(zone: ZoneRule) -> Timestamp? {
        var hour = hour
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard DateScanner.exists(year: year, month: month, day: day), hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        let local = Timestamp(
            year: year, month: month, day: day, secondsOfDay: hour * 3600 + minute * 60 + second,
            microsecond: microsecond)
        return zone.moment(local: local, offsetSeconds: offsetSeconds)
    }

    private mutating func digits(_ count: ClosedRange<Int>) -> Int? {
        let run = rest.prefix(count.upperBound).prefix(while: \.isDigit)
        guard run.count >= count.lowerBound else { return nil }
        rest = rest.dropFirst(run.count)
        return run.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    private mutating func take(_ count: ClosedRange<Int>, into field: WritableKeyPath<Self, Int>) -> Bool {
        guard let value = digits(count) else { return false }
        self[keyPath: field] = value
        return true
    }

    /// Of two digits, those under 70 are in this century.
    private mutating func takeYear(_ count: Int) -> Bool {
        guard let value = digits(count...count) else { return false }
        year = count == 4 ? value : value + (value < 70 ? 2000 : 1900)
        return true
    }

    private mutating func takeLetters() -> String {
        let run = rest.prefix(while: \.isLetter)
        rest = rest.dropFirst(run.count)
        return String(decoding: run.map { $0 | 0x20 }, as: UTF8.self)
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]

    private mutating func takeMonthName() -> Bool {
        let name = takeLetters()
        let found = Self.months.firstIndex {
            $0 == name || $0.prefix(3) == name || (name == "sept" && $0 == "september")
        }
        guard let found else { return false }
        month = found + 1
        return true
    }

    private mutating func takeFraction() -> Bool {
        let run = rest.prefix(while: \.isDigit)
        rest = rest.dropFirst(run.count)
        var scale = 100_000
        for digit in run.prefix(6) {
            microsecond += Int(digit - 48) * scale
            scale /= 10
        }
        return !run.isEmpty
    }

    private mutating func takeOffset() -> Bool {
        guard let first = rest.popFirst() else { return false }
        if first | 0x20 == UInt8(ascii: "z") {
            offsetSeconds = 0
            return true
        }
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), let hours = digits(2...2), hours < 24 else {
            return false
        }
        let hasColon = rest.first == UInt8(ascii: ":")
        if hasColon { rest.removeFirst() }
        let minutes = digits(2...2)
        guard minutes != nil || !hasColon, minutes ?? 0 < 60 else { return false }
        offsetSeconds = (first == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + (minutes ?? 0) * 60)
        return true
    }
}

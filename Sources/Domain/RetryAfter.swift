/// The field `Retry-After` of a response (RFC 9110, 10.2.3).
public enum RetryAfter {
    /// How long it asks to wait, in milliseconds; nil when it is neither seconds nor a date. A date in the past asks for 0.
    public static func milliseconds(_ field: String, now: Timestamp) -> Int64? {
        let text = field.trimmingSpace()
        if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            // More digits than fit are a very long time.
            guard let seconds = Int64(text), seconds <= .max / 1_000 else { return .max }
            return seconds * 1_000
        }
        return HTTPDate.read(text, now: now).map { max($0.milliseconds(since: now), 0) }
    }
}

/// A date as HTTP writes it (RFC 9110, 5.6.7).
public enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Reads the preferred form and both obsolete ones, as a recipient must; nil for anything else. The day of the week is
    /// not checked.
    ///
    /// - Parameter now: places a year of two digits: no more than 50 years ahead.
    public static func read(_ text: some StringProtocol, now: Timestamp) -> Timestamp? {
        let words = Substring(text).split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" }).map(String.init)
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where words[5] == "GMT" && words[1].utf8.count == 2:
            return read(day: words[1], month: words[2], year: words[3], time: words[4], now: now)
        // Sun Nov  6 08:49:37 1994
        case 5 where words[4].utf8.count == 4:
            return read(day: words[2], month: words[1], year: words[4], time: words[3], now: now)
        default: return nil
        }
    }

    private static func read(day: String, month: String, year: String, time: String, now: Timestamp) -> Timestamp? {
        var clock = DateScanner(time)
        guard let month = months.firstIndex(of: month).map({ $0 + 1 }), let day = number(day, digits: 1...2),
            let year = number(year, digits: 4...4) ?? number(year, digits: 2...2).map({ century(of: $0, now: now) }),
            DateScanner.exists(year: year, month: month, day: day), let time = clock.time(), clock.isAtEnd,
            time.microsecond == 0
        else { return nil }
        return Timestamp(year: year, month: month, day: day, secondsOfDay: time.seconds)
    }

    private static func number(_ text: String, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return Int(text)
    }

    private static func century(of year: Int, now: Timestamp) -> Int {
        let current = Int(Timestamp.civil(days: Timestamp.floorDivide(now.microseconds, 86_400_000_000).0).0)
        let candidate = current - current % 100 + year
        return candidate > current + 50 ? candidate - 100 : candidate
    }
}

extension String {
    /// Without the spaces and tabs around it.
    fileprivate func trimmingSpace() -> Substring {
        let rest = drop { $0 == " " || $0 == "\t" }
        guard let last = rest.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return rest[...last]
    }
}

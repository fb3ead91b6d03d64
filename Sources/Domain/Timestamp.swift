/// A moment in UTC: whole microseconds since 1970-01-01, no leap seconds.
public struct Timestamp: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    public let microseconds: Int64

    @inlinable
    public init(microseconds: Int64) { self.microseconds = microseconds }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// The years that RFC 3339 can write, and so the range of every time in a record.
    public static let earliest = Timestamp(microseconds: -62_167_219_200_000_000)
    public static let latest = Timestamp(microseconds: 253_402_300_799_999_999)

    /// Midnight of a day, by Howard Hinnant's `days_from_civil`.
    public init(year: Int, month: Int, day: Int, secondsOfDay: Int = 0, microsecond: Int = 0) {
        let shifted = year - (month <= 2 ? 1 : 0)
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        microseconds = (Int64(days) * 86_400 + Int64(secondsOfDay)) * 1_000_000 + Int64(microsecond)
    }

    /// `2026-01-01T00:00:00.000000Z`, always 27 bytes.
    @inlinable
    public func write(to out: UnsafeMutablePointer<UInt8>) {
        let (seconds, fraction) = Self.floorDivide(microseconds, 1_000_000)
        let (days, secondOfDay) = Self.floorDivide(seconds, 86_400)
        let (year, month, day) = Self.civil(days: days)
        Self.put(year / 100, out)
        Self.put(year % 100, out + 2)
        out[4] = 45
        Self.put(month, out + 5)
        out[7] = 45
        Self.put(day, out + 8)
        out[10] = 84
        Self.put(secondOfDay / 3600, out + 11)
        out[13] = 58
        Self.put(secondOfDay / 60 % 60, out + 14)
        out[16] = 58
        Self.put(secondOfDay % 60, out + 17)
        out[19] = 46
        Self.put(fraction / 10_000, out + 20)
        Self.put(fraction / 100 % 100, out + 22)
        Self.put(fraction % 100, out + 24)
        out[26] = 90
    }

    @inlinable
    static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        var (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        if remainder < 0 {
            quotient -= 1
            remainder += by
        }
        return (quotient, remainder)
    }

    @inlinable
    static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    @inlinable
    static func put(_ value: Int64, _ out: UnsafeMutablePointer<UInt8>) {
        let pair = pairs.utf8Start + 2 &* Int(truncatingIfNeeded: value)
        out[0] = pair[0]
        out[1] = pair[1]
    }

    /// The numbers from 0 to 99, two digits each.
    @inlinable
    static var pairs: StaticString {
        """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960\
        616263646566676869707172737475767778798081828384858687888990919293949596979899
        """
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 27) { buffer in
            write(to: buffer.baseAddress!)
            return 27
        }
    }
}

extension Timestamp {
    /// Reads RFC 3339's `date-time`: a date, `T`, a time, and an offset or `Z`.
    ///
    /// A space before the offset is read as `+`, which is what a `+` in a query string arrives as. Digits after the
    /// sixth of a fraction are dropped. A leap second (`:60`) is read as the second after it. Nil for anything else.
    public init?(rfc3339 text: some StringProtocol) {
        var scanner = DateScanner(text)
        guard let date = scanner.date(), scanner.take(any: "Tt "), let time = scanner.time(),
            let offset = scanner.offset(), scanner.isAtEnd
        else { return nil }
        let local = Timestamp(
            year: date.year, month: date.month, day: date.day, secondsOfDay: time.seconds, microsecond: time.microsecond)
        let moment = Timestamp(microseconds: local.microseconds - Int64(offset) * 60_000_000)
        guard moment >= .earliest, moment <= .latest else { return nil }
        self = moment
    }
}

/// Takes the parts of a date and time off the front of a text.
public struct DateScanner {
    private var bytes: Substring.UTF8View

    public init(_ text: some StringProtocol) { bytes = Substring(text).utf8 }

    public var isAtEnd: Bool { bytes.isEmpty }

    public mutating func take(any choices: StaticString) -> Bool {
        guard let first = bytes.first else { return false }
        let found = choices.withUTF8Buffer { $0.contains(first) }
        if found { bytes.removeFirst() }
        return found
    }

    /// Exactly `count` digits, or nil.
    public mutating func digits(_ count: Int) -> Int? {
        guard bytes.count >= count else { return nil }
        var value = 0
        for byte in bytes.prefix(count) {
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        bytes.removeFirst(count)
        return value
    }

    /// `YYYY-MM-DD`, a day that exists.
    public mutating func date() -> (year: Int, month: Int, day: Int)? {
        guard let year = digits(4), take(any: "-"), let month = digits(2), take(any: "-"), let day = digits(2),
            Self.exists(year: year, month: month, day: day)
        else { return nil }
        return (year, month, day)
    }

    public static func exists(year: Int, month: Int, day: Int) -> Bool {
        guard year >= 0, year <= 9999, month >= 1, month <= 12, day >= 1 else { return false }
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= lengths[month - 1]
    }

    /// `HH:MM:SS` and an optional fraction.
    public mutating func time() -> (seconds: Int, microsecond: Int)? {
        guard let hour = digits(2), hour < 24, take(any: ":"), let minute = digits(2), minute < 60, take(any: ":"),
            let second = digits(2), second <= 60
        else { return nil }
        var microsecond = 0
        if take(any: ".") {
            var scale = 100_000
            var seen = false
            while let digit = digits(1) {
                microsecond += digit * scale
                scale /= 10
                seen = true
            }
            guard seen else { return nil }
        }
        return (hour * 3600 + minute * 60 + second, microsecond)
    }

    /// `Z` or `±HH:MM`, in minutes.
    public mutating func offset() -> Int? {
        if take(any: "Zz") { return 0 }
        let sign: Int
        if take(any: "+ ") { sign = 1 } else if take(any: "-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours < 24, take(any: ":"), let minutes = digits(2), minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

extension Timestamp {
    /// Whole minutes since 1970, rounded down.
    public var minute: Int64 { Self.floorDivide(microseconds, 60_000_000).0 }
}

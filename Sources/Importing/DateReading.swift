import Domain

/// Reads times in the forms that a mapping names, tried in order.
struct DateReading: Sendable {
    enum Form: Sendable {
        case rfc3339
        /// A date alone, or with a time (`T` or a space between), with or without an offset (ISO 8601's common forms).
        case iso
        /// A count since 1970-01-01T00:00:00Z, of so many microseconds each.
        case unix(Double)
        case pattern(DatePattern)
    }

    let forms: [Form]
    /// For a date or time without an offset. A date alone is its midnight.
    let zone: ZoneRule
    /// The forms as the mapping has them, for messages.
    let text: String

    func time(of value: JSONValue) throws(RuleFailure) -> Timestamp {
        guard let text = value.scalarText else { throw RuleFailure("\(value.typeName) is not a date") }
        for form in forms {
            if let time = form.time(of: text, zone: zone), time >= .earliest, time <= .latest { return time }
        }
        throw RuleFailure("'\(text.prefix(60))' does not fit the date format \(self.text)")
    }
}

extension DateReading.Form {
    fileprivate func time(of text: String, zone: ZoneRule) -> Timestamp? {
        switch self {
        case .rfc3339: Timestamp(rfc3339: text)
        case .iso: Self.iso(text, zone: zone)
        case .unix(let unit): Self.unix(text, unit: unit)
        case .pattern(let pattern): pattern.time(of: text, zone: zone)
        }
    }

    private static func iso(_ text: String, zone: ZoneRule) -> Timestamp? {
        var scanner = DateScanner(text)
        guard let date = scanner.date() else { return nil }
        var seconds = 0
        var microsecond = 0
        var offset: Int?
        if scanner.take(any: "Tt ") {
            guard let time = scanner.time() else { return nil }
            (seconds, microsecond) = time
            offset = scanner.offset()
        }
        guard scanner.isAtEnd else { return nil }
        let local = Timestamp(
            year: date.year, month: date.month, day: date.day, secondsOfDay: seconds, microsecond: microsecond)
        return zone.moment(local: local, offsetSeconds: offset.map { $0 * 60 })
    }

    private static func unix(_ text: String, unit: Double) -> Timestamp? {
        guard let count = Double(text), (count * unit).magnitude < 0x1p62 else { return nil }
        return Timestamp(microseconds: Int64((count * unit).rounded()))
    }
}

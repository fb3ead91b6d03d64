/// A length of time as people write it: `90d`, `24h`, `30m`, `20s`.
public struct Span: Sendable {
    public let seconds: Int

    public init?(_ text: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        guard let last = text.last, let unit = units[last], let count = Int(text.dropLast()), count >= 0, count <= 1_000_000 else {
            return nil
        }
        seconds = count * unit
    }

    public var milliseconds: Int64 { Int64(seconds) * 1_000 }

    /// A length of time as it is read: 30 000 is `30s`, 86 400 000 `24h`, 172 800 000 `2d`.
    public static func text(milliseconds: Int64) -> String {
        let units: [(name: String, length: Int64, least: Int64)] = [
            ("d", 86_400_000, 172_800_000), ("h", 3_600_000, 3_600_000), ("m", 60_000, 60_000), ("s", 1_000, 0),
        ]
        let unit = units.first { milliseconds >= $0.least && milliseconds % $0.length == 0 }
        return unit.map { "\(milliseconds / $0.length)\($0.name)" } ?? "\(milliseconds)ms"
    }
}

extension Timestamp {
    /// What people write for a moment that was: how long ago (`6h`), a date, an RFC 3339 time, or one without a zone, in UTC.
    public init?(past text: String, now: Timestamp) {
        if let span = Span(text) { self = now.adding(milliseconds: -span.milliseconds) } else { self.init(written: text) }
    }

    /// What people write for a moment to come: how long from now (`90d`), a date, an RFC 3339 time, or one without a zone.
    public init?(future text: String, now: Timestamp) {
        if let span = Span(text) { self = now.adding(milliseconds: span.milliseconds) } else { self.init(written: text) }
    }

    private init?(written text: String) {
        let spellings = [text, text + "T00:00:00Z", text + "Z", text + ":00Z"]
        guard let time = spellings.lazy.compactMap({ Timestamp(rfc3339: $0) }).first else { return nil }
        self = time
    }
}

import Domain
import Foundation

/// How far local time is from UTC.
///
/// Named zones come from Foundation, which carries the tz database with it, so that a machine without one reads the
/// same times.
enum ZoneRule: Sendable {
    case fixed(seconds: Int)
    case named(TimeZone)

    static let utc = ZoneRule.fixed(seconds: 0)

    /// `UTC`, `Z`, an offset such as `+02:00`, or a name of the tz database such as `America/New_York`.
    init?(_ text: String) {
        if text == "UTC" || text == "Z" {
            self = .utc
            return
        }
        var scanner = DateScanner(text)
        if text.first == "+" || text.first == "-" {
            guard let minutes = scanner.offset(), scanner.isAtEnd else { return nil }
            self = .fixed(seconds: minutes * 60)
            return
        }
        // Foundation also takes abbreviations, several of which mean different zones to different people.
        guard text.contains("/"), let zone = TimeZone(identifier: text) else { return nil }
        self = .named(zone)
    }

    /// The moment of a local time, given as if it were UTC.
    ///
    /// Of a time that a clock shows twice the first; of one that it skips, the moment as far after the change.
    /// - Parameter offsetSeconds: an offset that the text itself has, which goes before the zone.
    func moment(local: Timestamp, offsetSeconds: Int? = nil) -> Timestamp {
        if let offsetSeconds { return local.minus(seconds: offsetSeconds) }
        switch self {
        case .fixed(let seconds): return local.minus(seconds: seconds)
        case .named(let zone):
            let before = zone.offset(at: local.minus(seconds: 86_400))
            let after = zone.offset(at: local.minus(seconds: -86_400))
            let early = local.minus(seconds: before)
            if before == after || zone.offset(at: early) == before { return early }
            let late = local.minus(seconds: after)
            return zone.offset(at: late) == after ? late : early
        }
    }
}

extension Timestamp {
    fileprivate func minus(seconds: Int) -> Timestamp {
        Timestamp(microseconds: microseconds - Int64(seconds) * 1_000_000)
    }
}

extension TimeZone {
    fileprivate func offset(at moment: Timestamp) -> Int {
        secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1e6))
    }
}

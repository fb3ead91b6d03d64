import ArgumentParser
import Domain
import SQLiteStorage
import Server

extension EndpointID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension DeliveryID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension DialectName: ExpressibleByArgument {}

/// Options that are read by rules of their own, and refused with what would be right.
enum Words {
    /// Words of a fixed set, between commas.
    ///
    /// - Parameter excluded: what there is, but not for this option.
    static func list<Word: RawRepresentable & CaseIterable & Equatable>(
        _ text: String?, option: String, except excluded: Word? = nil
    ) throws -> [Word] where Word.RawValue == String {
        guard let text else { return [] }
        let known = Word.allCases.filter { $0 != excluded }.map(\.rawValue)
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let word = part.trimmingCharacters(in: .whitespaces)
            guard let value = Word(rawValue: word), value != excluded else {
                let hint = Suggestion.text(for: word, in: known)
                throw ValidationError("\(option) knows no '\(word.prefix(60))'\(hint)\nThere are: \(known.joined(separator: ", "))")
            }
            return value
        }
    }

    /// An RFC 3339 time, a date, or how long ago.
    static func moment(_ text: String?, option: String) throws -> Timestamp? {
        guard let text else { return nil }
        if let span = Span(text) { return SystemTime().now.adding(milliseconds: -Int64(span.seconds) * 1_000) }
        guard let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "T00:00:00Z") else {
            throw ValidationError("\(option) is a time such as 2026-01-31T09:00:00Z, a date, or how long ago, such as 6h")
        }
        return time
    }

    /// A length of time in milliseconds.
    static func milliseconds(_ text: String, option: String) throws -> Int64 {
        guard let span = Span(text) else {
            throw ValidationError("\(option) is a time such as 15s, 2m, 6h or 7d, not '\(text.prefix(60))'")
        }
        return Int64(span.seconds) * 1_000
    }

    /// A length of time as the options take it: 30 000 is `30s`, 86 400 000 `24h`, 172 800 000 `2d`.
    static func span(_ milliseconds: Int64) -> String {
        let units: [(name: String, length: Int64, least: Int64)] = [
            ("d", 86_400_000, 172_800_000), ("h", 3_600_000, 3_600_000), ("m", 60_000, 60_000), ("s", 1_000, 0),
        ]
        let unit = units.first { milliseconds >= $0.least && milliseconds % $0.length == 0 }
        return unit.map { "\(milliseconds / $0.length)\($0.name)" } ?? "\(milliseconds)ms"
    }

    /// A word of a command line as a shell takes it.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "_-+=/.,:@".utf8.contains(byte)
            }
        return isPlain ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
    }
}

import ArgumentParser
import Domain
import SQLiteStorage

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
        guard let time = Timestamp(past: text, now: SystemTime().now) else {
            throw ValidationError("\(option) is a time such as 2026-01-31T09:00:00Z, a date, or how long ago, such as 6h")
        }
        return time
    }

    /// A length of time in milliseconds.
    static func milliseconds(_ text: String, option: String) throws -> Int64 {
        guard let span = Span(text) else {
            throw ValidationError("\(option) is a time such as 15s, 2m, 6h or 7d, not '\(text.prefix(60))'")
        }
        return span.milliseconds
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

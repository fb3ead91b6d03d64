import Domain

/// Values as a page shows them.
enum Shown {
    /// `2026-01-31 09:00:00`, and the exact time for machines and for who asks.
    static func time(_ time: Timestamp, now: Timestamp) -> [String: Any] {
        let exact = time.description
        return [
            "exact": exact, "text": String(exact.prefix(10)) + " " + String(exact.dropFirst(11).prefix(8)), "ago": relative(time, now: now),
        ]
    }

    /// `12 s ago`, `in 3 min`.
    static func relative(_ time: Timestamp, now: Timestamp) -> String {
        let seconds = (now.microseconds - time.microseconds) / 1_000_000
        if abs(seconds) < 1 { return "now" }
        return seconds > 0 ? "\(length(seconds)) ago" : "in \(length(-seconds))"
    }

    /// How long ago, without saying `ago`: `12 s`.
    static func age(of time: Timestamp, now: Timestamp) -> String { length(max(now.microseconds - time.microseconds, 0) / 1_000_000) }

    /// A length of time in its largest fitting unit.
    static func length(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// Whole numbers with narrow spaces between thousands.
    static func number(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits[index - 1] != "-" { out += "\u{202F}" }
            out.append(digit)
        }
        return out
    }

    /// A microsecond count as milliseconds.
    static func milliseconds(_ microseconds: Int64) -> String {
        microseconds < 10_000 ? "\(Double(microseconds / 10) / 100) ms" : "\(number(microseconds / 1_000)) ms"
    }

    /// JSON on several lines, for reading.
    static func pretty(_ value: JSONValue, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(JSONValue.string($0.name).text): \(pretty($0.value, indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default: return value.text
        }
    }

    /// Bytes that somebody sent: JSON laid out where it is JSON, else the text, with what can't be seen made visible.
    static func body(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        if let value = try? JSONParser.parse(text) { return visible(pretty(value)) }
        return visible(text)
    }

    /// Without control characters, and without those that turn the reading direction.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isActive) else { return text }
        return text.unicodeScalars.reduce(into: "") { out, scalar in
            if isActive(scalar) { out += "\\u{\(String(scalar.value, radix: 16))}" } else { out.unicodeScalars.append(scalar) }
        }
    }

    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\n" && scalar != "\t"
        case .format: scalar.properties.isBidiControl
        default: false
        }
    }

    /// A word of a command line as a shell takes it.
    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: #"'\''"#) + "'" }
}

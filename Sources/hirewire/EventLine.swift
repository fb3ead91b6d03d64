import Domain

/// Events as lines for people.
enum EventLine {
    /// Splits JSON objects with commas between them, as the store writes the events of a page.
    static func split(_ bytes: UnsafeBufferPointer<UInt8>) -> [String] {
        var (texts, start, depth) = ([String](), 0, 0)
        var (isQuoted, isEscaped) = (false, false)
        for (index, byte) in bytes.enumerated() {
            if isQuoted {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else {
                    isQuoted = byte != UInt8(ascii: "\"")
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isQuoted = true
            case UInt8(ascii: "{"):
                if depth == 0 { start = index }
                depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { texts.append(String(decoding: bytes[start...index], as: UTF8.self)) }
            default: break
            }
        }
        return texts
    }

    /// `2026-01-31T09:00:00Z  42  candidate.status_changed  cand_01J…  Ada Lovelace, new → screening`: no e-mail addresses,
    /// no phone numbers.
    static func text(_ json: String) -> String {
        guard let event = try? JSONParser.parse(json) else { return Terminal.plain("an event that can't be read") }
        let type = EventSummary.word(event["type"]) ?? "?"
        let time = String((EventSummary.word(event["created_at"]) ?? "").prefix(19)) + "Z"
        let sequence = EventSummary.word(event["sequence"]) ?? "?"
        let subject = EventSummary.word(event["subject"]?["id"]) ?? "-"
        let facts = EventSummary.facts(of: event)
        let pad = String(repeating: " ", count: max(0, 24 - type.count))
        let line = ([time, sequence, type + pad, subject] + [facts.joined(separator: ", ")].filter { !$0.isEmpty }).joined(separator: "  ")
        return Terminal.plain(line.replacing("\n", with: " "))
    }
}

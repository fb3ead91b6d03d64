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
        let type = word(event["type"]) ?? "?"
        let time = String((word(event["created_at"]) ?? "").prefix(19)) + "Z"
        let sequence = word(event["sequence"]) ?? "?"
        let subject = word(event["subject"]?["id"]) ?? "-"
        let facts = EventType(rawValue: type).map { self.facts(of: $0, event["data"] ?? .null) } ?? []
        let pad = String(repeating: " ", count: max(0, 24 - type.count))
        let line = ([time, sequence, type + pad, subject] + [facts.joined(separator: ", ")].filter { !$0.isEmpty }).joined(separator: "  ")
        return Terminal.plain(line.replacing("\n", with: " "))
    }

    private static func facts(of type: EventType, _ data: JSONValue) -> [String] {
        let person = free(data["candidate"]?["full_name"])
        let job = free(data["job"]?["title"])
        let facts: [String?] =
            switch type {
            case .candidateCreated: [person, word(data["candidate"]?["status"])]
            case .candidateStatusChanged: [person, change(data), free(data["reason"]).map { "because: \($0)" }]
            case .candidateMatched: [person, job, labelled("score", data["match"]?["score"])]
            case .candidateDeleted: ["deleted"]
            case .jobStatusChanged: [job, change(data)]
            case .interviewScheduled:
                [
                    person, job, labelled("at", data["interview"]?["scheduled_at"]),
                    labelled("moved from", data["rescheduled_from"]),
                ]
            case .interviewCompleted: [person, job, labelled("grade", data["interview"]?["result"]?["overall_grade"])]
            case .interviewAbandoned: [person, job]
            case .aiCallCompleted: [person, free(data["call"]?["purpose"]), labelled("seconds", data["call"]?["duration_seconds"])]
            case .callUploaded: [person, labelled("score", data["call"]?["ai_score"])]
            case .aiTrainingCompleted: [free(data["training"]?["agent_name"]), labelled("score", data["training"]?["ai_score"])]
            case .webhookTest: [labelled("for", data["endpoint"]?["id"])]
            }
        return facts.compactMap { $0 }
    }

    private static func change(_ data: JSONValue) -> String { "\(word(data["from"]) ?? "new") → \(word(data["to"]) ?? "none")" }

    private static func labelled(_ label: String, _ value: JSONValue?) -> String? { word(value).map { "\(label) \($0)" } }

    /// A word, number or time that this program chose.
    private static func word(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .number(let text): text
        default: nil
        }
    }

    /// A text that somebody typed, which may hold more than it should.
    private static func free(_ value: JSONValue?) -> String? { word(value).map(withoutContacts) }

    /// Puts `[e-mail]` for each word with an @ in it, and `[phone]` for each run of seven digits or more, whatever usually
    /// stands between them.
    static func withoutContacts(_ text: String) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { $0.contains("@") ? "[e-mail]" : String($0) }
        return words.joined(separator: " ").replacing(#/\+?\(?\d(?:[ ().\/-]{0,3}\d){6,}/#, with: "[phone]")
    }
}

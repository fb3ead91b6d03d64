/// The main facts of an event in a few words, for people: no e-mail addresses, no phone numbers.
public enum EventSummary {
    /// - Parameter event: as the feed has it.
    public static func facts(of event: JSONValue) -> [String] {
        word(event["type"]).flatMap(EventType.init(rawValue:)).map { facts(of: $0, event["data"] ?? .null) } ?? []
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
            case .aiCallCompleted: [person, free(data["call"]?["purpose"]), word(data["call"]?["duration_seconds"]).map { "\($0) s" }]
            case .callUploaded: [person, labelled("score", data["call"]?["ai_score"])]
            case .aiTrainingCompleted: [free(data["training"]?["agent_name"]), labelled("score", data["training"]?["ai_score"])]
            case .webhookTest: [labelled("for", data["endpoint"]?["id"])]
            }
        return facts.compactMap { $0 }
    }

    private static func change(_ data: JSONValue) -> String {
        // A new job comes from nowhere.
        (word(data["from"]).map { "\($0) → " } ?? "") + (word(data["to"]) ?? "none")
    }

    private static func labelled(_ label: String, _ value: JSONValue?) -> String? { word(value).map { "\(label) \($0)" } }

    /// A word, number or time that this program chose.
    public static func word(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .number(let text): text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        default: nil
        }
    }

    /// A text that somebody typed, which may hold more than it should.
    private static func free(_ value: JSONValue?) -> String? { word(value).map(withoutContacts) }

    /// Puts `[e-mail]` for each word with an @ in it, and `[phone]` for each run of seven digits or more, whatever usually
    /// stands between them.
    public static func withoutContacts(_ text: String) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { $0.contains("@") ? "[e-mail]" : String($0) }
        return words.joined(separator: " ").replacing(#/\+?\(?\d(?:[ ().\/-]{0,3}\d){6,}/#, with: "[phone]")
    }
}

import Domain

extension Dialect {
    /// Source: seed 000: a flat interview result. A failed delivery is tried three times more, first at once.
    static let tenzo = Dialect(
        name: .tenzo,
        types: [.interviewCompleted],
        policy: DeliveryPolicy(
            delays: [0, 2_000, 4_000], attempts: 4, deadline: 30_000, successes: [200...202, 204...204]),
        secrets: SecretRule(isMade: false, isOptional: true),
        signature: .bodyOnly(header: "X-Webhook-Signature"),
        test: .sample(SampleResult.interview)
    ) { try tenzoBody($0.facts).bytes }

    private static func tenzoBody(_ facts: EventFacts) throws -> JSONValue {
        let interview = try facts.subject(.interview)
        return .object([
            .init("application_remote_id", JSONValue(facts.application?.externalID)),
            .init("candidate_name", try facts.candidate.json("full_name")),
            .init("candidate_phone", try facts.candidate.json("phone")),
            .init("candidate_email", try facts.candidate.json("email")),
            .init("call_id", try interview.json("call_id")),
            .init("job_name", try facts.job.json("title")),
            .init("call_duration", JSONValue(interview.number("duration_seconds").map(wholeMinutes))),
            .init("tenzo_interview_url", try interview.json("result.interview_url")),
            .init("question_completion_rate", try interview.json("result.question_completion_rate")),
            .init("overall_grade", try interview.json("result.overall_grade")),
            .init("call_summary", try interview.json("result.summary")),
            .init("question_results", try interview.json("result.question_results")),
            .init("call_transcript", JSONValue(TranscriptText.of(try interview.json("result.transcript")))),
            .init("sms_transcript", try interview.json("result.sms_transcript")),
            .init("recording_url", try interview.json("result.recording_url")),
        ])
    }

    /// `853m`: full minutes, as the seed writes them.
    private static func wholeMinutes(_ seconds: Double) -> String { "\(Int64(seconds / 60))m" }
}

/// A transcript of turns as one text: a line a turn, `speaker: text`.
enum TranscriptText {
    /// Nil where there is none. A turn of a shape that is not known here is written as its JSON, so that nothing is lost.
    static func of(_ transcript: JSONValue) -> String? {
        switch transcript {
        case .null: nil
        case .array(let turns): turns.map(line).joined(separator: "\n")
        default: line(transcript)
        }
    }

    private static func line(_ turn: JSONValue) -> String {
        if case .string(let text) = turn { return text }
        guard let text = turn.first(of: ["text", "content", "message"])?.string else { return turn.text }
        guard let speaker = turn.first(of: ["speaker", "role", "name"])?.string else { return text }
        return "\(speaker): \(text)"
    }
}

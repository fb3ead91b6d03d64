import Domain

/// Invented records for tests, so that a receiver sees a whole payload before there is a real one. Names, numbers and
/// addresses are of the ranges that are reserved for examples (RFC 2606; 555-01xx).
enum SampleResult {
    /// The facts of a test as if it told of a completed interview.
    static let interview: @Sendable (EventFacts) -> EventFacts = { facts in
        facts.telling(
            .interviewCompleted, of: interviewRecord(at: facts.createdAt), candidate: candidate(at: facts.createdAt),
            job: record(.job, "sample-job", at: facts.createdAt, ["title": .text("Sample Job")]),
            application: record(.application, "sample-application", at: facts.createdAt, [:]))
    }

    /// The facts of a test as if it told of an analysed call.
    static let call: @Sendable (EventFacts) -> EventFacts = { facts in
        facts.telling(
            .callUploaded,
            of: record(
                .call, "sample-call", at: facts.createdAt,
                [
                    "agent_id": .text("sample-agent"), "agent_name": .text("Sample Agent"), "user_id": .text("sample-user"),
                    "team_member_user_id": .text("sample-member"), "duration_seconds": .number(245.5), "ai_score": .number(87),
                ]))
    }

    private static func record(_ kind: RecordKind, _ externalID: String, at time: Timestamp, _ fields: [String: FieldValue]) -> Record {
        var record = Record(
            kind: kind, id: ULID(high: 0, low: 0), externalID: externalID, version: 1, createdAt: time, updatedAt: time,
            values: kind.schema.fields.map(\.initial))
        for (name, value) in fields { record[name] = value }
        return record
    }

    private static func candidate(at time: Timestamp) -> Record {
        record(
            .candidate, "sample-candidate", at: time,
            [
                "first_name": .text("Sample"), "last_name": .text("Candidate"), "full_name": .text("Sample Candidate"),
                "email": .text("sample.candidate@example.com"), "phone": .text("+12025550100"),
                "external_user_id": .text("sample-user"), "profile_url": .text("https://example.com/profiles/sample"),
                "share_url": .text("https://example.com/share/sample"),
            ])
    }

    private static func interviewRecord(at time: Timestamp) -> Record {
        let fields: [String: FieldValue] = [
            "status": .text("completed"), "title": .text("Sample Interview"), "company_name": .text("Sample Company"),
            "started_at": .time(time.adding(milliseconds: -600_000)), "ended_at": .time(time),
            "duration_seconds": .number(600), "call_id": .text("00000000-0000-4000-8000-000000000000"),
            "session_id": .text("sample-session"), "session_type": .text("sample"), "session_token": .text("sample-token"),
        ]
        return record(.interview, "sample-interview", at: time, fields.merging(result(at: time)) { first, _ in first })
    }

    private static func result(at time: Timestamp) -> [String: FieldValue] {
        [
            "result.question_completion_rate": .number(100), "result.overall_grade": .number(85),
            "result.scores": .json(#"{"overall":85,"interview":85,"resume":84}"#),
            "result.summary": .text("A sample result; no interview took place."),
            "result.question_results": .json(#"[{"question":"A sample question?","answered":true,"score":85}]"#),
            "result.transcript": .json(#"[{"at_seconds":0,"speaker":"Sample Agent","text":"A sample question?"}]"#),
            "result.sms_transcript": .text("Sample Agent: a sample message"),
            "result.recording_url": .text("https://example.com/recordings/sample"),
            "result.thumbnail_url": .text("https://example.com/thumbnails/sample"),
            "result.interview_url": .text("https://example.com/interviews/sample"),
            "result.resume_url": .text("https://example.com/resumes/sample"),
            "result.validation": .json(#"{"passed":true,"reason":"sample","checked_at":"\#(time)"}"#),
            "result.integrity": .json(#"{"score":100,"risk_level":"low","flags":[]}"#),
            "result.evaluation": .json(
                #"{"performance_summary":"A sample.","categories":[{"name":"Communication","score":85}],"#
                    + #""summary":{"overview":"A sample.","strengths":["Sample strength"],"concerns":["Sample concern"]}}"#),
            "result.resume_evaluation": .json(
                #"{"overall_score":84,"criteria":[{"name":"Experience","score":84}],"highlights":["Sample highlight"]}"#),
        ]
    }
}

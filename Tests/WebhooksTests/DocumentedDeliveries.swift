import Domain
import Testing

@testable import Webhooks

/// The deliveries that the contract shows, made by the dialects from the records of its other examples.
struct DocumentedDelivery {
    /// Where it stands in the document: a webhook and one of its examples.
    let webhook: String
    let example: String
    let dialect: DialectName
    let message: DeliveryMessage

    static func all() throws -> [DocumentedDelivery] {
        let match = try story.draft(.candidateMatched), changed = try story.draft(.candidateStatusChanged)
        return [
            try of("standard", "status_changed", .standard, story.facts(changed)),
            try of("standard", "test", .standard, story.test),
            try of("rejento", "matched", .rejento, story.facts(match)),
            try of("rejento", "test", .rejento, story.test),
            try of("tenzo", "completed", .tenzo, story.facts(.interviewCompleted)),
            try of("talentsprout", "completed", .talentsprout, story.facts(.interviewCompleted)),
            try of("talentsprout", "abandoned", .talentsprout, story.facts(.interviewAbandoned)),
            try of("kendo.call.uploaded", "uploaded", .kendo, story.facts(.callUploaded)),
            try of("kendo.call.uploaded", "test", .kendo, story.test),
            try of("kendo.ai.training.completed", "completed", .kendo, story.facts(.aiTrainingCompleted)),
        ]
    }

    private static let story = Story()

    private static func of(_ webhook: String, _ example: String, _ name: DialectName, _ facts: EventFacts) throws -> DocumentedDelivery {
        let isTest = facts.type == .webhookTest
        let body = try Dialect.of(name).body(of: facts, personal: false, delivery: Story.delivery)
        return DocumentedDelivery(
            webhook: webhook, example: example, dialect: name,
            message: DeliveryMessage(
                delivery: Story.delivery, event: Story.event, type: facts.type, isTest: isTest, body: body,
                sentAt: Story.time.adding(milliseconds: 1_000)))
    }
}

/// A candidate, a job and what happens between them; the same as in the contract's answers.
private struct Story {
    static let time = Timestamp(year: 2026, month: 1, day: 5, secondsOfDay: 9 * 3600 + 28 * 60)
    static let event = EventID("evt_01KE66P1Q2R3S4T5V6W7X8Y9Z0")!
    static let delivery = DeliveryID("dlv_01KE66P1Q3S4T5V6W7X8Y9Z0A1")!
    private let organization = Organization(
        number: OrganizationNumber(1), id: ULID(high: 1, low: 1), name: "default", displayName: "Example Payments", matchThreshold: 70,
        createdAt: time)

    /// Everything that a dialect tells of the events of that type.
    func facts(_ type: EventType) throws -> EventFacts { try facts(draft(type)) }

    func facts(_ draft: EventDraft) throws -> EventFacts {
        let candidate = try candidate("interviewing"), job = try job()
        return EventFacts(
            id: Self.event, type: draft.type, sequence: 48_212, createdAt: Self.time, organization: organization, subject: draft.subject,
            candidate: candidate, job: job, application: try application(),
            data: draft.data(candidate: candidate, job: job))
    }

    var test: EventFacts {
        EventFacts(
            id: Self.event, type: .webhookTest, sequence: 48_212, createdAt: Self.time, organization: organization, subject: nil,
            data: #"{"endpoint":{"id":"ep_01KE5X0A1B2C3D4E5F6G7H8J9K"}}"#)
    }

    /// The event as the rules raise it.
    func draft(_ type: EventType) throws -> EventDraft {
        let (before, after): (Record?, Record) =
            switch type {
            case .candidateStatusChanged: (try candidate("screening"), try candidate("interviewing"))
            case .candidateMatched: (nil, try match())
            case .interviewAbandoned: (nil, try interview(#"{"status":"abandoned",\#(Self.begun)}"#))
            case .callUploaded: (nil, try call())
            case .aiTrainingCompleted: (nil, try training())
            default: (nil, try interview(#"{"status":"completed",\#(Self.begun),\#(Self.ended),"result":{\#(Self.result)}}"#))
            }
        let events = EventRules.events(before: before, after: after, threshold: 70, reason: "Passed the first call")
        return try #require(events.first { $0.type == type })
    }

    // MARK: Records

    private func record(
        _ kind: RecordKind, _ id: String, _ externalID: String?, version: Int64, _ json: String,
        references: [String: (RecordKind, String)] = [:]
    ) throws -> Record {
        let id = try #require(RecordID(id, kind: kind))
        let input = try RecordInput(kind: id.kind, json: JSONParser.parse(json))
        var record = Record(
            kind: id.kind, id: id.ulid, externalID: externalID, version: version,
            createdAt: Self.time.adding(milliseconds: -960_000), updatedAt: Self.time,
            values: id.kind.schema.fields.indices.map { input.values[$0] ?? id.kind.schema.fields[$0].initial })
        for (field, (kind, id)) in references { record[field] = .reference(try #require(RecordID(id, kind: kind)).ulid) }
        return record
    }

    private static let related: [String: (RecordKind, String)] = [
        "candidate_id": (.candidate, "cand_01KE5Z8Q2M3N4P5R6S7T8V9WXY"), "job_id": (.job, "job_01KE5YV1C4D5E6F7G8H9JAKBMC"),
    ]

    private func candidate(_ status: String) throws -> Record {
        try record(
            .candidate, "cand_01KE5Z8Q2M3N4P5R6S7T8V9WXY", "4417", version: 3,
            #"""
            {"first_name":"Marisol","last_name":"Vega","full_name":"Marisol Vega","headline":"Backend engineer, payments",
            "location":"Austin, TX","source":"Referral","status":"\#(status)","skills":["Swift","PostgreSQL","Kubernetes"],
            "years_experience":7,"email":"marisol.vega@example.com","phone":"+15550100123","external_user_id":"u_20931",
            "profile_url":"https://people.example.com/marisol-vega","share_url":"https://people.example.com/s/8dk2"}
            """#)
    }

    private func job() throws -> Record {
        try record(.job, "job_01KE5YV1C4D5E6F7G8H9JAKBMC", "ENG-112", version: 4, #"{"title":"Senior Backend Engineer","status":"open"}"#)
    }

    private func application() throws -> Record {
        try record(.application, "app_01KE60A7B8C9D0E1F2G3H4J5K6", "90211", version: 2, #"{"stage":"onsite"}"#, references: Self.related)
    }

    private func match() throws -> Record {
        try record(
            .match, "match_01KE62Z9Y8X7W6V5T4S3R2Q1P0", nil, version: 1,
            #"""
            {"score":92.5,"reasons":["Seven years in payments","Has run PostgreSQL at scale"],"status":"suggested",
            "scored_at":"2026-01-05T09:27:58Z"}
            """#, references: Self.related)
    }

    private func interview(_ json: String) throws -> Record {
        try record(
            .interview, "int_01KE61M2N3P4Q5R6S7T8V9W0X1", "iv-7730", version: 4, json,
            references: Self.related.merging(["application_id": (.application, "app_01KE60A7B8C9D0E1F2G3H4J5K6")]) { first, _ in first })
    }

    private static let begun = #"""
        "title":"First call","company_name":"Example Payments","started_at":"2026-01-05T09:12:00Z","call_id":"c-5521",
        "session_id":"s-5521","session_type":"voice","session_token":"t-8dk2"
        """#
    private static let ended = #""ended_at":"2026-01-05T09:26:15Z","duration_seconds":855"#
    private static let result = #"""
        "question_completion_rate":100,"overall_grade":85.5,"scores":{"overall":85.5,"interview":86,"resume":84},
        "summary":"Clear on ledgers and on failure.","question_results":[{"question":"What is idempotency?","score":9}],
        "transcript":[{"at_seconds":0,"speaker":"Agent","text":"What is idempotency?"},
        {"at_seconds":4.5,"speaker":"Candidate","text":"Doing it twice changes nothing."}],
        "recording_url":"https://media.example.com/r/5521","thumbnail_url":"https://media.example.com/t/5521",
        "interview_url":"https://hire.example.com/interviews/5521","resume_url":"https://media.example.com/cv/5521",
        "validation":{"passed":true,"reason":"completed","checked_at":"2026-01-05T09:27:00Z"},
        "integrity":{"score":97,"risk_level":"low","flags":[]},
        "evaluation":{"performance_summary":"Well above the bar.","categories":[{"name":"Communication","score":88}],
        "summary":{"overview":"Strong.","strengths":["Failure modes"],"concerns":["Little front-end work"]}},
        "resume_evaluation":{"overall_score":84,"criteria":[{"name":"Experience","score":84}],"highlights":["Payments"]}
        """#

    private static let people = #""agent_id":"ag-12","agent_name":"Sales coach","user_id":"u-7","team_member_user_id":"u-31""#

    private func call() throws -> Record {
        try record(.call, "call_01KE64D1E2F3G4H5J6K7M8N9P0", nil, version: 2, #"{\#(Self.people),"duration_seconds":245.5,"ai_score":87}"#)
    }

    private func training() throws -> Record {
        try record(
            .training, "trn_01KE64R1S2T3V4W5X6Y7Z8A9B0", nil, version: 1,
            #"{\#(Self.people),"duration_seconds":600,"ai_score":91.5,"completed_at":"2026-01-05T09:27:59Z"}"#)
    }
}

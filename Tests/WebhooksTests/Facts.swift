import Crypto
import Domain
import Testing

@testable import Webhooks

/// Events and records to make bodies of.
enum Facts {
    /// 2026-03-05T12:00:00Z, the seeds' own moment.
    static let time = Timestamp(year: 2026, month: 3, day: 5, secondsOfDay: 12 * 3600)
    static let event = EventID(ULID(high: 0x0195_0000_0000_0001, low: 1))
    static let delivery = DeliveryID(ULID(high: 0x0195_0000_0000_0002, low: 2))
    static let organization = Organization(
        number: OrganizationNumber(1), id: ULID(high: 1, low: 1), name: "acme", displayName: "Acme", matchThreshold: 70,
        createdAt: time)

    static func record(_ kind: RecordKind, _ json: String = "{}", externalID: String? = nil) throws -> Record {
        let input = try RecordInput(kind: kind, json: JSONParser.parse(json))
        return Record(
            kind: kind, id: ULID(high: 0x0195_0000_0000_0100, low: UInt64(kind.rawValue)), externalID: externalID, version: 3,
            createdAt: time, updatedAt: time,
            values: kind.schema.fields.indices.map { input.values[$0] ?? kind.schema.fields[$0].initial })
    }

    static func of(
        _ type: EventType, _ subject: Record?, candidate: Record? = nil, job: Record? = nil, application: Record? = nil,
        data: String = #"{"secret":"personal"}"#, masked: String = #"{"secret":null}"#
    ) -> EventFacts {
        EventFacts(
            id: event, type: type, sequence: 42, createdAt: time, organization: organization, subject: subject,
            candidate: candidate, job: job, application: application, data: data, maskedData: masked)
    }

    /// A completed interview with all that the seeds tell of one.
    static func interview(status: EventType = .interviewCompleted) throws -> EventFacts {
        of(
            status, try record(.interview, interviewJSON), candidate: try record(.candidate, candidateJSON, externalID: "c-1"),
            job: try record(.job, #"{"title":"Software Engineer"}"#), application: try record(.application, externalID: "app-123"))
    }

    static let candidateJSON = """
        {"first_name":"John","last_name":"Doe","full_name":"John Doe","email":"john@example.com","phone":"+15551234567",\
        "external_user_id":"u-1","profile_url":"https://example.com/p","share_url":"https://example.com/s"}
        """
    static let interviewJSON = """
        {"status":"completed","title":"First talk","company_name":"Acme","started_at":"2026-03-05T11:00:00Z",\
        "ended_at":"2026-03-05T11:45:30Z","duration_seconds":51239.5,"call_id":"uuid","session_id":"ses-1",\
        "session_type":"candidate","session_token":"tok-1","result":{"question_completion_rate":100,"overall_grade":85.5,\
        "scores":{"interview":86,"resume":null,"extra":1},"summary":"Candidate performed well…",\
        "question_results":[{"question":"Why?","score":9}],\
        "transcript":[{"at_seconds":1.5,"speaker":"Agent","text":"Hello."},{"role":"user","content":"Hi."},"(pause)",{"x":1}],\
        "sms_transcript":"one text","recording_url":"https://example.com/r","thumbnail_url":"https://example.com/t",\
        "interview_url":"https://example.com/i","resume_url":"https://example.com/cv",\
        "validation":{"passed":true,"reason":"completed","checked_at":"2026-03-05T11:50:00Z"},\
        "integrity":{"score":97,"risk_level":"low","flags":[]},\
        "evaluation":{"performance_summary":"Good.","categories":[{"name":"Communication","score":88}],\
        "summary":{"strengths":["a"],"concerns":["b"]},"custom_scores":[{"name":"Fit","score":7}],"model":"m1"},\
        "resume_evaluation":{"overall_score":84,"criteria":[{"name":"Years","score":5}],"highlights":["h"]}}}
        """

    static func test() -> EventFacts { of(.webhookTest, nil, data: #"{"test":true}"#, masked: #"{"test":true}"#) }

    static func message(
        _ body: [UInt8], type: EventType = .interviewCompleted, isTest: Bool = false, at time: Timestamp = time
    ) -> DeliveryMessage {
        DeliveryMessage(delivery: delivery, event: event, type: type, isTest: isTest, body: body, sentAt: time)
    }

    /// A secret that the dialect takes.
    static func secret(_ name: DialectName, seed: UInt64 = 1) -> String {
        var random = CountingGenerator(value: seed)
        return Dialect.of(name).secrets.make(using: &random)
    }
}

/// Not random at all.
struct CountingGenerator: RandomNumberGenerator {
    var value: UInt64
    mutating func next() -> UInt64 {
        value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return value
    }
}

/// A body, read back.
struct Body {
    let json: JSONValue

    init(_ bytes: [UInt8]) throws { json = try bytes.withUnsafeBufferPointer { try JSONParser.parse($0) } }

    /// The compact text at a path of names, such as `data.session.id`; `-` where there is nothing.
    subscript(_ path: String) -> String {
        path.split(separator: ".").reduce(JSONValue?.some(json)) { value, name in value?[String(name)] }?.text ?? "-"
    }

    /// The names of the members there, in order.
    func names(_ path: String = "") -> [String] {
        let value = path.split(separator: ".").reduce(JSONValue?.some(json)) { value, name in value?[String(name)] }
        guard case .object(let members)? = value else { return [] }
        return members.map(\.name)
    }
}

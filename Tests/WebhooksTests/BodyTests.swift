import Domain
import Testing

@testable import Webhooks

@Suite("What the bodies tell, field by field")
struct BodyTests {
    private func body(_ dialect: DialectName, _ facts: EventFacts, personal: Bool = false) throws -> Body {
        try Body(DialectRendering().body(of: facts, dialect: dialect, personal: personal, delivery: Facts.delivery))
    }

    private func sample(_ dialect: DialectName) throws -> Body {
        try Body(DialectRendering().sample(Facts.test(), dialect: dialect, delivery: Facts.delivery))
    }

    // MARK: standard and rejento

    @Test("Standard: the event as the feed has it, with the specification's timestamp")
    func standard() throws {
        let facts = Facts.of(.candidateCreated, try Facts.record(.candidate))
        let bytes = try DialectRendering().body(of: facts, dialect: .standard, personal: false, delivery: Facts.delivery)
        let subject = try #require(facts.subject).recordID
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"id":"\#(Facts.event)","type":"candidate.created","timestamp":"2026-03-05T12:00:00.000000Z","sequence":42,"#
                + #""created_at":"2026-03-05T12:00:00.000000Z","organization":"acme","#
                + #""subject":{"kind":"candidate","id":"\#(subject)","version":3},"data":{"secret":null}}"#)
        #expect(try body(.standard, facts, personal: true)["data"] == #"{"secret":"personal"}"#)
        #expect(try body(.standard, Facts.test())["subject"] == "null")
    }

    @Test("Standard tells of every event but the test, which is never subscribed to")
    func standardTypes() throws {
        let types = DialectRendering().types(of: .standard)
        #expect(types == Set(EventType.allCases).subtracting([.webhookTest]))
        for type in types { #expect(try body(.standard, Facts.of(type, nil))["type"] == "\"\(type.rawValue)\"") }
    }

    @Test("Rejento: event, delivery id, the event's time, and data that carries personal data always")
    func rejento() throws {
        let facts = Facts.of(.candidateMatched, try Facts.record(.candidate))
        let body = try body(.rejento, facts)
        #expect(body.names() == ["event", "delivery_id", "timestamp", "data"])
        #expect(body["event"] == #""candidate.matched""# && body["delivery_id"] == "\"\(Facts.delivery)\"")
        #expect(body["timestamp"] == #""2026-03-05T12:00:00.000000Z""# && body["data"] == #"{"secret":"personal"}"#)
        #expect(
            DialectRendering().types(of: .rejento).map(\.rawValue).sorted() == [
                "ai_call.completed", "candidate.created", "candidate.matched", "candidate.status_changed", "interview.completed",
                "interview.scheduled",
            ])
        #expect(DialectName.allCases.filter(DialectRendering().namesDelivery) == [.rejento])
        #expect(DialectName.allCases.filter { !DialectRendering().needsRecords($0) } == [.standard, .rejento])
    }

    // MARK: tenzo

    private static let tenzoNames = [
        "application_remote_id", "candidate_name", "candidate_phone", "candidate_email", "call_id", "job_name", "call_duration",
        "tenzo_interview_url", "question_completion_rate", "overall_grade", "call_summary", "question_results", "call_transcript",
        "sms_transcript", "recording_url",
    ]

    @Test("Tenzo: every field of the seed's result, flat, in its order")
    func tenzo() throws {
        let body = try body(.tenzo, Facts.interview())
        let expected = [
            #""app-123""#, #""John Doe""#, #""+15551234567""#, #""john@example.com""#, #""uuid""#, #""Software Engineer""#, #""853m""#,
            #""https://example.com/i""#, "100", "85.5", #""Candidate performed well…""#, #"[{"question":"Why?","score":9}]"#,
            #""Agent: Hello.\nuser: Hi.\n(pause)\n{\"x\":1}""#, #""one text""#, #""https://example.com/r""#,
        ]
        #expect(body.names() == Self.tenzoNames)
        for (name, value) in zip(Self.tenzoNames, expected) { #expect(body[name] == value, "\(name)") }
    }

    @Test("Tenzo: what is not known is null, and nothing is left out")
    func tenzoUnknown() throws {
        let body = try body(.tenzo, Facts.of(.interviewCompleted, try Facts.record(.interview)))
        #expect(body.names() == Self.tenzoNames)
        for name in Self.tenzoNames { #expect(body[name] == "null", "\(name)") }
    }

    @Test("Tenzo: minutes are full ones", arguments: [(0.0, "0m"), (59, "0m"), (60, "1m"), (119.9, "1m"), (51_180, "853m")])
    func tenzoMinutes(seconds: Double, text: String) throws {
        var record = try Facts.record(.interview)
        record["duration_seconds"] = .number(seconds)
        #expect(try body(.tenzo, Facts.of(.interviewCompleted, record))["call_duration"] == "\"\(text)\"")
    }

    // MARK: kendo

    @Test("Kendo: a call and a training session as in the seed's examples")
    func kendo() throws {
        let fields = """
            "agent_id":"agent_1","agent_name":"Sales Agent","user_id":"user_1","team_member_user_id":"member_1"
            """
        let call = try Facts.record(.call, "{\(fields),\"duration_seconds\":245.5,\"ai_score\":87}")
        let training = try Facts.record(.training, "{\(fields),\"duration_seconds\":300,\"ai_score\":90.5}")
        let rest = ["agentId", "agentName", "userId", "teamMemberUserId", "duration", "aiScore", "timestamp"]
        for (type, subject, name, duration, score) in [
            (EventType.callUploaded, call, "callId", "245.5", "87"), (.aiTrainingCompleted, training, "trainingId", "300", "90.5"),
        ] {
            let body = try body(.kendo, Facts.of(type, subject))
            #expect(body.names() == ["id", "event", "created_at", "data"] && body.names("data") == [name] + rest)
            #expect(body["id"] == "\"\(Facts.event)\"" && body["event"] == "\"\(type.rawValue)\"")
            #expect(body["created_at"] == #""2026-03-05T12:00:00.000000Z""# && body["data.timestamp"] == body["created_at"])
            #expect(body["data." + name] == "\"\(subject.recordID)\"")
            #expect(body["data.agentId"] == #""agent_1""# && body["data.agentName"] == #""Sales Agent""#)
            #expect(body["data.userId"] == #""user_1""# && body["data.teamMemberUserId"] == #""member_1""#)
            #expect(body["data.duration"] == duration && body["data.aiScore"] == "\"\(score)\"", "a score is a text")
        }
        let empty = try self.body(.kendo, Facts.of(.callUploaded, try Facts.record(.call)))
        for name in rest.dropLast() { #expect(empty["data." + name] == "null") }
    }

    // MARK: tests

    @Test("A test: the event itself, or a sample that says that it is one")
    func tests() throws {
        for dialect in [DialectName.standard, .rejento] {
            let body = try sample(dialect)
            #expect(body[dialect == .standard ? "type" : "event"] == #""webhook.test""# && body["data"] == #"{"test":true}"#)
        }
        let kendo = try sample(.kendo)
        #expect(kendo["event"] == #""test""# && kendo["data._isTest"] == "true" && kendo["data.aiScore"] == #""87""#)
        let sprout = try sample(.talentsprout)
        #expect(sprout["event"] == #""interview.completed""# && sprout["test"] == "true")
        let tenzo = try sample(.tenzo)
        #expect(
            tenzo.names() == Self.tenzoNames && tenzo["candidate_name"] == #""Sample Candidate""# && tenzo["call_duration"] == #""10m""#)
        for name in Self.tenzoNames { #expect(tenzo[name] != "null", "\(name): a sample shows every field") }
    }

    @Test("A sample hides no field of the nested payload either")
    func wholeSample() throws {
        let body = try sample(.talentsprout)
        for group in body.names("data") {
            #expect(body["data." + group] != "null")
            for name in body.names("data." + group) where !["languageProficiency", "customScores"].contains(name) {
                #expect(body["data.\(group).\(name)"] != "null", "\(group).\(name)")
            }
        }
    }

    @Test("What a dialect can't tell of is refused with the reason")
    func refused() throws {
        let rendering = DialectRendering()
        let job = try Facts.record(.job)
        #expect(throws: BodyFault("the dialect tenzo has no body for job.status_changed")) {
            try rendering.body(of: Facts.of(.jobStatusChanged, job), dialect: .tenzo, personal: true, delivery: Facts.delivery)
        }
        #expect(throws: BodyFault("interview.completed comes without its interview")) {
            try rendering.body(of: Facts.of(.interviewCompleted, job), dialect: .talentsprout, personal: true, delivery: Facts.delivery)
        }
        #expect(throws: BodyFault("call.uploaded comes without its call or training")) {
            try rendering.body(of: Facts.of(.callUploaded, nil), dialect: .kendo, personal: true, delivery: Facts.delivery)
        }
        var broken = try Facts.record(.interview)
        broken["result.question_results"] = .json("[")
        #expect(throws: BodyFault.self) {
            try rendering.body(of: Facts.of(.interviewCompleted, broken), dialect: .tenzo, personal: true, delivery: Facts.delivery)
        }
    }
}

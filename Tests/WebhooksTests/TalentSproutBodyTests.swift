import Domain
import Testing

@testable import Webhooks

@Suite("TalentSprout's nested body, group by group")
struct TalentSproutBodyTests {
    private static let groups: [(name: String, members: [String])] = [
        ("interview", ["id", "title", "companyName", "dashboardUrl"]),
        (
            "candidate",
            ["id", "firstName", "lastName", "fullName", "email", "phone", "externalUserId", "profileUrl", "shareUrl"]
        ),
        (
            "session",
            [
                "id", "token", "type", "status", "startedAt", "completedAt", "durationMinutes", "recordingUrl", "thumbnailUrl",
                "resumeUrl",
            ]
        ),
        ("validation", ["passed", "reason", "checkedAt"]),
        ("scores", ["overall", "interview", "resume"]),
        ("integrity", ["score", "riskLevel", "flags"]),
        ("evaluation", ["performanceSummary", "performance", "languageProficiency", "summary", "customScores"]),
        ("resumeEvaluation", ["overallScore", "criteria", "highlights"]),
    ]

    private func body(_ facts: EventFacts) throws -> Body {
        try Body(DialectRendering().body(of: facts, dialect: .talentsprout, personal: false, delivery: Facts.delivery))
    }

    @Test("Every group with every member, from the record's field")
    func whole() throws {
        let body = try body(Facts.interview())
        #expect(body.names() == ["event", "apiVersion", "timestamp", "data"])
        #expect(body["event"] == #""interview.completed""# && body["timestamp"] == #""2026-03-05T12:00:00.000000Z""#)
        #expect(body.names("data") == Self.groups.map(\.name) + ["transcript"])
        let interview = try #require(try Facts.interview().subject), candidate = try #require(try Facts.interview().candidate)
        let expected: [String: [String]] = [
            "interview": ["\"\(interview.recordID)\"", #""First talk""#, #""Acme""#, #""https://example.com/i""#],
            "candidate": [
                "\"\(candidate.recordID)\"", #""John""#, #""Doe""#, #""John Doe""#, #""john@example.com""#, #""+15551234567""#, #""u-1""#,
                #""https://example.com/p""#, #""https://example.com/s""#,
            ],
            "session": [
                #""ses-1""#, #""tok-1""#, #""candidate""#, #""completed""#, #""2026-03-05T11:00:00.000000Z""#,
                #""2026-03-05T11:45:30.000000Z""#, "853.99", #""https://example.com/r""#, #""https://example.com/t""#,
                #""https://example.com/cv""#,
            ],
            "validation": ["true", #""completed""#, #""2026-03-05T11:50:00Z""#],
            "scores": ["85.5", "86", "null"],
            "integrity": ["97", #""low""#, "[]"],
            "evaluation": [
                #""Good.""#, #"[{"name":"Communication","score":88}]"#, "null", #"{"overview":null,"strengths":["a"],"concerns":["b"]}"#,
                #"[{"name":"Fit","score":7}]"#,
            ],
            "resumeEvaluation": ["84", #"[{"name":"Years","score":5}]"#, #"["h"]"#],
        ]
        for (group, members) in Self.groups {
            #expect(Array(body.names("data." + group).prefix(members.count)) == members)
            let values = try #require(expected[group])
            for (member, value) in zip(members, values) {
                #expect(body["data.\(group).\(member)"] == value, "\(group).\(member)")
            }
        }
        #expect(body["data.scores.extra"] == "1" && body["data.evaluation.model"] == #""m1""#, "what else there is goes along")
    }

    @Test("A transcript has a time with each turn that says when it was")
    func transcript() throws {
        #expect(
            try body(Facts.interview())["data.transcript"]
                == #"[{"timestamp":"2026-03-05T11:00:01.500000Z","at_seconds":1.5,"speaker":"Agent","text":"Hello."},"#
                + #"{"role":"user","content":"Hi."},"(pause)",{"x":1}]"#)
    }

    @Test("An abandoned interview has the same groups, null where nothing is known")
    func abandoned() throws {
        let record = try Facts.record(.interview, #"{"status":"abandoned","started_at":"2026-03-05T11:00:00Z"}"#)
        let body = try body(Facts.of(.interviewAbandoned, record))
        #expect(body["event"] == #""interview.abandoned""# && body["data.session.status"] == #""abandoned""#)
        #expect(body["data.transcript"] == "null" && body["data.interview.id"] == "\"\(record.recordID)\"")
        #expect(body["data.interview.companyName"] == #""Acme""#, "the organization's, where the interview names none")
        for (group, members) in Self.groups {
            #expect(body.names("data." + group) == members)
            let known = ["session.status", "session.startedAt", "interview.id", "interview.companyName"]
            for member in members where !known.contains("\(group).\(member)") {
                let value = body["data.\(group).\(member)"]
                #expect(value == "null" || value == #"{"overview":null,"strengths":null,"concerns":null}"#, "\(group).\(member)")
            }
        }
    }

    @Test("A group that comes in the payload's own spelling goes out as it came; one that is no object too")
    func spellings() throws {
        let record = try Facts.record(
            .interview,
            #"{"result":{"integrity":{"riskLevel":"high","risk_level":null},"evaluation":{"summary":"In short.","performance":{"a":1}}}}"#)
        var facts = Facts.of(.interviewCompleted, record)
        #expect(try body(facts)["data.integrity"] == #"{"score":null,"riskLevel":"high","flags":null}"#)
        #expect(try body(facts)["data.evaluation.summary"] == #"{"overview":"In short.","strengths":null,"concerns":null}"#)
        #expect(try body(facts)["data.evaluation.performance"] == #"{"a":1}"#)
        var odd = record
        odd["result.validation"] = .json("[1]")
        facts = Facts.of(.interviewCompleted, odd)
        #expect(try body(facts)["data.validation"] == "[1]")
    }
}

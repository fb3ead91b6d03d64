import Domain

extension Dialect {
    /// Source: seed 002 for the groups, the signature and the rules; for the members' spelling the service's reference
    /// (talentsprout.ai/docs/webhooks, version 2026-01-30), which the seed has no example of. Every group and member is there
    /// always, `null` where the record does not hold it.
    static let talentsprout = Dialect(
        name: .talentsprout,
        types: [.interviewCompleted, .interviewAbandoned],
        policy: DeliveryPolicy(delays: [], attempts: 1, deadline: 30_000),
        secrets: SecretRule(prefix: "whsec_", isGiven: false),
        signature: .timeStamped(header: "X-TalentSprout-Signature"),
        test: .sample(SampleResult.interview)
    ) { request in
        let facts = request.facts
        let head: [JSONValue.Member] = [
            .init("event", .string(facts.type.rawValue)), .init("apiVersion", .string("2026-01-30")),
            .init("timestamp", .string(facts.createdAt.description)),
        ]
        let test: [JSONValue.Member] = request.isTest ? [.init("test", .bool(true))] : []
        return JSONValue.object(head + test + [.init("data", try TalentSproutData.of(facts))]).bytes
    }
}

/// The groups of the payload. What the record keeps as JSON may come in either spelling, the program's own (`risk_level`) or
/// the payload's (`riskLevel`); members that the payload does not name are passed on as they came.
private enum TalentSproutData {
    static func of(_ facts: EventFacts) throws -> JSONValue {
        let interview = try facts.subject(.interview)
        return .object([
            .init("interview", try interviewGroup(interview, of: facts.organization)),
            .init("candidate", try candidateGroup(facts.candidate)),
            .init("session", try sessionGroup(interview)),
            .init("validation", group(try interview.json("result.validation"), ["passed", "reason", "checkedAt"])),
            .init("scores", try scores(interview)),
            .init("integrity", group(try interview.json("result.integrity"), ["score", "riskLevel", "flags"])),
            .init("evaluation", evaluation(try interview.json("result.evaluation"))),
            .init("resumeEvaluation", resumeEvaluation(try interview.json("result.resume_evaluation"))),
            .init("transcript", transcript(try interview.json("result.transcript"), of: interview)),
        ])
    }

    /// The organization's name and dashboard stand in where the interview has none of its own.
    private static func interviewGroup(_ interview: Record, of organization: Organization) throws -> JSONValue {
        .object([
            .init("id", .string(interview.recordID.description)),
            .init("title", try interview.json("title")),
            .init("companyName", try interview.json("company_name").or(organization.displayName)),
            .init("dashboardUrl", try interview.json("result.interview_url").or(organization.dashboardURL)),
        ])
    }

    private static func candidateGroup(_ candidate: Record?) throws -> JSONValue {
        .object([
            .init("id", JSONValue(candidate?.recordID.description)),
            .init("firstName", try candidate.json("first_name")),
            .init("lastName", try candidate.json("last_name")),
            .init("fullName", try candidate.json("full_name")),
            .init("email", try candidate.json("email")),
            .init("phone", try candidate.json("phone")),
            .init("externalUserId", try candidate.json("external_user_id")),
            .init("profileUrl", try candidate.json("profile_url")),
            .init("shareUrl", try candidate.json("share_url")),
        ])
    }

    private static func sessionGroup(_ interview: Record) throws -> JSONValue {
        let minutes = interview.number("duration_seconds").map { JSONValue(($0 / 60 * 100).rounded() / 100) }
        return .object([
            .init("id", try interview.json("session_id")),
            .init("token", try interview.json("session_token")),
            .init("type", try interview.json("session_type")),
            .init("status", try interview.json("status")),
            .init("startedAt", try interview.json("started_at")),
            .init("completedAt", try interview.json("ended_at")),
            .init("durationMinutes", minutes ?? .null),
            .init("recordingUrl", try interview.json("result.recording_url")),
            .init("thumbnailUrl", try interview.json("result.thumbnail_url")),
            .init("resumeUrl", try interview.json("result.resume_url")),
        ])
    }

    /// The overall score is the overall grade where the scores do not say it.
    private static func scores(_ interview: Record) throws -> JSONValue {
        let scores = try interview.json("result.scores")
        let grade = try interview.json("result.overall_grade")
        return group(scores, ["overall", "interview", "resume"], standIns: ["overall": grade])
    }

    private static func evaluation(_ evaluation: JSONValue) -> JSONValue {
        let parts = group(
            evaluation, ["performanceSummary", "performance", "languageProficiency", "summary", "customScores"],
            aliases: ["performance": ["categories", "category_scores"]])
        guard case .object(let members) = parts else { return parts }
        return .object(
            members.map { member in
                guard member.name == "summary" else { return member }
                // A summary that is a text alone is its overview.
                let summary = member.value.string.map { JSONValue.object([.init("overview", .string($0))]) } ?? member.value
                return .init(member.name, group(summary, ["overview", "strengths", "concerns"]))
            })
    }

    private static func resumeEvaluation(_ evaluation: JSONValue) -> JSONValue {
        group(
            evaluation, ["overallScore", "criteria", "highlights"],
            aliases: ["overallScore": ["score", "overall"], "criteria": ["sub_criteria", "subCriteria"]])
    }

    /// Turns with a time each: where a turn says only the seconds from the start, the time is start and seconds.
    private static func transcript(_ transcript: JSONValue, of interview: Record) -> JSONValue {
        guard case .array(let turns) = transcript, case .time(let start) = interview["started_at"] else { return transcript }
        return .array(
            turns.map { turn in
                guard case .object(let members) = turn, turn["timestamp"] == nil, case .number(let text)? = turn["at_seconds"],
                    let seconds = Double(text), seconds.magnitude < 1e9
                else { return turn }
                let time = start.adding(milliseconds: Int64((seconds * 1_000).rounded()))
                return .object([.init("timestamp", .string(time.description))] + members)
            })
    }

    /// The named members in their order, then whatever else the value has. A value that is no object is passed on as it came.
    private static func group(
        _ value: JSONValue, _ names: [String], aliases: [String: [String]] = [:], standIns: [String: JSONValue] = [:]
    ) -> JSONValue {
        let given: [JSONValue.Member]
        switch value {
        case .null: given = []
        case .object(let members): given = members
        default: return value
        }
        var taken: Set<String> = []
        let known = names.map { name in
            let spellings = [name, snakeCase(name)] + (aliases[name] ?? [])
            taken.formUnion(spellings.prefix(2))
            let found = spellings.first { value[$0].map { !$0.isNull } ?? false }
            if let found { taken.insert(found) }
            return JSONValue.Member(name, found.flatMap { value[$0] } ?? standIns[name] ?? .null)
        }
        return .object(known + given.filter { !taken.contains($0.name) })
    }

    /// `risk_level` of `riskLevel`.
    private static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
}

extension JSONValue {
    fileprivate func or(_ text: String?) -> JSONValue {
        if case .null = self { JSONValue(text) } else { self }
    }
}

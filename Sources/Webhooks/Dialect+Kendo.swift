import Domain

extension Dialect {
    /// Source: seed 004. A test has the event `test`, and `_isTest` in `data`.
    static let kendo = Dialect(
        name: .kendo,
        types: [.callUploaded, .aiTrainingCompleted],
        policy: DeliveryPolicy(delays: [1_000, 2_000], attempts: 3, deadline: 10_000),
        secrets: SecretRule(),
        signature: .bodyOnly(header: "X-Kendo-Signature"),
        test: .sample(SampleResult.call),
        naming: {
            [
                ("X-Kendo-Event", $0.isTest ? kendoTest : $0.type.rawValue),
                ("X-Kendo-Delivery-Id", $0.delivery.description),
            ]
        }
    ) { request in
        let facts = request.facts
        return JSONValue.object([
            .init("id", .string(facts.id.description)),
            .init("event", .string(request.isTest ? kendoTest : facts.type.rawValue)),
            .init("created_at", .string(facts.createdAt.description)),
            .init("data", .object(try kendoData(facts) + (request.isTest ? [.init("_isTest", .bool(true))] : []))),
        ]).bytes
    }

    private static let kendoTest = "test"

    /// Calls and training sessions have these fields under the same names.
    private static func kendoData(_ facts: EventFacts) throws -> [JSONValue.Member] {
        let subject = try facts.subject(.call, .training)
        return [
            .init(subject.kind == .call ? "callId" : "trainingId", .string(subject.recordID.description)),
            .init("agentId", try subject.json("agent_id")),
            .init("agentName", try subject.json("agent_name")),
            .init("userId", try subject.json("user_id")),
            .init("teamMemberUserId", try subject.json("team_member_user_id")),
            .init("duration", try subject.json("duration_seconds")),
            // A number written as a text, as the seed has it.
            .init("aiScore", JSONValue(subject.number("ai_score").map { JSONValue($0).text })),
            .init("timestamp", .string(facts.createdAt.description)),
        ]
    }
}

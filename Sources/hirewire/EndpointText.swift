import Domain
import SQLiteStorage
import Webhooks

/// Endpoints as the shell shows them. Their secrets are no part of it.
struct EndpointText {
    let endpoint: Endpoint
    /// Deliveries that are not yet made; nil where nobody counted.
    var waiting: Int?

    private var dialect: Dialect { Dialect.of(endpoint.dialect) }
    private var policy: DeliveryPolicy { dialect.policy.adjusted(to: endpoint) }
    private var events: [String] { (endpoint.types ?? dialect.types).map(\.rawValue).sorted() }
    private var job: String? { endpoint.job.map { RecordID(kind: .job, ulid: $0).description } }
    private var disabled: (reason: String, at: Timestamp)? {
        if case .disabled(let reason, let at) = endpoint.state { (reason, at) } else { nil }
    }

    /// When the rotated secret ends, where it has not yet.
    private var overlapEnd: Timestamp? { endpoint.previous.flatMap { $0.until > SystemTime().now ? $0.until : nil } }

    var members: [JSONValue.Member] {
        [
            .init("id", .string(endpoint.id.description)), .init("organization", .string(endpoint.organizationName)),
            .init("url", .string(endpoint.url)), .init("dialect", .string(endpoint.dialect.rawValue)),
            .init("events", .array(events.map(JSONValue.string))), .init("all_events", .bool(endpoint.types == nil)),
            .init("job_id", job.map(JSONValue.string) ?? .null), .init("include_pii", .bool(endpoint.carriesPersonal)),
            .init("schedule", .array(policy.delays.map { .string(Words.span($0)) })),
            .init("attempts", .number(String(policy.attempts))), .init("timeout", .string(Words.span(policy.deadline))),
            .init("state", .string(disabled == nil ? "active" : "disabled")),
            .init("disabled_reason", disabled.map { .string($0.reason) } ?? .null), .init("disabled_at", Output.time(disabled?.at)),
            .init("signed", .bool(endpoint.secret != nil)), .init("previous_secret_until", Output.time(overlapEnd)),
            .init("created_at", Output.time(endpoint.createdAt)), .init("failing_since", Output.time(endpoint.failingSince)),
            .init("last_success_at", Output.time(endpoint.lastSuccessAt)),
        ] + (waiting.map { [.init("waiting", .number(String($0)))] } ?? [])
    }

    var lines: [[String]] {
        let kinds = endpoint.types == nil ? "all that \(endpoint.dialect.rawValue) knows: " : ""
        let secret = endpoint.secret == nil ? "none: deliveries are not signed" : "set"
        let overlap = overlapEnd.map { "; the one before counts until \($0)" } ?? ""
        return [
            ["id", endpoint.id.description], ["organization", Terminal.plain(endpoint.organizationName)], ["url", endpoint.url],
            ["dialect", endpoint.dialect.rawValue], ["events", kinds + events.joined(separator: ", ")],
            ["job", job ?? "any"], ["personal data", endpoint.carriesPersonal ? "yes" : "no"],
            ["schedule", policy.delays.isEmpty ? "no second attempt" : policy.delays.map(Words.span).joined(separator: " ")],
            ["attempts", String(policy.attempts)], ["timeout", Words.span(policy.deadline)], ["state", state],
            ["secret", secret + overlap], ["created", endpoint.createdAt.description],
            ["failing since", failing ?? "-"],
            ["last success", endpoint.lastSuccessAt?.description ?? "none yet"],
        ] + (waiting.map { [["waiting", "\($0) \($0 == 1 ? "delivery" : "deliveries")"]] } ?? [])
    }

    /// Since when, and what comes of it where nothing succeeds.
    private var failing: String? {
        guard let since = endpoint.failingSince else { return nil }
        guard disabled == nil else { return since.description }
        return "\(since); disabled after \(since.adding(milliseconds: EndpointHealth.disablesAfter)) unless one succeeds"
    }

    private var state: String { disabled.map { "disabled since \($0.at): \(Terminal.plain($0.reason))" } ?? "active" }

    static let heading = ["ID", "URL", "DIALECT", "EVENTS", "STATE", "FAILING SINCE", "WAITING"]

    var row: [String] {
        [
            endpoint.id.description, EndpointURL.hidingQuery(endpoint.url), endpoint.dialect.rawValue,
            endpoint.types == nil ? "all" : events.joined(separator: ","), disabled == nil ? "active" : "disabled",
            endpoint.failingSince?.description ?? "-", String(waiting ?? 0),
        ]
    }

    func show(json: Bool) {
        if json { Output.json(members) } else { Output.table(lines) }
    }
}

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
        endpoint.members(dialect.facts, now: SystemTime().now)
            + (waiting.map { [.init("waiting", .number(String($0)))] } ?? [])
    }

    var lines: [[String]] {
        let kinds = endpoint.types == nil ? "all that \(endpoint.dialect.rawValue) knows: " : ""
        let secret = endpoint.secret == nil ? "none: deliveries are not signed" : "set"
        let overlap = overlapEnd.map { "; the one before counts until \($0)" } ?? ""
        return [
            ["id", endpoint.id.description], ["organization", Terminal.plain(endpoint.organizationName)], ["url", endpoint.url],
            ["dialect", endpoint.dialect.rawValue], ["events", kinds + events.joined(separator: ", ")],
            ["job", job ?? "any"], ["personal data", endpoint.carriesPersonal ? "yes" : "no"],
            ["schedule", policy.delays.isEmpty ? "no second attempt" : policy.delays.map(Span.text(milliseconds:)).joined(separator: " ")],
            ["attempts", String(policy.attempts)], ["timeout", Span.text(milliseconds: policy.deadline)], ["state", state],
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
            endpoint.id.description, endpoint.shownURL, endpoint.dialect.rawValue,
            endpoint.types == nil ? "all" : events.joined(separator: ","), disabled == nil ? "active" : "disabled",
            endpoint.failingSince?.description ?? "-", String(waiting ?? 0),
        ]
    }

    func show(json: Bool) {
        if json { Output.json(members) } else { Output.table(lines) }
    }
}

/// What the operator manages, as JSON with the API's names. No secret is any part of it.
extension APIKey {
    public var members: [JSONValue.Member] {
        [
            .init("key_id", .string(keyID)), .init("name", .string(name)), .init("organization", .string(organizationName)),
            .init("scopes", .array(scopes.words.map(JSONValue.string))), .init("rate_limit", .number(String(rateLimit))),
            .init("created_at", JSONValue(createdAt)), .init("expires_at", JSONValue(expiresAt)), .init("revoked_at", JSONValue(revokedAt)),
            .init("last_used_at", JSONValue(lastUsedAt)), .init("usage_count", .number(String(usageCount))),
        ]
    }
}

extension Organization {
    public var members: [JSONValue.Member] {
        [
            .init("id", .string("org_" + id.text)), .init("name", .string(name)),
            .init("display_name", displayName.map(JSONValue.string) ?? .null),
            .init("match_threshold", .number(String(matchThreshold))),
            .init("dashboard_url", dashboardURL.map(JSONValue.string) ?? .null), .init("plan", plan.json),
            .init("created_at", JSONValue(createdAt)),
        ]
    }
}

extension Endpoint {
    /// - Parameter facts: of its dialect.
    public func members(_ facts: DialectFacts, now: Timestamp) -> [JSONValue.Member] {
        let policy = facts.policy.adjusted(to: self)
        var (reason, disabledAt): (String?, Timestamp?)
        if case .disabled(let why, let at) = state { (reason, disabledAt) = (why, at) }
        return [
            .init("id", .string(id.description)), .init("organization", .string(organizationName)), .init("url", .string(url)),
            .init("dialect", .string(dialect.rawValue)),
            .init("events", .array((types ?? facts.types).map(\.rawValue).sorted().map(JSONValue.string))),
            .init("all_events", .bool(types == nil)),
            .init("job_id", job.map { .string(RecordID(kind: .job, ulid: $0).description) } ?? .null),
            .init("include_pii", .bool(carriesPersonal)),
            .init("schedule", .array(policy.delays.map { .string(Span.text(milliseconds: $0)) })),
            .init("attempts", .number(String(policy.attempts))), .init("timeout", .string(Span.text(milliseconds: policy.deadline))),
            .init("state", .string(reason == nil ? "active" : "disabled")),
            .init("disabled_reason", reason.map(JSONValue.string) ?? .null), .init("disabled_at", JSONValue(disabledAt)),
            .init("signed", .bool(secret != nil)),
            .init("previous_secret_until", JSONValue(previous.flatMap { $0.until > now ? $0.until : nil })),
            .init("created_at", JSONValue(createdAt)), .init("failing_since", JSONValue(failingSince)),
            .init("last_success_at", JSONValue(lastSuccessAt)),
        ]
    }
}

extension JSONValue {
    /// A time as RFC 3339, or `null`.
    public init(_ time: Timestamp?) { self = time.map { .string($0.description) } ?? .null }
}

import Domain

/// API keys as rows.
enum KeyRows {
    static let select = """
        SELECT k.key_id, k.name, k.organization, o.name, k.scopes, k.secret_hash, k.previous_hash, k.previous_until,
            k.rate_limit, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.usage_count, o.has_api
        FROM api_keys k JOIN organizations o ON o.number = k.organization
        """

    static func key(_ row: StatementRow) -> APIKey {
        APIKey(
            keyID: row.string(0), name: row.string(1), organization: OrganizationNumber(row.integer(2)),
            organizationName: row.string(3), isInPlan: row.integer(14) != 0,
            scopes: Scopes(rawValue: UInt8(truncatingIfNeeded: row.integer(4))),
            secretHash: row.blob(5), previous: row.optionalTime(7).map { (row.blob(6), $0) },
            rateLimit: Int(row.integer(8)), createdAt: row.time(9), expiresAt: row.optionalTime(10),
            revokedAt: row.optionalTime(11), lastUsedAt: row.optionalTime(12), usageCount: row.integer(13))
    }
}

/// Organizations as rows.
enum OrganizationRows {
    static let select = """
        SELECT number, id, name, display_name, match_threshold, created_at, dashboard_url, has_api, has_webhooks, default_rate_limit,
            most_keys, most_endpoints FROM organizations
        """

    static func organization(_ row: StatementRow) -> Organization {
        var plan = Plan()
        plan.hasAPI = row.integer(7) != 0
        plan.hasWebhooks = row.integer(8) != 0
        plan.rateLimit = Int(row.integer(9))
        plan.mostKeys = row.isNull(10) ? nil : Int(row.integer(10))
        plan.mostEndpoints = row.isNull(11) ? nil : Int(row.integer(11))
        return Organization(
            number: OrganizationNumber(row.integer(0)), id: row.ulid(1), name: row.string(2),
            displayName: row.optionalString(3), dashboardURL: row.optionalString(6), matchThreshold: row.number(4), plan: plan,
            createdAt: row.time(5))
    }
}

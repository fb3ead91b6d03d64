import Domain

/// API keys as rows.
enum KeyRows {
    static let select = """
        SELECT k.key_id, k.name, k.organization, o.name, k.scopes, k.secret_hash, k.previous_hash, k.previous_until,
            k.rate_limit, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.usage_count
        FROM api_keys k JOIN organizations o ON o.number = k.organization
        """

    static func key(_ row: StatementRow) -> APIKey {
        APIKey(
            keyID: row.string(0), name: row.string(1), organization: OrganizationNumber(row.integer(2)),
            organizationName: row.string(3), scopes: Scopes(rawValue: UInt8(truncatingIfNeeded: row.integer(4))),
            secretHash: row.blob(5), previous: row.optionalTime(7).map { (row.blob(6), $0) },
            rateLimit: Int(row.integer(8)), createdAt: row.time(9), expiresAt: row.optionalTime(10),
            revokedAt: row.optionalTime(11), lastUsedAt: row.optionalTime(12), usageCount: row.integer(13))
    }
}

/// Organizations as rows.
enum OrganizationRows {
    static let select = "SELECT number, id, name, display_name, match_threshold, created_at, dashboard_url FROM organizations"

    static func organization(_ row: StatementRow) -> Organization {
        Organization(
            number: OrganizationNumber(row.integer(0)), id: row.ulid(1), name: row.string(2),
            displayName: row.optionalString(3), dashboardURL: row.optionalString(6), matchThreshold: row.number(4), createdAt: row.time(5))
    }
}

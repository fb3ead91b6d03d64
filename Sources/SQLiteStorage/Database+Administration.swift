import Domain

extension Database {
    // MARK: Organizations

    /// - Parameter details: says more of it than its name.
    /// - Throws: ``InputFaults`` when the name is taken or no name, or a detail is out of its bounds.
    public func addOrganization(name: String, _ details: (inout Organization) -> Void = { _ in }) throws -> Organization {
        guard (1...100).contains(name.count), !name.contains(where: \.isNewline) else {
            throw InputFaults([InputFault("name", "is 1 to 100 characters on one line")])
        }
        return try transaction { statements in
            if try statements("SELECT 1 FROM organizations WHERE name = ?").first([.text(name)], { _ in true }) != nil {
                throw InputFaults([InputFault("name", "an organization '\(name)' exists already")])
            }
            let number = try statements("SELECT ifnull(max(number), 0) + 1 FROM organizations").first { $0.integer(0) } ?? 1
            guard number <= 4095 else { throw InputFaults([InputFault("name", "a database holds at most 4095 organizations")]) }
            let now = time.now
            var organization = Organization(
                number: OrganizationNumber(number), id: newID(now), name: name, displayName: nil, matchThreshold: 70, createdAt: now)
            details(&organization)
            try statements("INSERT INTO organizations (number, id, name, created_at) VALUES (?, ?, ?, ?)")
                .run([.integer(number), .ulid(organization.id), .text(name), SQLValue(now)])
            try Self.store(organization, statements)
            return organization
        }
    }

    /// Changes what may change of an organization.
    ///
    /// - Throws: ``InputFaults`` for a detail that is out of its bounds.
    /// - Returns: nil when there is none of that name.
    public func editOrganization(named name: String, _ details: (inout Organization) -> Void) throws -> Organization? {
        try transaction { statements in
            let found = try statements(OrganizationRows.select + " WHERE name = ?").first([.text(name)], OrganizationRows.organization)
            guard var organization = found else { return nil }
            let before = organization.plan
            details(&organization)
            try Self.store(organization, statements)
            if organization.plan != before { try apply(organization, statements) }
            return organization
        }
    }

    private static func store(_ organization: Organization, _ statements: StatementCache) throws {
        let faults = organization.faults
        if !faults.isEmpty { throw InputFaults(faults) }
        let plan = organization.plan
        try statements(
            """
            UPDATE organizations SET display_name = ?, dashboard_url = ?, match_threshold = ?, has_api = ?, has_webhooks = ?,
                default_rate_limit = ?, most_keys = ?, most_endpoints = ? WHERE number = ?
            """
        ).run([
            SQLValue(organization.displayName), SQLValue(organization.dashboardURL), .real(organization.matchThreshold),
            .integer(plan.hasAPI ? 1 : 0), .integer(plan.hasWebhooks ? 1 : 0), .integer(Int64(plan.rateLimit)),
            plan.mostKeys.map { .integer(Int64($0)) } ?? .null, plan.mostEndpoints.map { .integer(Int64($0)) } ?? .null,
            .integer(organization.number.value),
        ])
    }

    /// Why an endpoint is disabled whose organization's plan has no webhooks.
    private static let notInPlan = "not_in_plan"

    /// What a changed plan means for the keys and endpoints that are there: readers look at keys anew, and endpoints hold what
    /// they are owed until the plan has webhooks again.
    private func apply(_ organization: Organization, _ statements: StatementCache) throws {
        try statements("UPDATE store SET key_counter = key_counter + 1").run()
        let number = SQLValue.integer(organization.number.value)
        if organization.plan.hasWebhooks {
            try statements(
                """
                UPDATE endpoints SET disabled_reason = NULL, disabled_at = NULL, failing_since = NULL
                WHERE organization = ? AND disabled_reason = '\(Self.notInPlan)'
                """
            ).run([number])
        } else {
            try statements(
                """
                UPDATE endpoints SET disabled_reason = '\(Self.notInPlan)', disabled_at = ?
                WHERE organization = ? AND disabled_at IS NULL
                """
            ).run([SQLValue(time.now), number])
        }
    }

    public func organizations() throws -> [Organization] {
        try snapshot { try $0(OrganizationRows.select + " ORDER BY number").all([], OrganizationRows.organization) }
    }

    /// The organization of that name, compared as names are: without regard to ASCII case.
    /// Whether an organization has any record.
    public func hasRecords(in organization: Organization) throws -> Bool {
        try snapshot { statements in
            try RecordKind.allCases.contains { kind in
                try statements("SELECT 1 FROM \(kind.plural) WHERE organization = ? LIMIT 1")
                    .first([.integer(organization.number.value)]) { _ in true } ?? false
            }
        }
    }

    public func hasRecord(_ kind: RecordKind, externalID: String, in organization: Organization) throws -> Bool {
        try snapshot {
            try $0("SELECT 1 FROM \(kind.plural) WHERE organization = ? AND external_id = ?")
                .first([.integer(organization.number.value), .text(externalID)]) { _ in true } ?? false
        }
    }

    public func organization(named name: String) throws -> Organization? { try snapshot { try $0.organization(named: name) } }

    /// The id that an `external_id` has, living or deleted. Nil when it is unknown.
    public func id(of kind: RecordKind, externalID: String, in organization: Organization) throws -> RecordID? {
        try snapshot { try $0.id(of: kind, externalID: externalID, in: organization.number) }
    }

    // MARK: Keys

    /// Stores a new key. Its secret is known to the caller alone.
    ///
    /// - Throws: ``NotInPlan``.
    public func addKey(
        _ token: APIKeyToken, secretHash: [UInt8], name: String, organization: Organization, scopes: Scopes, rateLimit: Int,
        expiresAt: Timestamp?
    ) throws -> APIKey {
        try keyChange { statements in
            try refuseAnotherKey(of: organization.number, statements)
            try statements(
                """
                INSERT INTO api_keys (key_id, organization, name, scopes, secret_hash, rate_limit, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
            ).run([
                .text(token.keyID), .integer(organization.number.value), .text(name), .integer(Int64(scopes.rawValue)),
                .blob(secretHash), .integer(Int64(rateLimit)), SQLValue(time.now), SQLValue(expiresAt),
            ])
            return token.keyID
        }
    }

    /// - Throws: ``NotInPlan`` where the organization has as many as it may have.
    private func refuseAnotherKey(of organization: OrganizationNumber, _ statements: StatementCache) throws {
        let most =
            try statements("SELECT most_keys FROM organizations WHERE number = ?")
            .first([.integer(organization.value)]) { $0.isNull(0) ? Int64.max : $0.integer(0) } ?? 0
        let active =
            try statements(
                "SELECT count(*) FROM api_keys WHERE organization = ? AND revoked_at IS NULL AND ifnull(expires_at, ?2) >= ?2"
            ).first([.integer(organization.value), SQLValue(time.now)]) { $0.integer(0) } ?? 0
        guard active < most else { throw NotInPlan(full: most, of: "key", "revoke one") }
    }

    public func keys() throws -> [APIKey] {
        try snapshot { try $0(KeyRows.select + " ORDER BY k.organization, k.created_at").all([], KeyRows.key) }
    }

    /// Gives a key a new secret; the old one works until `overlapUntil`. Nil when unknown or revoked.
    public func rotateKey(_ token: APIKeyToken, secretHash: [UInt8], overlapUntil: Timestamp?) throws -> APIKey? {
        try existingKeyChange(token.keyID) { statements in
            try statements(
                """
                UPDATE api_keys SET previous_hash = iif(?1 IS NULL, NULL, secret_hash), previous_until = ?1, secret_hash = ?2
                WHERE key_id = ?3
                """
            ).run([SQLValue(overlapUntil), .blob(secretHash), .text(token.keyID)])
        }
    }

    /// Ends a key for good. Nil when unknown or revoked already.
    public func revokeKey(_ keyID: String) throws -> APIKey? {
        try existingKeyChange(keyID) { statements in
            try statements(
                "UPDATE api_keys SET revoked_at = ?, previous_hash = NULL, previous_until = NULL WHERE key_id = ?"
            ).run([SQLValue(time.now), .text(keyID)])
        }
    }

    private func existingKeyChange(_ keyID: String, _ body: (StatementCache) throws -> Void) throws -> APIKey? {
        let usable = try snapshot {
            try $0("SELECT 1 FROM api_keys WHERE key_id = ? AND revoked_at IS NULL").first([.text(keyID)]) { _ in true } ?? false
        }
        guard usable else { return nil }
        return try keyChange { statements in
            try body(statements)
            return keyID
        }
    }

    /// Every change of a key moves the counter by which readers know that theirs are old.
    private func keyChange(_ body: (StatementCache) throws -> String) throws -> APIKey {
        try transaction { statements in
            let keyID = try body(statements)
            try statements("UPDATE store SET key_counter = key_counter + 1").run()
            guard let key = try statements(KeyRows.select + " WHERE k.key_id = ?").first([.text(keyID)], KeyRows.key) else {
                throw StoreError.unavailable("the key was not stored")
            }
            return key
        }
    }

    // MARK: Events

    /// Forgets events created before `moment`; the feed then answers 410 to positions before them.
    ///
    /// - Returns: how many went; at most `batch` at a time, so that the lock is short.
    public func expireEvents(before moment: Timestamp, batch: Int = 5_000) throws -> Int {
        try transaction { statements in
            var gone = 0
            let numbers = try statements("SELECT number FROM organizations").all { OrganizationNumber($0.integer(0)) }
            for organization in numbers where gone < batch {
                let last =
                    try statements(
                        """
                        SELECT max(place) FROM (
                            SELECT place, created_at FROM events WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?
                        ) WHERE created_at < ?
                        """
                    ).first([
                        .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
                        .integer(Int64(batch - gone)), SQLValue(moment),
                    ]) { $0.isNull(0) ? nil : $0.integer(0) } ?? nil
                guard let last else { continue }
                gone +=
                    try statements("SELECT count(*) FROM events WHERE place BETWEEN ? AND ?")
                    .first([.integer(Place.key(organization, 0)), .integer(last)]) { Int($0.integer(0)) } ?? 0
                try statements("DELETE FROM events WHERE place BETWEEN ? AND ?")
                    .run([.integer(Place.key(organization, 0)), .integer(last)])
                try statements("UPDATE organizations SET events_expired_through = ? WHERE number = ?")
                    .run([.integer(Place.low(last)), .integer(organization.value)])
            }
            return gone
        }
    }
}

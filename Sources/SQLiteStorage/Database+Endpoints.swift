import Domain

/// Endpoints as the operator manages them.
extension Database {
    public func newEndpointID() -> EndpointID { EndpointID(newID(time.now)) }

    /// Stores a new endpoint; its `number` and `organizationName` are the store's to give, `createdAt` too.
    ///
    /// - Throws: ``InputFaults``; ``NotInPlan``.
    public func addEndpoint(_ endpoint: Endpoint) throws -> Endpoint {
        try change { writer in
            try refuseAnother(of: endpoint.organization, writer)
            try check(endpoint, writer)
            let heading: [SQLValue] = [
                .ulid(endpoint.id.ulid), .integer(endpoint.organization.value), .text(endpoint.dialect.rawValue), SQLValue(time.now),
                endpoint.secret.map { .blob($0.bytes) } ?? .null,
            ]
            let values = heading + EndpointRows.values(endpoint)
            let columns = (["id", "organization", "dialect", "created_at", "secret"] + EndpointRows.settings).joined(separator: ", ")
            try writer.statements("INSERT INTO endpoints (\(columns)) VALUES (\(SQLFragment.marks(values.count)))").run(values)
            return try stored(endpoint.id, writer.statements)
        }
    }

    /// The endpoints of an organization, or of all.
    public func endpoints(of organization: OrganizationNumber? = nil) throws -> [Endpoint] {
        try snapshot {
            try $0(EndpointRows.select + " AND e.organization = ifnull(?, e.organization) ORDER BY e.organization, e.number")
                .all([organization.map { .integer($0.value) } ?? .null], EndpointRows.endpoint)
        }
    }

    public func endpoint(_ id: EndpointID) throws -> Endpoint? {
        try snapshot { try Self.find(id, $0) }
    }

    /// Changes URL, types, job, personal data, schedule, attempts or time-out; nothing else that `edit` does counts. What is
    /// owed already keeps its body. Nil when there is no such endpoint.
    ///
    /// - Throws: ``InputFaults``, and what `edit` throws.
    public func editEndpoint(_ id: EndpointID, _ edit: (inout Endpoint) throws -> Void) throws -> Endpoint? {
        try change { writer in
            guard let old = try Self.find(id, writer.statements) else { return nil }
            var new = old
            try edit(&new)
            guard new.dialect == old.dialect else {
                throw InputFaults([InputFault("dialect", "does not change: what is owed already is in the old one; add another endpoint")])
            }
            try check(new, writer)
            let sets = EndpointRows.settings.map { "\($0) = ?" }.joined(separator: ", ")
            try writer.statements("UPDATE endpoints SET \(sets) WHERE number = ?")
                .run(EndpointRows.values(new) + [.integer(old.number)])
            return try stored(id, writer.statements)
        }
    }

    /// Enabled, its deliveries go out from now on, and its failures are forgotten; disabled, they are held. Nil when there is
    /// no such endpoint.
    ///
    /// - Throws: ``NotInPlan``.
    public func setEndpoint(_ id: EndpointID, _ state: Endpoint.State) throws -> Endpoint? {
        try change(id) { number, statements in
            switch state {
            case .active:
                try Self.refuseWithoutWebhooks(endpoint: number, statements)
                try statements(
                    "UPDATE endpoints SET disabled_reason = NULL, disabled_at = NULL, failing_since = NULL WHERE number = ?"
                ).run([.integer(number)])
            case .disabled(let reason, let at):
                try statements("UPDATE endpoints SET disabled_reason = ?, disabled_at = ? WHERE number = ? AND disabled_at IS NULL")
                    .run([.text(reason), SQLValue(at), .integer(number)])
            }
        }
    }

    /// Gives an endpoint another secret. Nil when there is no such endpoint.
    ///
    /// - Parameter previousUntil: until when the old one counts; nil ends it at once.
    public func changeSecret(of id: EndpointID, to secret: SealedSecret?, previousUntil: Timestamp?) throws -> Endpoint? {
        try change(id) { number, statements in
            let until = SQLValue(previousUntil)
            try statements(
                """
                UPDATE endpoints SET secret = ?1, previous_secret = iif(?2 IS NULL, NULL, secret),
                    previous_until = iif(secret IS NULL, NULL, ?2) WHERE number = ?3
                """
            ).run([secret.map { .blob($0.bytes) } ?? .null, until, .integer(number)])
        }
    }

    /// Ends an endpoint at once, its secrets with it, then deletes its deliveries and their attempts a part at a time; events
    /// stay. Where that is interrupted, ``SQLiteOutbox/expireDeliveries(before:)`` goes on. False when there is none.
    public func removeEndpoint(_ id: EndpointID) throws -> Bool {
        let number = try transaction { statements in
            guard let number = try Self.find(id, statements)?.number else { return Int64?.none }
            try statements(
                "UPDATE endpoints SET removed_at = ?, secret = NULL, previous_secret = NULL, previous_until = NULL WHERE number = ?"
            ).run([SQLValue(time.now), .integer(number)])
            return number
        }
        guard let number else { return false }
        while try transaction({ try SQLiteOutbox.removePart(of: number, $0) }) {}
        return true
    }

    /// Whether there is any secret that the key file must be kept for.
    public func hasSecrets() throws -> Bool {
        try snapshot {
            try $0("SELECT 1 FROM endpoints WHERE secret IS NOT NULL OR previous_secret IS NOT NULL LIMIT 1").first { _ in true } ?? false
        }
    }

    // MARK: Test

    /// Writes a `webhook.test` event to the organization's feed, and a delivery of it to this endpoint alone, whatever it
    /// asked for. Nil when there is no such endpoint.
    public func createTest(for id: EndpointID) throws -> DeliveryID? {
        try change { writer in
            guard let endpoint = try Self.find(id, writer.statements),
                let organization = try writer.statements(OrganizationRows.select + " WHERE number = ?")
                    .first([.integer(endpoint.organization.value)], OrganizationRows.organization)
            else { return nil }
            guard organization.plan.hasWebhooks else { throw NotInPlan(Self.withoutWebhooks) }
            let now = time.now
            let data = "{\"endpoint\":{\"id\":\"\(id)\"}}"
            let event = try writer.insertEvent(
                RecordWriter.NewEvent(
                    type: .webhookTest, time: now, subject: nil, candidate: nil, job: nil, data: data, holdsPersonal: false),
                in: organization)
            let facts = EventFacts(
                id: event.id, type: .webhookTest, sequence: event.sequence, createdAt: now, organization: organization, subject: nil,
                data: data)
            return try writer.outbox.oweTest(facts, to: endpoint)
        }
    }

    // MARK: Shared steps

    private func refuseAnother(of organization: OrganizationNumber, _ writer: RecordWriter) throws {
        guard let plan = try writer.organization(organization)?.plan else { return }
        guard plan.hasWebhooks else { throw NotInPlan(Self.withoutWebhooks) }
        guard let most = plan.mostEndpoints else { return }
        let count =
            try writer.statements("SELECT count(*) FROM endpoints WHERE organization = ? AND removed_at IS NULL")
            .first([.integer(organization.value)]) { $0.integer(0) } ?? 0
        guard count < Int64(most) else { throw NotInPlan(full: Int64(most), of: "endpoint", "remove one") }
    }

    private static let withoutWebhooks = "the plan has no webhooks; `hirewire organizations edit NAME --webhooks on` changes that"

    /// - Throws: ``NotInPlan``.
    static func refuseWithoutWebhooks(endpoint number: Int64, _ statements: StatementCache) throws {
        let isInPlan =
            try statements("SELECT o.has_webhooks FROM endpoints e JOIN organizations o ON o.number = e.organization WHERE e.number = ?")
            .first([.integer(number)]) { $0.integer(0) != 0 } ?? true
        guard isInPlan else { throw NotInPlan(withoutWebhooks) }
    }

    private func check(_ endpoint: Endpoint, _ writer: RecordWriter) throws {
        var faults = endpoint.faults(known: try writer.outbox.renderer.types(of: endpoint.dialect))
        if let job = endpoint.job, try writer.place(of: RecordID(kind: .job, ulid: job), in: endpoint.organization) == nil {
            faults.append(InputFault("job", "there is no \(RecordID(kind: .job, ulid: job))"))
        }
        if !faults.isEmpty { throw InputFaults(faults) }
    }

    private static func find(_ id: EndpointID, _ statements: StatementCache) throws -> Endpoint? {
        try statements(EndpointRows.select + " AND e.id = ?").first([.ulid(id.ulid)], EndpointRows.endpoint)
    }

    private func stored(_ id: EndpointID, _ statements: StatementCache) throws -> Endpoint {
        guard let endpoint = try Self.find(id, statements) else { throw StoreError.unavailable("the endpoint was not stored") }
        return endpoint
    }

    private func change(_ id: EndpointID, _ body: (Int64, StatementCache) throws -> Void) throws -> Endpoint? {
        try transaction { statements in
            guard let number = try Self.find(id, statements)?.number else { return nil }
            try body(number, statements)
            return try stored(id, statements)
        }
    }
}

import Domain

extension SQLiteOutbox {
    /// What became of a delivery that was to be sent again.
    enum Restart {
        /// Due now, in a new round of attempts; or parked, when it has no body and none can be made.
        case restarted(isParked: Bool)
        case erased
        /// It has no body, and its event is gone or was a test.
        case forgotten
    }

    /// Sends a delivery again, whatever its state: the same id and bytes, in a new round of attempts. One that could not be
    /// built is built from the stored event. While its endpoint is disabled it is held.
    ///
    /// - Returns: the delivery as it is now; nil when there is none.
    /// - Throws: ``InputFaults`` when there is nothing left to send.
    public func redeliver(_ id: DeliveryID) throws -> DeliverySummary? {
        try database.change { writer in
            let statements = try writer.statements
            guard let number = try Self.number(of: id, statements), let endpoint = try Self.endpoint(ofDelivery: number, statements) else {
                return nil
            }
            try Database.refuseWithoutWebhooks(endpoint: endpoint.number, statements)
            switch try Redelivery(writer, to: endpoint, now: database.now).restart(number) {
            case .restarted: return try summary(number, statements)
            case .erased: throw InputFaults([InputFault("", "the candidate of \(id) was erased, and its body with it")])
            case .forgotten: throw InputFaults([InputFault("", "\(id) could not be built, and its event is no longer there")])
            }
        }
    }

    static func endpoint(ofDelivery number: Int64, _ statements: StatementCache) throws -> Endpoint? {
        try statements(EndpointRows.select + " AND e.number = (SELECT endpoint FROM deliveries WHERE number = ?)")
            .first([.integer(number)], EndpointRows.endpoint)
    }

    /// One endpoint's deliveries, on their way out again in one transaction.
    struct Redelivery {
        let writer: RecordWriter
        let endpoint: Endpoint
        let organization: Organization
        let now: Timestamp

        init(_ writer: RecordWriter, to endpoint: Endpoint, now: Timestamp) throws {
            self.writer = writer
            self.endpoint = endpoint
            self.now = now
            let found = try writer.statements(OrganizationRows.select + " WHERE number = ?")
                .first([.integer(endpoint.organization.value)], OrganizationRows.organization)
            guard let found else { throw StoreError.unavailable("the organization of \(endpoint.id) is missing") }
            organization = found
        }

        private struct Row {
            let id: DeliveryID
            let place: Int64
            let status: Int64
            /// It never had a body, or it was erased.
            let isEmpty: Bool
            /// It had one, which is not there: the database was damaged.
            let isDamaged: Bool
        }

        func restart(_ number: Int64) throws -> Restart {
            let row = try writer.statements(
                """
                SELECT d.id, d.event, d.status, d.body IS NULL, b.number IS NULL
                FROM deliveries d LEFT JOIN bodies b ON b.number = d.body AND b.event = d.event WHERE d.number = ?
                """
            ).first([.integer(number)]) {
                Row(
                    id: DeliveryID($0.ulid(0)), place: $0.integer(1), status: $0.integer(2), isEmpty: $0.integer(3) == 1,
                    isDamaged: $0.integer(3) == 0 && $0.integer(4) == 1)
            }
            guard let row, !row.isEmpty, !row.isDamaged else { return try row.map { try rebuild($0, number) } ?? .forgotten }
            try begin(number, body: nil)
            return .restarted(isParked: false)
        }

        /// Of what has no body, only what is parked never had one. One that was lost is made again.
        private func rebuild(_ row: Row, _ number: Int64) throws -> Restart {
            guard row.isDamaged || row.status == DeliveryStatus.parked.code else { return .erased }
            guard let event = try writer.storedEvent(at: row.place), event.type != .webhookTest else { return .forgotten }
            if event.type != .candidateDeleted, try writer.outbox.isErased(event.candidate) { return .erased }
            switch try body(of: event, row.id) {
            case .stored(let body):
                try begin(number, body: body)
                return .restarted(isParked: false)
            case .failed(let reason):
                try writer.statements("UPDATE deliveries SET reason = ? WHERE number = ?").run([.text(reason), .integer(number)])
                return .restarted(isParked: true)
            }
        }

        private func begin(_ number: Int64, body: Int64?) throws {
            try writer.statements(
                """
                UPDATE deliveries SET status = \(DeliveryStatus.pending.code), attempts = 0, due_at = ?, finished_at = NULL, reason = NULL,
                    body = ifnull(?, body) WHERE number = ?
                """
            ).run([SQLValue(now), body.map(SQLValue.integer) ?? .null, .integer(number)])
        }

        private func body(of event: RecordWriter.StoredEvent, _ id: DeliveryID) throws -> OutboxWriter.Body {
            let subscription = Subscription(endpoint, known: try writer.outbox.renderer.types(of: endpoint.dialect))
            do {
                let facts = try writer.recall(event, for: endpoint.dialect, in: organization)
                return try writer.outbox.body(of: facts, OutboxWriter.Owed(facts, event.candidate), for: subscription, id)
            } catch let forgotten as RecordWriter.Forgotten {
                return .failed(forgotten.reason)
            }
        }

        /// Writes the delivery of an event that the endpoint was never owed; nil when it is not owed it now, or its
        /// candidate was erased.
        func add(_ place: Int64) throws -> Restart? {
            guard let event = try writer.storedEvent(at: place), event.type != .webhookTest else { return nil }
            let owed = try writer.outbox.subscribers(to: event.type, job: event.job, of: organization.number)
            guard owed.contains(where: { $0.endpoint == endpoint.number }) else { return nil }
            if event.type != .candidateDeleted, try writer.outbox.isErased(event.candidate) { return .erased }
            let id = DeliveryID(writer.newID(event.time))
            let body = try body(of: event, id)
            let heading = OutboxWriter.Owed(
                id: event.id, type: event.type, place: place, time: event.time, candidate: event.candidate)
            try writer.outbox.insert(id, of: heading, to: endpoint.number, body, now: now)
            if case .failed = body { return .restarted(isParked: true) }
            return .restarted(isParked: false)
        }
    }
}

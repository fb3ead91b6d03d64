import Domain

extension SQLiteOutbox {
    /// Events looked at in one transaction, and deliveries written: the lock is short.
    static let replayReach = 1_000
    static let replayBatch = 250

    /// Sends again what an endpoint was owed in a range of time, a part at a time: the same ids and bytes, in new rounds of
    /// attempts. Call with the part's cursor until there is none; an interrupted replay goes on from the last.
    ///
    /// Without a status, events that the endpoint subscribes to now and was not owed then are delivered for the first time,
    /// from the stored event, and where the dialect tells more than that, from the records as they are now; what can't be
    /// made is parked with its reason. Tests and what was erased are left out, and so is what is due already.
    ///
    /// - Throws: ``InputFaults`` when there is no such endpoint.
    public func replay(_ request: ReplayRequest, from cursor: ReplayCursor? = nil) throws -> ReplayPart {
        let start = try cursor ?? beginning(of: request)
        return try database.change { writer in
            let found = try writer.statements(EndpointRows.select + " AND e.id = ?")
                .first([.ulid(request.endpoint.ulid)], EndpointRows.endpoint)
            guard let endpoint = found else { throw Self.missing(request.endpoint) }
            try Database.refuseWithoutWebhooks(endpoint: endpoint.number, writer.statements)
            let walk = Walk(
                request: request, redelivery: try Redelivery(writer, to: endpoint, now: database.now),
                low: Place.key(endpoint.organization, 0), high: Place.key(endpoint.organization, Place.mask))
            return try walk.part(from: start)
        }
    }

    private static func missing(_ id: EndpointID) -> InputFaults { InputFaults([InputFault("endpoint", "there is no \(id)")]) }

    /// Where a range of time begins and ends in the feed. The times of a feed only nearly go up, so what lies between is
    /// looked at one by one.
    private func beginning(of request: ReplayRequest) throws -> ReplayCursor {
        try read { statements in
            let found = try statements("SELECT organization FROM endpoints WHERE id = ? AND removed_at IS NULL")
                .first([.ulid(request.endpoint.ulid)]) { OrganizationNumber($0.integer(0)) }
            guard let organization = found else { throw Self.missing(request.endpoint) }
            let low = Place.key(organization, 0)
            let newest = try statements("SELECT event_sequence FROM organizations WHERE number = ?").first([.integer(organization.value)]) {
                Place.key(organization, $0.integer(0))
            }
            let bounds: [SQLValue] = [.integer(low), .integer(Place.key(organization, Place.mask))]
            func first(_ test: String, _ time: Timestamp, _ order: String) throws -> Int64? {
                try statements(
                    "SELECT place FROM events WHERE place BETWEEN ? AND ? AND created_at \(test) ? ORDER BY place \(order) LIMIT 1"
                )
                .first(bounds + [SQLValue(time)]) { $0.integer(0) }
            }
            var (done, last) = (low, newest ?? low)
            if let until = request.until { last = try first("<", until, "DESC") ?? last }
            let oldest = try statements("SELECT created_at FROM events WHERE place BETWEEN ? AND ? ORDER BY place LIMIT 1")
                .first(bounds) { $0.time(0) }
            // Before the oldest event that is kept there may be deliveries of expired ones.
            if let since = request.since, let oldest, oldest < since { done = try first(">=", since, "ASC").map { $0 - 1 } ?? last }
            return ReplayCursor(done: done, last: last)
        }
    }

    /// A part of a replay, in the order of the feed.
    private struct Walk {
        let request: ReplayRequest
        let redelivery: Redelivery
        /// The bounds of the organization's places.
        let low: Int64
        let high: Int64

        /// A place in the feed with what the endpoint was owed of it.
        private struct Step {
            let place: Int64
            let delivery: Int64?
        }

        func part(from cursor: ReplayCursor) throws -> ReplayPart {
            var part = ReplayPart()
            let (steps, reached) = try steps(after: max(cursor.done, low), through: min(cursor.last, high))
            for step in steps {
                if let number = step.delivery {
                    count(try redelivery.restart(number), as: \.restarted, in: &part)
                } else if let outcome = try redelivery.add(step.place) {
                    count(outcome, as: \.added, in: &part)
                }
                if part.restarted + part.added >= SQLiteOutbox.replayBatch, step.place < cursor.last {
                    part.cursor = ReplayCursor(done: step.place, last: cursor.last)
                    return part
                }
            }
            if let reached, reached < cursor.last { part.cursor = ReplayCursor(done: reached, last: cursor.last) }
            return part
        }

        private func count(_ outcome: Restart, as member: WritableKeyPath<ReplayPart, Int>, in part: inout ReplayPart) {
            switch outcome {
            case .restarted(let isParked):
                part[keyPath: member] += 1
                part.parked += isParked ? 1 : 0
            case .erased: part.erased += 1
            case .forgotten:
                part[keyPath: member] += 1
                part.parked += 1
            }
        }

        /// What is to be sent of the next places, and the last place looked at; nil at the end.
        private func steps(after done: Int64, through last: Int64) throws -> (steps: [Step], reached: Int64?) {
            let range: [SQLValue] = [.integer(done), .integer(last), .integer(Int64(SQLiteOutbox.replayReach))]
            var deliveries: [(place: Int64, isMeant: Bool, number: Int64)] = []
            try redelivery.writer.statements(SQLiteOutbox.replayDeliveries)
                .forEach([.integer(redelivery.endpoint.number), SQLValue(redelivery.now)] + range) { row in
                    let isMeant =
                        isMeant(row.time(2), EventType(code: row.integer(3))) && (request.status.map { $0.code == row.integer(4) } ?? true)
                    deliveries.append((row.integer(1), isMeant && row.integer(5) == 0, row.integer(0)))
                }
            var events: [(place: Int64, isMeant: Bool)] = []
            if request.status == nil {
                try redelivery.writer.statements(SQLiteOutbox.replayEvents).forEach(range) { row in
                    events.append((row.integer(0), isMeant(row.time(1), EventType(rawValue: row.string(2)))))
                }
            }
            // What a full list does not reach is the next part's.
            let ends = [deliveries.map(\.place), events.map(\.place)].filter { $0.count == SQLiteOutbox.replayReach }.compactMap(\.last)
            let reached = ends.min()
            let owed = Set(deliveries.map(\.place))
            let steps =
                deliveries.filter(\.isMeant).map { Step(place: $0.place, delivery: $0.number) }
                + events.filter { $0.isMeant && !owed.contains($0.place) }.map { Step(place: $0.place, delivery: nil) }
            return (steps.filter { $0.place <= reached ?? .max }.sorted { $0.place < $1.place }, reached)
        }

        private func isMeant(_ time: Timestamp, _ type: EventType?) -> Bool {
            time >= request.since ?? time && (request.until.map { time < $0 } ?? true) && type != .webhookTest
        }
    }

    /// The last column: due already, in a round that has not begun.
    static let replayDeliveries = """
        SELECT number, event, created_at, type, status, ifnull(status = \(DeliveryStatus.pending.code) AND attempts = 0 AND due_at <= ?2, 0)
        FROM deliveries INDEXED BY deliveries_event
        WHERE endpoint = ?1 AND event > ?3 AND event <= ?4 ORDER BY event LIMIT ?5
        """

    static let replayEvents = """
        SELECT place, created_at, type FROM events WHERE place > ? AND place <= ? ORDER BY place LIMIT ?
        """
}

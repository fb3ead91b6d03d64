import Domain
import GRDBSQLite

/// The outbox's part of a write transaction: what is owed to whom, committed together with its event.
final class OutboxWriter {
    private let statements: StatementCache
    private let time: any TimeSource
    private let rendering: (any DeliveryRendering)?
    private let newID: (Timestamp) -> ULID
    /// Loaded once: nobody else writes while this transaction is open.
    private var subscriptions: [OrganizationNumber: [Subscription]] = [:]
    /// What waits to be written together; bodies go before the deliveries that have them.
    private let bodies = RowBatch(most: mostWaiting)
    private let deliveries = RowBatch(most: mostWaiting)
    /// The next body's number, once there is one.
    private var nextBody: Int64?
    /// So many take some 30 ms, in which nobody asks whether the transaction has taken long enough.
    private static let mostWaiting = 10_000
    /// The full-text indices have gathered something, which they write out at each statement that writes many rows.
    var hasWrittenSearches = false
    /// Deliveries that are worth that.
    private static let worthIt = 1_000

    /// What became of a body.
    enum Body: Equatable {
        case stored(Int64)
        /// Why it can't be made.
        case failed(String)
    }

    /// What a delivery says of its event.
    struct Owed {
        let id: EventID
        let type: EventType
        /// The event's place.
        let place: Int64
        let time: Timestamp
        let candidate: ULID?
    }

    init(
        statements: StatementCache, time: any TimeSource, rendering: (any DeliveryRendering)?, newID: @escaping (Timestamp) -> ULID
    ) {
        self.statements = statements
        self.time = time
        self.rendering = rendering
        self.newID = newID
    }

    /// - Throws: ``StoreError`` where there are endpoints and nothing to make bodies with.
    var renderer: any DeliveryRendering {
        get throws {
            guard let rendering else {
                throw StoreError.unavailable("there are webhook endpoints, and the database was opened without what makes their bodies")
            }
            return rendering
        }
    }

    /// The subscriptions that an event is owed to.
    ///
    /// - Parameter job: the job that the event's subject belongs to.
    func subscribers(to type: EventType, job: ULID?, of organization: OrganizationNumber) throws -> [Subscription] {
        let all = try subscriptions[organization] ?? load(organization)
        return all.isEmpty ? [] : Subscription.owed(type, job: job, among: all)
    }

    private func load(_ organization: OrganizationNumber) throws -> [Subscription] {
        let endpoints = try statements(EndpointRows.select + " AND e.organization = ? ORDER BY e.number")
            .all([.integer(organization.value)], EndpointRows.endpoint)
        let loaded = try endpoints.map { Subscription($0, known: try renderer.types(of: $0.dialect)) }
        subscriptions[organization] = loaded
        return loaded
    }

    // MARK: Owing

    /// Owes a delivery to each subscriber. Those of one dialect share a body, unless it names the delivery.
    ///
    /// - Parameter candidate: whose erasure takes the bodies away.
    func owe(_ facts: EventFacts, about candidate: ULID?, to subscribers: [Subscription]) throws {
        struct Form: Hashable {
            let dialect: DialectName
            let isPersonal: Bool
        }
        var shared: [Form: Body] = [:]
        let owed = Owed(facts, candidate)
        let now = time.now
        var next = newID(facts.createdAt)
        for subscriber in subscribers {
            let id = DeliveryID(next)
            next = next.successor
            let form = Form(dialect: subscriber.dialect, isPersonal: subscriber.isPersonal)
            let body: Body
            if let known = shared[form] {
                body = known
            } else {
                body = try self.body(of: facts, owed, for: subscriber, id)
                if try !renderer.namesDelivery(form.dialect) { shared[form] = body }
            }
            try insert(id, of: owed, to: subscriber.endpoint, body, now: now)
        }
    }

    /// Writes what waits. Whoever reads deliveries in the transaction that owes them calls it before, and so does its end.
    func flush() throws {
        guard deliveries.count + bodies.count > 0 else { return }
        let together = !hasWrittenSearches || deliveries.count >= Self.worthIt
        try bodies.write(
            together: together, one: { try statements(.body) { Self.insertBody } }, all: { try statements(.bodies) { Self.insertBodies } })
        try deliveries.write(
            together: together, one: { try statements(.delivery) { Self.insertDelivery } },
            all: { try statements(.deliveries) { Self.insertDeliveries } })
    }

    private static let bodyColumns = ["number", "event", "candidate_id", "bytes"]
    private static let deliveryColumns = [
        "endpoint", "id", "event", "type", "status", "created_at", "event_id", "due_at", "finished_at", "reason", "body",
    ]
    private static let insertBody = TableLayout.insert(into: "bodies", bodyColumns)
    private static let insertBodies = TableLayout.insertAll(into: "bodies", bodyColumns)
    private static let insertDelivery = TableLayout.insert(into: "deliveries", deliveryColumns)
    private static let insertDeliveries = TableLayout.insertAll(into: "deliveries", deliveryColumns)

    /// Makes and stores the body of one delivery.
    func body(of facts: EventFacts, _ owed: Owed, for subscriber: Subscription, _ id: DeliveryID) throws -> Body {
        let renderer = try renderer
        return try store(of: owed) {
            try renderer.body(of: facts, dialect: subscriber.dialect, personal: subscriber.isPersonal, delivery: id)
        }
    }

    /// Writes the delivery of a test, for one endpoint alone.
    func oweTest(_ facts: EventFacts, to endpoint: Endpoint) throws -> DeliveryID {
        let id = DeliveryID(newID(facts.createdAt))
        let renderer = try renderer
        let owed = Owed(facts, nil)
        let body = try store(of: owed) { try renderer.sample(facts, dialect: endpoint.dialect, delivery: id) }
        try insert(id, of: owed, to: endpoint.number, body, now: time.now)
        return id
    }

    private func store(of event: Owed, _ make: () throws -> [UInt8]) throws -> Body {
        let bytes: [UInt8]
        do { bytes = try make() } catch { return .failed("the body can't be made: " + String(String(describing: error).prefix(300))) }
        let number = try nextBody ?? (statements("SELECT max(number) FROM bodies").first { $0.integer(0) } ?? 0) + 1
        nextBody = number + 1
        bodies.begin(columns: Self.bodyColumns.count)
        bodies.append(number)
        bodies.append(event.place)
        bodies.append(event.candidate)
        bodies.append(blob: bytes)
        if bodies.isFull { try flush() }
        return .stored(number)
    }

    /// Writes a delivery that is due at once, or parked.
    func insert(_ id: DeliveryID, of event: Owed, to endpoint: Int64, _ body: Body, now: Timestamp) throws {
        var (status, reason, number) = (DeliveryStatus.pending, String?.none, Int64?.none)
        switch body {
        case .stored(let body): number = body
        case .failed(let why): (status, reason) = (.parked, why)
        }
        let isPending = status == .pending
        deliveries.begin(columns: Self.deliveryColumns.count)
        deliveries.append(endpoint)
        deliveries.append(id.ulid)
        deliveries.append(event.place)
        deliveries.append(event.type.code)
        deliveries.append(status.code)
        deliveries.append(event.time)
        deliveries.append(event.id.ulid)
        deliveries.append(isPending ? now.microseconds : nil)
        deliveries.append(isPending ? nil : now.microseconds)
        deliveries.append(reason)
        deliveries.append(number)
        if deliveries.isFull { try flush() }
    }

    // MARK: Erasure

    /// Ends what is pending of a candidate's events, and takes the bodies and what was answered to them away. What tells
    /// of the deletion alone goes out: it holds an id, and nothing personal.
    func erase(_ candidate: ULID) throws {
        try flush()
        let deliveries = try statements(
            """
            SELECT d.number FROM bodies b CROSS JOIN deliveries d ON d.event = b.event AND d.body = b.number
            WHERE b.candidate_id = ? AND d.type <> \(EventType.candidateDeleted.code)
            """
        ).all([.ulid(candidate)]) { $0.integer(0) }
        let now = time.now
        for delivery in deliveries {
            try statements("UPDATE attempts SET response_headers = '[]', response_body = x'' WHERE delivery = ?").run([.integer(delivery)])
            try statements(
                """
                UPDATE deliveries SET status = \(DeliveryStatus.erased.code), due_at = NULL, finished_at = ?, body = NULL
                WHERE number = ? AND status = \(DeliveryStatus.pending.code)
                """
            ).run([SQLValue(now), .integer(delivery)])
            try statements("UPDATE deliveries SET body = NULL WHERE number = ?").run([.integer(delivery)])
        }
    }

    /// Whether a candidate was erased.
    func isErased(_ candidate: ULID?) throws -> Bool {
        guard let candidate else { return false }
        return try statements("SELECT 1 FROM tombstones WHERE kind = ? AND id = ? AND erased = 1")
            .first([.integer(Int64(RecordKind.candidate.rawValue)), .ulid(candidate)]) { _ in true } ?? false
    }
}

extension OutboxWriter.Owed {
    init(_ facts: EventFacts, _ candidate: ULID?) {
        self.init(
            id: facts.id, type: facts.type, place: Place.key(facts.organization.number, facts.sequence), time: facts.createdAt,
            candidate: candidate)
    }
}

extension ULID {
    /// The next one of the same moment.
    ///
    /// Source: the ULID specification, monotonicity.
    fileprivate var successor: ULID { low == .max ? ULID(high: high &+ 1, low: 0) : ULID(high: high, low: low + 1) }
}

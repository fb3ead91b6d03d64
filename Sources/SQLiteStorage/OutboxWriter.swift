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
    private var waiting: [Waiting] = []
    /// Their deliveries.
    private var waitingCount = 0
    /// A single change's: so many are written one by one, which needs no second database.
    private static let few = 100
    /// So many take some 30 ms, in which nobody asks whether the transaction has taken long enough. Fewer would make the
    /// full-text index write out what it has gathered more than once in an import's batch: see ``RecordWriter``.
    private static let mostWaiting = 10_000

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
        var alike = Alike(body: 0)
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
            guard case .stored(let number) = body else {
                try insert(id, of: owed, to: subscriber.endpoint, body, now: now)
                continue
            }
            if number != alike.body {
                try wait(alike, of: owed, now: now)
                alike = Alike(body: number)
            }
            alike.endpoints.append(subscriber.endpoint)
            alike.ids.append(id)
        }
        try wait(alike, of: owed, now: now)
        if waitingCount >= Self.mostWaiting { try flush() }
    }

    /// Deliveries of one event that differ by their endpoints and ids alone.
    private struct Alike {
        let body: Int64
        var endpoints: [Int64] = []
        var ids: [DeliveryID] = []
    }

    /// Deliveries that wait for ``flush()``.
    private struct Waiting {
        let alike: Alike
        let event: Owed
        let now: Timestamp
    }

    private func wait(_ alike: Alike, of event: Owed, now: Timestamp) throws {
        guard !alike.endpoints.isEmpty else { return }
        waiting.append(Waiting(alike: alike, event: event, now: now))
        waitingCount += alike.endpoints.count
    }

    /// Writes the deliveries that wait. Whoever reads deliveries in the transaction that owes them calls it before, and
    /// so does its end.
    func flush() throws {
        guard waitingCount > 0 else { return }
        defer {
            waiting = []
            waitingCount = 0
        }
        if waitingCount > Self.few { return try writeTogether() }
        for some in waiting {
            for (id, endpoint) in zip(some.alike.ids, some.alike.endpoints) {
                try insert(id, of: some.event, to: endpoint, .stored(some.alike.body), now: some.now)
            }
        }
    }

    /// By one statement, whose cursors stay open: many take half the time that they take one by one. A row of `owed` is an
    /// event with a list of endpoints that many events share.
    private func writeTogether() throws {
        var lists: [[Int64]: Int64] = [:]
        for some in waiting {
            let list = lists[some.alike.endpoints] ?? Int64(lists.count)
            if lists.updateValue(list, forKey: some.alike.endpoints) == nil {
                for (position, endpoint) in some.alike.endpoints.enumerated() {
                    try statements("INSERT INTO temp.endpoint_lists (list, position, endpoint) VALUES (?, ?, ?)")
                        .run([.integer(list), .integer(Int64(position)), .integer(endpoint)])
                }
            }
            var ids: [UInt8] = []
            ids.reserveCapacity(16 * some.alike.ids.count)
            for id in some.alike.ids { withUnsafeBytes(of: (id.ulid.high.bigEndian, id.ulid.low.bigEndian)) { ids += $0 } }
            let insertion = try statements(.delivery) {
                "INSERT INTO temp.owed (list, ids, event, type, created_at, event_id, due_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            }
            try insertion.run([
                .integer(list), .blob(ids), .integer(some.event.place), .integer(some.event.type.code), SQLValue(some.event.time),
                .ulid(some.event.id.ulid), SQLValue(some.now), .integer(some.alike.body),
            ])
        }
        try statements(
            """
            INSERT INTO deliveries (endpoint, id, event, type, status, created_at, event_id, due_at, body)
            SELECT l.endpoint, substr(o.ids, 16 * l.position + 1, 16), o.event, o.type, \(DeliveryStatus.pending.code), o.created_at,
                o.event_id, o.due_at, o.body
            FROM temp.owed o CROSS JOIN temp.endpoint_lists l ON l.list = o.list
            """
        ).run()
        try statements("DELETE FROM temp.owed").run()
        try statements("DELETE FROM temp.endpoint_lists").run()
    }

    /// What waits inside a transaction. The connection's own: they are in no file that is kept.
    static let tables = """
        CREATE TEMP TABLE endpoint_lists (list INTEGER, position INTEGER, endpoint INTEGER, PRIMARY KEY (list, position)) WITHOUT ROWID;
        CREATE TEMP TABLE owed (list INTEGER, ids BLOB, event INTEGER, type INTEGER, created_at INTEGER, event_id BLOB,
            due_at INTEGER, body INTEGER);
        """

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
        try statements("INSERT INTO bodies (event, candidate_id, bytes) VALUES (?, ?, ?)")
            .run([.integer(event.place), event.candidate.map(SQLValue.ulid) ?? .null, .blob(bytes)])
        return .stored(sqlite3_last_insert_rowid(statements.connection))
    }

    /// Writes a delivery that is due at once, or parked.
    func insert(_ id: DeliveryID, of event: Owed, to endpoint: Int64, _ body: Body, now: Timestamp) throws {
        var (status, reason, number) = (DeliveryStatus.pending, SQLValue.null, SQLValue.null)
        switch body {
        case .stored(let body): number = .integer(body)
        case .failed(let why): (status, reason) = (.parked, .text(why))
        }
        let isPending = status == .pending
        try statements(
            """
            INSERT INTO deliveries (endpoint, id, event, type, status, created_at, event_id, due_at, finished_at, reason, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(endpoint), .ulid(id.ulid), .integer(event.place), .integer(event.type.code), .integer(status.code),
            SQLValue(event.time), .ulid(event.id.ulid), isPending ? SQLValue(now) : .null, isPending ? .null : SQLValue(now), reason,
            number,
        ])
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

import Domain
import Testing

@testable import SQLiteStorage

/// Bodies that say what they were made of. A record that says `unrenderable` makes none.
struct PlainRendering: DeliveryRendering {
    struct Fault: Error {}

    func types(of dialect: DialectName) -> Set<EventType> {
        switch dialect {
        case .standard: Set(EventType.allCases)
        case .rejento: [.candidateCreated, .candidateStatusChanged, .candidateDeleted, .interviewScheduled, .interviewCompleted]
        case .tenzo: [.interviewCompleted]
        case .talentsprout: [.interviewCompleted, .interviewAbandoned]
        case .kendo: [.callUploaded, .aiTrainingCompleted]
        }
    }

    func namesDelivery(_ dialect: DialectName) -> Bool { dialect == .rejento }

    func body(of facts: EventFacts, dialect: DialectName, personal: Bool, delivery: DeliveryID) throws -> [UInt8] {
        let data = facts.data(personal: personal)
        if data.contains("unrenderable") { throw Fault() }
        return try JSONValue.object([
            .init("event", .string(facts.id.description)), .init("type", .string(facts.type.rawValue)),
            .init("sequence", .number(String(facts.sequence))), .init("dialect", .string(dialect.rawValue)),
            .init("personal", .bool(personal)), .init("delivery", namesDelivery(dialect) ? .string(delivery.description) : .null),
            .init("name", facts.subject?.text(facts.type.subject == .candidate ? "full_name" : "status").map(JSONValue.string) ?? .null),
            .init("version", facts.subject.map { .number(String($0.version)) } ?? .null),
            .init("application", facts.application.map { .string($0.recordID.description) } ?? .null),
            .init("data", JSONParser.parse(data)),
        ]).bytes
    }

    func sample(_ facts: EventFacts, dialect: DialectName, delivery: DeliveryID) throws -> [UInt8] {
        Array(#"{"sample":"\#(dialect.rawValue)","event":"\#(facts.id)"}"#.utf8)
    }
}

extension JSONValue {
    fileprivate var bytes: [UInt8] { Array(text.utf8) }
}

/// A workbench with its outbox, and short words for what is done with it.
struct OutboxBench {
    let bench: Workbench
    let database: Database
    let outbox: SQLiteOutbox

    init(clock: TestClock = TestClock()) throws {
        try self.init(Workbench(clock: clock))
    }

    init(_ bench: Workbench) throws {
        self.bench = bench
        database = try bench.database
        outbox = try SQLiteOutbox(database)
    }

    var clock: TestClock { bench.clock }
    /// An hour ahead: later than anything is due that was not told to wait longer.
    var soon: Timestamp { Timestamp(microseconds: clock.shown.microseconds + 3_600_000_000) }

    func inOrganization(_ name: String) throws -> OutboxBench { try OutboxBench(try bench.inOrganization(name)) }

    @discardableResult
    func add(
        _ dialect: DialectName = .standard, types: Set<EventType>? = nil, job: RecordID? = nil, personal: Bool = false,
        secret: SealedSecret? = nil
    ) throws -> Endpoint {
        try database.addEndpoint(
            Endpoint(
                id: database.newEndpointID(), organization: bench.organization.number, url: "https://one.example/hook", dialect: dialect,
                types: types, job: job?.ulid, includesPersonal: personal, secret: secret, createdAt: clock.shown))
    }

    func due(_ endpoint: Endpoint, limit: Int = 1_000, except: Set<Int64> = []) throws -> [DueDelivery] {
        try outbox.due(of: endpoint.number, now: soon, limit: limit, except: except)
    }

    func types(_ endpoint: Endpoint) throws -> [EventType] { try due(endpoint).map(\.type) }

    func log(_ change: (inout DeliveryQuery) -> Void = { _ in }) throws -> [DeliverySummary] {
        var query = DeliveryQuery()
        query.limit = 1_000
        change(&query)
        return try outbox.deliveries(query).rows
    }

    func state(_ id: DeliveryID) throws -> DeliverySummary { try #require(try outbox.delivery(id)).summary }

    func attempt(_ status: Int? = 200, body: String = "ok", error: String? = nil) -> Attempt {
        Attempt(
            startedAt: clock.now, duration: 1_500, requestHeaders: [("webhook-id", "evt_1"), ("x-a", "\"b\"")], responseStatus: status,
            responseHeaders: [("server", body)], responseBody: Array(body.utf8), error: error)
    }

    func record(_ delivery: DueDelivery, _ next: DeliveryNext, _ attempt: Attempt? = nil, disables: String? = nil) throws {
        try outbox.record([
            AttemptRecord(
                delivery: delivery.number, endpoint: delivery.endpoint, attempt: attempt ?? self.attempt(), next: next, disables: disables)
        ])
    }

    /// Everything due of an endpoint goes out.
    func finish(_ endpoint: Endpoint, _ next: DeliveryNext = .succeeded) throws {
        for delivery in try due(endpoint) { try record(delivery, next) }
    }

    func count(_ table: String) throws -> Int {
        try database.transaction { try $0("SELECT count(*) FROM \(table)").first { Int($0.integer(0)) } ?? 0 }
    }

    func run(_ sql: String) throws { try database.transaction { try $0(sql).run() } }

    /// Writes what the schema forbids.
    func damage(_ sql: String) throws {
        try database.queue.inDatabase { connection in
            let statements = StatementCache(try #require(connection.sqliteConnection))
            for pragma in ["foreign_keys = OFF", "ignore_check_constraints = ON"] { try statements("PRAGMA \(pragma)").run() }
            try statements(sql).run()
            for pragma in ["foreign_keys = ON", "ignore_check_constraints = OFF"] { try statements("PRAGMA \(pragma)").run() }
        }
    }
}

extension DueDelivery {
    var json: JSONValue { (try? JSONParser.parse(String(decoding: body, as: UTF8.self))) ?? .null }
}

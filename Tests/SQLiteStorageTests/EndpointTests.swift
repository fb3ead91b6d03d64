import Domain
import Testing

@testable import SQLiteStorage

@Suite("Endpoints")
struct EndpointTests {
    private let outbox: OutboxBench
    private var database: Database { outbox.database }

    init() throws { outbox = try OutboxBench() }

    private func draft(_ dialect: DialectName = .standard) -> Endpoint {
        Endpoint(
            id: database.newEndpointID(), organization: outbox.bench.organization.number, url: "https://a.example/b?c=1", dialect: dialect,
            createdAt: outbox.clock.shown)
    }

    @Test("An endpoint comes back as it went in")
    func stored() throws {
        let job = try outbox.bench.put(.job, #"{"title":"T"}"#).id
        var given = draft(.talentsprout)
        (given.types, given.job, given.schedule, given.attempts, given.timeout) = ([.interviewCompleted], job.ulid, [0, 30_000], 4, 5_000)
        given.secret = SealedSecret([1, 2, 3])
        _ = try database.addEndpoint(given)
        let found = try #require(try database.endpoint(given.id))
        #expect(found.url == given.url && found.dialect == .talentsprout && found.types == [.interviewCompleted] && found.job == job.ulid)
        #expect(found.schedule == [0, 30_000] && found.attempts == 4 && found.timeout == 5_000 && found.secret == given.secret)
        #expect(found.state == .active && found.previous == nil && found.organizationName == "default" && found.number > 0)
        #expect(try database.endpoints().map(\.id) == [given.id] && outbox.outbox.endpoints().map(\.id) == [given.id])
        let other = try outbox.bench.engine.organization("other")
        #expect(try database.endpoints(of: other.number).isEmpty)
    }

    @Test("What can't be is refused by its name")
    func faults() throws {
        func faults(_ dialect: DialectName = .standard, _ change: (inout Endpoint) -> Void) -> [String] {
            var endpoint = draft(dialect)
            change(&endpoint)
            do { _ = try database.addEndpoint(endpoint) } catch let faults as InputFaults { return faults.faults.map(\.pointer) } catch {}
            return []
        }
        #expect(faults { $0.url = "" } == ["url"])
        #expect(faults { $0.url = "https://a.example/" + String(repeating: "a", count: 2_100) } == ["url"])
        #expect(faults(.tenzo) { $0.types = [.callUploaded] } == ["events"])
        #expect(faults { $0.types = [] } == ["events"])
        #expect(faults { $0.job = ULID(high: 1, low: 1) } == ["job"])
        #expect(faults(.kendo) { $0.job = ULID(high: 1, low: 1) } == ["job", "job"])
        #expect(faults { ($0.attempts, $0.timeout, $0.schedule) = (0, 0, []) } == ["attempts", "timeout", "schedule"])
        #expect(faults { ($0.attempts, $0.timeout, $0.schedule) = (101, 700_000, [-1]) } == ["attempts", "timeout", "schedule"])
        #expect(try database.endpoints().isEmpty)
    }

    @Test("An edit counts for the events after it, and does not change the dialect")
    func edited() throws {
        let endpoint = try outbox.add()
        try outbox.bench.put(.candidate, #"{"external_id":"c","email":"a@b.example"}"#)
        let edited = try database.editEndpoint(endpoint.id) {
            ($0.url, $0.types, $0.includesPersonal) = ("https://new.example", [.candidateStatusChanged], true)
        }
        #expect(edited?.url == "https://new.example" && edited?.types == [.candidateStatusChanged])
        try outbox.bench.put(.candidate, "{}")
        try outbox.bench.put(.candidate, #"{"external_id":"c","status":"offer"}"#)
        #expect(try outbox.due(endpoint).map { $0.json["data"]?["candidate"]?.string("email") } == [nil, "a@b.example"])
        #expect(throws: InputFaults.self) { try database.editEndpoint(endpoint.id) { $0.dialect = .kendo } }
        #expect(throws: InputFaults.self) { try database.editEndpoint(endpoint.id) { $0.attempts = 0 } }
        #expect(try database.editEndpoint(EndpointID(ULID(high: 1, low: 1))) { _ in } == nil)
    }

    @Test("A rotated secret stays until its time; without a time it is gone at once")
    func secrets() throws {
        #expect(try !database.hasSecrets())
        let endpoint = try outbox.add(secret: SealedSecret([1]))
        #expect(try database.hasSecrets())
        let until = outbox.soon
        var changed = try #require(try database.changeSecret(of: endpoint.id, to: SealedSecret([2]), previousUntil: until))
        #expect(changed.secret == SealedSecret([2]) && changed.previous?.secret == SealedSecret([1]) && changed.previous?.until == until)
        changed = try #require(try database.changeSecret(of: endpoint.id, to: SealedSecret([3]), previousUntil: nil))
        #expect(changed.secret == SealedSecret([3]) && changed.previous == nil)
        let open = try outbox.add(.tenzo)
        #expect(try database.changeSecret(of: open.id, to: SealedSecret([4]), previousUntil: until)?.previous == nil)
        _ = try database.removeEndpoint(endpoint.id)
        _ = try database.changeSecret(of: open.id, to: nil, previousUntil: nil)
        #expect(try !database.hasSecrets())
    }

    @Test("Enabling forgets the failures; disabling again keeps the first reason")
    func states() throws {
        let endpoint = try outbox.add()
        try outbox.bench.put(.candidate, "{}")
        try outbox.record(try outbox.due(endpoint)[0], .failed)
        let at = outbox.clock.shown
        _ = try database.setEndpoint(endpoint.id, .disabled(reason: "first", at: at))
        #expect(
            try database.setEndpoint(endpoint.id, .disabled(reason: "second", at: outbox.soon))?.state == .disabled(reason: "first", at: at)
        )
        let enabled = try #require(try database.setEndpoint(endpoint.id, .active))
        #expect(enabled.state == .active && enabled.failingSince == nil)
    }

    @Test("Removing an endpoint takes its secret, deliveries, attempts and bodies; events and the others' stay")
    func removed() throws {
        let (endpoint, other) = (try outbox.add(secret: SealedSecret([1])), try outbox.add())
        for _ in 0..<3 { try outbox.bench.put(.candidate, "{}") }
        let held = try outbox.due(endpoint)
        try outbox.record(held[0], .succeeded)
        #expect(try database.removeEndpoint(endpoint.id))
        #expect(try database.endpoint(endpoint.id) == nil && !database.removeEndpoint(endpoint.id))
        #expect(try outbox.count("deliveries") == 3 && outbox.count("attempts") == 0 && outbox.count("endpoints") == 1)
        #expect(try outbox.due(other).count == 3 && outbox.bench.events().count == 3)
        // Its attempts in flight find nothing, not even a delivery that got the number of theirs.
        try outbox.bench.put(.candidate, "{}")
        try outbox.record(held[2], .succeeded)
        #expect(try outbox.due(other).count == 4 && outbox.add().number > endpoint.number)
    }

    @Test("An interrupted removal is gone for everybody, and is finished by the expiry")
    func interrupted() throws {
        let endpoint = try outbox.add()
        try outbox.bench.put(.candidate, "{}")
        try outbox.run("UPDATE endpoints SET removed_at = 1")
        try outbox.bench.put(.candidate, "{}")
        #expect(try outbox.due(endpoint).isEmpty && outbox.log().isEmpty && outbox.outbox.endpoints().isEmpty)
        #expect(try outbox.outbox.work(now: outbox.soon).endpoints.isEmpty && outbox.count("deliveries") == 1)
        while try outbox.outbox.expireDeliveries(before: Timestamp(microseconds: 0)) {}
        #expect(try outbox.count("deliveries") == 0 && outbox.count("endpoints") == 0 && outbox.count("bodies") == 0)
    }

    @Test("A test is an event of the feed that goes to one endpoint, whatever it asked for", arguments: DialectName.allCases)
    func test(dialect: DialectName) throws {
        let (endpoint, other) = (try outbox.add(dialect), try outbox.add())
        let counter = try outbox.bench.counter()
        let id = try #require(try database.createTest(for: endpoint.id))
        let delivery = try #require(try outbox.due(endpoint).first)
        #expect(delivery.id == id && delivery.isTest && delivery.type == .webhookTest && delivery.json.string("sample") == dialect.rawValue)
        let event = try #require(try outbox.bench.events().first)
        #expect(event.string("type") == "webhook.test" && event["subject"]?.isNull == true && event.id == delivery.event.description)
        #expect(event["data"]?["endpoint"]?.string("id") == endpoint.id.description)
        #expect(try outbox.due(other).isEmpty && outbox.bench.counter() == counter + 1)
        #expect(try database.createTest(for: EndpointID(ULID(high: 1, low: 1))) == nil)
    }
}

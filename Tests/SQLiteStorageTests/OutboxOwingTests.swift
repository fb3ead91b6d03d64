import Domain
import Testing

@testable import SQLiteStorage

@Suite("Outbox: what an event's transaction owes to whom")
struct OutboxOwingTests {
    @Test("Each endpoint gets the events that it asked for and its dialect can tell of")
    func subscriptions() throws {
        let outbox = try OutboxBench()
        let (all, some, other) = (try outbox.add(), try outbox.add(types: [.jobStatusChanged]), try outbox.add(.rejento))
        try outbox.bench.put(.candidate, #"{"external_id":"c"}"#)
        try outbox.bench.put(.job, #"{"external_id":"j","title":"T","status":"open"}"#)
        try outbox.bench.put(.candidate, #"{"external_id":"c","status":"offer"}"#)
        #expect(try outbox.types(all) == [.candidateCreated, .jobStatusChanged, .candidateStatusChanged])
        #expect(try outbox.types(some) == [.jobStatusChanged])
        #expect(try outbox.types(other) == [.candidateCreated, .candidateStatusChanged])
        let events = try outbox.bench.events().map(\.id)
        #expect(try outbox.due(all).map(\.event.description) == events)
    }

    @Test("Nothing crosses between organizations")
    func organizations() throws {
        let (one, two) = (try OutboxBench(), try OutboxBench().inOrganization("two"))
        let (mine, theirs) = (try one.add(), try one.inOrganization("three").add())
        try one.bench.put(.candidate, "{}")
        try two.bench.put(.candidate, "{}")
        #expect(try one.due(mine).count == 1 && one.due(theirs).isEmpty)
    }

    @Test("An endpoint with a job takes that job's interview events, and no others, in place of its dialect's")
    func jobs() throws {
        let outbox = try OutboxBench()
        let job = try outbox.bench.put(.job, #"{"external_id":"j","title":"T","status":"open"}"#).id
        try outbox.bench.put(.job, #"{"external_id":"k","title":"U"}"#)
        let (wide, override) = (try outbox.add(.talentsprout), try outbox.add(.talentsprout, types: [.interviewCompleted], job: job))
        let (standard, ofJob) = (try outbox.add(), try outbox.add(job: job))
        for (id, job) in [("a", "j"), ("b", "k")] {
            try outbox.bench.put(.interview, #"{"external_id":"\#(id)","job_external_id":"\#(job)","status":"completed"}"#)
            try outbox.bench.put(.interview, #"{"external_id":"\#(id)","status":"abandoned"}"#)
        }
        try outbox.bench.put(.job, #"{"external_id":"j","status":"closed"}"#)
        // It did not ask for the abandoned one, which stays with the organization-wide endpoint.
        #expect(try outbox.types(override) == [.interviewCompleted])
        #expect(try outbox.types(wide) == [.interviewAbandoned, .interviewCompleted, .interviewAbandoned])
        #expect(try outbox.types(ofJob) == [.interviewCompleted, .interviewAbandoned])
        #expect(try outbox.types(standard) == [.interviewCompleted, .interviewAbandoned, .jobStatusChanged])
    }

    @Test("Those of one dialect and the same personal data share a body; one that names its delivery is its own")
    func bodies() throws {
        let outbox = try OutboxBench()
        let masked = [try outbox.add(), try outbox.add()]
        let personal = [try outbox.add(personal: true), try outbox.add(personal: true)]
        let named = [try outbox.add(.rejento), try outbox.add(.rejento)]
        try outbox.bench.put(.candidate, #"{"external_id":"c","email":"ada@one.example"}"#)
        #expect(try outbox.count("bodies") == 4 && outbox.count("deliveries") == 6)
        for endpoint in masked {
            let body = try #require(try outbox.due(endpoint).first).json
            #expect(body["data"]?["candidate"]?["email"]?.isNull == true)
        }
        for endpoint in personal + named {
            let body = try #require(try outbox.due(endpoint).first).json
            #expect(body["data"]?["candidate"]?.string("email") == "ada@one.example")
        }
        for endpoint in named {
            let delivery = try #require(try outbox.due(endpoint).first)
            #expect(delivery.json.string("delivery") == delivery.id.description)
        }
        #expect(Set(try outbox.log().map(\.id)).count == 6)
    }

    @Test("The body is of the event's own transaction, with the application where the subject has one")
    func facts() throws {
        let outbox = try OutboxBench()
        let endpoint = try outbox.add(types: [.interviewScheduled, .interviewCompleted])
        let related = try Related(outbox.bench)
        try outbox.bench.put(.interview, #"{"external_id":"i","application_id":"\#(related.application)"}"#)
        try outbox.bench.put(.interview, #"{"external_id":"i","status":"completed"}"#)
        let bodies = try outbox.due(endpoint).map(\.json)
        #expect(bodies.map { $0.string("application") } == [related.application.description, related.application.description])
        #expect(bodies.map { $0.string("name") } == ["scheduled", "completed"] && bodies.map { $0.number("version") } == [1, 2])
        #expect(bodies.map { $0.string("event") } == (try outbox.bench.events().suffix(2).map(\.id)))
    }

    @Test("What tells of a deletion is made without the record")
    func deletion() throws {
        let outbox = try OutboxBench()
        let endpoint = try outbox.add(.rejento, types: [.candidateDeleted])
        let id = try outbox.bench.put(.candidate, #"{"external_id":"c","full_name":"Ada Ng"}"#).id
        try outbox.bench.delete(id)
        let body = try #require(try outbox.due(endpoint).first).json
        #expect(body["name"]?.isNull == true && body.number("version") == 2)
    }

    @Test("A body that can't be made parks its delivery with the reason; the change and the others go on")
    func unrenderable() throws {
        let outbox = try OutboxBench()
        let (masked, personal) = (try outbox.add(), try outbox.add(personal: true))
        // The renderer refuses what it reads, and only one of the two reads this.
        let id = try outbox.bench.put(.candidate, #"{"external_id":"c","email":"unrenderable@one.example"}"#).id
        #expect(try outbox.bench.record(id) != nil && outbox.bench.events().count == 1)
        #expect(try outbox.due(masked).count == 1 && outbox.due(personal).isEmpty)
        let parked = try outbox.log { $0.statuses = [.parked] }
        #expect(parked.map(\.endpoint) == [personal.id] && parked.first?.reason?.contains("can't be made") == true)
        #expect(try #require(try outbox.outbox.delivery(parked[0].id)).body == nil)
    }

    @Test("A disabled endpoint gets deliveries too, which are held until it is enabled")
    func held() throws {
        let outbox = try OutboxBench()
        let endpoint = try outbox.add()
        _ = try outbox.database.setEndpoint(endpoint.id, .disabled(reason: "by hand", at: outbox.clock.shown))
        try outbox.bench.put(.candidate, "{}")
        #expect(try outbox.due(endpoint).isEmpty && outbox.outbox.work(now: outbox.soon).endpoints.isEmpty)
        #expect(try outbox.log().map(\.isHeld) == [true])
        let state = try outbox.outbox.outboxState(now: outbox.soon)
        #expect(state.held == 1 && state.pending == 0 && state.disabledEndpoints == 1 && state.oldestDue == nil)
        _ = try outbox.database.setEndpoint(endpoint.id, .active)
        #expect(try outbox.due(endpoint).count == 1 && outbox.outbox.work(now: outbox.soon).endpoints == [endpoint.number])
    }

    @Test("History makes neither events nor deliveries")
    func history() throws {
        let outbox = try OutboxBench()
        try outbox.add()
        try outbox.bench.put(.candidate, #"{"external_id":"c"}"#, isHistory: true)
        #expect(try outbox.bench.events().isEmpty && outbox.log().isEmpty && outbox.count("bodies") == 0)
    }

    @Test("A change that fails after its event leaves neither event nor delivery")
    func atomic() throws {
        struct Stop: Error {}
        let outbox = try OutboxBench()
        let endpoint = try outbox.add()
        let input = try RecordInput(kind: .candidate, json: JSONParser.parse(#"{"external_id":"c"}"#))
        #expect(throws: Stop.self) {
            try outbox.database.write { writer in
                _ = try writer.apply(input, in: outbox.bench.organization, options: ChangeOptions())
                throw Stop()
            }
        }
        #expect(try outbox.bench.events().isEmpty && outbox.due(endpoint).isEmpty && outbox.count("bodies") == 0)
        // And the other way round: where the delivery can't be written, the change is not.
        try outbox.run("CREATE TRIGGER stop BEFORE INSERT ON deliveries BEGIN SELECT raise(ABORT, 'no'); END")
        #expect(throws: StoreError.self) { try outbox.bench.put(.candidate, #"{"external_id":"c"}"#) }
        #expect(try outbox.bench.list(.candidate).rows.isEmpty && outbox.bench.events().isEmpty && outbox.count("bodies") == 0)
    }

    @Test("Without what makes bodies, a change is refused where there are endpoints, and only there")
    func noRenderer() throws {
        let folder = try TemporaryFolder()
        let engine = try SQLiteEngine(folder: folder, time: TestClock())
        let bare = try Database(path: engine.database.path, time: TestClock())
        let organization = try engine.organization("default")
        let input = try RecordInput(kind: .candidate, json: JSONParser.parse("{}"))
        func change() throws { _ = try bare.write { try $0.apply(input, in: organization, options: ChangeOptions()) } }
        try change()
        _ = try engine.database.addEndpoint(
            Endpoint(
                id: bare.newEndpointID(), organization: organization.number, url: "https://a.example", dialect: .standard,
                createdAt: bare.now))
        #expect(throws: StoreError.self) { try change() }
        #expect(try engine.database.transaction { try $0("SELECT count(*) FROM candidates").first { $0.integer(0) } } == 1)
    }
}

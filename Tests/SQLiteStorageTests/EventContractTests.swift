import Domain
import TestSupport
import Testing

@Suite("Storage contract: events are written with the change that they tell of")
struct EventContractTests {
    private func types(_ bench: Workbench, after: Int64) throws -> [String] {
        try bench.events(after: after).compactMap { $0.string("type") }
    }

    /// For each step an input and the events that it raises.
    struct Story: Sendable, CustomTestStringConvertible {
        let kind: RecordKind
        let steps: [(json: String, events: [String])]
        var testDescription: String { "\(kind): \(steps[0].json)" }
        init(_ kind: RecordKind, _ steps: (String, [String])...) {
            self.kind = kind
            self.steps = steps.map { ($0.0, $0.1) }
        }
    }

    static let stories: [Story] = [
        Story(
            .candidate, ("{}", ["candidate.created"]), (#"{"headline":"h"}"#, []), (#"{"status":"offer"}"#, ["candidate.status_changed"]),
            (#"{"status":"offer"}"#, []), (#"{"status":null}"#, ["candidate.status_changed"])),
        Story(
            .job, (#"{"title":"T"}"#, ["job.status_changed"]), (#"{"title":"U"}"#, []), (#"{"status":"paused"}"#, ["job.status_changed"]),
            (#"{"status":"draft"}"#, [])),
        Story(.job, (#"{"title":"T","status":"closed"}"#, []), (#"{"status":"open"}"#, ["job.status_changed"])),
        Story(.job, (#"{"title":"T","status":"draft"}"#, []), (#"{"status":"filled"}"#, ["job.status_changed"])),
        Story(
            .interview, ("{}", ["interview.scheduled"]), (#"{"scheduled_at":"2026-03-01T09:00:00Z"}"#, ["interview.scheduled"]),
            (#"{"title":"t"}"#, []), (#"{"status":"in_progress"}"#, []), (#"{"scheduled_at":"2026-03-02T09:00:00Z"}"#, []),
            (#"{"status":"completed"}"#, ["interview.completed"]), (#"{"result":{"overall_grade":9}}"#, [])),
        Story(.interview, (#"{"status":"completed"}"#, ["interview.completed"])),
        Story(
            .interview, (#"{"status":"in_progress"}"#, []), (#"{"status":"abandoned"}"#, ["interview.abandoned"]),
            (#"{"status":"scheduled"}"#, ["interview.scheduled"])),
        Story(.interview, (#"{"status":"cancelled"}"#, []), (#"{"status":"no_show"}"#, [])),
        Story(
            .match, (#"{"score":69.9}"#, []), (#"{"score":70}"#, ["candidate.matched"]), (#"{"score":99}"#, []), (#"{"score":10}"#, []),
            (#"{"score":70.5}"#, ["candidate.matched"])),
        Story(.match, (#"{"score":100}"#, ["candidate.matched"])),
        Story(
            .call, (#"{"status":"started"}"#, []), (#"{"status":"completed"}"#, ["ai_call.completed"]),
            (#"{"ai_score":0}"#, ["call.uploaded"]), (#"{"ai_score":5}"#, [])),
        Story(.call, (#"{"status":"completed","ai_score":7}"#, ["ai_call.completed", "call.uploaded"])),
        Story(
            .training, (#"{"agent_id":"x"}"#, []), (#"{"completed_at":"2026-01-01T00:00:00Z"}"#, ["ai.training.completed"]),
            (#"{"completed_at":"2026-01-02T00:00:00Z"}"#, [])),
        Story(.training, (#"{"completed_at":"2026-01-01T00:00:00Z"}"#, ["ai.training.completed"])),
        Story(.application, (#"{"status":"a"}"#, []), (#"{"status":"b"}"#, [])),
        Story(.broadcast, (#"{"status":"a"}"#, []), (#"{"status":"b"}"#, [])),
    ]

    private func head(_ kind: RecordKind) -> String {
        switch kind {
        case .application, .match: #"{"external_id":"s","candidate_external_id":"related-c","job_external_id":"related-j","#
        case .interview: #"{"external_id":"s","candidate_external_id":"related-c","#
        case .broadcast: #"{"external_id":"s","job_external_id":"related-j","#
        default: #"{"external_id":"s","#
        }
    }

    @Test("Each rule raises its events and no others", arguments: stories)
    func rules(story: Story) throws {
        let bench = try Workbench()
        _ = try Related(bench)
        for step in story.steps {
            let last = try #require(try bench.events().last?.number("sequence").map { Int64($0) })
            let outcome = try bench.put(story.kind, head(story.kind).joining(step.json))
            #expect(try types(bench, after: last) == step.events, "\(step.json)")
            for event in try bench.events(after: last) {
                #expect(event["subject"]?.string("id") == outcome.id.description && event["subject"]?.string("kind") == story.kind.singular)
                #expect(event["subject"]?.number("version") == Double(outcome.record.version))
                #expect(event.time("created_at") == outcome.record.updatedAt && event.string("organization") == "default")
                let record = event["data"]?[story.kind.singular]
                #expect(record?.number("version") == Double(outcome.record.version), "the record as it became")
            }
        }
    }

    @Test("History raises no event", arguments: stories)
    func history(story: Story) throws {
        let bench = try Workbench()
        _ = try Related(bench)
        let before = try bench.events().count
        for step in story.steps { try bench.put(story.kind, head(story.kind).joining(step.json), isHistory: true) }
        #expect(try bench.events().count == before)
    }

    @Test("A deletion tells of the candidate by its id alone")
    func deletion() throws {
        let bench = try Workbench()
        let related = try Related(bench)
        let last = try #require(try bench.events().last?.number("sequence").map { Int64($0) })
        try bench.delete(related.job)
        #expect(try types(bench, after: last) == [])
        try bench.delete(related.candidate)
        let event = try #require(try bench.events(after: last).first)
        #expect(event.string("type") == "candidate.deleted" && event["subject"]?.number("version") == 2)
        #expect(event["data"]?.text == #"{"candidate":{"id":"\#(related.candidate)"}}"#)
        let other = try bench.put(.candidate, #"{"external_id":"h"}"#, isHistory: true).id
        try bench.delete(other, isHistory: true)
        #expect(try types(bench, after: last) == ["candidate.deleted"])
    }

    @Test("What changed is told with it: from, to, reason, the time before, the candidate and the job")
    func extras() throws {
        let bench = try Workbench()
        _ = try Related(bench)
        let last = try #require(try bench.events().last?.number("sequence").map { Int64($0) })
        try bench.put(.candidate, #"{"external_id":"related-c","status":"rejected"}"#, reason: "no reply")
        try bench.put(.job, #"{"external_id":"related-j","status":"closed"}"#)
        let both = #""candidate_external_id":"related-c","job_external_id":"related-j""#
        try bench.put(.interview, #"{"external_id":"i","scheduled_at":"2026-03-01T09:00:00Z",\#(both)}"#)
        try bench.put(.interview, #"{"external_id":"i","scheduled_at":"2026-03-01T10:00:00Z"}"#)
        let data = try bench.events(after: last).compactMap { $0["data"] }
        #expect(
            data.map { $0.string("from") } == ["new", "open", nil, nil] && data.map { $0.string("to") } == ["rejected", "closed", nil, nil])
        #expect(data[0].string("reason") == "no reply")
        #expect(data[2]["rescheduled_from"] == nil && data[3].string("rescheduled_from") == "2026-03-01T09:00:00.000000Z")
        #expect(data[3]["candidate"]?.members.map(\.name) == ["id", "external_id", "full_name", "status"])
        #expect(data[3]["job"]?.members.map(\.name) == ["id", "external_id", "title", "status"])
    }

    @Test("Sequences have no gap in any organization, whatever fails in between")
    func gapless() throws {
        struct Stop: Error {}
        var random = SeededGenerator("gapless sequences")
        let bench = try Workbench()
        let benches = try [bench, bench.inOrganization("second"), bench.inOrganization("third")]
        for _ in 0..<80 {
            let at = random.pick(benches)
            let inputs = try (0..<random.number(1...6)).map { _ in
                let status = random.pick(RecordSchema.candidateStatuses)
                return try RecordInput(
                    kind: .candidate, json: JSONParser.parse(#"{"external_id":"\#(random.number(0...9))","status":"\#(status)"}"#))
            }
            let fails = random.chance(25)
            try? bench.engine.writing.write { writer in
                for input in inputs { _ = try writer.apply(input, in: at.organization, options: ChangeOptions()) }
                if fails { throw Stop() }
            }
        }
        for at in benches {
            let events = try at.events()
            #expect(events.compactMap { $0.number("sequence") } == (1...events.count).map(Double.init))
            #expect(Set(events.map(\.id)).count == events.count)
            #expect(try at.events(EventQuery()).end.lastSequence == Int64(events.count))
        }
    }

    @Test("An event tells of its candidate as it is at that moment, also within one transaction", arguments: [10, 100_000])
    func relatives(size: Int) throws {
        // given: more to keep of a candidate than is kept for its events, or less
        let bench = try Workbench()
        let resume = String(repeating: "x", count: size)
        func input(_ kind: RecordKind, _ json: String) throws -> RecordInput { try RecordInput(kind: kind, json: JSONParser.parse(json)) }
        let person = #""external_id":"c","resume":{"text":"\#(resume)"}"#
        var history = ChangeOptions()
        history.isHistory = true
        var steps: [(RecordKind, String, ChangeOptions)] = [
            (.job, #"{"external_id":"j","title":"Job"}"#, ChangeOptions()),
            (.candidate, #"{"external_id":"c","full_name":"name 0"}"#, ChangeOptions()),
        ]
        for number in 1...3 {
            steps.append((.candidate, #"{\#(person),"full_name":"name \#(number)"}"#, number == 2 ? history : ChangeOptions()))
            for kind in [RecordKind.match, .application] {
                let score = kind == .match ? #","score":90"# : ""
                steps.append(
                    (kind, #"{"external_id":"\#(number)","candidate_external_id":"c","job_external_id":"j"\#(score)}"#, ChangeOptions()))
            }
        }

        // when
        try bench.engine.writing.write { writer in
            for (kind, json, options) in steps { _ = try writer.apply(input(kind, json), in: bench.organization, options: options) }
        }

        // then
        let told = try bench.events().filter { $0["type"]?.text == #""candidate.matched""# }
        #expect(told.map { $0["data"]?["candidate"]?["full_name"]?.text } == (1...3).map { #""name \#($0)""# })
        // The place that applications know of their candidate by is its own, or the list of a job's applicants would miss it.
        #expect(try bench.list(.candidate, "job_id=\(bench.list(.job).ids[0])").ids.count == 1)
    }

    @Test("Filters and pages of the feed agree with a look through all of it")
    func pages() throws {
        var random = SeededGenerator("event pages")
        let bench = try Workbench()
        var ids: [RecordID] = []
        for step in 0..<150 {
            let outcome = try bench.put(
                .candidate, #"{"external_id":"\#(random.number(0...12))","status":"\#(random.pick(RecordSchema.candidateStatuses))"}"#)
            ids.append(outcome.id)
            if step % 17 == 3 { try bench.delete(outcome.id) }
        }
        let all = try bench.events()
        for _ in 0..<60 {
            var query = EventQuery()
            query.limit = random.number(1...20)
            query.after = Int64(random.number(0...all.count))
            if random.chance(40) {
                query.types = [random.pick([.candidateCreated, .candidateStatusChanged, .candidateDeleted]), .callUploaded]
            }
            if random.chance(40) { query.candidates = [random.pick(ids).ulid, random.pick(ids).ulid] }
            if random.chance(30) { query.createdAfter = random.pick(all).time("created_at") }
            if random.chance(30) { query.createdBefore = random.pick(all).time("created_at") }
            let asked = query
            let wanted = all.filter { event in
                let time = event.time("created_at")!
                return event.number("sequence")! > Double(asked.after!)
                    && (asked.types.isEmpty || asked.types.contains { $0.rawValue == event.string("type") })
                    && (asked.candidates.isEmpty
                        || asked.candidates.contains { RecordID(kind: .candidate, ulid: $0).description == event["subject"]!.id })
                    && (asked.createdAfter.map { time >= $0 } ?? true) && (asked.createdBefore.map { time < $0 } ?? true)
            }
            var found: [JSONValue] = []
            while true {
                let (rows, end) = try bench.events(query)
                found += rows
                #expect(end.count == rows.count && end.lastSequence >= query.after!)
                query.after = end.lastSequence
                guard end.hasMore else { break }
            }
            #expect(found.map(\.id) == wanted.map(\.id))
            #expect(query.after == Int64(all.count))
        }
    }

    @Test("Expired events are told of, never passed over in silence")
    func expired() throws {
        let bench = try Workbench(clock: TestClock(step: 1_000_000))
        for index in 0..<10 { try bench.put(.candidate, #"{"external_id":"\#(index)"}"#) }
        let middle = try #require(try bench.events()[5].time("created_at"))
        #expect(try bench.engine.expireEvents(before: middle) == 5)
        var query = EventQuery()
        query.after = 4
        #expect(try bench.events(query).end.expired)
        query.after = 5
        #expect(try bench.events(query).rows.count == 5)
        query.after = nil
        #expect(try bench.events(query).rows.count == 5)
        #expect(try bench.engine.expireEvents(before: middle) == 0)
        #expect(try bench.engine.expireEvents(before: bench.clock.now) == 5)
        #expect(try bench.events(EventQuery()).end.lastSequence == 10)
        try bench.put(.candidate, #"{"external_id":"new"}"#)
        #expect(try bench.events(EventQuery()).rows.map { $0.number("sequence") } == [11])
    }
}

import Domain
import Testing

@Suite("Storage contract: what a change makes of a record")
struct ChangeContractTests {
    @Test("A new record has version 1, and the clock's time as created_at and updated_at")
    func created() throws {
        let bench = try Workbench()
        let now = bench.clock.shown
        let outcome = try bench.put(.candidate, #"{"external_id":"c1","first_name":"Ada","last_name":"Ng"}"#)
        #expect(outcome.isCreated)
        #expect(outcome.record.version == 1)
        #expect(outcome.record.createdAt == now && outcome.record.updatedAt == now)
        let stored = try #require(try bench.record(outcome.id))
        #expect(stored.string("full_name") == "Ada Ng" && stored.string("status") == "new")
        #expect(stored.number("version") == 1 && stored.time("updated_at") == now)
    }

    @Test("An update counts the version up and keeps id and created_at")
    func updated() throws {
        let bench = try Workbench()
        let first = try bench.put(.job, #"{"external_id":"j","title":"Cook"}"#).record
        let second = try bench.put(.job, #"{"external_id":"j","openings":2}"#)
        #expect(second.isUpdated && second.record.version == 2 && second.record.id == first.id)
        #expect(second.record.createdAt == first.createdAt && second.record.updatedAt > first.updatedAt)
        #expect(try bench.list(.job).rows.count == 1)
    }

    @Test(
        "What is equal after parsing writes nothing",
        arguments: [
            (#"{"custom":{"a":1,"b":[1,2]}}"#, #"{"custom":{ "b" : [1.0,2], "a":1e0 }}"#),
            (#"{"skills":["C++","C#"],"years_experience":7}"#, #"{"skills":["C++","C#"],"years_experience":7.0}"#),
            (#"{"status":"new"}"#, #"{"status":null}"#), (#"{"email":"a@b.example"}"#, "{}"),
            (#"{"resume":{"file_name":"cv.pdf"}}"#, #"{"resume.file_name":"cv.pdf"}"#),
            (#"{"first_name":"A","last_name":"B"}"#, #"{"full_name":"A B"}"#), (#"{"phone":""}"#, #"{"phone":null}"#),
            (#"{"custom":{"a":1,"a":2}}"#, #"{"custom":{"a":2}}"#),
        ])
    func unchanged(first: String, again: String) throws {
        let bench = try Workbench()
        let created = try bench.put(.candidate, #"{"external_id":"x","#.joining(first)).record
        let (counter, events) = (try bench.counter(), try bench.events().count)
        let outcome = try bench.put(.candidate, #"{"external_id":"x","#.joining(again))
        #expect(outcome.isUnchanged)
        #expect(outcome.record.version == 1 && outcome.record.updatedAt == created.updatedAt)
        #expect(try bench.counter() == counter && bench.events().count == events)
    }

    @Test(
        "What differs in any byte or value is a change",
        arguments: [
            (#"{"headline":"\u00c9"}"#, #"{"headline":"E\u0301"}"#), (#"{"headline":"a"}"#, #"{"headline":"A"}"#),
            (#"{"custom":{"a":1}}"#, #"{"custom":{"a":"1"}}"#), (#"{"custom":{"a":null}}"#, #"{"custom":{}}"#),
            (#"{"skills":["a","b"]}"#, #"{"skills":["b","a"]}"#), (#"{"skills":[]}"#, #"{"skills":null}"#),
            (#"{"custom":{"n":9007199254740993}}"#, #"{"custom":{"n":9007199254740992}}"#),
            (#"{"email":"a@b.example"}"#, #"{"email":null}"#), (#"{"custom":{"\u00c9":1}}"#, #"{"custom":{"E\u0301":1}}"#),
        ])
    func changed(first: String, again: String) throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"x","#.joining(first))
        let outcome = try bench.put(.candidate, #"{"external_id":"x","#.joining(again))
        #expect(outcome.isUpdated && outcome.record.version == 2)
    }

    @Test("A merge keeps absent fields and clears null ones; a replacement clears absent ones")
    func mergeAndReplace() throws {
        let bench = try Workbench()
        let full =
            #"{"external_id":"x","full_name":"N","email":"e@x.example","status":"offer","skills":["a"],"resume":{"file_name":"f","media_type":"m"}}"#
        let id = try bench.put(.candidate, full).id
        try bench.put(.candidate, #"{"external_id":"x","email":null,"resume":{"media_type":null}}"#)
        var row = try #require(try bench.record(id))
        #expect(row.string("full_name") == "N" && row["email"]?.isNull == true && row.string("status") == "offer")
        #expect(row["resume"]?.string("file_name") == "f" && row["resume"]?["media_type"]?.isNull == true)
        try bench.put(.candidate, #"{"external_id":"x","resume":null,"status":null}"#)
        row = try #require(try bench.record(id))
        #expect(row["resume"]?.isNull == true && row.string("status") == "new" && row["skills"]?.elements.count == 1)
        try bench.put(.candidate, #"{"external_id":"x","email":"new@x.example"}"#, mode: .replace)
        row = try #require(try bench.record(id))
        #expect(row["full_name"]?.isNull == true && row["skills"]?.isNull == true && row.string("email") == "new@x.example")
    }

    @Test("Every field of every kind comes back as it went in")
    func everyField() throws {
        let bench = try Workbench()
        let related = try Related(bench)
        for kind in RecordKind.allCases {
            let json = related.whole(kind)
            let outcome = try bench.put(kind, json)
            let stored = try #require(try bench.record(outcome.id))
            for member in try JSONParser.parse(json).members {
                let same = stored[member.name].map { $0.isEquivalent(to: member.value) } ?? false
                #expect(same, "\(kind) \(member.name): \(stored[member.name]?.text ?? "absent") for \(member.value.text)")
            }
            #expect(try bench.put(kind, json).isUnchanged, "\(kind) again")
        }
    }

    @Test("A completed interview does not go back, by import, by id, by clearing or by replacement")
    func completed() throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"c"}"#)
        let done = #"{"external_id":"i","candidate_external_id":"c","status":"completed"}"#
        let id = try bench.put(.interview, done).id
        for status in [#""scheduled""#, #""in_progress""#, "null"] {
            #expect(throws: InputFaults.self) { try bench.put(.interview, #"{"external_id":"i","status":\#(status)}"#) }
            #expect(throws: InputFaults.self) { try bench.change(id, #"{"status":\#(status)}"#) }
        }
        #expect(throws: InputFaults.self) {
            try bench.put(.interview, #"{"external_id":"i","candidate_external_id":"c"}"#, mode: .replace)
        }
        #expect(try bench.record(id)?.number("version") == 1)
        for status in ["abandoned", "completed", "cancelled", "completed", "no_show"] {
            #expect(try bench.put(.interview, #"{"external_id":"i","status":"\#(status)"}"#).isUpdated)
        }
    }

    @Test(
        "An interview that was completed once does not go back by way of another status, a deletion or both",
        arguments: ["abandoned", "cancelled", "no_show"])
    func completedOnce(between: String) throws {
        let bench = try Workbench()
        let candidate = try bench.put(.candidate, #"{"external_id":"c"}"#).id
        func put(_ status: String) throws -> ChangeOutcome {
            try bench.put(.interview, #"{"external_id":"i","candidate_external_id":"c","status":"\#(status)"}"#)
        }
        func isClosed() throws {
            for status in ["scheduled", "in_progress", ""] {
                let fault = #expect(throws: InputFaults.self) { try put(status) }
                #expect(fault?.faults.map(\.pointer) == ["/status"])
            }
        }
        let id = try put("completed").id
        #expect(try put(between).isUpdated)
        try isClosed()
        #expect(throws: InputFaults.self) { try bench.change(id, #"{"status":"scheduled"}"#) }
        try bench.delete(id)
        try isClosed()
        #expect(try bench.isGone(id), "a refused revival leaves the tombstone")
        #expect(try put(between).id == id)
        try isClosed()
        #expect(try put("completed").isUpdated)
        try bench.delete(id)
        try isClosed()
        #expect(try put("completed").id == id)
        // With its candidate it goes, and comes back no other.
        try bench.delete(candidate)
        try bench.put(.candidate, #"{"external_id":"c"}"#)
        try isClosed()
    }

    @Test("An interview that was never completed goes anywhere, deleted and revived too")
    func neverCompleted() throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"c"}"#)
        func put(_ status: String) throws -> ChangeOutcome {
            try bench.put(.interview, #"{"external_id":"i","candidate_external_id":"c","status":"\#(status)"}"#)
        }
        let id = try put("scheduled").id
        for status in ["cancelled", "scheduled", "no_show", "in_progress", "abandoned", "scheduled"] {
            #expect(try put(status).isUpdated, "\(status)")
        }
        try bench.delete(id)
        #expect(try put("scheduled").id == id)
        // Another one's completion is its own.
        try bench.put(.interview, #"{"external_id":"other","candidate_external_id":"c","status":"completed"}"#)
        #expect(try put("cancelled").isUpdated && put("scheduled").isUpdated)
    }

    @Test("A refused change leaves nothing, and the others of its transaction stay")
    func refusedAlone() throws {
        let bench = try Workbench()
        let good = try RecordInput(kind: .job, json: JSONParser.parse(#"{"external_id":"g","title":"T"}"#))
        let bad = try RecordInput(kind: .job, json: JSONParser.parse(#"{"external_id":"b"}"#))
        try bench.engine.writing.write { writer in
            _ = try writer.apply(good, in: bench.organization, options: ChangeOptions())
            #expect(throws: InputFaults.self) { try writer.apply(bad, in: bench.organization, options: ChangeOptions()) }
        }
        #expect(try bench.list(.job).rows.map { $0.string("external_id") } == ["g"])
        #expect(try bench.events().map { $0.number("sequence") } == [1])
    }

    @Test("A transaction that fails leaves nothing at all")
    func rolledBack() throws {
        struct Stop: Error {}
        let bench = try Workbench()
        let input = try RecordInput(kind: .candidate, json: JSONParser.parse(#"{"external_id":"c","full_name":"Quux"}"#))
        let (counter, mark) = (try bench.counter(), try bench.asOf(.candidate))
        #expect(throws: Stop.self) {
            try bench.engine.writing.write { writer in
                _ = try writer.apply(input, in: bench.organization, options: ChangeOptions())
                throw Stop()
            }
        }
        #expect(try bench.list(.candidate).rows.isEmpty && bench.list(.candidate, "q=quux").rows.isEmpty)
        #expect(try bench.events().isEmpty && bench.counter() == counter && bench.asOf(.candidate) == mark)
        #expect(try bench.put(.candidate, #"{"external_id":"c"}"#).isCreated)
        #expect(try bench.events().map { $0.number("sequence") } == [1])
    }

    @Test("A refusal stops a change, but not what changes nothing")
    func refusal() throws {
        let bench = try Workbench()
        try bench.put(.job, #"{"external_id":"j","title":"T"}"#)
        for (json, isRefused) in [(#"{"external_id":"j","title":"T"}"#, false), (#"{"external_id":"j","title":"U"}"#, true)] {
            let input = try RecordInput(kind: .job, json: JSONParser.parse(json))
            let result = Result {
                try bench.engine.writing.write {
                    try $0.apply(input, in: bench.organization, options: ChangeOptions()) { "line 3 says otherwise" }
                }
            }
            #expect(((try? result.get()) == nil) == isRefused)
        }
    }
}

extension String {
    /// `{"external_id":"x",` and `{"a":1}` as one object.
    func joining(_ object: String) -> String {
        object == "{}" ? String(dropLast()) + "}" : self + object.dropFirst()
    }
}

import Domain
import Testing

@Suite("Storage contract: relations between records")
struct ReferenceContractTests {
    @Test("A relation is given by id or by the other's external_id, also of a record of the same transaction")
    func given() throws {
        let bench = try Workbench()
        let (candidate, application) = try bench.engine.writing.write { writer in
            func apply(_ kind: RecordKind, _ json: String) throws -> RecordID {
                try writer.apply(
                    RecordInput(kind: kind, json: JSONParser.parse(json)), in: bench.organization, options: ChangeOptions()
                ).id
            }
            let candidate = try apply(.candidate, #"{"external_id":"c"}"#)
            let job = try apply(.job, #"{"external_id":"j","title":"T"}"#)
            return (
                candidate, try apply(.application, #"{"external_id":"a","candidate_external_id":"c","job_id":"\#(job)"}"#)
            )
        }
        let row = try #require(try bench.list(.application).rows.first)
        #expect(row.id == application.description && row.string("candidate_id") == candidate.description)
        #expect(row["candidate"]?.string("external_id") == "c" && row["job"]?.string("title") == "T")
    }

    @Test("A relation to nothing is refused with the field's name, and nothing is done")
    func unknown() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        let foreign = try other.put(.candidate, #"{"external_id":"theirs"}"#).id
        try bench.put(.job, #"{"external_id":"j","title":"T"}"#)
        let gone = try bench.put(.candidate, #"{"external_id":"gone"}"#).id
        try bench.delete(gone)
        let references = [
            #""candidate_external_id":"nobody""#, #""candidate_external_id":"theirs""#, #""candidate_external_id":"gone""#,
            #""candidate_id":"\#(foreign)""#, #""candidate_id":"\#(gone)""#, #""candidate_id":"cand_00000000000000000000000000""#,
        ]
        let (events, counter) = (try bench.events().count, try bench.counter())
        for reference in references {
            let fault = try #require(throws: InputFaults.self) {
                try bench.put(.match, #"{"external_id":"m","job_external_id":"j","score":9,\#(reference)}"#)
            }
            #expect(fault.faults.count == 1 && fault.faults[0].pointer.hasPrefix("/candidate_"))
        }
        #expect(try bench.list(.match).rows.isEmpty && bench.events().count == events && bench.counter() == counter)
    }

    @Test("External ids are an organization's and a kind's own, compared byte for byte")
    func externalIDs() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        var ids: Set<RecordID> = []
        for text in ["x", "X", "x ", "\u{c9}", "E\u{301}", "1", "01"] {
            let outcome = try bench.put(.candidate, #"{"external_id":"\#(text)"}"#)
            #expect(outcome.isCreated, "\(text)")
            ids.insert(outcome.id)
        }
        ids.insert(try bench.put(.job, #"{"external_id":"x","title":"T"}"#).id)
        ids.insert(try other.put(.candidate, #"{"external_id":"x"}"#).id)
        #expect(ids.count == 9)
        #expect(try bench.put(.candidate, #"{"external_id":"E\u0301"}"#).isUnchanged)
    }

    @Test("A relation by external_id finds the one with these bytes, within one transaction too")
    func bytes() throws {
        let bench = try Workbench()
        let texts = ["\u{c9}", "E\u{301}"]
        let ids = try bench.engine.writing.write { writer in
            func apply(_ kind: RecordKind, _ json: String) throws -> RecordID {
                try writer.apply(RecordInput(kind: kind, json: JSONParser.parse(json)), in: bench.organization, options: ChangeOptions()).id
            }
            let ids = try texts.map { try apply(.candidate, #"{"external_id":"\#($0)"}"#) }
            for text in texts { _ = try apply(.call, #"{"external_id":"\#(text)","candidate_external_id":"\#(text)"}"#) }
            return ids
        }
        #expect(try bench.list(.call).rows.map { $0.string("candidate_id") } == ids.map(\.description))
        #expect(try bench.change(ids[0], #"{"external_id":"F"}"#)?.isUpdated == true)
        #expect(try bench.change(ids[0], #"{"external_id":"F\u0301"}"#)?.isUpdated == true)
    }

    @Test("Without an external_id each input is a record of its own")
    func nameless() throws {
        let bench = try Workbench()
        #expect(try bench.put(.candidate, "{}").id != bench.put(.candidate, "{}").id)
    }

    @Test("An external_id that another record has can't be taken; the events go on without a gap")
    func taken() throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"a"}"#)
        let second = try bench.put(.candidate, #"{"external_id":"b"}"#).id
        let counter = try bench.counter()
        #expect(throws: InputFaults.self) { try bench.change(second, #"{"external_id":"a","status":"offer"}"#) }
        #expect(try bench.record(second)?.string("external_id") == "b" && bench.counter() == counter)
        try bench.change(second, #"{"external_id":"c","status":"offer"}"#)
        #expect(try bench.record(second)?.string("external_id") == "c")
        #expect(try bench.events().compactMap { $0.number("sequence") } == [1, 2, 3])
    }

    @Test("Another organization's id changes and deletes nothing")
    func foreign() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        let id = try bench.put(.candidate, #"{"external_id":"a"}"#).id
        #expect(try other.change(id, #"{"status":"offer"}"#) == nil)
        #expect(try !other.delete(id) && !bench.engine.erase(id, in: other.organization))
        #expect(try other.record(id) == nil && !other.isGone(id))
        #expect(try bench.record(id)?.number("version") == 1)
    }

    @Test("A match that moves to another candidate shows that one")
    func moved() throws {
        let bench = try Workbench()
        for name in ["a", "b"] { try bench.put(.candidate, #"{"external_id":"\#(name)"}"#) }
        try bench.put(.job, #"{"external_id":"j","title":"T"}"#)
        try bench.put(.match, #"{"external_id":"m","candidate_external_id":"a","job_external_id":"j","score":50}"#)
        try bench.put(.match, #"{"external_id":"m","candidate_external_id":"b"}"#)
        #expect(try bench.list(.match).rows.map { $0["candidate"]?.string("external_id") } == ["b"])
    }
}

@Suite("Storage contract: the best score that the filter min_score reads")
struct BestScoreTests {
    /// The external ids of the candidates with a match of at least this score.
    private func found(_ bench: Workbench, _ score: Double) throws -> Set<String> {
        Set(try bench.walk(.candidate, "min_score=\(score)").compactMap { $0.string("external_id") })
    }

    @Test("It follows matches that rise, fall, move, go and come back")
    func follows() throws {
        let bench = try Workbench()
        for name in ["a", "b"] { try bench.put(.candidate, #"{"external_id":"\#(name)"}"#) }
        for name in ["j", "k"] { try bench.put(.job, #"{"external_id":"\#(name)","title":"T"}"#) }
        func match(_ name: String, _ rest: String) throws -> RecordID { try bench.put(.match, #"{"external_id":"\#(name)",\#(rest)}"#).id }
        let first = try match("m1", #""candidate_external_id":"a","job_external_id":"j","score":80"#)
        _ = try match("m2", #""candidate_external_id":"a","job_external_id":"k","score":60"#)
        #expect(try found(bench, 80) == ["a"] && found(bench, 80.5) == [])
        _ = try match("m1", #""score":50"#)
        #expect(try found(bench, 60) == ["a"] && found(bench, 61) == [])
        _ = try match("m2", #""candidate_external_id":"b""#)
        #expect(try found(bench, 50) == ["a", "b"] && found(bench, 51) == ["b"])
        try bench.delete(first)
        #expect(try found(bench, 0) == ["b"])
        let candidate = try #require(try bench.list(.candidate, "min_score=1").rows.first)
        #expect(candidate.number("version") == 1, "no visible change of the candidate")
        let job = try #require(RecordID(bench.list(.job, "sort=created_at").ids[1], kind: .job))
        try bench.delete(job)
        #expect(try found(bench, 0) == [])
        try bench.put(.job, #"{"external_id":"k","title":"T"}"#)
        _ = try match("m2", #""candidate_external_id":"b","job_external_id":"k","score":70"#)
        #expect(try found(bench, 70) == ["b"])
        let id = try #require(RecordID(bench.list(.candidate, "min_score=1").ids[0], kind: .candidate))
        try bench.delete(id)
        #expect(try bench.put(.candidate, #"{"external_id":"b"}"#).id == id)
        #expect(try found(bench, 0) == [], "the matches went with the candidate")
    }
}

import Domain
import Testing

@Suite("Storage contract: deletion, revival, erasure")
struct DeletionContractTests {
    /// A candidate `c` and a job `j`, and one of each that belongs to them.
    private func company(_ bench: Workbench) throws -> [RecordKind: RecordID] {
        var ids: [RecordKind: RecordID] = [:]
        ids[.candidate] = try bench.put(.candidate, #"{"external_id":"c","full_name":"Candidate"}"#).id
        ids[.job] = try bench.put(.job, #"{"external_id":"j","title":"Job"}"#).id
        let both = #""candidate_external_id":"c","job_external_id":"j""#
        ids[.application] = try bench.put(.application, #"{"external_id":"a",\#(both)}"#).id
        let application = try #require(ids[.application])
        ids[.interview] = try bench.put(.interview, #"{"external_id":"i","application_id":"\#(application)",\#(both)}"#).id
        ids[.match] = try bench.put(.match, #"{"external_id":"m","score":90,\#(both)}"#).id
        ids[.call] = try bench.put(.call, #"{"external_id":"k",\#(both)}"#).id
        ids[.broadcast] = try bench.put(.broadcast, #"{"external_id":"b","job_external_id":"j"}"#).id
        return ids
    }

    @Test(
        "Deleting a candidate or a job tombstones what belongs to it, with one move of the counter",
        arguments: [
            (RecordKind.candidate, [RecordKind.candidate, .application, .interview, .match]),
            (.job, [.job, .application, .interview, .match, .broadcast]), (.application, [.application]),
            (.interview, [.interview]), (.match, [.match]), (.call, [.call]), (.broadcast, [.broadcast]),
        ])
    func dependents(deleted: RecordKind, gone: [RecordKind]) throws {
        let bench = try Workbench()
        let ids = try company(bench)
        let counter = try bench.counter()
        #expect(try bench.delete(#require(ids[deleted])))
        #expect(try bench.counter() == counter + 1)
        for (kind, id) in ids {
            #expect(try bench.isGone(id) == gone.contains(kind), "\(kind)")
            let isNone = try bench.record(id) == nil
            #expect(isNone == gone.contains(kind), "\(kind)")
        }
        #expect(try !bench.delete(#require(ids[deleted])), "a second time there is nothing")
    }

    @Test("A tombstone has all the record's names, and null but for id, version, updated_at and deleted_at")
    func tombstone() throws {
        let bench = try Workbench()
        let ids = try company(bench)
        let kinds: [RecordKind] = [.candidate, .job, .application, .interview, .match, .call]
        let living = try kinds.map { try #require(try bench.list($0).rows.first) }
        try bench.delete(#require(ids[.candidate]))
        try bench.delete(#require(ids[.job]))
        try bench.delete(#require(ids[.call]))
        for (kind, before) in zip(kinds, living) {
            #expect(try bench.list(kind).rows.isEmpty)
            for personal in [true, false] {
                let row = try #require(try bench.list(kind, "include_deleted=true", personal: personal).rows.first)
                #expect(row.members.map(\.name) == before.members.map(\.name))
                #expect(row.id == before.id && row.number("version") == 2)
                #expect(row.string("deleted_at") == row.string("updated_at"))
                #expect(try #require(row.time("updated_at")) > #require(before.time("updated_at")))
                for member in row.members where !["id", "version", "updated_at", "deleted_at"].contains(member.name) {
                    #expect(member.value.isNull, "\(kind).\(member.name)")
                }
            }
        }
    }

    @Test("Tombstones come whatever the content filters, within the times and ids asked for, and are counted")
    func filters() throws {
        let bench = try Workbench()
        let ids = try (0..<5).map { try bench.put(.candidate, #"{"external_id":"\#($0)","status":"offer"}"#).id }
        try bench.delete(ids[1])
        let mark = try bench.asOf(.candidate)
        try bench.delete(ids[3])
        func found(_ query: String) throws -> [String] { try bench.walk(.candidate, query + "include_deleted=true", limit: 1).map(\.id) }
        let gone = [ids[1], ids[3]].map(\.description)
        for query in ["status=new&", "q=nobody&", "location=Nowhere&", "min_score=3&", "min_experience=3&", "skill=a&"] {
            #expect(try found(query) == gone, "\(query)")
        }
        #expect(try found("") == [ids[0], ids[2], ids[4], ids[1], ids[3]].map(\.description))
        #expect(try found("status=new&sort=-updated_at&") == gone.reversed())
        #expect(try found("updated_after=\(mark)&") == [gone[1]])
        #expect(try found("updated_before=\(mark)&status=new&") == [gone[0]])
        #expect(try bench.list(.candidate, "include_deleted=true&ids=\(gone[0]),\(ids[0])").ids == [ids[0].description, gone[0]])
        #expect(try bench.list(.candidate, "include_deleted=true&count=exact&limit=1").end.total == 5)
        #expect(try bench.list(.candidate, "include_deleted=true&count=exact&status=new").end.total == 2)
        #expect(try bench.list(.candidate, "count=exact").end.total == 3)
    }

    @Test("A later import of the same external_id revives the id, and its tombstone is gone")
    func revival() throws {
        let bench = try Workbench()
        let first = try bench.put(.candidate, #"{"external_id":"c","email":"a@b.example","status":"offer"}"#).record
        try bench.delete(first.recordID)
        let again = try bench.put(.candidate, #"{"external_id":"c"}"#)
        #expect(again.isCreated && again.record.id == first.id && again.record.createdAt == first.createdAt)
        #expect(again.record.version == 3)
        let row = try #require(try bench.list(.candidate, "include_deleted=true").rows.first)
        #expect(row["email"]?.isNull == true && row["deleted_at"]?.isNull == true && row.string("status") == "new")
        #expect(try bench.list(.candidate, "include_deleted=true&count=exact").end.total == 1)
        try bench.delete(first.recordID)
        #expect(try bench.put(.candidate, #"{"external_id":"c"}"#).record.version == 5)
    }

    @Test("After an erasure the external_id gets a new id, and the old one stays deleted")
    func erasure() throws {
        let bench = try Workbench()
        let ids = try company(bench)
        let candidate = try #require(ids[.candidate])
        #expect(try bench.engine.erase(candidate, in: bench.organization))
        for kind in [RecordKind.candidate, .application, .interview, .match, .call] {
            #expect(try bench.isGone(#require(ids[kind])), "\(kind)")
        }
        let again = try bench.put(.candidate, #"{"external_id":"c"}"#)
        #expect(again.isCreated && again.id != candidate && again.record.version == 1)
        #expect(try bench.isGone(candidate))
        #expect(try bench.engine.erase(candidate, in: bench.organization), "erasing again is no error")
        #expect(try bench.isGone(candidate))
    }

    @Test(
        "An erasure reaches what was deleted of the candidate before: no external_id revives its ids",
        arguments: [RecordKind.application, .interview, .match, .call, .job], [false, true])
    func erasureAfterDeletion(deleted: RecordKind, candidateToo: Bool) throws {
        let bench = try Workbench()
        let ids = try company(bench)
        let candidate = try #require(ids[.candidate])
        let other = try bench.put(.candidate, #"{"external_id":"o"}"#)
        let both = #""candidate_external_id":"o","job_external_id":"j""#
        let kept = try bench.put(.match, #"{"external_id":"kept","score":5,\#(both)}"#).id
        try bench.delete(kept)
        try bench.delete(#require(ids[deleted]))
        if candidateToo { try bench.delete(candidate) }
        #expect(try bench.engine.erase(candidate, in: bench.organization))
        try bench.put(.candidate, #"{"external_id":"c"}"#)
        try bench.put(.job, #"{"external_id":"j","title":"Job"}"#)
        let again = #""candidate_external_id":"c","job_external_id":"j""#
        for (kind, json) in [
            (RecordKind.application, #"{"external_id":"a",\#(again)}"#), (.interview, #"{"external_id":"i",\#(again)}"#),
            (.match, #"{"external_id":"m","score":1,\#(again)}"#), (.call, #"{"external_id":"k",\#(again)}"#),
        ] {
            let outcome = try bench.put(kind, json)
            #expect(outcome.isCreated && outcome.record.version == 1 && outcome.id != ids[kind], "\(kind)")
            #expect(try bench.isGone(#require(ids[kind])), "\(kind)")
        }
        #expect(try bench.put(.match, #"{"external_id":"kept","score":5,\#(both)}"#).id == kept, "another's tombstone is untouched")
        #expect(try bench.record(other.id) != nil)
    }

    @Test("An erasure in one organization touches nothing of another")
    func erasureElsewhere() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        let ids = try company(bench)
        let candidate = try #require(ids[.candidate])
        #expect(try !bench.engine.erase(candidate, in: other.organization))
        for (kind, id) in ids { #expect(try bench.record(id) != nil, "\(kind)") }
        try bench.delete(candidate)
        #expect(try !bench.engine.erase(candidate, in: other.organization))
        #expect(try bench.record(#require(ids[.call])) != nil)
        #expect(try bench.put(.candidate, #"{"external_id":"c"}"#).id == candidate)
    }

    @Test("What was erased is in no event and in no byte of the files", arguments: [false, true])
    func bytes(deletedBefore: Bool) throws {
        let bench = try Workbench()
        // Words of letters that nothing else has, each half unlike the other: index pages may hold a word in two parts.
        let words = (0..<14).map { "zq\("bcdfghjklmnpqr".dropFirst($0).first!)xvjqzkw\("rstvwxzbcdfghj".dropFirst($0).first!)yhqzj" }
        try bench.put(.job, #"{"external_id":"j","title":"Job"}"#)
        let candidate = try bench.put(
            .candidate,
            """
            {"external_id":"\(words[0])@mail.example","first_name":"\(words[1])","last_name":"\(words[2])","email":"\(words[3])@x.example",
            "phone":"\(words[4])","headline":"\(words[5])","skills":["\(words[6])"],"custom":{"a":"\(words[7])"},
            "resume":{"file_name":"\(words[8])","text":"\(words[9])","content":"\(Self.base64(words[10]))"}}
            """
        ).id
        let both = #""candidate_id":"\#(candidate)","job_external_id":"j""#
        try bench.put(.interview, #"{"external_id":"i","status":"completed","result":{"summary":"\#(words[11])"},\#(both)}"#)
        try bench.put(.call, #"{"external_id":"k","status":"completed","transcript":["\#(words[11])"],\#(both)}"#)
        try bench.put(.match, #"{"external_id":"m","score":90,"reasons":["\#(words[5])"],\#(both)}"#)
        try bench.put(.application, #"{"external_id":"a","stage":"\#(words[5])",\#(both)}"#)
        // What was deleted earlier keeps its external_id until now.
        try bench.delete(bench.put(.match, #"{"external_id":"\#(words[12])","score":9,\#(both)}"#).id)
        try bench.delete(bench.put(.call, #"{"external_id":"\#(words[13])",\#(both)}"#).id)
        try bench.change(candidate, #"{"status":"offer","headline":"\#(words[5]) again"}"#)
        for row in 0..<300 {
            try bench.put(.candidate, #"{"external_id":"\#(row)","full_name":"Other \#(row)","email":"o\#(row)@x.example"}"#)
        }
        #expect(!Self.remains(words, in: try bench.engine.storedBytes()).isEmpty, "the test sees what is there")
        if deletedBefore { try bench.delete(candidate) }
        #expect(try bench.engine.erase(candidate, in: bench.organization))
        for event in try bench.events() { #expect(Self.remains(words, in: Array(event.text.utf8)).isEmpty, "\(event.text)") }
        try bench.engine.scrub()
        #expect(Self.remains(words, in: try bench.engine.storedBytes()) == [])
        #expect(try bench.list(.candidate, "q=other").rows.count == 100, "the others are still found")
    }

    /// The words that are there in whole or by their second half, in whatever case.
    private static func remains(_ words: [String], in bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 32 : $0 < 0x80 ? $0 : 0x3F }, as: UTF8.self)
        return words.filter { text.contains($0) || text.contains($0.suffix(6)) }
    }

    private static func base64(_ text: String) -> String {
        let url = Base64.encodeURLSafe(Array(text.utf8)).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        return String(url) + String(repeating: "=", count: (4 - url.count % 4) % 4)
    }

    @Test("The résumé's bytes go with the candidate, and when they are cleared")
    func resume() throws {
        let bench = try Workbench()
        let id = try bench.put(.candidate, #"{"external_id":"c","resume":{"file_name":"cv.txt","content":"aGVsbG8="}}"#).id
        func file() throws -> ResumeFile? {
            try bench.engine.reading.read { try $0.resume(id.ulid, of: bench.organization.number).file }
        }
        #expect(try file().map { String(decoding: $0.bytes, as: UTF8.self) } == "hello")
        #expect(try bench.put(.candidate, #"{"external_id":"c","resume":{"content":"aGVsbG8="}}"#).isUnchanged)
        #expect(try bench.put(.candidate, #"{"external_id":"c","resume":{"content":"aGVsbE8="}}"#).isUpdated)
        #expect(try file().map { String(decoding: $0.bytes, as: UTF8.self) } == "hellO")
        // The bytes alone: what is known of them besides stays.
        for nothing in ["null", #""""#] {
            try bench.put(.candidate, #"{"external_id":"c","resume":{"text":"hello","content":"aGVsbG8="}}"#)
            #expect(try file() != nil)
            #expect(try bench.put(.candidate, #"{"external_id":"c","resume":{"content":\#(nothing),"size":5}}"#).isUpdated)
            #expect(try file() == nil)
            let left = try #require(bench.record(id)?["resume"])
            #expect(left.string("file_name") == "cv.txt" && left.string("text") == "hello" && left["size"]?.isNull == true)
            #expect(try bench.put(.candidate, #"{"external_id":"c","resume":{"content":\#(nothing)}}"#).isUnchanged)
        }
        try bench.put(.candidate, #"{"external_id":"c","resume":{"content":"aGVsbG8="}}"#)
        try bench.put(.candidate, #"{"external_id":"c","resume":null}"#)
        #expect(try file() == nil)
        try bench.put(.candidate, #"{"external_id":"c","resume":{"content":"aGVsbG8="}}"#)
        try bench.delete(id)
        #expect(try file() == nil)
        try bench.put(.candidate, #"{"external_id":"c"}"#)
        #expect(try file() == nil, "a revived candidate has no old résumé")
    }
}

import Domain
import Foundation
import Testing

/// One record pushed, replaced, changed, read back and deleted.
@Suite struct PushRecordTests {
    private let folder: Folder
    private let pusher: Pusher

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("push.db")))
        for (kind, name, body) in PushedRecords.people { _ = try pusher.stored("/\(kind.plural)/\(name)", body) }
    }

    /// The value of a field, in its group if it has one.
    private func value(_ field: Field, of record: JSON) -> JSON { field.group.map { record[$0][field.member] } ?? record[field.name] }

    @Test(arguments: RecordKind.allCases) func everyKindIsCreatedReadBackAndReplaced(kind: RecordKind) throws {
        let path = "/\(kind.plural)/x"

        // when
        let created = try pusher.put(path, PushedRecords.full(kind))

        // then
        let record = try created.json
        #expect(created.status == 201, "\(created.text)")
        let id = try #require(record["id"].string)
        #expect(created["Location"] == "\(Pusher.base)/\(kind.plural)/\(id)" && created["ETag"] == "\"1\"")
        #expect(record["external_id"].string == "x" && record["version"].int == 1 && record["masked"].array?.isEmpty == true)
        let own = kind.schema.fields.filter { $0.group != "resume" }
        for field in own { #expect(!value(field, of: record).isNull && !value(field, of: record).isAbsent, "\(field.name)") }
        let events = try pusher.events().count

        // when: what was read is pushed back, by either name
        for name in ["x", id] {
            let read = try pusher.get("/\(kind.plural)/\(name)")
            #expect(read.status == 200 && read.text == created.text && read["ETag"] == "\"1\"")
            let again = try pusher.put("/\(kind.plural)/\(name)", read.text)
            #expect(again.status == 200 && again.text == created.text, "\(again.text)")
        }
        #expect(try pusher.put(path, PushedRecords.full(kind)).text == created.text)

        // then: nothing happened
        #expect(try pusher.events().count == events)

        // when: less is said of it
        let replaced = try pusher.put(path, PushedRecords.least(kind))

        // then: the rest is gone
        let rest = try replaced.json
        #expect(replaced.status == 200 && replaced["ETag"] == "\"2\"" && rest["version"].int == 2 && rest["id"].string == id)
        let said = try JSON(Array(PushedRecords.least(kind).utf8)).keys.map { $0.replacingOccurrences(of: "external_id", with: "id") }
        for field in own where !said.contains(field.name) {
            #expect(
                field.initial == .null ? value(field, of: rest).isNull || rest[field.group ?? ""].isNull : !rest[field.name].isNull,
                "\(field.name)")
        }
    }

    @Test(arguments: RecordKind.allCases) func everyKindIsDeletedAndRevivedByItsExternalIDAlone(kind: RecordKind) throws {
        // given
        let path = "/\(kind.plural)/x"
        let id = try #require(try pusher.stored(path, PushedRecords.least(kind))["id"].string)

        // when
        let deleted = try pusher.delete(path)

        // then
        #expect(deleted.status == 204 && deleted.body.isEmpty)
        for name in ["x", id] {
            let gone = try pusher.get("/\(kind.plural)/\(name)")
            #expect(gone.status == 410 && gone.code == "gone", "\(name): \(gone.text)")
            #expect(try pusher.delete("/\(kind.plural)/\(name)").status == 410)
            #expect(try pusher.patch("/\(kind.plural)/\(name)", "{}").status == 410)
        }
        #expect(try pusher.put("/\(kind.plural)/\(id)", PushedRecords.least(kind)).status == 410)

        // when
        let revived = try pusher.put(path, PushedRecords.least(kind))

        // then
        #expect(try revived.status == 201 && revived.json["id"].string == id && revived.json["version"].int == 3, "\(revived.text)")
        #expect(try pusher.get("/\(kind.plural)/\(id)").status == 200)
    }

    @Test func aPatchChangesWhatItNames() throws {
        // given
        _ = try pusher.stored("/candidates/x", PushedRecords.full(.candidate))

        // when: RFC 7396, in the nested object too
        let patched = try pusher.patch(
            "/candidates/x",
            #"{"headline":null,"email":"new@example.com","custom":{"a":{"b":null,"d":{"e":null,"f":1}},"n":null,"new":[null]}}"#)

        // then
        let record = try patched.json
        #expect(patched.status == 200 && record["version"].int == 2, "\(patched.text)")
        #expect(record["headline"].isNull && record["email"].string == "new@example.com" && record["phone"].string == "+1 555")
        #expect(
            patched.text.contains(#""custom":{"a":{"c":[1,null,"é\u0000"],"d":{"f":1}},"big":12345678901234567890,"new":[null]}"#),
            "\(patched.text)")

        // when: nothing of it is new; plain JSON is taken too
        let events = try pusher.events().count
        let again = try pusher.send("PATCH", "/candidates/x", Array(#"{"custom":{"new":[null]},"status":"screening"}"#.utf8))

        // then
        #expect(again.status == 200 && again.text == patched.text)
        #expect(try pusher.events().count == events)
        #expect(try pusher.patch("/candidates/x", #"{"custom":null}"#).json["custom"].isNull)
        #expect(try pusher.patch("/candidates/nobody", "{}").status == 404)
        #expect(try pusher.patch("/jobs/j", #"{"title":null}"#).faults == ["/title": "is required"])
    }

    @Test func patchesTogetherMakeNoMoreThanABodyMay() throws {
        // given
        let half = String(repeating: "x", count: 600_000)
        _ = try pusher.send("PUT", "/candidates/grown", Array("{\"full_name\":\"Grown\",\"custom\":{\"a\":\"\(half)\"}}".utf8))

        // when
        let patched = try pusher.send("PATCH", "/candidates/grown", Array("{\"custom\":{\"b\":\"\(half)\"}}".utf8))

        // then
        #expect(patched.status == 422 && patched.text.contains("/custom"), "\(patched.text)")
        let replaced = try pusher.send("PATCH", "/candidates/grown", Array("{\"custom\":{\"a\":null,\"b\":\"\(half)\"}}".utf8))
        #expect(replaced.status == 200)
    }

    @Test func aResultIsPatchedFieldByField() throws {
        // given
        _ = try pusher.stored("/interviews/x", PushedRecords.full(.interview))

        // when
        let patched = try pusher.patch("/interviews/x", #"{"result":{"overall_grade":10,"scores":{"m":2},"summary":null}}"#)

        // then
        let result = try patched.json["result"]
        #expect(
            result["overall_grade"].int == 10 && result["summary"].isNull && result["sms_transcript"].string == "sms", "\(patched.text)")
        #expect(result["scores"]["n"].int == 1 && result["scores"]["m"].int == 2)
    }

    @Test(arguments: ["a/b", "a%2Fb", "zoe+1@example.com", "東京 Zoë", "cand_1", "..", "a?b#c", "\u{65}\u{301}", "\u{e9}", "x;y=z", "batch"])
    func anyNameIsAnExternalID(name: String) throws {
        // when
        let path = "/candidates/" + Pusher.escaped(name)
        let created = try pusher.put(path, #"{"full_name":"N"}"#)

        // then
        #expect(
            try created.status == 201 && created.json["external_id"].string?.unicodeScalars.elementsEqual(name.unicodeScalars) == true,
            "\(created.text)")
        #expect(try pusher.get(path).text == created.text)
        #expect(try pusher.delete(path).status == 204)
    }

    @Test func aNameThatIsGivenTwiceIsTheSameOne() throws {
        #expect(try pusher.put("/candidates/x", #"{"external_id":"x"}"#).status == 201)
        let other = try pusher.put("/candidates/x", #"{"external_id":"y","status":"odd"}"#)
        #expect(other.status == 422 && Set(other.faults.keys) == ["/external_id", "/status"], "\(other.text)")
        #expect(try pusher.put("/candidates/" + String(repeating: "x", count: 501), "{}").faults.keys.contains("/external_id"))
        // A rename, by the id or the old name; the new one may be nobody else's.
        let renamed = try pusher.patch("/candidates/x", #"{"external_id":"y"}"#)
        #expect(try renamed.status == 200 && renamed.json["external_id"].string == "y")
        #expect(try pusher.get("/candidates/x").status == 404)
        #expect(try pusher.patch("/candidates/y", #"{"external_id":"c"}"#).faults.keys.contains("/external_id"))
    }

    @Test func anotherOrganizationsRecordsAreUnknown() throws {
        // given
        try pusher.server.command("organizations", "add", "other")
        let other = try Pusher(pusher.server, ["--scope", "ingest", "--scope", "read:pii", "--organization", "other"])
        let own = try #require(try pusher.stored("/interviews/x", PushedRecords.full(.interview))["id"].string)
        let candidate = try #require(try pusher.get("/candidates/c").json["id"].string)

        // then
        for path in ["/interviews/\(own)", "/interviews/x", "/candidates/\(candidate)", "/candidates/c"] {
            #expect(try other.get(path).status == 404 && other.delete(path).status == 404 && other.patch(path, "{}").status == 404)
        }
        let missing = "cand_" + String(repeating: "0", count: 26)
        func body(_ path: String) throws -> String {
            let answer = try other.get(path)
            return answer.text.replacingOccurrences(of: answer["X-Request-Id"] ?? "-", with: "")
        }
        #expect(try body("/candidates/\(candidate)") == body("/candidates/\(missing)"))
        #expect(try other.put("/interviews/\(own)", "{}").status == 404)
        #expect(try other.post("/interviews/x/result", "{}").status == 404)
        #expect(try other.send("PUT", "/candidates/\(candidate)/resume", Array("text".utf8), type: "text/plain").status == 404)
        #expect(try other.post("/candidates/\(candidate)/erase", "").status == 404 && other.get("/candidates/c/erase").status == 404)
        let related = try other.put("/applications/z", #"{"candidate_id":"\#(candidate)","job_external_id":"j"}"#)
        #expect(related.status == 422 && Set(related.faults.keys) == ["/candidate_id", "/job_external_id"], "\(related.text)")
        // The same name there is another record.
        let theirs = try other.put("/candidates/c", "{}")
        #expect(try theirs.status == 201 && theirs.json["id"].string != candidate)
        #expect(try pusher.get("/interviews/x").json["version"].int == 1)
    }

    @Test func aCompletedInterviewDoesNotGoBack() throws {
        // given
        _ = try pusher.stored("/interviews/x", #"{"status":"completed"}"#)

        // then: nor by what is not said of it, which would make it scheduled
        for body in [#"{"status":"scheduled"}"#, #"{"status":"in_progress"}"#, "{}"] {
            #expect(try pusher.put("/interviews/x", body).faults.keys.contains("/status"))
        }
        #expect(try pusher.patch("/interviews/x", #"{"status":"scheduled"}"#).status == 422)
        #expect(try pusher.put("/interviews/x", #"{"status":"cancelled"}"#).status == 200)
        #expect(try pusher.put("/interviews/x", #"{"status":"scheduled"}"#).status == 422)
        #expect(try pusher.delete("/interviews/x").status == 204)
        #expect(try pusher.put("/interviews/x", #"{"status":"scheduled"}"#).status == 422)
        #expect(try pusher.get("/interviews/x").status == 410)
    }

    @Test func aReasonGoesIntoTheEvent() throws {
        #expect(try pusher.send("PUT", "/candidates/c?reason=a%20good%20call", Array(#"{"status":"offer"}"#.utf8)).status == 200)
        let last = try #require(try pusher.events().last)
        #expect(last["type"].string == "candidate.status_changed" && last["data"]["reason"].string == "a good call", "\(last)")
        #expect(last["data"]["to"].string == "offer" && last["subject"]["id"].string?.hasPrefix("cand_") == true)
    }
}

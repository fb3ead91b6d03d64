import Domain
import Foundation
import Testing

/// Pushes that depend on what is there, and pushes that may be repeated.
@Suite struct PushConditionTests {
    private let folder: Folder
    private let pusher: Pusher
    private var server: Server { pusher.server }

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("conditions.db")))
    }

    @Test func aVersionThatMovedIsNotOverwritten() throws {
        // given
        let first = try pusher.put("/jobs/x", #"{"title":"1"}"#, "If-None-Match: *")
        #expect(first.status == 201 && first["ETag"] == "\"1\"")

        // then: create only
        #expect(try pusher.put("/jobs/x", #"{"title":"2"}"#, "If-None-Match: *").code == "precondition_failed")
        #expect(try pusher.put("/jobs/x", #"{"title":"2"}"#, "If-Match: \"1\"").json["version"].int == 2)

        // and: the old version is refused by every door, and told the new one
        for answer in [
            try pusher.put("/jobs/x", #"{"title":"3"}"#, "If-Match: \"1\""),
            try pusher.patch("/jobs/x", #"{"title":"3"}"#, "If-Match: \"1\", \"7\""),
            try pusher.delete("/jobs/x", "If-Match: \"1\""),
        ] {
            #expect(answer.status == 412 && answer.code == "precondition_failed" && answer["ETag"] == "\"2\"", "\(answer.text)")
        }
        #expect(try pusher.get("/jobs/x").json["title"].string == "2")
        #expect(try pusher.patch("/jobs/x", #"{"title":"3"}"#, "If-Match: \"1\", \"2\"").json["version"].int == 3)
        #expect(try pusher.put("/jobs/new", #"{"title":"1"}"#, "If-Match: *").status == 412)
        #expect(try pusher.put("/jobs/new", #"{"title":"1"}"#, "If-Match: \"1\"").status == 412)
        #expect(try pusher.delete("/jobs/x", "If-Match: *").status == 204)
        #expect(try pusher.put("/jobs/x", #"{"title":"1"}"#, "If-Match: \"4\"").status == 412)
    }

    @Test func otherRequestsHaveConditionsToo() throws {
        _ = try pusher.stored("/interviews/x", "{}")
        _ = try pusher.stored("/candidates/x", "{}")
        #expect(try pusher.post("/interviews/x/result", "{}", "If-Match: \"2\"").status == 412)
        #expect(try pusher.post("/interviews/x/result", "{}", "If-Match: \"1\"").status == 200)
        func resume(_ tag: String) throws -> Int {
            try pusher.send("PUT", "/candidates/x/resume", Array("text".utf8), type: "text/plain", ["If-Match: \(tag)"]).status
        }
        #expect(try resume("\"9\"") == 412 && resume("\"1\"") == 200)
    }

    @Test func aReaderIsSparedWhatItKnows() throws {
        _ = try pusher.stored("/jobs/x", #"{"title":"1"}"#)
        for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
            let answer = try pusher.get("/jobs/x", "If-None-Match: \(known)")
            #expect(answer.status == 304 && answer.body.isEmpty && answer["ETag"] == "\"1\"", "\(known)")
        }
        for field in ["If-None-Match: \"2\"", "If-None-Match: \"11\"", "If-Match: \"1\"", "If-Match: *"] {
            #expect(try pusher.get("/jobs/x", field).json["title"].string == "1", "\(field)")
        }
        let moved = try pusher.get("/jobs/x", "If-Match: \"2\"")
        #expect(moved.status == 412 && moved["ETag"] == "\"1\"")
    }

    @Test(arguments: [
        "If-Match: W/\"1\"", "If-Match: \"abc\"", "If-Match: ", "If-Match: \"1", "If-None-Match: \"1\"", "If-None-Match: W/\"1\"",
    ])
    func aTagThatIsNoneOfOursIsRefused(field: String) throws {
        _ = try pusher.stored("/jobs/x", #"{"title":"1"}"#)
        let answer = try pusher.put("/jobs/x", #"{"title":"2"}"#, field)
        #expect(answer.status == 400 && answer.code == "invalid_request", "\(answer.status) \(answer.text)")
        #expect(try pusher.get("/jobs/x").json["version"].int == 1)
    }

    @Test func aRepeatGetsTheFirstAnswer() throws {
        // given
        let first = try pusher.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: \"k-1\"")
        #expect(first.status == 201 && first["Idempotency-Replayed"] == nil)
        _ = try pusher.stored("/jobs/x", #"{"title":"2"}"#)

        // when: bare or as a structured field's text, it is the same key
        for field in ["Idempotency-Key: k-1", "Idempotency-Key: \"k-1\""] {
            let again = try pusher.put("/jobs/x", #"{"title":"1"}"#, field)

            // then
            #expect(again.status == 201 && again.text == first.text && again["Idempotency-Replayed"] == "true", "\(again.text)")
            #expect(again["Location"] == first["Location"] && again["ETag"] == "\"1\"" && again["X-Request-Id"] != first["X-Request-Id"])
        }
        #expect(try pusher.get("/jobs/x").json["title"].string == "2")

        // and: another request is refused
        for answer in [
            try pusher.put("/jobs/x", #"{"title":"3"}"#, "Idempotency-Key: k-1"),
            try pusher.put("/jobs/y", #"{"title":"1"}"#, "Idempotency-Key: k-1"),
            try pusher.send("PUT", "/jobs/x?reason=r", Array(#"{"title":"1"}"#.utf8), ["Idempotency-Key: k-1"]),
            try pusher.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: k-1", "If-Match: *"),
            try pusher.delete("/jobs/x", "Idempotency-Key: k-1"),
        ] { #expect(answer.status == 422 && answer.code == "idempotency_key_reused", "\(answer.text)") }
    }

    @Test func everyChangeMayBeRepeated() throws {
        _ = try pusher.stored("/candidates/x", "{}")
        _ = try pusher.stored("/interviews/x", "{}")
        let record = #"{"records":[{"kind":"job","external_id":"b","data":{"title":"1"}}]}"#
        let requests: [(method: String, path: String, body: String, type: String)] = [
            ("PATCH", "/candidates/x", #"{"headline":"h"}"#, "application/json"),
            ("PUT", "/candidates/x/resume", "text", "text/plain"), ("POST", "/interviews/x/result", "{}", "application/json"),
            ("POST", "/batch", record, "application/json"), ("DELETE", "/candidates/x", "", "application/json"),
        ]
        for request in requests {
            let answers = try (0..<2).map { _ in
                try pusher.send(
                    request.method, request.path, Array(request.body.utf8), type: request.type,
                    ["Idempotency-Key: \(request.method)\(request.path)"])
            }
            #expect(answers[0].status < 300 && answers[0].status == answers[1].status, "\(request): \(answers.map(\.text))")
            #expect(answers[0].text == answers[1].text && answers[1]["Idempotency-Replayed"] == "true", "\(request.path)")
        }
    }

    @Test func anErasureMayBeRepeatedByTheNameThatItErased() throws {
        _ = try pusher.stored("/candidates/x", #"{"full_name":"Quuxine"}"#)
        let first = try pusher.post("/candidates/x/erase", "", "Idempotency-Key: e")
        let again = try pusher.post("/candidates/x/erase", "", "Idempotency-Key: e")
        #expect(first.status == 202 && again.status == 202 && again.text == first.text && again["Location"] == first["Location"])
        #expect(again["Idempotency-Replayed"] == "true")
        #expect(try pusher.post("/candidates/x/erase", "").status == 404)
    }

    @Test func aRefusalIsNotKept() throws {
        #expect(try pusher.put("/jobs/x", "{}", "Idempotency-Key: k").status == 422)
        #expect(try pusher.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: k").status == 201)
    }

    @Test(arguments: ["", "a b", String(repeating: "k", count: 256), "é", "\"\""]) func aKeyThatIsNoneIsRefused(key: String) throws {
        let answer = try pusher.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: \(key)")
        #expect(answer.status == 400 && answer.code == "invalid_request", "\(answer.status) \(answer.text)")
        #expect(try pusher.get("/jobs/x").status == 404)
    }

    @Test func manyAtOnceUnderOneKeyMakeOneRecord() throws {
        // given
        let body = #"{"records":[{"kind":"candidate","external_id":"x","data":{"full_name":"N"}}]}"#
        let single = pusher.request("PUT", "/candidates/y", Array("{}".utf8), ["Idempotency-Key: single"])
        let batch = pusher.request("POST", "/batch", Array(body.utf8), ["Idempotency-Key: batch"])
        let connections = try (0..<24).map { _ in try pusher.connect() }

        // when
        for (index, connection) in connections.enumerated() { connection.send(index % 2 == 0 ? single : batch) }
        let answers = try connections.map { try $0.receive() }

        // then
        for parity in 0..<2 {
            let own = answers.enumerated().filter { $0.offset % 2 == parity }.map(\.element)
            #expect(own.allSatisfy { $0.status < 300 } && Set(own.map(\.text)).count == 1, "\(own.map(\.text))")
            #expect(own.filter { $0["Idempotency-Replayed"] == nil }.count == 1)
        }
        #expect(try pusher.count(.candidate) == 2 && pusher.events().count == 2)
    }

    @Test func anAnswerOutlivesTheServerAndIsItsKeysOwn() throws {
        // given
        let first = try pusher.put("/candidates/x", #"{"full_name":"N"}"#, "Idempotency-Key: k")

        // when
        server.stop(SIGKILL)
        let again = try Server(folder("conditions.db"))
        let same = Pusher(again, key: pusher.key)
        let repeated = try same.put("/candidates/x", #"{"full_name":"N"}"#, "Idempotency-Key: k")

        // then
        #expect(repeated.status == 201 && repeated.text == first.text && repeated["Idempotency-Replayed"] == "true")

        // and: another's key of that name is another
        let other = try Pusher(again)
        let theirs = try other.put("/candidates/x", #"{"full_name":"N"}"#, "Idempotency-Key: k")
        #expect(theirs.status == 200 && theirs["Idempotency-Replayed"] == nil)
    }

    @Test(arguments: [(minutes: 1_439, isKept: true), (minutes: 1_441, isKept: false)])
    func anAnswerIsKeptForADay(minutes: Int, isKept: Bool) throws {
        // given
        #expect(try pusher.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: k").status == 201)
        _ = try pusher.stored("/jobs/x", #"{"title":"2"}"#)

        // when: so much time has gone by
        server.stop()
        let script = """
            import sqlite3, sys
            with sqlite3.connect(sys.argv[1]) as database:
                database.execute('UPDATE kept_answers SET created_at = created_at - ? * 60000000', (int(sys.argv[2]),))
            """
        let aged = try Finished(ChildProcess("/usr/bin/python3", ["-c", script, server.database, "\(minutes)"]))
        try #require(aged.exitCode == 0, "\(aged.errors)")
        let later = Pusher(try Server(server.database), key: pusher.key)

        // then
        let isForgotten = try poll(seconds: isKept ? 2 : 20) {
            try later.put("/jobs/x", #"{"title":"1"}"#, "Idempotency-Key: k")["Idempotency-Replayed"] == nil
        }
        #expect(isForgotten == !isKept)
        #expect(try later.get("/jobs/x").json["title"].string == (isKept ? "2" : "1"))
    }

    @Test func whatWasErasedIsNotPushedAnewByARepeat() throws {
        // given
        let body = #"{"full_name":"Quuxine Gone"}"#
        #expect(try pusher.put("/candidates/x", body, "Idempotency-Key: k").status == 201)
        let batch =
            #"{"records":[{"kind":"candidate","external_id":"x","data":{"full_name":"Quuxine"}},{"kind":"candidate","external_id":"y"}]}"#
        #expect(try pusher.post("/batch", batch, "Idempotency-Key: b").status == 200)

        // when
        #expect(try pusher.post("/candidates/x/erase", "").status == 202)

        // then
        let repeated = try pusher.put("/candidates/x", body, "Idempotency-Key: k")
        #expect(repeated.status == 410 && repeated.code == "gone" && !repeated.text.contains("Quuxine"), "\(repeated.text)")
        #expect(try pusher.post("/batch", batch, "Idempotency-Key: b").status == 410)
        #expect(try pusher.count(.candidate) == 1 && pusher.get("/candidates/x").status == 404)

        // and: a push that is meant makes another record
        let anew = try pusher.put("/candidates/x", body, "Idempotency-Key: k2")
        #expect(anew.status == 201 && anew["Location"] != repeated["Location"])
    }
}

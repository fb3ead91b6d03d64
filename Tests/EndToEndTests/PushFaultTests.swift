import Foundation
import Testing

/// What a push is refused for, and how that is told.
@Suite struct PushFaultTests {
    private let folder: Folder
    private let pusher: Pusher

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("faults.db")))
    }

    private func isProblem(_ answer: Response, _ status: Int, _ code: String, _ note: String = "") {
        #expect(answer.status == status && answer.code == code, "\(note) \(answer.status) \(answer.text)")
        #expect(answer["Content-Type"] == "application/problem+json" && answer["Cache-Control"] == "no-store")
        #expect((try? answer.json["request_id"].string) == answer["X-Request-Id"] && answer["X-Request-Id"] != nil)
    }

    @Test func allFaultsOfABodyComeAtOnceEachWithItsPointer() throws {
        // when
        let answer = try pusher.put(
            "/interviews/x",
            #"""
            {"candidate_external_id":"nobody","job_id":"job_x","application_id":"app_\#(String(repeating: "0", count: 26))",
             "status":"done","scheduled_at":"tomorrow","duration_seconds":-1,"interviewers":{},"titel":"t","a/b~c":1,
             "result":{"overall_grade":101,"summary":7.5,"scores":[],"grade":1,"tran/script~":[]},"location":"a\u0000b"}
            """#)

        // then
        isProblem(answer, 422, "invalid_record")
        let faults = answer.faults
        #expect(
            Set(faults.keys) == [
                "/candidate_external_id", "/job_id", "/application_id", "/status", "/scheduled_at", "/duration_seconds", "/interviewers",
                "/titel", "/a~1b~0c", "/result/overall_grade", "/result/scores", "/result/grade", "/result/tran~1script~0", "/location",
            ], "\(answer.text)")
        #expect(faults["/titel"]?.contains("title") == true && faults["/location"]?.contains("NUL") == true)
        #expect(faults["/result/overall_grade"] == "should be from 0 to 100", "\(faults)")
        #expect(faults["/duration_seconds"] == "should be from 0 to 1000000000", "\(faults)")
        #expect(try answer.json["detail"].string?.contains("14 faults") == true)
        #expect(try pusher.get("/interviews/x").status == 404)
    }

    @Test func whatIsMissingIsAmongTheFaults() throws {
        let match = try pusher.put("/matches/x", #"{"reasons":"r"}"#)
        #expect(Set(match.faults.keys) == ["/candidate_id", "/job_id", "/score", "/reasons"], "\(match.text)")
        let job = try pusher.put("/jobs/x", #"{"salary_min":5,"salary_max":1}"#)
        #expect(Set(job.faults.keys) == ["/title", "/salary_max"], "\(job.text)")
        for body in ["[]", "7", "null", "\"x\""] { #expect(try pusher.put("/jobs/x", body).faults.keys.contains(""), "\(body)") }
    }

    @Test func aRelationThatIsNamedTwiceHasToNameTheSame() throws {
        // given
        let first = try #require(try pusher.stored("/candidates/1", #"{"full_name":"N"}"#)["id"].string)
        let second = try #require(try pusher.stored("/candidates/2", #"{"full_name":"M"}"#)["id"].string)
        func body(_ members: String) -> String { "{\(members)}" }

        // when
        let contradicting = try pusher.put("/calls/x", body(#""candidate_id":"\#(first)","candidate_external_id":"2""#))

        // then
        isProblem(contradicting, 422, "invalid_record")
        #expect(contradicting.faults == ["/candidate_external_id": "names another candidate than candidate_id"])
        #expect(try pusher.get("/calls/x").status == 404)
        let given = [
            #""candidate_id":"\#(second)","candidate_external_id":"2""#, #""candidate_id":null,"candidate_external_id":"2""#,
            #""candidate_id":"\#(second)","candidate_external_id":null"#, #""candidate_external_id":null,"candidate_id":"\#(second)""#,
        ]
        for (index, members) in given.enumerated() {
            #expect(try pusher.stored("/calls/\(index)", body(members))["candidate_id"].string == second, "\(members)")
        }
    }

    @Test func whatIsAskedInAFaultEndsTheSentence() throws {
        let answer = try pusher.put("/jobs/x", #"{"title":"T","titel":"T"}"#)
        #expect(try answer.json["detail"].string?.hasSuffix("did you mean 'title'?") == true, "\(answer.text)")
    }

    @Test func aBodyThatIsNoJSONIsRefusedWithThePlace() throws {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        for body in ["", "{", "{\"title\":}", "{\"title\":\"a\"}x", "{'a':1}", "{\"a\":01}", "\u{FEFF}{}", "{\"custom\":{\"a\":\(deep)}}"] {
            let answer = try pusher.put("/jobs/x", body)
            isProblem(answer, 422, "invalid_record", body)
            #expect(try answer.json["detail"].string?.contains("at byte") == true, "\(answer.text)")
        }
        for bytes in [[0x22, 0xFF, 0x22], [0x7B, 0x22, 0xC0, 0x80, 0x22, 0x3A, 0x31, 0x7D]] as [[UInt8]] {
            isProblem(try pusher.send("PUT", "/jobs/x", bytes), 422, "invalid_record")
        }
        isProblem(try pusher.put("/jobs/x", #"{"title":"\ud800"}"#), 422, "invalid_record")
    }

    @Test func aBodyOfAnotherTypeIsRefused() throws {
        let body = Array(#"{"title":"t"}"#.utf8)
        for type in [nil, "text/plain", "application/xml", "application/json; charset=latin1", "application/jsonx", "multipart/form-data"] {
            let answer = try pusher.send("PUT", "/jobs/x", body, type: type)
            isProblem(answer, 415, "unsupported_media_type", type ?? "none")
            #expect(answer["Accept"] == "application/json")
        }
        for type in ["application/json", "Application/JSON; charset=\"UTF-8\"", "application/json;charset=utf-8"] {
            #expect(try pusher.send("PUT", "/jobs/x", body, type: type).status < 300, "\(type)")
        }
        isProblem(try pusher.send("PUT", "/jobs/x", body, type: "application/merge-patch+json"), 415, "unsupported_media_type")
        let patch = try pusher.send("PATCH", "/jobs/x", body, type: "application/json-patch+json")
        isProblem(patch, 415, "unsupported_media_type")
        #expect(patch["Accept-Patch"] == "application/merge-patch+json, application/json")
    }

    @Test func anEncodedBodyIsRefused() throws {
        let refused = try pusher.put("/jobs/x", #"{"title":"t"}"#, "Content-Encoding: gzip")
        isProblem(refused, 415, "unsupported_media_type")
        #expect(refused["Accept-Encoding"] == "identity")
        #expect(try pusher.put("/jobs/x", #"{"title":"t"}"#, "Content-Encoding: identity").status == 201)
    }

    @Test func anAnswerThatNobodyCanTakeIsRefusedBeforeAnythingChanges() throws {
        let refused = try pusher.put("/jobs/x", #"{"title":"t"}"#, "Accept: text/csv")
        isProblem(refused, 406, "not_acceptable")
        #expect(try refused.json["errors"][0]["allowed"].array?.compactMap(\.string) == ["application/json"])
        #expect(try pusher.get("/jobs/x").status == 404)
        for accept in ["*/*", "application/*", "text/csv, application/json;q=0.5"] {
            #expect(try pusher.get("/capabilities", "Accept: \(accept)").status == 200, "\(accept)")
        }
        #expect(try pusher.get("/openapi.yaml", "Accept: application/yaml").status == 200)
    }

    @Test(arguments: ["key=x", "api_key=x", "x=rk_1", "token=x"]) func aKeyInTheAddressIsRefused(query: String) throws {
        isProblem(try pusher.get("/capabilities?\(query)"), 400, "invalid_request", query)
    }

    @Test func aBodyOverAMegabyteIsRefusedHoweverItComes() throws {
        // given
        let text = Array(#"{"title":"t","custom":{"a":""#.utf8) + [UInt8](repeating: 0x61, count: (1 << 20) + 1) + Array(#""}}"#.utf8)

        // then: said beforehand, without a byte of it
        let early = try pusher.connect()
        early.send(
            Server.request(
                "PUT", Pusher.base + "/jobs/x", key: pusher.key.token, ["Content-Type: application/json", "Content-Length: \(text.count)"]))
        isProblem(try early.receive(), 413, "body_too_large")

        // and: with all of it
        isProblem(try pusher.send("PUT", "/jobs/x", text), 413, "body_too_large")

        // and: in chunks of unknown number
        let chunked = try pusher.connect()
        chunked.send(
            Server.request(
                "PUT", Pusher.base + "/jobs/x", key: pusher.key.token, ["Content-Type: application/json", "Transfer-Encoding: chunked"]))
        for start in stride(from: 0, to: text.count, by: 60_000) {
            let part = text[start..<min(start + 60_000, text.count)]
            chunked.send(Array((String(part.count, radix: 16) + "\r\n").utf8) + part + [13, 10])
        }
        isProblem(try chunked.receive(), 413, "body_too_large")

        // and: a body in chunks that fits is taken
        let fitting = try pusher.connect()
        fitting.send(
            Server.request(
                "PUT", Pusher.base + "/jobs/x", key: pusher.key.token, ["Content-Type: application/json", "Transfer-Encoding: chunked"])
                + "8\r\n{\"title\"\r\n5\r\n:\"t\"}\r\n0\r\n\r\n")
        #expect(try fitting.receive().status == 201)
    }

    @Test func onlyWhatIsThereIsAnswered() throws {
        // given
        _ = try pusher.stored("/jobs/x", #"{"title":"t"}"#)

        // then
        for path in ["", "/jobs/x", "/capabilities"] {
            let (get, head) = (try pusher.get(path), try pusher.send("HEAD", path, nil))
            #expect(get.status == 200 && head.status == 200 && head.body.isEmpty, "\(path)")
            #expect(head["Content-Length"] == get["Content-Length"] && head["Content-Type"] == "application/json", "\(path): \(head.head)")
        }
        let allowed = [
            "": "GET, HEAD", "/capabilities": "GET, HEAD", "/batch": "POST", "/jobs/x": "GET, HEAD, PUT, PATCH, DELETE",
            "/candidates/x/resume": "PUT", "/candidates/x/erase": "GET, HEAD, POST", "/interviews/x/result": "POST",
        ]
        for (path, methods) in allowed {
            for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"] where !methods.contains(method) {
                let answer = try pusher.send(method, path, nil)
                isProblem(answer, 405, "method_not_allowed", "\(method) \(path)")
                #expect(answer["Allow"] == methods)
            }
        }
        for path in [
            "/", "/job/x", "/jobs", "/jobs/", "/jobs/x/", "/jobs/x/resume", "/trainings/x/y", "//jobs/x", "/candidates/x/resume/1",
        ] {
            isProblem(try pusher.get(path), 404, "not_found", path)
        }
        for path in ["/jobs/%zz", "/jobs/%00", "/jobs/%FF"] { isProblem(try pusher.get(path), 400, "invalid_request", path) }
    }

    @Test func parametersAreKnownAndGivenOnce() throws {
        let body = Array(#"{"title":"t"}"#.utf8)
        let unknown = try pusher.send("PUT", "/jobs/x?reasn=a", body)
        isProblem(unknown, 400, "unknown_parameter")
        #expect(try unknown.json["errors"][0]["suggestion"].string == "reason")
        isProblem(try pusher.send("PUT", "/jobs/x?reason=a&reason=a", body), 400, "repeated_parameter")
        for value in ["", "a%00b", String(repeating: "a", count: 501)] {
            isProblem(try pusher.send("PUT", "/jobs/x?reason=\(value)", body), 400, "invalid_parameter", value)
        }
        isProblem(try pusher.get("/jobs/x?reason=a"), 400, "unknown_parameter")
        isProblem(try pusher.send("PUT", "/jobs/x?organization=default", body), 400, "invalid_parameter")
        #expect(try pusher.get("/jobs/x").status == 404)
    }
}

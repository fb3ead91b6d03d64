import Foundation
import Testing

/// How connections are kept, shared out and closed, and what HTTP itself asks for.
@Suite struct ConnectionTests {
    private let shared: SharedServer
    private var server: Server { shared.server }
    private var key: String { shared.reader.token }

    init() throws { shared = try SharedServer.running }

    @Test func twentyRequestsInOneWriteAreAnsweredInOrder() throws {
        // given: some answered at once, some from a thread
        let targets = (1...20).map { number in
            switch number % 4 {
            case 0: "/api/v1/candidates?limit=\(number)"
            case 1: "/api/v1/candidates?limit=\(number)&q=a*&count=exact"
            case 2: "/api/v1/candidates?limit=\(number)&min_experience=1"
            default: "/api/v1/candidates?limit=\(number)&sort=-full_name&status=new,screening,interviewing,hired,rejected"
            }
        }
        let connection = try server.connect()

        // when
        connection.send(targets.enumerated().map { Server.request("GET", $1, key: key, ["X-Request-Id: n\($0)"]) }.joined())

        // then
        for (index, _) in targets.enumerated() {
            let response = try connection.receive()
            #expect(response.status == 200)
            #expect(response["X-Request-Id"] == "n\(index)")
            #expect(try response.json["data"].array?.count ?? 0 <= index + 1)
        }
    }

    @Test func aRequestInSingleBytesIsAnswered() throws {
        let connection = try server.connect()
        for byte in Server.request("GET", "/api/v1/candidates?limit=1", key: key).utf8 { connection.send([byte]) }
        #expect(try connection.receive().status == 200)
    }

    @Test func aClientThatIsDoneSendingStillGetsItsAnswers() throws {
        // given
        let connection = try server.connect()
        let slow = Server.request("GET", "/api/v1/candidates?limit=5&q=a*&count=exact", key: key)

        // when
        connection.send(slow + slow + Server.request("GET", "/healthz"))
        connection.endSending()

        // then
        for _ in 0..<3 { #expect(try connection.receive().status == 200) }
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test func aClientThatIsDoneSendingMayStillWaitForAnEvent() throws {
        // given
        let connection = try server.connect()
        let last =
            try server.get("/api/v1/events?after=0&limit=1000&candidate_id=\(shared.candidate)", key: key).json["meta"]["last_sequence"].int
            ?? 0

        // when
        connection.send(Server.request("GET", "/api/v1/events?wait=1&candidate_id=\(shared.candidate)&after=\(last)", key: key))
        connection.endSending()

        // then
        let response = try connection.receive()
        #expect(try response.status == 200 && response.json["data"].array?.isEmpty == true)
    }

    @Test(arguments: ["1.1", "1.0"])
    func whoEndsItsSendingGetsTheWholeAnswerHoweverSlowlyItReads(_ version: String) throws {
        let folder = try Folder()
        let server = try Server.ofLongRows(1_000, in: folder)
        let key = try server.makeKey("--scope", "read:pii", "--rate-limit", "1000").token
        func size(_ target: String, ends: Bool) throws -> Int {
            let connection = try server.connect()
            connection.send("GET \(target) HTTP/\(version)\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer \(key)\r\n\r\n")
            if ends { connection.endSending() }
            Thread.sleep(forTimeInterval: 0.5)
            return try connection.readToEnd().count
        }
        for target in ["/openapi.json", "/api/v1/candidates?limit=1000", "/api/v1/candidates?export=all"] {
            let (whole, half) = (try size(target, ends: false), try size(target, ends: true))
            // The rest of what is left of a limit has a digit less.
            #expect(whole > 100_000 && abs(whole - half) < 20, "\(target): \(half) of \(whole)")
        }
    }

    @Test func whoReadsNoAnswersIsReadNoFurtherAndCostsNoMemory() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("pipeline.db"))
        func memory() throws -> Double {
            let connection = try Connection(server.operatorPort)
            connection.send(Server.request("GET", "/metrics"))
            let line = try connection.receive().text.split(separator: "\n").first { $0.hasPrefix("process_resident_memory_bytes ") }
            return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
        }
        let request = Server.request("GET", "/openapi.json")
        #expect(try server.get("/openapi.json").status == 200)
        let (connection, before) = (try server.connect(), try memory())

        // when: as many as are taken, and then as many as fit between
        connection.send(String(repeating: request, count: 60_000), pausingAtMost: 2)
        let after = try memory()

        // then: it is answered on as it reads
        #expect(after - before < 20_000_000, "\(Int(after - before)) bytes")
        for _ in 0..<200 { #expect(try connection.receive().status == 200) }
    }

    @Test func whatIsNoHTTPBehindAnExportLeavesItWhole() throws {
        let folder = try Folder()
        let server = try Server.ofLongRows(1_000, in: folder)
        let connection = try server.connect()
        let key = try server.makeKey("--scope", "read:pii").token
        connection.send(Server.request("GET", "/api/v1/candidates?export=all", key: key) + "\u{1}\u{2} nonsense\r\n\r\n")
        let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("\r\n0\r\n\r\n"), "\(text.prefix(300)) … \(text.suffix(100))")
    }

    @Test(arguments: [
        "\u{1}\u{2} nonsense\r\n\r\n", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-", "GET /healthz HTTP/9.9\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", "\r\n",
    ])
    func whatFollowsAndCanNotBeAnsweredTakesNoAnswerAway(_ rest: String) throws {
        // given: pieces that end anywhere about where one read of the server's does, at 2,048 bytes
        let request = Server.request("GET", "/healthz", ["X-Padding: \(String(repeating: "x", count: 100))"])
        for padding in 0..<16 {
            let last = Server.request("GET", "/healthz", ["X-Padding: \(String(repeating: "x", count: padding))"])
            let count = (2_048 - last.utf8.count) / request.utf8.count
            let filling = 2_040 - last.utf8.count - count * request.utf8.count
            let first = Server.request("GET", "/healthz", ["X-Padding: \(String(repeating: "x", count: 100 + max(filling, 0)))"])
            let connection = try server.connect()

            // when
            connection.send(first + String(repeating: request, count: count - 1) + last + rest)
            connection.endSending()

            // then
            for _ in 0...count { #expect(try connection.receive().status == 200) }
            let end = String(decoding: try connection.readToEnd(), as: UTF8.self)
            #expect(end.isEmpty || end.hasPrefix("HTTP/1.1 4") || end.hasPrefix("HTTP/1.1 5"), "\(end.prefix(200))")
        }
    }

    @Test func halfARequestAndTheEndOfSendingIsNoAnswer() throws {
        let connection = try server.connect()
        connection.send("GET /healthz HTTP/1.1\r\nHo")
        connection.endSending()
        let rest = try connection.readToEnd()
        #expect(rest.isEmpty || String(decoding: rest, as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
    }

    @Test func http10IsAnsweredAndClosedUnlessItAsksOtherwise() throws {
        // when
        let plain = try server.connect()
        plain.send("GET /healthz HTTP/1.0\r\n\r\n")
        let kept = try server.connect()
        kept.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

        // then
        let first = try plain.receive()
        #expect(first.status == 200 && first["Connection"] == "close")
        #expect(try plain.readToEnd().isEmpty)
        #expect(try kept.receive()["Connection"] == "keep-alive")
        kept.send("GET /healthz HTTP/1.0\r\n\r\n")
        #expect(try kept.receive().status == 200)
    }

    @Test func connectionCloseIsObeyed() throws {
        let connection = try server.connect()
        connection.send(Server.request("GET", "/healthz", ["Connection: close"]) + Server.request("GET", "/healthz"))
        #expect(try connection.receive()["Connection"] == "close")
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test func anExpectationIsMetBeforeTheBody() throws {
        // given
        let connection = try server.connect()

        // when
        connection.send(Server.request("POST", "/api/v1/candidates", key: key, ["Content-Length: 5", "Expect: 100-continue"]))

        // then
        #expect(connection.isReadable(within: 5))
        var response = try connection.receive()
        if response.status == 100 {
            connection.send("hello")
            response = try connection.receive()
        }
        #expect(response.status == 405)
    }

    @Test(arguments: [
        "/api/v1/candidates?limit=3", "/api/v1", "/api/v1/key", "/healthz", "/docs", "/openapi.json", "/openapi.yaml", "/api/v1/nothing",
    ])
    func headIsAnsweredLikeGetWithoutTheBody(target: String) throws {
        // when
        let connection = try server.connect()
        connection.send(Server.request("GET", target, key: key, ["X-Request-Id: same"]))
        let get = try connection.receive()
        connection.send(Server.request("HEAD", target, key: key, ["X-Request-Id: same"]) + Server.request("GET", "/healthz"))
        let head = try connection.receive(isHead: true)

        // then: the next answer begins right behind the head
        #expect(try connection.receive().text.contains("ok"))
        #expect(head.status == get.status)
        let changing = ["date", "ratelimit"]
        func fields(_ response: Response) -> [String] {
            response.fields.filter { !changing.contains($0.name.lowercased()) }.map { "\($0.name): \($0.value)" }
        }
        #expect(fields(head) == fields(get))
        #expect(head["Content-Length"] == String(get.body.count))
    }

    @Test func optionsTellsABrowserWhatItMayAskWithoutKeyOrToken() throws {
        // when
        let preflight = try server.ask(
            "OPTIONS", "/api/v1/candidates",
            ["Origin: \(SharedServer.origin)", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"])
        let stranger = try server.ask(
            "OPTIONS", "/api/v1/candidates", ["Origin: https://evil.example", "Access-Control-Request-Method: GET"])
        let plain = try server.ask("OPTIONS", "/api/v1/candidates")

        // then
        for response in [preflight, stranger, plain] {
            #expect(response.status == 204 && response.body.isEmpty && response["RateLimit"] == nil && response["Content-Length"] == nil)
            #expect(response["Allow"] == "GET, HEAD, OPTIONS")
        }
        #expect(preflight["Access-Control-Allow-Origin"] == SharedServer.origin)
        #expect(preflight["Access-Control-Allow-Methods"]?.contains("GET") == true)
        #expect(preflight["Access-Control-Allow-Headers"]?.lowercased().contains("authorization") == true)
        #expect(stranger["Access-Control-Allow-Origin"] == nil && plain["Access-Control-Allow-Origin"] == nil)
    }

    @Test func optionsOfTheServerAsAWholeIsAnsweredAsThatOfEachAddress() throws {
        let response = try server.ask("OPTIONS", "*")
        #expect(response.status == 204 && response.body.isEmpty && response["Allow"] == "GET, HEAD, OPTIONS")
        #expect(try server.get("*", key: key).code == "invalid_request")
    }

    @Test(arguments: ["GET", "HEAD"])
    func whoAsksForWhatIsNotThereGetsNothingOfWhatIs(method: String) throws {
        // given: a bucket of its own, too slow to refill meanwhile
        let own = try server.makeKey("--scope", "read:pii", limit: 10).token
        func ask(_ target: String) throws -> Response { try server.ask(method, target, key: own, ["If-None-Match: *"]) }

        // then: what is there is not sent, for a tenth
        for target in ["/api/v1/candidates?limit=5", "/api/v1/candidates?q=nosuchword", "/api/v1/candidates/\(shared.candidate)"] {
            let response = try ask(target)
            #expect(response.status == 304 && response.body.isEmpty && response["ETag"]?.hasPrefix("W/\"") == true, "\(target)")
            #expect(response["Content-Type"] == nil && response["Content-Length"] == nil && response["Cache-Control"] != nil)
            #expect(response["RateLimit"]?.hasPrefix("\"default\";r=9;t=") == true)
        }
        for target in ["/api/v1/event-types", "/api/v1/events?limit=1", "/docs", "/openapi.json"] { #expect(try ask(target).status == 304) }
        // and what is not is told
        #expect(try ask("/api/v1/candidates?limit=0").status == 400)
        #expect(try ask("/api/v1/candidates/\(shared.stranger)").status == 404)
        #expect(try ask("/api/v1/candidates/\(shared.deleted)").status == 410)
    }

    @Test(arguments: ["events", "candidates"])
    func anExportThatNobodyWantsHasNoBodyAndLeavesTheConnection(list: String) throws {
        let own = try server.makeKey("--scope", "read:pii").token
        let connection = try server.connect()
        connection.send(Server.request("GET", "/api/v1/\(list)?export=all&format=ndjson", key: own, ["If-None-Match: *"]))
        let nothing = try connection.receive()
        #expect(nothing.status == 304 && nothing.body.isEmpty && nothing["Transfer-Encoding"] == nil)
        connection.send(Server.request("GET", "/api/v1/key", key: own))
        #expect(try connection.receive().status == 200)
    }

    @Test func anAllowedOriginMayReadTheAnswerAndItsHeadersAlsoOfErrors() throws {
        for (target, key) in [
            ("/api/v1/candidates?limit=1", key as String?), ("/api/v1/candidates?limit=0", key), ("/api/v1/candidates", nil),
        ] {
            let response = try server.get(target, key: key, ["Origin: \(SharedServer.origin)"])
            #expect(response["Access-Control-Allow-Origin"] == SharedServer.origin)
            let exposed = (response["Access-Control-Expose-Headers"] ?? "").components(separatedBy: ", ")
            #expect(Set(["Link", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"]).isSubset(of: exposed))
            #expect(response["Vary"] == "Accept, Accept-Encoding, Authorization, Origin")
            #expect(response["Access-Control-Allow-Credentials"] == nil)
        }
        #expect(
            try server.get("/api/v1/candidates?limit=1", key: key, ["Origin: https://evil.example"])["Access-Control-Allow-Origin"] == nil)
    }
}

import Foundation
import Testing

/// Connections to the operator listener that do not behave.
@Suite struct OperatorConnectionTests {
    private let folder: Folder
    private let server: Server
    private let key: Key

    init() throws {
        folder = try Folder()
        server = try Server(folder("connections.db"), ["--access-log", "on"])
        key = try server.makeKey("--scope", "ingest")
    }

    @Test func whoWaitsForLeaveToSendABodyGetsIt() throws {
        // given
        let body = #"{"title":"Baker"}"#
        let connection = try Connection(server.operatorPort, patience: 5)
        let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)", "Expect: 100-continue"]

        // when
        connection.send(Server.request("PUT", "/operator/v1/jobs/j1", key: key.token, fields))

        // then
        #expect(try connection.receive(isHead: true).status == 100)
        connection.send(body)
        #expect(try connection.receive().status == 201)
        // The connection goes on.
        connection.send(Server.request("GET", "/operator/v1/jobs/j1", key: key.token))
        #expect(try connection.receive().status == 200)
    }

    @Test func aRefusalBeforeTheBodysEndIsTheLastOnItsConnection() throws {
        let connection = try Connection(server.operatorPort, patience: 5)
        connection.send(Server.request("PUT", "/operator/v1/jobs/j1", key: nil, ["Content-Length: 1000000000"]))
        let refused = try connection.receive()
        #expect(refused.status == 401 && refused["Connection"] == "close")
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test func whoLeavesInTheMiddleOfABodyIsNoErrorOfOurs() throws {
        do {
            let connection = try Connection(server.operatorPort)
            connection.send(
                Server.request(
                    "PUT", "/operator/v1/jobs/j1", key: key.token, ["Content-Type: application/json", "Content-Length: 100"]) + "{")
            Thread.sleep(forTimeInterval: 0.2)
        }
        #expect(poll(seconds: 5) { server.process.errors.contains("/operator/v1/jobs/{id}") })
        #expect(!server.process.errors.contains("cause=") && !server.process.errors.contains("status=500"))
    }

    @Test func halfAHeadIsNotWaitedForLongerThanTenSeconds() throws {
        let connection = try Connection(server.operatorPort, patience: 14)
        connection.send("GET /healthz HTTP/1.1\r\nHost:")
        #expect(try connection.readToEnd().isEmpty)
    }

    // MARK: What can't be read

    private static let unreadable: [(request: String, status: Int, code: String)] = [
        ("GET /operator/v1/jobs/\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
        ("GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
        ("GET /keys HTTP/1.1\r\nHost: a\r\nX-Big: \(String(repeating: "b", count: 17_000))\r\n\r\n", 431, "headers_too_large"),
        ("GET /keys HTTP/1.1\r\nHost: a\r\nX-Big: \(String(repeating: "b", count: 100_000))\r\n\r\n", 431, "headers_too_large"),
        ("no request\r\n\r\n", 400, "invalid_request"), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", 400, "invalid_request"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "invalid_request"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "invalid_request"),
    ]

    @Test(arguments: unreadable.indices) func whatCannotBeReadIsRefusedInTheOneShape(index: Int) throws {
        // given
        let (request, status, code) = Self.unreadable[index]
        let connection = try Connection(server.operatorPort, patience: 5)

        // when
        connection.send(request)

        // then
        let refused = try connection.receive()
        #expect(refused.status == status && refused.code == code, "\(request.prefix(60)): \(refused.head)\(refused.text)")
        #expect(refused["Content-Type"] == "application/problem+json" && refused["Connection"] == "close")
        #expect(try refused["X-Request-Id"] != nil && refused.json["request_id"].string == refused["X-Request-Id"])
        #expect(try connection.readToEnd().isEmpty && !connection.wasReset)
        #expect(poll(seconds: 5) { server.process.errors.contains("status=\(status)") })
        #expect(!server.process.errors.contains("aaaaaaaa") && !server.process.errors.contains("bbbbbbbb"))
    }

    @Test func aRefusalWaitsUntilWhatWasAskedBeforeIsAnswered() throws {
        let connection = try Connection(server.operatorPort, patience: 5)
        connection.send(
            Server.request("GET", "/operator/v1/capabilities", key: key.token) + Server.request("GET", "/healthz") + "no request\r\n\r\n")
        let answers = try (0..<3).map { _ in try connection.receive() }
        #expect(answers.map(\.status) == [200, 200, 400] && answers[1].text.contains("ok"))
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test(arguments: ["GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"])
    func whoWantsOneAnswerGetsOneAndTheEnd(request: String) throws {
        let connection = try Connection(server.operatorPort, patience: 5)
        connection.send(request)
        let answer = try connection.receive()
        #expect(answer.status == 200 && answer["Connection"] == "close")
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test func whatIsNotThereIsAProblemToAProgramAndAPageToABrowser() throws {
        let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
        func ask(_ method: String, _ path: String, _ fields: [String]) throws -> Response {
            let connection = try Connection(server.operatorPort, patience: 5)
            connection.send(Server.request(method, path, ["Connection: close"] + fields))
            return try connection.receive(isHead: method == "HEAD")
        }
        for fields in [[], ["Accept: */*"], ["Accept: application/json"]] {
            let answer = try ask("GET", "/kyes", fields)
            #expect(answer.status == 404 && answer.code == "not_found" && answer["Vary"] == "Accept")
            #expect(try answer.json["request_id"].string == answer["X-Request-Id"])
        }
        let page = try ask("GET", "/kyes", [browser])
        #expect(page.status == 404 && page["Content-Type"] == "text/html; charset=utf-8" && page["Content-Security-Policy"] != nil)
        #expect(page.text.contains("<h1>Not found</h1>") && page.text.contains("There is nothing at this address."))
        #expect(try ask("HEAD", "/kyes", [browser]).status == 404)

        // and: what is there, asked in another way
        for (method, path, allowed) in [
            ("DELETE", "/keys", "GET, HEAD, POST"), ("POST", "/docs", "GET, HEAD"), ("GET", "/sign-out", "POST"),
            ("PUT", "/keys/k/revoke", "GET, HEAD, POST"), ("POST", "/healthz", "GET, HEAD"),
        ] {
            let refused = try ask(method, path, [])
            #expect(refused.status == 405 && refused.code == "method_not_allowed" && refused["Allow"] == allowed, "\(method) \(path)")
        }
        let sent = try ask("POST", "/docs", [browser])
        #expect(sent.status == 405 && sent["Allow"] == "GET, HEAD" && sent.text.contains("<h1>Method not allowed</h1>"))
        // The push API has no pages.
        #expect(try ask("GET", "/operator/v1/nothing", [browser]).code == "not_found")
    }
}

import Foundation
import Testing

/// Bytes that are sent as they are.
struct Bytes: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    var testDescription: String { name }
    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }
}

/// What comes from a client that is broken, careless or hostile, in one request.
@Suite struct HostileRequestTests {
    private let shared: SharedServer
    private var server: Server { shared.server }
    private var key: String { shared.reader.token }

    init() throws { shared = try SharedServer.running }

    /// Sends bytes as they are and reads one answer.
    private func raw(_ bytes: [UInt8]) throws -> Response {
        let connection = try server.connect()
        connection.send(bytes)
        return try connection.receive()
    }

    private func raw(_ text: String) throws -> Response { try raw(Array(text.utf8)) }

    private func isProblem(_ response: Response, _ status: Int, _ code: String) throws -> Bool {
        let body = try response.json
        return response.status == status && body["code"].string == code && response["Content-Type"] == "application/problem+json"
            && body["request_id"].string == response["X-Request-Id"]
    }

    @Test func aMethodThatNobodyKnowsIs405AsAnyOther() throws {
        for method in ["BREW", "FOO", "X-Y", "M-SEARCHING"] {
            let connection = try server.connect()
            connection.send(Server.request(method, "/api/v1/jobs"))
            let response = try connection.receive()
            #expect(try isProblem(response, 405, "method_not_allowed") && response["Allow"] == "GET, HEAD, OPTIONS", "\(response.text)")
            #expect(try connection.readToEnd().isEmpty)
        }
    }

    @Test(arguments: [
        Bytes("two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        Bytes("the same host twice", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Bytes("no host", "GET /healthz HTTP/1.1\r\n\r\n"),
        Bytes("two lengths", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        Bytes("a length below zero", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        Bytes("a length that is no number", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
        Bytes("a chunk size that is none", "GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Bytes("a line that is no field", "GET /healthz HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
        Bytes("NUL in a field", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n"),
        Bytes("HTTP/3.7", "GET /healthz HTTP/3.7\r\nHost: a\r\n\r\n"),
        Bytes("no version", "GET /healthz\r\n\r\n"),
        Bytes("a target that is no path", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        Bytes("a TLS greeting", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\r\n\r\n"),
        Bytes("a word", "hello\r\n\r\n"),
        Bytes("NULs", "\0\0\0\0\r\n\r\n"),
        Bytes("a blank in the target", "GET / healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        Bytes("a blank before the colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n"),
        Bytes(
            "a length and chunks", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ])
    func whatIsNoProperRequestIsAnswered400AndTheConnectionIsClosed(bytes: Bytes) throws {
        // given
        let connection = try server.connect()

        // when
        connection.send(bytes.text)

        // then
        let response = try connection.receive()
        #expect(try isProblem(response, 400, "invalid_request"), "\(response.text)")
        // what can be read whole is refused by its address alone
        #expect(response["Connection"] == "close" || bytes.name == "a target that is no path")
        if response["Connection"] == "close" { #expect(try connection.readToEnd().isEmpty) }
    }

    @Test(arguments: ["%", "%2", "%zz", "%2g", "cand_%", "%ff", "%C3%28", "%00", "a%00b"])
    func aPathWithABrokenEscapeIsRefused(part: String) throws {
        let response = try server.get("/api/v1/candidates/\(part)", key: key)
        #expect(try isProblem(response, 400, "invalid_request"), "\(response.text)")
    }

    @Test(arguments: [
        ("q", "%"), ("q", "%2"), ("q", "%zz"), ("q", "%ff"), ("q", "%C3%28"), ("q", "a%00b"), ("location", "%00"), ("skill", "%ED%A0%80"),
        ("ids", "%00"), ("cursor", "%00"), ("limit", "%00"), ("fields", "id%00"), ("status", "new%00"), ("sort", "%ff"),
        ("updated_after", "%00"),
    ])
    func aParameterWithABrokenEscapeOrNULIsRefusedByName(name: String, value: String) throws {
        let response = try server.get("/api/v1/candidates?\(name)=\(value)", key: key)
        #expect(try isProblem(response, 400, "invalid_parameter"), "\(response.text)")
        #expect(try response.json["errors"][0]["parameter"].string == name)
    }

    @Test(arguments: [[0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0x61, 0x80]] as [[UInt8]])
    func bytesThatAreNotUTF8AreRefusedInParameters(bytes: [UInt8]) throws {
        // given
        let end = " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(key)\r\n\r\n"

        // when
        let response = try raw(Array("GET /api/v1/candidates?q=".utf8) + bytes + Array(end.utf8))

        // then
        #expect(response.status == 400, "\(response.text.prefix(200))")
    }

    @Test func aNameWithABrokenEscapeIsRefused() throws {
        let response = try server.get("/api/v1/candidates?%zz=1", key: key)
        #expect(try isProblem(response, 400, "invalid_request"))
    }

    @Test func tenThousandIdsAreRefused() throws {
        // given: as many as the target takes, and more than it takes
        let many = [String](repeating: "cand_01ARZ3NDEKTSV4RRFFQ69G5FAV", count: 10_000)

        // when
        let fitting = try server.get("/api/v1/candidates?ids=" + many.prefix(250).joined(separator: ","), key: key)
        let empty = try server.get("/api/v1/candidates?ids=" + String(repeating: ",", count: 8_000), key: key)
        let all = try server.get("/api/v1/candidates?ids=" + many.joined(separator: ","), key: key)

        // then
        #expect(try isProblem(fitting, 400, "invalid_parameter"))
        #expect(try fitting.json["errors"][0]["maximum"].int == 100)
        #expect(try isProblem(empty, 400, "invalid_parameter"))
        #expect(all.status == 414)
    }

    @Test func threeHundredParametersAreRefusedWithoutHarm() throws {
        let many = (0..<1_000).map { "a\($0)=1" }.joined(separator: "&")
        #expect(try server.get("/api/v1/candidates?" + many, key: key).status == 400)
    }

    @Test func aBodyOnAGetIsIgnored() throws {
        // given
        let connection = try server.connect()
        let sized = Server.request("GET", "/api/v1/candidates?limit=1", key: key, ["Content-Length: 11"]) + "{\"limit\":5}"
        let chunked = Server.request("GET", "/api/v1/jobs?limit=1", key: key, ["Transfer-Encoding: chunked"]) + "5\r\nhello\r\n0\r\n\r\n"

        // when
        connection.send(sized + chunked + Server.request("GET", "/healthz"))

        // then
        for wanted in ["\"cand_", "\"job_", "\"ok\""] {
            let response = try connection.receive()
            #expect(response.status == 200 && response.text.contains(wanted), "\(response.text.prefix(200))")
        }
    }

    @Test(arguments: [true, false])
    func aBodyThatIsTooLargeEndsTheConnection(isChunked: Bool) throws {
        // given
        let connection = try server.connect()
        let field = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 2000000"
        connection.send(Server.request("GET", "/healthz", [field]))

        // when
        for _ in 0..<40 {
            let part = String(repeating: "x", count: 50_000)
            connection.send(isChunked ? "C350\r\n\(part)\r\n" : part)
        }

        // then
        let response = try connection.receive()
        #expect(try isProblem(response, 400, "invalid_request"))
        #expect(response["Connection"] == "close")
        _ = try connection.readToEnd()
    }

    @Test func aLargeBodyOfAWritingMethodIsAMethodThatIsNotAllowed() throws {
        // given
        let connection = try server.connect()

        // when
        connection.send(
            Server.request("POST", "/api/v1/candidates", key: key, ["Content-Length: 200000"]) + String(repeating: "x", count: 200_000))

        // then
        let response = try connection.receive()
        #expect(response.status == 405 && response["Allow"] == "GET, HEAD, OPTIONS", "\(response.text)")
    }

    @Test func aGivenRequestIdIsKeptAlsoWhereTheRequestIsRefused() throws {
        func id(_ request: String) throws -> String? { try raw(request)["X-Request-Id"] }
        #expect(try id("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-1._\r\n\r\n") == "abc-1._")
        #expect(try id("GET /nothing HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-2\r\n\r\n") == "abc-2")
        #expect(try id("GET /healthz HTTP/1.1\r\nX-Request-Id: abc-3\r\n\r\n") == "abc-3")
        let long = String(repeating: "x", count: 9_000)
        #expect(try id("GET /\(long) HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-4\r\n\r\n") == "abc-4")
        for bad in ["a b", "a\"b", String(repeating: "x", count: 129), "", "ä"] {
            let given = try id("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: \(bad)\r\n\r\n")
            #expect(given != nil && given != bad)
        }
    }

    @Test func linksAreNeverMadeFromAHostField() throws {
        // given
        let request =
            "GET /api/v1/candidates?limit=1 HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nAuthorization: Bearer \(key)\r\n\r\n"

        // when
        let response = try raw(request)

        // then
        #expect(response.status == 200 && !response.head.contains("evil") && !response.text.contains("evil.example"))
    }

    @Test func whatIsWrittenInAParameterCanNotBreakOutOfAHeader() throws {
        // given
        let target = "/api/v1/candidates?limit=1&q=a*%0d%0aX-Evil:%201"

        // when
        let response = try server.get(target, key: key)

        // then
        #expect(response["X-Evil"] == nil && response.status == 400)
        let quoted = try server.get("/api/v1/candidates?limit=1&location=%3E%22%3B<>\"", key: key)
        #expect(quoted.status == 200 || quoted.status == 400)
        #expect(quoted.all("Link").allSatisfy { $0.filter { $0 == ">" }.count == 1 })
    }
}

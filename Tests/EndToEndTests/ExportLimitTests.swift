import Foundation
import Testing

/// What exports cost, how many there may be, and what the operator sees of them.
@Suite struct ExportLimitTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// An export whose client reads no more than the head.
    private func begin(_ server: Server, _ target: String = "/api/v1/candidates?export=all", key: String) throws -> Connection {
        let connection = try server.connect()
        connection.send(Server.request("GET", target, key: key))
        let head = try connection.receive(isHead: true)
        #expect(head.status == 200, "\(head.head)")
        return connection
    }

    private func left(_ answer: Response) -> Int? { answer["RateLimit"]?.firstMatch(of: #/r=(\d+)/#).flatMap { Int($0.output.1) } }

    @Test func anExportCostsTenTokensOrTheWholeBucket() throws {
        let server = try Server(folder("tokens.db"), ["--demo"])
        let usual = try server.makeKey("--rate-limit", "60").token
        let export = try server.get("/api/v1/jobs?export=all", key: usual)
        #expect(export.status == 200 && left(export) == 50)
        // What has not changed costs a tenth of one.
        let tag = try #require(export["ETag"])
        let again = try server.get("/api/v1/jobs?export=all", key: usual, ["If-None-Match: \(tag)"])
        #expect(again.status == 304 && (left(again) ?? 0) >= 49)
        let small = try server.makeKey("--rate-limit", "3").token
        #expect(try server.get("/api/v1/jobs?export=all", key: small).status == 200)
        #expect(try server.get("/api/v1/jobs?export=all", key: small).status == 429)
    }

    @Test(arguments: ["export=%61ll&format=csv", "e%78port=all", "%65xport=%61%6c%6c&f%6frmat=%63sv"])
    func oneThatIsWrittenWithEscapesCostsNoLess(_ query: String) throws {
        let shared = try SharedServer.running
        let key = try shared.server.makeKey("--rate-limit", "60").token
        let answer = try shared.server.get("/api/v1/jobs?\(query)", key: key)
        #expect(answer.status == 200 && left(answer) == 50)
        #expect(answer["Content-Type"]?.hasPrefix(query.contains("sv") ? "text/csv" : "application/x-ndjson") == true)
    }

    @Test func theSeventeenthIsRefusedAndPaysNothing() throws {
        let server = try Server.ofLongRows(4_000, in: folder)
        let keys = try (0..<17).map { _ in try server.makeKey("--scope", "read:pii", "--rate-limit", "60").token }
        var open = try keys.prefix(16).map { try begin(server, key: $0) }
        for _ in 0..<10 {
            let refused = try server.get("/api/v1/candidates?export=all", key: keys[16])
            #expect(refused.status == 503 && refused.code == "unavailable" && refused["Retry-After"] != nil)
        }
        #expect(try left(server.get("/api/v1/jobs", key: keys[16])) == 59)
        // A key that has one is told so, and pages go on.
        #expect(try server.get("/api/v1/candidates?export=all", key: keys[0]).status == 429)
        #expect(try server.get("/api/v1/candidates?limit=5", key: keys[0]).status == 200)
        open.removeLast()
        #expect(try poll(seconds: 10, every: 0.2) { try server.get("/api/v1/candidates?export=all", key: keys[16]).status == 200 })
    }

    @Test func whoAsksForTheHeadAloneMayAskForTheExportAtOnce() throws {
        let server = try Server.ofLongRows(500, in: folder)
        let key = try server.makeKey("--scope", "read:pii", "--rate-limit", "6000").token
        for _ in 0..<30 {
            #expect(try server.ask("HEAD", "/api/v1/candidates?export=all", key: key).status == 200)
            #expect(try server.get("/api/v1/jobs?export=all", key: key).status == 200)
        }
    }

    @Test(arguments: ["revoke", "rotate"])
    func aKeyThatIsRevokedGetsNoFurtherRows(_ action: String) throws {
        let server = try Server.ofLongRows(4_000, in: folder)
        let key = try server.makeKey("--scope", "read:pii")
        let connection = try begin(server, key: key.token)
        _ = try action == "revoke" ? server.command("keys", "revoke", key.id) : server.command("keys", "rotate", key.id, "--overlap", "1s")
        Thread.sleep(forTimeInterval: action == "revoke" ? 1 : 2)
        let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
        #expect(text.contains("\"export_cut\"") && text.contains("good no longer") && !text.hasSuffix("\r\n0\r\n\r\n"))
    }

    @Test func logAndMetricsSayWhatBecameOfThem() throws {
        let server = try Server.ofLongRows(4_000, in: folder, ["--access-log", "on", "--log-format", "json", "--shutdown-grace", "2s"])
        let keys = try (0..<3).map { _ in try server.makeKey("--scope", "read:pii") }
        func metrics() throws -> String {
            let connection = try Connection(server.operatorPort)
            connection.send(Server.request("GET", "/metrics"))
            return try connection.receive().text
        }

        // given: one whole, one small, one whose client leaves, one that a shutdown cuts; a HEAD is none
        _ = try server.ask("HEAD", "/api/v1/candidates?export=all", key: keys[0].token)
        _ = try server.get("/api/v1/jobs?export=all", key: keys[0].token)
        let whole = try begin(server, key: keys[0].token)
        var seen = ""
        while !seen.hasSuffix("\r\n0\r\n\r\n") { seen += String(decoding: try whole.receiveSome(), as: UTF8.self) }
        do { _ = try begin(server, key: keys[1].token) }
        let cut = try begin(server, key: keys[2].token)

        // then
        var text = ""
        let expected = [
            "exports_under_way 1\n", "exports_total{outcome=\"whole\"} 2\n", "exports_total{outcome=\"left\"} 1\n",
            "exports_total{outcome=\"cut\"} 0\n",
        ]
        let isAsExpected = try poll(seconds: 10, every: 0.2) {
            text = try metrics()
            return expected.allSatisfy { text.contains("hirewire_" + $0) }
        }
        #expect(isAsExpected, "\(text.split(separator: "\n").filter { $0.hasPrefix("hirewire_export") })")
        let rows = text.firstMatch(of: #/hirewire_export_rows_total (\d+)/#).flatMap { Int($0.output.1) } ?? 0
        #expect((4_000..<8_000).contains(rows))

        // when
        try server.beginShutdown()
        _ = try cut.readToEnd()
        server.stop()
        var lines: [String: [JSON]] = [:]
        for line in server.process.errors.split(separator: "\n") where line.hasPrefix("{") {
            let json = try JSON(Array(line.utf8))
            if let outcome = json["export"].string { lines[outcome, default: []].append(json) }
        }
        #expect(lines["whole"]?.compactMap { $0["rows"].int } == [0, 4_000] && lines["whole"]?[1]["level"].string == "info")
        #expect(lines["left"]?.count == 1 && lines["left"]?[0]["level"].string == "info")
        #expect(lines["cut"]?.count == 1 && lines["cut"]?[0]["level"].string == "warning")
        #expect(lines["left"]?[0]["cause"].string == "the client has gone")
        #expect(lines["cut"]?[0]["cause"].string == "the server is shutting down")
        for line in lines.values.joined() { #expect((line["rows"].int ?? -1) <= 4_000 && line["bytes"].int != nil) }
    }
}

import Foundation
import TestSupport
import Testing

/// What becomes of HTTP/2 connections whose client is large, slow, broken or gone.
@Suite(.enabled(if: SecureServer.canBeAsked)) struct HTTP2ConnectionTests {
    @Test func aHeadThatIsTooLargeIsToldSoFromTheFirstRequestOn() throws {
        // given
        let secure = try SecureServer()
        func field(_ name: String, _ size: Int) -> [String] { ["-H", "\(name): \(String(repeating: "a", count: size))"] }
        let heads = [
            (field("X-A", 16_000), "200"), (field("X-A", 17_000), "431"), (field("X-A", 9_000) + field("X-B", 9_000), "431"),
            (field("X-A", 34_000), "431"), (field("X-A", 60_000), "431"),
        ]

        for (fields, status) in heads {
            // when: twice by one connection
            let asked = try secure.curl(["--http2"] + fields, "/healthz", "/healthz")

            // then
            let answers = asked.output.split(separator: "\n").filter { $0.hasPrefix("2 ") }
            #expect(answers == ["2 \(status) 1", "2 \(status) 0"], "\(asked.output) \(asked.errors)")
            #expect(asked.output.contains("headers_too_large") == (status == "431"))
        }
    }

    @Test func whatFailsIsClosed() throws {
        // given
        let secure = try SecureServer()
        _ = try secure.curl(["--http2"], "/healthz")
        let before = try secure.sockets
        let failing: [(String, [UInt8])] = [
            (
                "a head past what is read",
                HTTP2Bytes.opening + HTTP2Bytes.get("/healthz", [("x-a", String(repeating: "a", count: 120_000))])
            ),
            ("a head of one field many times", HTTP2Bytes.opening + bomb()),
            ("no preface", Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
            ("a frame of 16 MiB", HTTP2Bytes.opening + [0xFF, 0xFF, 0xFF, 1, 5, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 70_000)),
            ("a head that another frame cuts", HTTP2Bytes.opening + HTTP2Bytes.frame(1, flags: 1, stream: 1) + HTTP2Bytes.settings),
        ]
        let wrong: [(String, [UInt8])] = [
            ("no settings", HTTP2Bytes.preface + HTTP2Bytes.get("/healthz")),
            ("an acknowledgement of nothing", HTTP2Bytes.preface + HTTP2Bytes.acknowledgement),
            ("two acknowledgements", HTTP2Bytes.opening + HTTP2Bytes.acknowledgement + HTTP2Bytes.acknowledgement),
            ("settings that can't be", HTTP2Bytes.preface + HTTP2Bytes.frame(4, [0, 5, 0, 0, 0, 1])),
        ]

        // when
        let failed = try failing.map { (name: $0.0, client: try secure.send($0.1)) }
        let refused = try wrong.map { (name: $0.0, client: try secure.send($0.1)) }

        let connect = try secure.send(
            HTTP2Bytes.opening + HTTP2Bytes.frame(1, flags: 5, stream: 1, [0x42, 7] + Array("CONNECT".utf8) + [0x41, 1, 97]))

        // then: what can't be read further is told at once, the rest may still get what was under way; nothing stays open
        for (clients, seconds) in [(failed, 5.0), (refused, 20.0)] {
            _ = poll(seconds: seconds) { clients.allSatisfy { $0.client.exitCode != nil } }
            for (name, client) in clients { #expect(client.exitCode != nil, "\(name) is still open") }
        }
        #expect(poll(seconds: 5) { connect.output.utf8.count > 30 }, "CONNECT was not answered")
        connect.signal(SIGKILL)
        #expect(try poll(seconds: 10) { try secure.sockets <= before })
        #expect(try secure.curl(["--http2"], "/healthz").output.hasSuffix("\n2 200 1\n"))
    }

    /// A field of 4,000 bytes that is put into the table and then named 4,000 times by one byte each (RFC 7541, 6.1).
    private func bomb() -> [UInt8] {
        let field: [UInt8] = [0x40, 3] + Array("x-a".utf8) + [127, 0xA1, 0x1E] + [UInt8](repeating: 97, count: 4_000)
        return HTTP2Bytes.frame(1, flags: 5, stream: 1, field + [UInt8](repeating: 0xBE, count: 4_000))
    }

    @Test func whoHasNotSentARequestInTenSecondsIsLetGo() throws {
        // given
        let secure = try SecureServer()
        let request = HTTP2Bytes.get("/healthz")
        let slow: [(String, [UInt8])] = [
            ("silent", []), ("half a preface", Array(HTTP2Bytes.preface.prefix(7))), ("nothing asked", HTTP2Bytes.opening),
            ("half a head", HTTP2Bytes.opening + request.prefix(20)),
            ("a head without its end", HTTP2Bytes.opening + HTTP2Bytes.frame(1, flags: 1, stream: 1)),
            ("behind a first", HTTP2Bytes.opening + request + HTTP2Bytes.get("/healthz", stream: 3).prefix(20)),
        ]
        let before = try secure.sockets
        let start = ContinuousClock.now

        // when
        let clients = try slow.map { (name: $0.0, client: try secure.send($0.1)) }
        let waiting = try secure.send(HTTP2Bytes.opening + request)
        let bodiless = try secure.send(HTTP2Bytes.opening + request.enumerated().map { $0.offset == 4 ? 4 : $0.element })
        #expect(try poll(seconds: 5) { try secure.sockets == before + clients.count + 2 })
        while ContinuousClock.now - start < .seconds(8) { Thread.sleep(forTimeInterval: 0.05) }

        // then
        #expect(clients.allSatisfy { $0.client.exitCode == nil }, "closed early")
        for (name, client) in clients { #expect(poll(seconds: 12) { client.exitCode != nil }, "\(name) is still open") }
        // a stream is reset when its body does not come; between two requests a connection has more time
        #expect(poll(seconds: 10) { bodiless.output.utf8.count > 0 })
        #expect(waiting.exitCode == nil && bodiless.exitCode == nil)
        for client in [waiting, bodiless] { client.signal(SIGKILL) }
        #expect(try poll(seconds: 10) { try secure.sockets <= before })
    }

    @Test func aClientThatIsKilledLeavesNothingBehind() throws {
        // given: one that waits for an event
        let secure = try SecureServer(["--demo"])
        let key = try #require(secure.server.key)
        _ = try secure.curl(["--http2", "-H", "Authorization: Bearer \(key)"], "/api/v1/events?limit=1")
        let before = try secure.sockets
        let waiting = try secure.curlUnderWay(
            ["-v", "--http2", "-H", "Authorization: Bearer \(key)"], ["/api/v1/events?wait=30&after=1000000"])
        #expect(poll(seconds: 20) { waiting.errors.contains("> GET /api/v1/events") })

        // when
        waiting.signal(SIGKILL)

        // then: long before the wait is over
        #expect(try poll(seconds: 10) { try secure.sockets <= before })
    }

    @Test func whatSpeaksNoTLSIsLetGo() throws {
        let secure = try SecureServer()
        let connection = try secure.server.connect()
        connection.send(Server.request("GET", "/healthz"))
        _ = try connection.readToEnd()
        #expect(try secure.curl([], "/healthz").output.hasPrefix("{\"status\":\"ok\"}"))
    }

    @Test func aShutdownFinishesAStreamUnderWay() throws {
        // given: one that waits for an event
        let secure = try SecureServer(["--demo"])
        let key = try #require(secure.server.key)
        let format = ["-w", "\n%{http_version} %{http_code}\n", "-H", "Authorization: Bearer \(key)"]
        let waiting = try secure.curlUnderWay(["-v", "--max-time", "30", "--http2"] + format, ["/api/v1/events?wait=30&after=1000000"])
        #expect(poll(seconds: 20) { waiting.errors.contains("> GET /api/v1/events") })

        // when
        let code = secure.server.stop()

        // then
        #expect(code == 0)
        let finished = try Finished(waiting)
        #expect(finished.output.hasSuffix("\n2 200\n"), "\(finished.output) \(finished.errors)")
        #expect(!secure.server.process.errors.contains("open connections were closed"), "\(secure.server.process.errors)")
    }
}

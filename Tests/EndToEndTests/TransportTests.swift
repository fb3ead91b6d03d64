import Foundation
import Testing

/// TLS, HTTP/2 and the operator's listener.
@Suite struct TransportTests {
    private static func has(_ program: String) -> Bool {
        (try? Finished(ChildProcess("/bin/sh", ["-c", "command -v \(program)"])).exitCode) == 0
    }
    private static let canCheckTLS = has("curl") && has("openssl")

    private let folder: Folder

    init() throws { folder = try Folder() }

    private func certificate() throws -> [String] {
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder("key.pem"), "-out", folder("cert.pem"),
        ]
        let made = try Finished(ChildProcess("openssl", arguments))
        guard made.exitCode == 0 else { throw Trouble("no certificate: \(made.errors)") }
        return ["--tls-certificate", folder("cert.pem"), "--tls-key", folder("key.pem")]
    }

    private func curl(_ server: Server, _ arguments: [String], _ target: String) throws -> Finished {
        let fixed = ["-sS", "--max-time", "30", "--cacert", folder("cert.pem"), "-w", "\n%{http_version} %{http_code} %{num_connects}\n"]
        return try Finished(ChildProcess("curl", fixed + arguments + ["https://localhost:\(server.port)\(target)"]))
    }

    @Test(.enabled(if: canCheckTLS))
    func tlsSpeaksHTTP2AndFallsBackToHTTP11() throws {
        // given
        let server = try Server(folder("tls.db"), ["--demo"] + certificate())
        let key = ["-H", "Authorization: Bearer \(try #require(server.key))"]
        #expect(server.process.output.contains("\"public\":\"https://"))

        // when
        let two = try curl(server, ["--http2"] + key, "/api/v1/candidates?limit=2")
        let one = try curl(server, ["--http1.1"] + key, "/api/v1/candidates?limit=2")
        let bare = try curl(server, ["--no-alpn"] + key, "/api/v1/candidates?limit=2")
        let refused = try curl(server, ["--http2", "-i"], "/api/v1/candidates")
        let large = try curl(server, ["--http2"] + key, "/api/v1/matches?limit=1000&expand=candidate,job")
        let many = try curl(server, ["--http2", "-o", "/dev/null", "-Z"] + key, "/api/v1/candidates?limit=[1-40]")
        let head = try curl(server, ["--http2", "-I"] + key, "/api/v1/candidates?limit=2")
        let long = try curl(server, ["--http2"] + key, "/api/v1/candidates?q=" + String(repeating: "x", count: 9_000))
        let posted = try curl(server, ["--http2", "-i", "--data-binary", "hello"] + key, "/api/v1/candidates")

        // then
        #expect(two.output.hasSuffix("\n2 200 1\n") && two.output.hasPrefix("{\"data\":[{\"id\":\"cand_"), "\(two.output) \(two.errors)")
        #expect(one.output.hasSuffix("\n1.1 200 1\n"), "\(one.output.suffix(100)) \(one.errors)")
        #expect(bare.output.hasSuffix("\n1.1 200 1\n"), "\(bare.output.suffix(100)) \(bare.errors)")
        #expect(refused.output.contains("HTTP/2 401") && refused.output.contains("www-authenticate: Bearer realm=\"hirewire\""))
        #expect(large.output.hasSuffix("\n2 200 1\n") && large.output.contains("],\"has_more\":false,\"meta\":"))
        #expect(many.output.components(separatedBy: "2 200 ").count == 41, "\(many.output) \(many.errors)")
        #expect(head.output.contains("HTTP/2 200") && head.output.contains("content-length: "))
        #expect(long.output.hasSuffix("2 414 1\n") && long.output.contains("uri_too_long"))
        #expect(posted.output.contains("HTTP/2 405") && posted.output.contains("allow: GET, HEAD, OPTIONS"))
    }

    @Test(.enabled(if: canCheckTLS))
    func anExportOverHTTP2IsWholeOrReset() throws {
        // given
        let filler = String(repeating: "words of a long remark ", count: 200)
        let rows = (0..<4_000).map { "{\"external_id\":\"c\($0)\",\"full_name\":\"Person \($0)\",\"custom\":{\"text\":\"\(filler)\"}}\n" }
        let server = try Server(folder("export.db"), ["--export-time", "1s", "--access-log", "on", "--log-format", "json"] + certificate())
        _ = try server.command("import", "candidates", try folder.write(rows.joined(), to: "rows.ndjson"), "--no-events")
        let key = ["-H", "Authorization: Bearer \(try server.makeKey("--scope", "read:pii", "--rate-limit", "1000").token)"]

        // when
        let page = try curl(server, ["--http2", "-o", folder("page")] + key, "/api/v1/candidates?export=all&fields=full_name")
        let slow = try curl(server, ["--http2", "--limit-rate", "2M", "-o", folder("cut")] + key, "/api/v1/candidates?export=all")
        let after = try curl(server, ["--http2", "-o", folder("after")] + key, "/api/v1/jobs?export=all")
        let head = try curl(server, ["--http2", "-I"] + key, "/api/v1/candidates?export=all")
        server.stop()

        // then
        let lines = try server.process.errors.split(separator: "\n").filter { $0.contains("/api/v1/") }.map { try JSON(Array($0.utf8)) }
        #expect(lines.map { $0["export"].string } == ["whole", "cut", "whole", nil] && head.exitCode == 0)
        #expect(lines.map { $0["rows"].int }.first == 4_000 && lines.last?["level"].string == "info", "\(server.process.errors)")
        #expect(page.exitCode == 0 && page.output.contains("2 200 "), "\(page.errors)")
        #expect(try String(contentsOfFile: folder("page"), encoding: .utf8).split(separator: "\n").count == 4_000)
        #expect(slow.exitCode == 92, "\(slow.exitCode) \(slow.errors)")
        #expect(try String(contentsOfFile: folder("cut"), encoding: .utf8).split(separator: "\n").last?.contains("export_cut") == true)
        #expect(after.exitCode == 0)
    }

    private func sockets(of server: Server) throws -> Int {
        let folder = "/proc/\(server.process.pid)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix("socket:") == true
        }.count
    }

    @Test(.enabled(if: canCheckTLS), arguments: [17_000, 29_000, 60_000])
    func aFailedHTTP2ConnectionIsClosedAtOnce(size: Int) throws {
        // given
        let server = try Server(folder("failed.db"), certificate())
        _ = try curl(server, ["--http2"], "/healthz")
        let before = try sockets(of: server)

        // when: more header fields than the protocol's handler decodes
        let addresses = Array(repeating: "203.0.113.9", count: size / 13).joined(separator: ", ")
        let refused = try (0..<4).map { _ in try curl(server, ["--http2", "-H", "X-Forwarded-For: \(addresses)"], "/healthz") }

        // then: told at once, not after curl's patience, and nothing of it stays open
        for refusal in refused { #expect(![0, 28].contains(refusal.exitCode), "\(refusal.exitCode) \(refusal.output) \(refusal.errors)") }
        #expect(try poll(seconds: 10) { try sockets(of: server) <= before })
        #expect(try curl(server, ["--http2"], "/healthz").output.hasSuffix("\n2 200 1\n"))
    }

    @Test(.enabled(if: canCheckTLS))
    func aClientThatIsKilledLeavesNoHTTP2ConnectionBehind() throws {
        // given: one that waits for an event
        let server = try Server(folder("gone.db"), ["--demo"] + certificate())
        let key = try #require(server.key)
        _ = try curl(server, ["--http2", "-H", "Authorization: Bearer \(key)"], "/api/v1/events?limit=1")
        let before = try sockets(of: server)
        let waiting = try ChildProcess(
            "curl",
            [
                "-sSv", "--http2", "--cacert", folder("cert.pem"), "-H", "Authorization: Bearer \(key)",
                "https://localhost:\(server.port)/api/v1/events?wait=30&after=1000000",
            ])
        #expect(poll(seconds: 20) { waiting.errors.contains("> GET /api/v1/events") })

        // when
        waiting.signal(SIGKILL)

        // then: long before the wait is over
        #expect(try poll(seconds: 10) { try sockets(of: server) <= before })
    }

    @Test(.enabled(if: canCheckTLS))
    func whatSpeaksNoTLSIsLetGo() throws {
        let server = try Server(folder("plain.db"), certificate())
        let connection = try server.connect()
        connection.send(Server.request("GET", "/healthz"))
        _ = try connection.readToEnd()
        #expect(try curl(server, [], "/healthz").output.hasPrefix("{\"status\":\"ok\"}"))
    }

    @Test(.enabled(if: canCheckTLS))
    func aShutdownFinishesAStreamUnderWay() throws {
        // given
        let server = try Server(folder("stream.db"), ["--demo"] + certificate())
        let key = try #require(server.key)
        let target = "https://localhost:\(server.port)/api/v1/events?wait=30&after=1000000"
        let waiting = try ChildProcess(
            "curl",
            [
                "-sSv", "--max-time", "30", "--http2", "--cacert", folder("cert.pem"), "-w", "\n%{http_version} %{http_code}\n", "-H",
                "Authorization: Bearer \(key)", target,
            ])
        #expect(poll(seconds: 20) { waiting.errors.contains("> GET /api/v1/events") })

        // when
        let code = server.stop()

        // then
        #expect(code == 0)
        let finished = try Finished(waiting)
        #expect(finished.output.hasSuffix("\n2 200\n"), "\(finished.output) \(finished.errors)")
    }

    @Test func theOperatorsListenerTellsHowItIs() throws {
        // given
        let server = try Server(folder("operator.db"), ["--demo"])
        let key = try #require(server.key)
        _ = try server.get("/api/v1/candidates", key: key)
        _ = try server.get("/api/v1/candidates/nonsense", key: key)
        func ask(_ target: String, method: String = "GET") throws -> Response {
            let connection = try Connection(server.operatorPort)
            connection.send(Server.request(method, target))
            return try connection.receive(isHead: method == "HEAD")
        }

        // when
        let lines = [
            "hirewire_http_requests_total{route=\"/api/v1/candidates\",status=\"200\"} 1",
            "hirewire_http_requests_total{route=\"/api/v1/candidates/{id}\",status=\"404\"} 1", "hirewire_limiter_refusals_total 0",
            "hirewire_http_request_duration_seconds_count{route=\"/api/v1/candidates\",status=\"200\"} 1",
        ]
        var metrics = try ask("/metrics")
        // A request is counted once it is answered.
        _ = try poll(seconds: 10) {
            metrics = try ask("/metrics")
            return lines.allSatisfy { metrics.text.contains($0 + "\n") }
        }

        // then
        #expect(try ask("/healthz").status == 200 && ask("/readyz").status == 200)
        #expect(metrics.status == 200 && metrics["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
        for line in lines { #expect(metrics.text.contains(line + "\n"), "\(metrics.text)") }
        #expect(metrics.text.contains("\nprocess_resident_memory_bytes "))
        let nothing = try ask("/nothing")
        #expect(nothing.status == 404 && nothing["Content-Type"] == "application/problem+json")
        for target in ["/healthz", "/readyz", "/metrics"] {
            #expect(try ask(target, method: "HEAD").status == 200)
            for method in ["POST", "PUT", "DELETE"] {
                let refused = try ask(target, method: method)
                #expect(refused.status == 405 && refused.code == "method_not_allowed" && refused["Allow"] == "GET, HEAD")
            }
        }
        #expect(try ask("/nothing", method: "POST").status == 404)
        // the operator's pages are not on the public listener
        #expect(try server.get("/metrics").status == 404 && server.get("/readyz").status == 404)
    }

    @Test func theAccessLogHasTheRequestIdAndNoSecretOrQuery() throws {
        // given
        let server = try Server(folder("log.db"), ["--demo", "--access-log", "on", "--log-format", "json"])
        let key = try #require(server.key)

        // when
        _ = try server.get("/api/v1/candidates?q=engineer&limit=1", key: key, ["X-Request-Id: find-me"])
        _ = try server.get("/api/v1/candidates?api_key=\(key)", ["X-Request-Id: leaked"])

        // then
        #expect(poll(seconds: 5) { server.process.errors.contains("\"find-me\"") && server.process.errors.contains("\"leaked\"") })
        let line = try #require(server.process.errors.split(separator: "\n").first { $0.contains("find-me") })
        _ = try JSON(Array(line.utf8))
        #expect(line.contains("/api/v1/candidates") && line.contains("200"))
        #expect(!server.process.errors.contains("engineer") && !server.process.errors.contains(key))
    }

    @Test func theAccessLogRepeatsNoPathThatCouldNameSomebody() throws {
        // given
        let server = try Server(folder("paths.db"), ["--demo", "--access-log", "on", "--log-format", "json"])
        let key = try #require(server.key)
        let id = try #require(try server.get("/api/v1/candidates?limit=1", key: key).json["data"][0]["id"].string)

        // when
        _ = try server.get("/api/v1/candidates/ada@example.com", key: key)
        _ = try server.get("/api/v1/candidates/Ada_Lovelace/resume", key: key)
        _ = try server.get("/people/ada@example.com", key: key)
        _ = try server.get("/api/v1/candidates/\(id)", key: key, ["X-Request-Id: last"])

        // then
        #expect(poll(seconds: 5) { server.process.errors.contains("\"last\"") })
        let log = server.process.errors
        #expect(!log.contains("ada@example.com") && !log.contains("Lovelace"))
        #expect(log.contains("\"path\":\"/api/v1/candidates/\(id)\"") && log.contains("\"path\":\"/api/v1/candidates/{id}\""))
    }
}

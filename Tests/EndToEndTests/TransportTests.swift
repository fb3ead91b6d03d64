import Foundation
import Testing

/// TLS, HTTP/2 and the operator's listener.
@Suite struct TransportTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    @Test(.enabled(if: SecureServer.canBeAsked))
    func tlsSpeaksHTTP2AndFallsBackToHTTP11() throws {
        // given
        let secure = try SecureServer(["--demo"])
        let server = secure.server
        let key = ["-H", "Authorization: Bearer \(try #require(server.key))"]
        #expect(server.process.output.contains("\"public\":\"https://"))

        // when
        let two = try secure.curl(["--http2"] + key, "/api/v1/candidates?limit=2")
        let one = try secure.curl(["--http1.1"] + key, "/api/v1/candidates?limit=2")
        let bare = try secure.curl(["--no-alpn"] + key, "/api/v1/candidates?limit=2")
        let refused = try secure.curl(["--http2", "-i"], "/api/v1/candidates")
        let large = try secure.curl(["--http2"] + key, "/api/v1/matches?limit=1000&expand=candidate,job")
        let many = try secure.curl(["--http2", "-o", "/dev/null", "-Z"] + key, "/api/v1/candidates?limit=[1-40]")
        let head = try secure.curl(["--http2", "-I"] + key, "/api/v1/candidates?limit=2")
        let long = try secure.curl(["--http2"] + key, "/api/v1/candidates?q=" + String(repeating: "x", count: 9_000))
        let posted = try secure.curl(["--http2", "-i", "--data-binary", "hello"] + key, "/api/v1/candidates")

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

    @Test(.enabled(if: SecureServer.canBeAsked))
    func anExportOverHTTP2IsWholeOrReset() throws {
        // given
        let filler = String(repeating: "words of a long remark ", count: 200)
        let rows = (0..<4_000).map { "{\"external_id\":\"c\($0)\",\"full_name\":\"Person \($0)\",\"custom\":{\"text\":\"\(filler)\"}}\n" }
        let secure = try SecureServer(["--export-time", "1s", "--access-log", "on", "--log-format", "json"])
        let server = secure.server
        _ = try server.command("import", "candidates", try folder.write(rows.joined(), to: "rows.ndjson"), "--no-events")
        let key = ["-H", "Authorization: Bearer \(try server.makeKey("--scope", "read:pii", "--rate-limit", "1000").token)"]

        // when
        let page = try secure.curl(["--http2", "-o", folder("page")] + key, "/api/v1/candidates?export=all&fields=full_name")
        let slow = try secure.curl(["--http2", "--limit-rate", "2M", "-o", folder("cut")] + key, "/api/v1/candidates?export=all")
        let after = try secure.curl(["--http2", "-o", folder("after")] + key, "/api/v1/jobs?export=all")
        let head = try secure.curl(["--http2", "-I"] + key, "/api/v1/candidates?export=all")
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

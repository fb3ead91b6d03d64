import Foundation
import Testing

/// The examples of `packaging/`, run by the proxies that they are for.
@Suite struct ReverseProxyTests {
    private struct Site {
        let folder: Folder
        let server: Server
        let proxy: ReverseProxy
        let key: String

        init(_ kind: ReverseProxy.Kind) throws {
            folder = try Folder()
            let port = try Tools.freePort()
            server = try Server(
                folder("site.db"),
                [
                    "--demo", "--access-log", "on", "--public-url", "https://localhost:\(port)", "--trusted-proxy", "127.0.0.1",
                    "--trusted-proxy", "::1",
                ])
            guard let key = server.key else { throw Trouble("no key") }
            self.key = key
            proxy = try ReverseProxy(kind, in: folder, port: port, upstream: server.port)
        }
    }

    @Test(arguments: ReverseProxy.Kind.allCases)
    func keysPagesAndLinksGoThroughOverHTTP2(_ kind: ReverseProxy.Kind) throws {
        // given
        let site = try Site(kind)
        let (proxy, server) = (site.proxy, site.server)

        // when
        let page = try proxy.ask("/api/v1/candidates?limit=1000", ["--compressed", "--http2"], key: site.key)
        let old = try proxy.ask("/api/v1/jobs?limit=1", ["--http1.1"], key: site.key)
        let basic = try proxy.ask("/api/v1/key", ["-H", "Authorization: Basic bm9uc2Vuc2U6bm9uc2Vuc2U="])
        let none = try proxy.ask("/api/v1/jobs", ["-i"])

        // then: the same bytes as without the proxy
        #expect(page.output == (try server.get("/api/v1/candidates?limit=1000", key: site.key).text) + "\n2 200", "\(page.errors)")
        #expect(old.output.hasSuffix("\n1.1 200") && basic.output.hasSuffix("\n2 401"))
        #expect(
            none.output.contains("www-authenticate: Bearer realm=\"hirewire\"")
                && none.output.contains("content-type: application/problem+json"))

        // when: the links that the page gives are followed to the end
        var next: String? = "/api/v1/jobs?limit=7"
        var ids: [String] = []
        while let target = next {
            #expect(target.hasPrefix(ids.isEmpty ? "/" : proxy.url + "/api/v1/jobs?"))
            let answer = try proxy.ask(target, key: site.key).output
            let json = try JSON(Array(answer.dropLast("\n2 200".count).utf8))
            ids += (json["data"].array ?? []).compactMap { $0["id"].string }
            next = json["next"].string
        }

        // then
        let all = try server.get("/api/v1/jobs?limit=1000", key: site.key).json["data"].array ?? []
        #expect(Set(ids) == Set(all.compactMap { $0["id"].string }) && ids.count == all.count && ids.count > 7)
        // and: the operator's pages show what to paste with the address that clients use
        let examples = try OperatorVisitor.signedIn(server).get("/docs").text
        #expect(examples.contains("\(proxy.url)/api/v1/candidates") && !examples.contains("http://127.0.0.1:\(server.port)"))
        #expect(try proxy.ask("/api/v1").output.contains("\"jobs\":\"\(proxy.url)/api/v1/jobs\""))
    }

    @Test(arguments: ReverseProxy.Kind.allCases)
    func theClientIsWhoConnectsToTheProxyWhateverItSays(_ kind: ReverseProxy.Kind) throws {
        // given
        let site = try Site(kind)
        func fail(_ number: Int, from source: String) throws -> Int {
            let lies = ["X-Forwarded-For: 198.51.100.\(number)", "Forwarded: for=198.51.100.\(number)", "X-Real-IP: 198.51.100.\(number)"]
            let answer = try site.proxy.ask("/api/v1/key", lies.flatMap { ["-H", $0] }, key: "rk_nonsense", from: source).output
            return try #require(Int(answer.suffix(3)))
        }

        // when
        let (isLimited, told) = try isLimited(after: 20, refilledEvery: 3) { try fail($0, from: "127.0.0.5") }
        let neighbour = try fail(1, from: "127.0.0.6")
        let valid = try site.proxy.ask("/api/v1/key", key: site.key, from: "127.0.0.5")

        // then
        #expect(isLimited, told)
        #expect(neighbour == 401 && valid.output.hasSuffix(" 200"))
        site.server.stop()
        #expect(site.server.process.errors.contains(" client=127.0.0.5 ") && site.server.process.errors.contains(" client=127.0.0.6 "))
        #expect(!site.server.process.errors.contains("198.51.100"))
    }

    @Test(arguments: ReverseProxy.Kind.allCases)
    func compressionAndEntityTagsPassUnchanged(_ kind: ReverseProxy.Kind) throws {
        // given
        let site = try Site(kind)
        let target = "/api/v1/matches?limit=100"
        func head(_ fields: String...) throws -> String {
            try site.proxy.ask(target, ["-D", "-", "-o", "/dev/null"] + fields.flatMap { ["-H", $0] }, key: site.key).output.lowercased()
        }
        let tag = try #require(try site.server.get(target, key: site.key)["ETag"])

        // when
        let plain = try head()
        let packed = try head("Accept-Encoding: gzip")
        let unchanged = try head("Accept-Encoding: gzip", "If-None-Match: \(tag)")

        // then
        for answer in [plain, packed, unchanged] { #expect(answer.contains("etag: \(tag.lowercased())\r\n"), "\(answer)") }
        #expect(plain.hasSuffix(" 200") && !plain.contains("content-encoding"))
        #expect(packed.hasSuffix(" 200") && packed.contains("content-encoding: gzip\r\n"))
        #expect(unchanged.hasSuffix(" 304") && !unchanged.contains("content-encoding"))
        #expect(plain.contains("vary: accept, accept-encoding, authorization, origin\r\n"))
    }

    @Test(arguments: ReverseProxy.Kind.allCases)
    func anExportComesWholeAndItsCutIsSeen(_ kind: ReverseProxy.Kind) throws {
        // given
        let site = try Site(kind)
        let rows = (0..<20_000).map { "{\"external_id\":\"x\($0)\",\"full_name\":\"Person \($0)\",\"headline\":\"\(UUID()) \(UUID())\"}\n" }
        try site.server.command("import", "candidates", try site.folder.write(rows.joined(), to: "rows.ndjson"), "--no-events")
        let target = "/api/v1/candidates?export=all&format=ndjson"

        // when
        for options in [["--compressed"], ["--http1.1"], []] {
            let export = try site.proxy.ask(target, options + ["-D", site.folder("head")], key: site.key)

            // then
            let lines = export.output.split(separator: "\n")
            let head = try String(contentsOfFile: site.folder("head"), encoding: .utf8).lowercased()
            #expect(export.exitCode == 0 && lines.last?.hasSuffix(" 200") == true, "\(export.errors)")
            #expect(lines.count > 20_000 && head.contains("x-total-count: \(lines.count - 1)\r\n"), "\(lines.count) \(head)")
        }

        // when: the server dies in the middle
        let slow = try ChildProcess(
            "/bin/sh",
            ["-c", "exec curl \"$@\" > \(site.folder("cut"))", "curl"] + site.proxy.arguments(target, ["--limit-rate", "100K"], site.key))
        #expect(poll(seconds: 20) { (try? FileManager.default.attributesOfItem(atPath: site.folder("cut"))[.size] as? Int) ?? 0 > 1_000 })
        site.server.stop(SIGKILL)

        // then: rows are missing, and curl says so, except behind Caddy's versions that end what broke off as if it were whole
        let code = try slow.wait(seconds: 120)
        let rowsGot = try String(contentsOfFile: site.folder("cut"), encoding: .utf8).utf8.count { $0 == UInt8(ascii: "\n") }
        #expect(rowsGot > 0 && rowsGot < 20_000)
        #expect(kind == .caddy || code != 0)
    }

    @Test(arguments: ReverseProxy.Kind.allCases)
    func longPollsWaitAndNothingOfTheOperatorsIsThere(_ kind: ReverseProxy.Kind) throws {
        // given
        let site = try Site(kind)
        let last = try #require(try site.server.get("/api/v1/events?limit=1000", key: site.key).json["meta"]["last_sequence"].int)
        let began = ContinuousClock.now
        let idle = try site.proxy.start("/api/v1/events?type=job.status_changed&after=\(last)&wait=30", key: site.key)
        let waiting = try site.proxy.start("/api/v1/events?type=candidate.created&after=\(last)&wait=30", key: site.key)

        // when
        Thread.sleep(forTimeInterval: 1)
        try site.folder.write("{\"external_id\":\"late\",\"full_name\":\"Late Comer\"}\n", to: "late.ndjson")
        try site.server.command("import", "candidates", site.folder("late.ndjson"))

        // then
        try waiting.wait(seconds: 60)
        #expect(waiting.output.contains("candidate.created") && waiting.output.hasSuffix("\n2 200"), "\(waiting.output) \(waiting.errors)")
        #expect(ContinuousClock.now - began < .seconds(25))
        for path in ["/metrics", "/readyz", "/operator/v1", "/operator/v1/jobs/x", "/", "/sign-in", "/keys"] {
            #expect(try site.proxy.ask(path, key: site.key).output.hasSuffix(" 404"), "\(path)")
        }
        try idle.wait(seconds: 60)
        #expect(idle.output.hasPrefix("{\"data\":[]") && idle.output.hasSuffix("\n2 200"), "\(idle.output) \(idle.errors)")
        #expect(ContinuousClock.now - began >= .seconds(29))
    }
}

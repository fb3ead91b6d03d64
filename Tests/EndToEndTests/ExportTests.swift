import Foundation
import Testing

extension Server {
    /// One with so many candidates of some 5 KB each.
    static func ofLongRows(_ count: Int, in folder: Folder, _ arguments: [String] = []) throws -> Server {
        let filler = String(repeating: "words of a long remark ", count: 200)
        let rows = (0..<count).map {
            "{\"external_id\":\"c\($0)\",\"full_name\":\"Person \($0), =2+3 \\\"x\\\"\",\"skills\":[\"C++\",\"a;b\"],\"custom\":{\"n\":\($0),\"text\":\"\(filler)\"}}\n"
        }
        let server = try Server(folder("exports.db"), arguments)
        _ = try server.command("import", "candidates", try folder.write(rows.joined(), to: "rows.ndjson"), "--no-events")
        return server
    }
}

/// Whole tables as lines and as CSV, read by curl and by Python's csv.
@Suite(.serialized) struct ExportTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func server(of count: Int, _ arguments: [String] = []) throws -> Server {
        try Server.ofLongRows(count, in: folder, arguments)
    }

    private func curl(_ server: Server, _ target: String, _ arguments: [String], key: String) throws -> Finished {
        let fixed = ["-sS", "--max-time", "50", "-H", "Authorization: Bearer \(key)", "-D", folder("head"), "-o", folder("body")]
        return try Finished(ChildProcess("curl", fixed + arguments + ["http://127.0.0.1:\(server.port)\(target)"]))
    }

    private var head: String { get throws { try String(contentsOfFile: folder("head"), encoding: .utf8) } }
    private func body() throws -> [JSON] {
        try Data(contentsOf: URL(fileURLWithPath: folder("body"))).split(separator: 10).map { try JSON(Array($0)) }
    }
    private func field(_ name: String) throws -> String? {
        try head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    @Test(arguments: ["candidates", "jobs", "applications", "interviews", "matches", "calls", "events"])
    func anExportHasTheRowsOfTheWalk(_ list: String) throws {
        let shared = try SharedServer.running
        for key in [shared.personal.token, shared.reader.token] {
            let options = list == "events" ? "" : "&include_deleted=true"
            var walked: [JSON] = []
            var next: String? = "/api/v1/\(list)?limit=1000\(options)"
            while let target = next {
                let page = try shared.server.get(target, key: key).json
                walked += page["data"].array ?? []
                next = page["next"].string
            }
            let done = try curl(shared.server, "/api/v1/\(list)?export=all\(options)", ["--compressed"], key: key)
            #expect(try done.exitCode == 0 && head.hasPrefix("HTTP/1.1 200"))
            #expect(try body() == walked)
            #expect(try field("X-Total-Count") == String(walked.count))
            #expect(try field("Content-Type") == "application/x-ndjson")
            #expect(try field("Content-Encoding") == "gzip")
            #expect(try (field("X-Masked") != nil) == (key == shared.reader.token))
        }
    }

    /// Reads both forms in Python and compares them by the documented rules.
    private static let comparison = """
        import csv, json, sys
        def flat(value, name, cells):
            if isinstance(value, dict) and name in OBJECTS:
                for member, inner in value.items(): flat(inner, f"{name}.{member}", cells)
            elif isinstance(value, list) and all(isinstance(text, str) for text in value):
                cells[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if any(";" in text for text in value) else guard(";".join(value))
            elif isinstance(value, (dict, list)): cells[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            elif value is None: cells[name] = ""
            elif isinstance(value, str): cells[name] = guard(value)
            else: cells[name] = json.dumps(value)
        def guard(text): return "'" + text if text[:1] in tuple("=+-@\\t\\r\\n") and text else text
        OBJECTS = ("candidate", "job", "resume", "result", "subject")
        csv.field_size_limit(10**9)
        lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
        with open(sys.argv[2], encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        names = rows.pop(0)
        assert len(rows) == len(lines) and len(set(names)) == len(names), (len(rows), len(lines))
        for row, line in zip(rows, lines):
            cells = {}
            for name, value in line.items(): flat(value, name, cells)
            assert len(row) == len(names)
            for name, cell in zip(names, row):
                expected = cells.pop(name, "")
                same = cell == expected or (cell[:1] in "[{" and cell and json.loads(cell) == json.loads(expected))
                assert same, (name, cell, expected)
            assert all(value == "" for value in cells.values()), cells
        print(len(rows))
        """

    @Test(arguments: ["candidates", "jobs", "applications", "interviews", "matches", "calls", "events"])
    func pythonReadsTheSameFromCSV(_ list: String) throws {
        let shared = try SharedServer.running
        let options = list == "events" ? "" : "&include_deleted=true"
        #expect(try curl(shared.server, "/api/v1/\(list)?export=all&format=ndjson\(options)", [], key: shared.personal.token).exitCode == 0)
        try FileManager.default.moveItem(atPath: folder("body"), toPath: folder("lines"))
        #expect(try curl(shared.server, "/api/v1/\(list)?export=all&format=csv\(options)", [], key: shared.personal.token).exitCode == 0)
        #expect(try field("Content-Type")?.hasPrefix("text/csv") == true)
        let done = try Finished(ChildProcess("python3", ["-c", Self.comparison, folder("lines"), folder("body")]))
        #expect(done.exitCode == 0, "\(done.errors)")
        #expect(try field("X-Total-Count") == done.output.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test func anExportIsOneSnapshotAndDoesNotHoldWritersBack() throws {
        let server = try server(of: 4_000)
        let key = try server.makeKey("--scope", "read:pii").token
        // Slow enough for changes to come in between.
        let reading = try ChildProcess(
            "curl",
            [
                "-sS", "--limit-rate", "2M", "-H", "Authorization: Bearer \(key)", "-o", folder("slow"), "-D", folder("slow.head"),
                "http://127.0.0.1:\(server.port)/api/v1/candidates?export=all",
            ])
        _ = poll(seconds: 10) { FileManager.default.fileExists(atPath: folder("slow")) }
        var changed = 0
        while reading.exitCode == nil {
            let page = try server.get("/api/v1/candidates?limit=1&sort=-updated_at&skill=C%2B%2B", key: key).json
            let id = try #require(page["data"][0]["id"].string)
            _ = try server.command("set", "candidate", id, "headline=changed \(changed)")
            _ = try server.command(
                "delete", "candidate", try #require(server.get("/api/v1/candidates?limit=1", key: key).json["data"][0]["id"].string))
            changed += 1
        }
        #expect(changed > 1)
        let rows = try Data(contentsOf: URL(fileURLWithPath: folder("slow"))).split(separator: 10).map { try JSON(Array($0)) }
        #expect(rows.count == 4_000 && Set(rows.compactMap { $0["id"].string }).count == 4_000)
        #expect(rows.allSatisfy { $0["headline"].string == nil && $0["deleted_at"].string == nil })
        // Polling from its mark gives what changed meanwhile.
        let slowHead = try String(contentsOfFile: folder("slow.head"), encoding: .utf8)
        let asOf = try #require(slowHead.components(separatedBy: "\r\n").first { $0.hasPrefix("X-As-Of: ") }?.dropFirst(9))
        let later =
            try server.get("/api/v1/candidates?updated_after=\(asOf)&include_deleted=true&limit=1000", key: key).json["data"].array ?? []
        #expect(later.count { $0["deleted_at"].string != nil } == changed)
    }

    @Test func oneThatTakesTooLongIsCutAndGoesOnFromItsCursor() throws {
        for notation in ["ndjson", "csv"] {
            let server = try server(of: 4_000, ["--export-time", "1s"])
            defer { server.stop() }
            let key = try server.makeKey("--scope", "read:pii", "--rate-limit", "1000").token
            let connection = try server.connect()
            connection.send(Server.request("GET", "/api/v1/candidates?export=all&format=\(notation)", key: key))
            let first = try connection.receive(isHead: true)
            #expect(first.status == 200 && first["Transfer-Encoding"] == "chunked" && first["X-Total-Count"] == "4000")
            // What nobody reads is not made, so the time runs out.
            Thread.sleep(forTimeInterval: 1.5)
            let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
            #expect(!text.hasSuffix("\r\n0\r\n\r\n") && text.contains("export_cut"))
            // curl takes it for what it is.
            let done = try curl(server, "/api/v1/candidates?export=all&format=\(notation)", ["--limit-rate", "2M"], key: key)
            #expect(done.exitCode == 18, "\(done.exitCode) \(done.errors)")
            var ids: [String] = []
            func take() throws -> String? {
                let lines = try String(contentsOfFile: folder("body"), encoding: .utf8).split(whereSeparator: \.isNewline)
                ids += lines.compactMap { $0.firstMatch(of: #/cand_[0-9A-Z]{26}/#).map { String($0.output) } }
                guard let last = lines.last, last.contains("export_cut") else { return nil }
                return last.firstMatch(of: #/(/api/v1/candidates\?[^",]+)/#).map { String($0.output.1) }
            }
            var next = try take()
            var rounds = 0
            while let target = next, rounds < 20 {
                #expect(target.contains("export=all") && target.contains("cursor="))
                let rest = 4_000 - ids.count
                _ = try curl(server, target, [], key: key)
                #expect(try field("X-Total-Count") == String(rest))
                next = try take()
                rounds += 1
            }
            #expect(rounds > 0 && ids.count == 4_000 && Set(ids).count == 4_000)
        }
    }

    /// What comes of an export when a shutdown begins behind its head.
    private func bodyBesideShutdown(_ server: Server) throws -> String {
        let key = try server.makeKey("--scope", "read:pii").token
        let connection = try server.connect()
        connection.send(Server.request("GET", "/api/v1/candidates?export=all&format=ndjson", key: key))
        #expect(try connection.receive(isHead: true).status == 200)
        try server.beginShutdown()
        return String(decoding: try connection.readToEnd(), as: UTF8.self)
    }

    @Test func aShutdownFinishesWhatIsUnderWay() throws {
        let server = try server(of: 4_000)
        let text = try bodyBesideShutdown(server)
        #expect(text.hasSuffix("\r\n0\r\n\r\n") && text.contains("\"c3999\"") && !text.contains("export_cut"))
        #expect(server.stop() == 0)
    }

    @Test func theEndOfAShutdownCutsItWithTheSameSign() throws {
        let server = try server(of: 4_000, ["--shutdown-grace", "2s"])
        let text = try bodyBesideShutdown(server)
        #expect(text.contains("shutting down") && text.contains("next_cursor") && !text.hasSuffix("\r\n0\r\n\r\n"))
        #expect(server.stop() == 0)
    }

    @Test func aKeyHasOneAtATimeAndGetsItsTurnBackWhenItsClientLeaves() throws {
        let server = try server(of: 4_000)
        let key = try server.makeKey("--scope", "read:pii").token
        let other = try server.makeKey("--scope", "read:pii").token
        do {
            let connection = try server.connect()
            connection.send(Server.request("GET", "/api/v1/candidates?export=all&format=csv", key: key))
            #expect(try connection.receive(isHead: true).status == 200)
            let second = try server.get("/api/v1/jobs?export=all&format=csv", key: key)
            #expect(second.status == 429 && second.code == "rate_limited" && second["Retry-After"] != nil)
            #expect(try server.get("/api/v1/jobs?export=all&format=csv", key: other).status == 200)
            #expect(try server.get("/api/v1/jobs", key: key).status == 200)
        }
        #expect(try poll(seconds: 10, every: 0.2) { try server.get("/api/v1/jobs?export=all&format=csv", key: key).status == 200 })
        // Who leaves is no fault of ours.
        #expect(!server.process.errors.contains(" error ") && !server.process.errors.contains(" warning "))
    }

    @Test(arguments: [
        ("", "*/*", "application/json"), ("", "application/json", "application/json"), ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "application/jsonl", "application/x-ndjson"), ("", "text/csv", "text/csv"), ("", "text/*", "text/csv"),
        ("", "text/csv;q=0.5, application/json;q=0.4", "text/csv"), ("", "text/csv;q=0.5, */*", "application/json"),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("&format=csv", "application/json", "text/csv"), ("&format=json", "text/csv", "application/json"),
        ("&format=ndjson", "text/html", "application/x-ndjson"), ("&form%61t=%63sv", "*/*", "text/csv"),
    ])
    func whatIsAskedForIsAnswered(_ parameter: String, _ accept: String, _ type: String) throws {
        let shared = try SharedServer.running
        for list in ["candidates", "events"] {
            let answer = try shared.server.get("/api/v1/\(list)?limit=2\(parameter)", key: shared.reader.token, ["Accept: \(accept)"])
            #expect(answer.status == 200 && answer["Content-Type"]?.hasPrefix(type) == true, "\(list)")
            // Another form is another representation.
            let tag = try #require(list == "events" ? "" : answer["ETag"])
            let plain = try shared.server.get("/api/v1/\(list)?limit=2\(parameter)", key: shared.reader.token, ["Accept: */*"])
            if type != "application/json", parameter.isEmpty, list != "events" { #expect(plain["ETag"] != tag) }
        }
    }

    @Test(arguments: [
        ("format=xml", "invalid_parameter"), ("format=", "invalid_parameter"), ("format=csv&format=csv", "repeated_parameter"),
        ("export=some", "invalid_parameter"), ("export=all&limit=5", "invalid_parameter"), ("export=all&format=json", "invalid_parameter"),
        ("export=all&cursor=x", "invalid_cursor"), ("export=all&fields=nothing", "invalid_parameter"), ("exports=all", "unknown_parameter"),
    ])
    func whatCannotBeExportedIsRefused(_ query: String, _ code: String) throws {
        let shared = try SharedServer.running
        let key = try shared.server.makeKey().token
        for list in ["candidates", "events"] where !(list == "events" && query.contains("fields")) {
            let answer = try shared.server.get("/api/v1/\(list)?\(query)", key: key)
            #expect(answer.status == 400 && answer.code == code, "\(list) \(answer.text)")
        }
        let refused = try shared.server.get("/api/v1/jobs?export=all", key: key, ["Accept: application/pdf"])
        #expect(refused.status == 406)
    }

    @Test func aPageOfLinesSaysInHeadersWhatADocumentSaysBesideItsRows() throws {
        let shared = try SharedServer.running
        let page = try shared.server.get("/api/v1/candidates?limit=3&count=exact", key: shared.reader.token)
        let lines = try shared.server.get("/api/v1/candidates?limit=3&count=exact&format=ndjson", key: shared.reader.token)
        let rows = try lines.text.split(separator: "\n").map { try JSON(Array($0.utf8)) }
        #expect(try page.json["data"].array == rows)
        #expect(try lines["X-As-Of"] == page.json["meta"]["as_of"].string)
        #expect(try lines["X-Total-Count"] == page.json["meta"]["total"].int.map(String.init))
        #expect(try lines["X-Masked"]?.components(separatedBy: ", ") == page.json["meta"]["masked"].array?.compactMap(\.string))
        let link = try #require(lines["Link"]?.firstMatch(of: #/<([^>]+)>; rel="next"/#)?.output.1)
        let second = try shared.server.get(String(link), key: shared.reader.token)
        #expect(second["Content-Type"] == "application/x-ndjson" && second.text.split(separator: "\n").count == 3)
        let head = try shared.server.ask("HEAD", "/api/v1/candidates?export=all&format=csv", key: shared.reader.token)
        #expect(head.status == 200 && head["X-Total-Count"] != nil && head.body.isEmpty)
    }

    @Test func whoSpeaksHTTP10GetsItUntilTheConnectionEnds() throws {
        let shared = try SharedServer.running
        let key = try shared.server.makeKey().token
        let done = try curl(shared.server, "/api/v1/matches?export=all", ["--http1.0"], key: key)
        #expect(done.exitCode == 0)
        #expect(try field("X-Total-Count") == String(body().count))
    }
}

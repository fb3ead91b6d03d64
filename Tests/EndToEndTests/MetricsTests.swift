import Foundation
import Testing

/// A row of one of the README's tables, cell by cell, without its backticks.
private struct TableRow {
    let cells: [String]
    /// What stands in backticks in a cell.
    func words(_ index: Int) -> Set<String> { Set(cells[index].matches(of: #/`([^`]+)`/#).map { String($0.1) }) }

    /// The rows below a heading row.
    static func below(_ heading: String) throws -> [TableRow] {
        let lines = try Tools.read("README.md").components(separatedBy: "\n")
        guard let start = lines.firstIndex(of: heading) else { throw Trouble("the README has no table '\(heading)'") }
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            TableRow(
                cells: line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                    $0.trimmingCharacters(in: .whitespaces)
                })
        }
    }
}

/// The README's list of metrics and of the log's fields, held to what a running server says; what is made for other
/// people's tools from them, held to those tools.
@Suite struct MetricsTests {
    /// One metric, as the exposition format tells of it.
    private struct Metric: Equatable {
        var type = ""
        var labels: Set<String> = []
    }

    private let folder: Folder
    private let server: Server

    /// A server that has had requests of every sort, pushes and deliveries.
    init() throws {
        folder = try Folder()
        server = try Server(
            folder("metrics.db"),
            [
                "--demo", "--log-format", "json", "--access-log", "on", "--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8",
                "--interview-expiry", "1h",
            ])
        let receiver = try Receiver(folder)
        let url = "http://127.0.0.1:\(try #require(receiver.ports["http"]))/"
        for address in [url, "http://127.0.0.1:1/"] {
            let endpoint = try #require(try server.command("webhooks", "add", "--url", address)["id"].string)
            _ = try Program.run(["webhooks", "test", endpoint, "--wait", "--database", server.database])
        }
        for _ in 0..<2 { try use() }
    }

    private func use() throws {
        for path in ["candidates", "jobs", "matches?limit=3", "events", "candidates?limit=0"] {
            _ = try server.get("/api/v1/" + path, key: server.key)
        }
        _ = try server.get("/api/v1/jobs?export=all", key: server.key)
        _ = try server.get("/api/v1/candidates", key: "rk_nonsense")
        _ = try server.get("/nowhere")
        let limited = try server.makeKey(limit: 1).token
        for _ in 0..<2 { _ = try server.get("/api/v1/jobs?limit=1", key: limited) }
        let pusher = try Pusher(server)
        _ = try pusher.send("PUT", "/jobs/metrics-\(UUID().uuidString)", Array("{\"title\": \"Baker\", \"status\": \"open\"}".utf8))
    }

    private func scrape() throws -> String {
        let connection = try Connection(server.operatorPort)
        connection.send(Server.request("GET", "/metrics"))
        return try connection.receive().text
    }

    @Test func theREADMEListsEveryMetricWithTypeAndLabels() throws {
        // given: what is said, by family
        var said: [String: Metric] = [:]
        for line in try scrape().split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                said[String(words[2]), default: Metric()].type = String(words[3])
            } else if !line.hasPrefix("#") {
                let sample = String(line.prefix { $0 != "{" && $0 != " " })
                let family = said.keys.filter { sample == $0 || sample.hasPrefix($0 + "_") }.max { $0.count < $1.count }
                let labels = line.matches(of: #/([a-z_]+)="/#).map { String($0.1) }.filter { $0 != "le" }
                said[try #require(family, "\(line)"), default: Metric()].labels.formUnion(labels)
            }
        }

        // when
        let rows = try TableRow.below("| metric | type | labels | meaning |")
        let listed = Dictionary(
            uniqueKeysWithValues: rows.map { ($0.words(0).first ?? "", Metric(type: $0.cells[1], labels: $0.words(2))) })

        // then
        #expect(Set(listed.keys) == Set(said.keys))
        for (name, metric) in said { #expect(listed[name] == metric, "\(name)") }
        #expect(rows.allSatisfy { !$0.cells[3].isEmpty })
    }

    @Test func theREADMEListsEveryLineOfTheLogWithItsFields() throws {
        // given
        server.stop()
        let rows = try TableRow.below("| message | fields | when |")
        let listed = Dictionary(uniqueKeysWithValues: rows.map { ($0.words(0).first ?? "", $0.words(1)) })
        var said: [String: Set<String>] = [:]
        for line in server.process.errors.split(separator: "\n") where line.hasPrefix("{") {
            let json = try JSON(Array(line.utf8))
            #expect(json["time"].string?.hasSuffix("Z") == true && json["level"].string != nil, "\(line)")
            said[json["message"].string ?? "", default: []].formUnion(json.keys.subtracting(["time", "level", "message"]))
        }

        // then: what was said is listed, and what comes with every request and attempt was seen
        for (message, fields) in said { #expect(listed[message]?.isSuperset(of: fields) == true, "\(message): \(fields)") }
        #expect(said["request"] == listed["request"]?.subtracting(["cause"]))
        #expect(said["webhook attempt"] == listed["webhook attempt"])

        // and: whatever else the sources log is listed, and nothing that they don't
        #expect(try Self.messagesInSources() == Set(listed.keys).subtracting(["request"]))
    }

    /// The constants that the server room logs.
    private static func messagesInSources() throws -> Set<String> {
        let room = Tools.root.appendingPathComponent("Sources/Server")
        var messages: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(at: room, includingPropertiesForKeys: nil) {
            let text = try String(contentsOf: file, encoding: .utf8)
            messages.formUnion(text.matches(of: #/logger\.(?:info|notice|warning|error)\(\s*"([^"]+)"/#).map { String($0.1) })
            messages.formUnion(text.matches(of: #/output\.line\("[a-z]+", "([^"]+)"/#).map { String($0.1) })
            // Said by the one function that repeats a chore.
            messages.formUnion(text.matches(of: #/every\(\s*seconds: [^"]*"([^"]+)"\)/#).map { String($0.1) })
        }
        return messages
    }

    // MARK: Other people's tools

    private func promtool(_ arguments: [String], input: String? = nil) throws -> Finished {
        let file = try folder.write(input ?? "", to: "input")
        return try Finished(ChildProcess("/bin/sh", ["-c", "exec \"$0\" \"$@\" < '\(file)'", try Tools.path("promtool")] + arguments))
    }

    @Test func promtoolFindsNoFaultInTheMetricsAndTheAlerts() throws {
        let metrics = try promtool(["check", "metrics"], input: try scrape())
        #expect(metrics.exitCode == 0, "\(metrics.errors)")
        let rules = try promtool(["check", "rules", Tools.root.path + "/packaging/prometheus-alerts.yml"])
        #expect(rules.exitCode == 0 && rules.output.contains("SUCCESS: "), "\(rules.output) \(rules.errors)")
    }

    /// The expressions of the dashboard, with what Grafana puts in for its variables.
    private static func dashboard() throws -> [(panel: String, expression: String)] {
        let json = try JSON(Array(try Tools.read("packaging/grafana-dashboard.json").utf8))
        return (json["panels"].array ?? []).flatMap { panel in
            (panel["targets"].array ?? []).map { target in
                let expression = (target["expr"].string ?? "").replacingOccurrences(of: "$__rate_interval", with: "1m")
                    .replacingOccurrences(of: "$instance", with: ".*")
                return (panel["title"].string ?? "?", expression)
            }
        }
    }

    @Test func everyPanelAndAlertFindsItsMetricsInARealPrometheus() throws {
        // given: Prometheus, set up as the README says
        let port = try Tools.freePort()
        try folder.write(
            """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            scrape_configs:
              - job_name: hirewire
                static_configs: [{targets: ["127.0.0.1:\(server.operatorPort)"]}]
            rule_files: ["\(Tools.root.path)/packaging/prometheus-alerts.yml"]
            """, to: "prometheus.yml")
        let prometheus = try ChildProcess(
            Tools.path("prometheus"),
            [
                "--config.file=\(folder("prometheus.yml"))", "--storage.tsdb.path=\(folder("tsdb"))", "--log.level=warn",
                "--web.listen-address=127.0.0.1:\(port)",
            ])
        let leash = try Leash("kill -KILL \(prometheus.pid)")
        defer {
            prometheus.signal(SIGKILL)
            _ = try? prometheus.wait()
            leash.cut()
        }
        func ask(_ path: String) throws -> JSON {
            let connection = try Connection(port)
            connection.send("GET \(path) HTTP/1.0\r\n\r\n")
            return try JSON(connection.receive().body + connection.readToEnd())
        }
        func query(_ expression: String) throws -> JSON {
            try ask("/api/v1/query?query=" + (expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""))
        }
        let isScraped = poll(seconds: 60, every: 0.5) {
            (try? query("count_over_time(up[1m])"))?["data"]["result"][0]["value"][1].string.flatMap(Int.init) ?? 0 >= 3
        }
        try #require(isScraped, "\(prometheus.errors)")
        try use()
        Thread.sleep(forTimeInterval: 3)

        // then
        let expressions = try Self.dashboard()
        #expect(expressions.count > 20)
        for (panel, expression) in expressions {
            let answer = try query(expression)
            #expect(answer["status"].string == "success", "\(panel): \(answer)")
            #expect(answer["data"]["result"].array?.isEmpty == false, "\(panel): \(expression) finds nothing")
        }
        let rules = try ask("/api/v1/rules")["data"]["groups"][0]["rules"].array ?? []
        #expect(rules.count >= 6 && rules.allSatisfy { $0["health"].string == "ok" }, "\(rules)")
        for rule in rules { try hasItsMetrics(rule["query"].string ?? "", query) }
    }

    /// An alert finds nothing while all is well, but what it looks at is there, with the labels that it names.
    private func hasItsMetrics(_ expression: String, _ query: (String) throws -> JSON) throws {
        let selectors = expression.matches(of: #/\b((?:hirewire|process)_[a-z_]+|up)(\{[^}]*\})?/#)
        #expect(!selectors.isEmpty, "\(expression)")
        for selector in selectors {
            let labels = (selector.2 ?? "").matches(of: #/([a-z_]+)(?:=~|!=|!~|=)/#).map { String($0.1) }
            let known = "{" + labels.map { "\($0)!=\"\"" }.joined(separator: ",") + "}"
            #expect(try query("\(selector.1)\(known)")["data"]["result"].array?.isEmpty == false, "\(selector.1)\(known)")
        }
    }

    @Test func theDashboardIsWhatGrafanaImports() throws {
        let dashboard = try JSON(Array(try Tools.read("packaging/grafana-dashboard.json").utf8))
        #expect(dashboard["title"].string == "Hirewire" && dashboard["schemaVersion"].int != nil && dashboard["id"].isAbsent)
        let panels = dashboard["panels"].array ?? []
        #expect(Set(panels.compactMap { $0["id"].int }).count == panels.count)
        for panel in panels where panel["type"].string != "row" {
            #expect(panel["datasource"]["uid"].string == "${datasource}" && panel["description"].string?.isEmpty == false)
            let place = panel["gridPos"]
            #expect((place["x"].int ?? 99) + (place["w"].int ?? 99) <= 24 && place["y"].int != nil)
        }
        // Every metric of ours is on it.
        let all = try Self.dashboard().map(\.expression).joined(separator: "\n")
        for row in try TableRow.below("| metric | type | labels | meaning |") {
            for name in row.words(0) { #expect(all.contains(name), "\(name) is on no panel") }
        }
    }
}

import Foundation
import Testing

/// How `serve` starts, refuses to start, and ends.
@Suite struct ServeLifeTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Starts a `serve` that should refuse.
    private func refused(_ arguments: [String], environment: [String: String] = [:]) throws -> Finished {
        let process = try ChildProcess(
            Program.path, ["serve", "--operator-port", "0", "--json"] + arguments, environment: environment, folder: folder.path)
        return try Finished(process, seconds: 30)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aShutdownFinishesWhatIsUnderWay(signal: Int32) throws {
        // given
        let server = try Server(folder("shutdown.db"), ["--demo"])
        let key = try #require(server.key)
        let idle = try server.connect()
        idle.send(Server.request("GET", "/healthz"))
        #expect(try idle.receive().status == 200)
        let waiting = try server.connect()
        waiting.send(Server.request("GET", "/api/v1/events?wait=30&after=1000000", key: key))
        #expect(!waiting.isReadable(within: 1))
        #expect(try server.get("/api/v1/key", key: key).status == 200)
        let start = ContinuousClock.now

        // when
        let code = server.stop(signal)

        // then
        #expect(code == 0)
        #expect(ContinuousClock.now - start < .seconds(10))
        let answer = try waiting.receive()
        #expect(try answer.status == 200 && answer.json["data"].array?.isEmpty == true)
        #expect(answer["Connection"] == "close")
        #expect(try waiting.readToEnd().isEmpty)
        #expect(try idle.readToEnd().isEmpty)
        #expect(throws: Trouble.self) { try server.connect() }
    }

    @Test(arguments: ["public", "operator"])
    func aShutdownWaitsForNobodyForLongerThanItMay(listener: String) throws {
        // given: a request whose body never comes
        let server = try Server(folder("stuck.db"), ["--shutdown-grace", "1s", "--webhook-allow-http"])
        let token = try #require(JSON(Array(server.process.output.utf8))["operator_token"].string)
        let (port, line) = listener == "public" ? (server.port, "POST /healthz") : (server.operatorPort, "PUT /operator/v1/jobs/j1")
        let stuck = try Connection(port)
        stuck.send(
            "\(line) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        )
        #expect(!stuck.isReadable(within: 0.3))

        // when
        let code = server.stop()

        // then
        #expect(code == 0)
        if listener == "public" {
            #expect(server.process.errors.contains("open connections were closed connections=1"), "\(server.process.errors)")
        }
    }

    @Test func aStartThatFailsKeepsTheOperatorsTokenForTheNextOne() throws {
        // given
        let other = try Server(folder("other.db"))

        // when
        let failed = try refused(["--port", "0", "--operator-port", "\(other.operatorPort)", "--database", folder("late.db")])
        let server = try Server(folder("late.db"))

        // then
        #expect(failed.exitCode == 1)
        #expect(try JSON(Array(server.process.output.utf8))["operator_token"].string?.hasPrefix("hwop_") == true)
    }

    @Test func aDemoIsNotMixedWithOtherRecords() throws {
        // given
        let file = try folder.write("external_id,title\nj1,Baker\n", to: "jobs.csv")
        _ = try Program.run(["import", "jobs", file, "--database", folder("real.db")])

        // when
        let mixed = try refused(["--demo", "--port", "0", "--database", folder("real.db")])
        let first = try Server(folder("demo.db"), ["--demo"])
        first.stop()
        let again = try Server(folder("demo.db"), ["--demo"])

        // then
        #expect(mixed.exitCode == 1 && mixed.errors.contains("not the demo's"), "\(mixed.errors)")
        #expect(again.key != nil && again.key != first.key)
    }

    @Test func theDocumentationsExamplesBeginWithThePublicURL() throws {
        let server = try Server(folder("docs.db"), ["--public-url", "https://api.example.com"])
        let page = try server.get("/docs").text
        #expect(page.contains("https://api.example.com/api/v1/candidates") && !page.contains("127.0.0.1:8080"))
    }

    @Test func aSecondServeOnTheSameFileIsRefused() throws {
        let server = try Server(folder("one.db"))
        let second = try refused(["--port", "0", "--database", server.database])
        #expect(second.exitCode == 1 && second.errors.contains("another `hirewire serve` is running"))
        #expect(try server.get("/healthz").status == 200)
        // and once it is gone, by whatever way, the file is free
        server.stop(SIGKILL)
        let third = try Server(server.database)
        #expect(try third.get("/healthz").status == 200)
    }

    @Test func aPortThatIsTakenIsNamed() throws {
        let server = try Server(folder("port.db"))
        let publicPort = try refused(["--port", "\(server.port)", "--database", folder("other.db")])
        #expect(publicPort.exitCode == 1 && publicPort.errors.contains("\(server.port)") && publicPort.errors.contains("--port"))
        let operatorPort = try refused(["--port", "0", "--operator-port", "\(server.operatorPort)", "--database", folder("third.db")])
        #expect(operatorPort.exitCode == 1 && operatorPort.errors.contains("--operator-port"))
    }

    @Test(arguments: [
        ("--port", "99999"), ("--port", "http"), ("--log-format", "xml"), ("--log-level", "loud"), ("--access-log", "maybe"),
        ("--shutdown-grace", "soon"), ("--event-retention", "0d"), ("--public-url", "example.com"),
        ("--public-url", "https://"), ("--public-url", "https://user@example.com"), ("--public-url", "https://api.example.com:99999"),
        ("--public-url", "https://api.example.com/?a=b"), ("--public-url", "https://api example.com"),
        ("--public-url", "ftp://example.com"),
        ("--trusted-proxy", "proxy.example.com"), ("--trusted-proxy", "10.0.0.1/8"), ("--trusted-proxy", "10.0.0.0/33"),
        ("--cors-origins", "example.com"),
        ("--tls-certificate", "/nowhere.pem"), ("--database", ""), ("--nonsense", "1"),
    ])
    func aBadSettingIsRefusedByItsName(flag: String, value: String) throws {
        // when
        let byFlag = try refused(["--database", folder("never.db"), "--port", "0", flag, value])

        // then
        #expect(byFlag.exitCode == 2, "\(byFlag.errors)")
        #expect(byFlag.errors.contains(flag), "\(byFlag.errors)")
        #expect(byFlag.output.isEmpty)
        guard flag != "--nonsense" else { return }

        // when
        let name = "HIREWIRE_" + flag.dropFirst(2).uppercased().replacingOccurrences(of: "-", with: "_")
        let byVariable = try refused(flag == "--port" ? [] : ["--port", "0"], environment: [name: value])

        // then
        #expect(byVariable.exitCode == 2, "\(byVariable.errors)")
        #expect(byVariable.errors.contains(name), "\(byVariable.errors)")
    }

    @Test func aVariableThatIsNoSettingIsNamedWhereItLooksLikeOne() throws {
        let taken = try Server(folder("taken.db"))
        let serve = try refused(
            ["--port", "\(taken.port)", "--database", folder("variables.db"), "--log-format", "json"],
            environment: ["HIREWIRE_PUBLIC_ULR": "x", "HIREWIRE_URL": "http://127.0.0.1:1", "HIREWIRE_KEY": "hw_secret"])
        let warned = try serve.errors.split(separator: "\n").filter { $0.contains("a variable that is no setting") }
            .map { try JSON(Array($0.utf8)) }
        #expect(warned.map { $0["variable"].string } == ["HIREWIRE_PUBLIC_ULR"] && warned.first?["meant"].string == "HIREWIRE_PUBLIC_URL")
        #expect(!serve.errors.contains("hw_secret"))
    }

    @Test func aHostThatIsNoneIsRefusedByItsName() throws {
        let serve = try refused(["--port", "0", "--database", folder("never.db"), "--host", "no.such.host.invalid"])
        #expect(serve.exitCode == 2 && serve.errors.contains("--host 'no.such.host.invalid'"), "\(serve.errors)")
    }

    @Test func certificateAndKeyGoTogetherAndAreRead() throws {
        let file = try folder.write("nonsense", to: "nonsense.pem")
        let alone = try refused(["--port", "0", "--tls-certificate", file])
        #expect(alone.exitCode == 2 && alone.errors.contains("--tls-key"))
        let wrong = try refused(["--port", "0", "--tls-certificate", file, "--tls-key", file])
        #expect(wrong.exitCode == 2 && wrong.errors.contains("--tls-certificate"), "\(wrong.exitCode) \(wrong.errors)")
    }

    @Test func aDamagedDatabaseIsRefusedInWords() throws {
        // given: something else altogether, and a database with its middle overwritten
        try folder.write(String(repeating: "this is no database. ", count: 500), to: "garbage.db")
        let made = try Server(folder("sound.db"), ["--demo"])
        try made.command("backup", folder("damaged.db"))
        made.stop()
        let url = URL(fileURLWithPath: folder("damaged.db"))
        var bytes = try Data(contentsOf: url)
        bytes.replaceSubrange(100..<8_192, with: Data(repeating: 0xAB, count: 8_092))
        try bytes.write(to: url)

        // then
        for file in ["garbage.db", "damaged.db"] {
            let serve = try refused(["--port", "0", "--database", folder(file)])
            #expect(serve.exitCode == 1 && serve.errors.contains(file), "\(serve.exitCode) \(serve.errors)")
            #expect(serve.errors.contains("damaged") && serve.errors.split(separator: "\n").count == 1, "\(serve.errors)")
            #expect(try Program.run(["check", "--database", folder(file)]).exitCode == 1)
            let report = try Program.run(["check", "--json", "--database", folder(file)])
            #expect(try report.lines.count == 1 && report.lines.first?["healthy"].bool == false, "\(report.output)")
            #expect(try report.lines.first?["problems"][0].string?.contains("damaged") == true, "\(report.output)")
        }
        #expect(try String(contentsOfFile: folder("garbage.db"), encoding: .utf8).hasPrefix("this is no database"))
    }

    @Test func aNewerDatabaseIsRefused() throws {
        // given
        let server = try Server(folder("newer.db"))
        server.stop()
        let script =
            "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(\"INSERT INTO grdb_migrations VALUES ('9999 of the future')\"); c.commit()"
        let changed = try Finished(ChildProcess("python3", ["-c", script, server.database]))
        try #require(changed.exitCode == 0, "\(changed.errors)")

        // then
        let serve = try refused(["--port", "0", "--database", server.database])
        #expect(serve.exitCode == 1 && serve.errors.contains("newer"))
        let check = try Program.run(["check", "--json", "--database", server.database])
        #expect(try check.exitCode == 1 && check.lines.first?["healthy"].bool == false)
    }

    @Test func whatCanNotBeWrittenIsRefused() throws {
        try FileManager.default.createDirectory(atPath: folder("inner"), withIntermediateDirectories: false)
        let folderItself = try refused(["--port", "0", "--database", folder("inner")])
        #expect(folderItself.exitCode == 1 && folderItself.errors.contains("folder"))
        let nowhere = try refused(["--port", "0", "--database", folder("no/such/folder/x.db")])
        #expect(nowhere.exitCode == 1 && nowhere.errors.contains("/no/such/folder"), "\(nowhere.errors)")
        // root may write everywhere but where nothing can be written
        let unwritable = try refused(["--port", "0", "--database", "/proc/hirewire.db"])
        #expect(unwritable.exitCode == 1 && unwritable.errors.contains("/proc"), "\(unwritable.errors)")
    }

    @Test func aLockedDatabaseIsRefusedAfterSomePatience() throws {
        // given: another process holds it for good
        let server = try Server(folder("locked.db"))
        server.stop()
        let script =
            "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1]); c.execute('PRAGMA locking_mode=EXCLUSIVE'); c.execute('BEGIN EXCLUSIVE'); print('held',flush=True); time.sleep(60)"
        let holder = try ChildProcess("python3", ["-c", script, server.database])
        defer { holder.signal(SIGKILL) }
        #expect(poll(seconds: 20) { holder.output.contains("held") })

        // then
        let serve = try refused(["--port", "0", "--database", server.database])
        #expect(serve.exitCode == 1 && serve.errors.contains("locked"), "\(serve.errors)")
    }
}

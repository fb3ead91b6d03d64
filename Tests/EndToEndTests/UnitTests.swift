import Foundation
import Server
import Testing

/// The systemd units of `packaging/`, as far as they can be tried where systemd does not run the machine.
@Suite struct UnitTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// The settings of a unit's lines; a name may come more than once.
    private func settings(_ name: String) throws -> [String: [String]] {
        try Tools.read("packaging/" + name).split(separator: "\n").filter { !$0.hasPrefix("#") }.reduce(into: [:]) { all, line in
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if sides.count == 2 { all[sides[0], default: []].append(sides[1]) }
        }
    }

    /// A unit with the program that is here in the place of the installed one.
    private func copy(_ name: String) throws -> String {
        try folder.write(
            try Tools.read("packaging/" + name).replacingOccurrences(of: "/usr/local/bin/hirewire", with: Program.path), to: name)
    }

    @Test func systemdFindsNoFaultInTheUnits() throws {
        let units = try ["hirewire.service", "hirewire-backup.service", "hirewire-backup.timer"].map(copy)
        let verified = try Finished(ChildProcess("systemd-analyze", ["verify", "--man=no"] + units))
        #expect(verified.exitCode == 0 && verified.errors.isEmpty && verified.output.isEmpty, "\(verified.errors)\(verified.output)")
        for unit in units.dropLast() {
            let judged = try Finished(ChildProcess("systemd-analyze", ["security", "--offline=true", "--threshold=20", unit]))
            #expect(judged.exitCode == 0, "\(judged.output.suffix(200))")
        }
    }

    @Test func theUnitFitsTheProgramsDefaults() throws {
        let unit = try settings("hirewire.service")
        let defaults = ServeSettings()
        #expect(unit["Type"] == ["notify"] && unit["ExecStart"] == ["/usr/local/bin/hirewire serve"])
        let patience = try #require(unit["TimeoutStopSec"]?.first.flatMap { Int($0) })
        #expect(patience >= defaults.shutdownGrace + 10)
        let names = Set(ServeSettings.variables.map { "HIREWIRE_" + $0 })
        for line in unit["Environment"] ?? [] { #expect(names.contains(String(line.prefix { $0 != "=" }))) }
        // Bad settings exit with what is not tried again.
        #expect(unit["RestartPreventExitStatus"] == ["2"] && unit["Restart"] == ["on-failure"])
        #expect(try Program.run(["serve", "--port", "nonsense"]).exitCode == 2)
    }

    /// The length of turn that a thread asked for, by `sched_getattr(2)`: 0 where the kernel knows none.
    private func turn(of pid: pid_t) throws -> String {
        let script = """
            import ctypes, struct, sys
            buffer = ctypes.create_string_buffer(48)
            ctypes.CDLL(None).syscall(ctypes.c_long(\(Self.schedGetattr)), int(sys.argv[1]), buffer, 48, 0)
            print(struct.unpack('IIQiIQ', buffer.raw[:32])[5])
            """
        return try Finished(ChildProcess("python3", ["-c", script, "\(pid)"])).output
    }

    #if arch(x86_64)
        private static let schedGetattr = 315
    #else
        private static let schedGetattr = 275
    #endif

    @Test func serveWorksUnderTheUnitsSystemCallRules() throws {
        // given
        let rules = [Tools.root.path + "/Tests/EndToEndTests/confined.py", Tools.root.path + "/packaging/hirewire.service"]
        let confined = try Server(folder("confined.db"), ["--demo", "--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"]) {
            ("/usr/bin/python3", rules + [$0] + $1)
        }
        let free = try Server(folder("free.db"))
        let receiver = try Receiver(folder)

        // when
        let port = try #require(receiver.ports["http"])
        let endpoint = try #require(try confined.command("webhooks", "add", "--url", "http://localhost:\(port)/")["id"].string)
        try confined.command("webhooks", "test", endpoint, "--wait")

        // then
        let status = try String(contentsOfFile: "/proc/\(confined.process.pid)/status", encoding: .utf8)
        #expect(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n") && status.contains("CapBnd:\t0000000000000000\n"))
        #expect(try confined.get("/api/v1/candidates?limit=1000", key: confined.key).status == 200)
        #expect(try turn(of: confined.process.pid) == turn(of: free.process.pid))
        #expect(try Connection(confined.operatorPort).answers("/readyz"))
        #expect(confined.stop() == 0)
        #expect(
            !confined.process.errors.contains(" warning ") && !confined.process.errors.contains(" error "), "\(confined.process.errors)")
    }

    /// A command as a user that may do nothing special.
    private static func asNobody(_ program: String, _ arguments: [String]) -> (String, [String]) {
        ("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all", program] + arguments)
    }

    /// Whether this is root, whose rights hide what others lack, in a place where others get to the program.
    private static let canBeNobody: Bool = {
        let command = asNobody(Program.path, ["--version"])
        return getuid() == 0 && (try? Finished(ChildProcess(command.0, command.1)).exitCode) == 0
    }()

    @Test(.enabled(if: canBeNobody)) func serveNeedsNoneOfRootsRights() throws {
        // given
        #expect(chmod(folder.path, 0o777) == 0)
        let receiver = try Receiver(folder)
        let (database, url) = (folder("open.db"), "http://localhost:\(try #require(receiver.ports["http"]))/")
        let server = try Server(
            database, ["--demo", "--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"], wrap: Self.asNobody)
        func run(_ arguments: String...) throws -> JSON {
            let command = Self.asNobody(Program.path, arguments + ["--database", database, "--json"])
            let finished = try Finished(ChildProcess(command.0, command.1))
            return try #require(try finished.lines.first, "\(finished.errors)")
        }

        // then
        #expect(try server.get("/api/v1/candidates?limit=1000", key: server.key).status == 200)
        let endpoint = try #require(try run("webhooks", "add", "--url", url)["id"].string)
        #expect(try run("webhooks", "test", endpoint, "--wait")["status"].string == "succeeded")
        #expect(server.stop() == 0)
    }

    @Test func aNightsCopyIsMadeAndOldOnesGo() throws {
        // given: what systemd would run, in folders of our own
        let unit = try settings("hirewire-backup.service")
        func command(_ name: String) throws -> String {
            try #require(unit[name]?.first).replacingOccurrences(of: "/usr/local/bin/hirewire", with: Program.path)
                .replacingOccurrences(of: "/var/backups/hirewire", with: folder("backups"))
                .replacingOccurrences(of: "$$", with: "$").replacingOccurrences(of: "%%", with: "%")
                .replacingOccurrences(of: "*.db", with: "'*.db'")
        }
        try FileManager.default.createDirectory(atPath: folder("backups"), withIntermediateDirectories: false)
        let server = try Server(folder("live.db"), ["--demo"])
        try folder.write("", to: "backups/old.db")
        #expect(try Finished(ChildProcess("touch", ["-d", "16 days ago", folder("backups/old.db")])).exitCode == 0)

        // when
        for name in ["ExecStart", "ExecStartPost"] {
            let done = try Finished(
                ChildProcess("/bin/sh", ["-c", try command(name)], environment: ["HIREWIRE_DATABASE": server.database]))
            #expect(done.exitCode == 0, "\(done.errors)")
        }

        // then
        let copies = try FileManager.default.contentsOfDirectory(atPath: folder("backups"))
        #expect(copies.count == 1 && copies[0].wholeMatch(of: #/\d{4}-\d\d-\d\dT\d{6}\.db/#) != nil, "\(copies)")
        #expect(try Program.run(["check", "--database", folder("backups/" + copies[0])]).exitCode == 0)
    }
}

extension Connection {
    fileprivate func answers(_ path: String) throws -> Bool {
        send(Server.request("GET", path))
        return try receive().status == 200
    }
}

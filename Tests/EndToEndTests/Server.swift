import Foundation
import Synchronization

/// The program under test.
enum Program {
    /// `HIREWIRE_BINARY`, or what was built beside these tests.
    static let path: String = {
        if let given = ProcessInfo.processInfo.environment["HIREWIRE_BINARY"] { return given }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let places = [URL(fileURLWithPath: tests).deletingLastPathComponent().path, package.appendingPathComponent(".build/debug").path]
        return places.map { $0 + "/hirewire" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "hirewire"
    }()

    static var seed: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("seed").path
    }

    /// Runs a command to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:], folder: String? = nil) throws -> Finished {
        try Finished(ChildProcess(path, arguments, environment: environment, folder: folder))
    }
}

/// A folder of a test's own. It goes when the tests end, however they end.
final class Folder: Sendable {
    let path: String
    private let leash: Leash

    init() throws {
        var template = Array((NSTemporaryDirectory() as NSString).appendingPathComponent("hirewire-e2e-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble("no temporary folder") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.path = path
        leash = try Leash("rm -rf '\(path)'")
    }

    deinit {
        leash.cut()
        try? FileManager.default.removeItem(atPath: path)
    }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }
}

/// A command that a small shell does when these tests end without having said that all is well: by a crash, or because
/// nobody ended what all tests share.
final class Leash: Sendable {
    private let end: Int32
    private let shell: ChildProcess

    init(_ command: String) throws {
        let ends = try Pipe.make()
        shell = try ChildProcess("/bin/sh", ["-c", "trap '' INT TERM; if read word; then exit 0; fi; \(command)"], input: ends.read)
        close(ends.read)
        end = ends.write
    }

    /// All is well: the command is not done.
    func cut() {
        _ = write(end, "\n", 1)
        close(end)
        _ = try? shell.wait(seconds: 10)
    }
}

/// A `hirewire serve` on free ports.
final class Server: Sendable {
    let process: ChildProcess
    let database: String
    let port: Int
    let operatorPort: Int
    /// The demo's key, with `--demo`.
    let key: String?
    private let leash: Leash
    private let isOver = Mutex(false)

    /// - Parameters:
    ///   - network: where it runs; its ports can't be reached from outside.
    ///   - wrap: the command that becomes the program, of the program and its arguments.
    init(
        _ database: String, _ arguments: [String] = [], environment: [String: String] = [:], in network: OwnNetwork? = nil,
        wrap: (String, [String]) -> (String, [String]) = { ($0, $1) }
    ) throws {
        self.database = database
        let fixed = ["serve", "--port", "0", "--operator-port", "0", "--json", "--access-log", "off", "--database", database]
        let command = network?.command(Program.path, fixed + arguments) ?? wrap(Program.path, fixed + arguments)
        let process = try ChildProcess(command.0, command.1, environment: environment)
        self.process = process
        let isReady = poll(seconds: 60) { process.output.contains("\n") || process.exitCode != nil }
        guard isReady, let line = process.output.split(separator: "\n").first else {
            process.signal(SIGKILL)
            throw Trouble("serve did not start: \(process.errors)")
        }
        let ready = try JSON(Array(line.utf8))
        func port(_ name: String) throws -> Int {
            guard let url = ready[name].string, let port = url.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw Trouble("no \(name) address in '\(line)'")
            }
            return port
        }
        self.port = try port("public")
        operatorPort = try port("operator")
        key = ready["key"].string
        leash = try Leash("kill -TERM \(process.pid)")
    }

    deinit { stop() }

    /// Has it end, and waits until it has begun to: it closes what is idle once it goes on with nothing.
    func beginShutdown() throws {
        let idle = try connect()
        idle.send(Self.request("GET", "/healthz"))
        _ = try idle.receive()
        process.signal(SIGTERM)
        _ = try idle.readToEnd()
    }

    /// Ends it and waits.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) -> Int32? {
        let first = isOver.withLock { over in
            defer { over = true }
            return !over
        }
        guard first else { return process.exitCode }
        process.signal(signal)
        let code = try? process.wait(seconds: 40)
        leash.cut()
        return code
    }

    func connect(from source: String = "127.0.0.1", patience: Double = 30) throws -> Connection {
        try Connection(port, from: source, patience: patience)
    }

    /// One request over a connection of its own.
    func ask(_ method: String, _ target: String, key: String? = nil, _ fields: [String] = [], from source: String = "127.0.0.1") throws
        -> Response
    {
        let connection = try connect(from: source)
        connection.send(Self.request(method, target, key: key, fields))
        return try connection.receive(isHead: method == "HEAD")
    }

    func get(_ target: String, key: String? = nil, _ fields: [String] = [], from source: String = "127.0.0.1") throws -> Response {
        try ask("GET", target, key: key, fields, from: source)
    }

    static func request(_ method: String, _ target: String, key: String? = nil, _ fields: [String] = []) -> String {
        let all = ["Host: localhost"] + (key.map { ["Authorization: Bearer \($0)"] } ?? []) + fields
        return "\(method) \(target) HTTP/1.1\r\n" + all.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// Runs a command on this server's database and gives its JSON.
    @discardableResult
    func command(_ arguments: String...) throws -> JSON {
        let finished = try Program.run(arguments + ["--database", database, "--json"])
        guard finished.exitCode == 0, let first = try finished.lines.first else {
            throw Trouble("hirewire \(arguments.joined(separator: " ")): \(finished.exitCode) \(finished.errors)")
        }
        return first
    }

    /// Makes a key.
    func makeKey(_ options: String..., limit: Int = 1_000_000) throws -> Key {
        let finished = try Program.run(
            ["keys", "create", "--name", "test", "--rate-limit", "\(limit)", "--database", database, "--json"] + options)
        guard finished.exitCode == 0, let made = try finished.lines.first else { throw Trouble("no key: \(finished.errors)") }
        guard let token = made["key"].string, let id = made["key_id"].string else { throw Trouble("no key in \(made)") }
        return Key(token: token, id: id)
    }
}

struct Key: Sendable {
    let token: String
    let id: String
    var secret: String { String(token.suffix(49)) }
}

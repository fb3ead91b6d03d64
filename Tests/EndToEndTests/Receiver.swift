import Foundation
import Synchronization

/// A receiver of webhooks in a process of its own, which does as it is told: see `receivers/programmable.py`.
final class Receiver: Sendable {
    /// A request as it arrived.
    struct Hit: Sendable {
        /// Seconds since 1970.
        let at: Double
        let path: String
        let headers: [String: String]
        let body: [UInt8]
        /// What the checks made of it and of what was changed in it, by language and change; empty where nobody asked.
        let verdicts: [String: [String: Bool]]

        var json: JSON { get throws { try JSON(body) } }
        /// The event's id, as `standard` sends it.
        var event: String { headers["webhook-id"] ?? "" }
    }

    private struct State {
        var hits: [Hit] = []
        var connections: [String: Int] = [:]
        /// How much of the log is read.
        var offset: UInt64 = 0
        var orders = 0
    }

    let ports: [String: Int]
    private let process: ChildProcess
    private let input: Int32
    private let log: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - certificates: its listeners with TLS, beside `http`: one for each server's name.
    ///   - network: where it listens; there `public` is beside them.
    init(_ folder: Folder, certificates: Certificates? = nil, in network: OwnNetwork? = nil) throws {
        log = folder("hits-\(UUID().uuidString).ndjson")
        try Data().write(to: URL(fileURLWithPath: log))
        let files = Dictionary(uniqueKeysWithValues: (certificates?.servers ?? []).map { ($0, certificates?.files(of: $0) ?? []) })
        let settings: [String: Any] = [
            "log": log, "checks": Self.tests + "/WebhooksTests/receivers", "tls": files,
            "public": network == nil ? NSNull() : OwnNetwork.publicAddress,
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
        let ends = try Pipe.make()
        defer { close(ends.read) }
        input = ends.write
        let (program, arguments) = (Self.python, ["-u", Self.tests + "/EndToEndTests/receivers/programmable.py", text])
        let command = network?.command(program, arguments) ?? (program, arguments)
        process = try ChildProcess(command.0, command.1, input: ends.read)
        let process = process
        _ = poll(seconds: 30) { process.output.contains("\n") || process.exitCode != nil }
        guard let line = process.output.split(separator: "\n").first,
            let ports = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Int]
        else { throw Trouble("the receiver did not start: \(process.errors)") }
        self.ports = ports
    }

    deinit {
        close(input)
        _ = try? process.wait(seconds: 10)
    }

    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path

    /// With the libraries that the test command has installed, where it has.
    private static let python: String = {
        let own = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(".venv/bin/python3").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }()

    func url(_ path: String, via listener: String = "http", host: String = "127.0.0.1") -> String {
        "\(listener.hasPrefix("http") ? "http" : "https")://\(host):\(ports[listener] ?? 0)\(path)"
    }

    /// Gives an order, and returns when it is in force.
    func order(_ path: String, _ order: [String: Any]) throws {
        let line = try JSONSerialization.data(withJSONObject: order.merging(["path": path]) { $1 }) + Data("\n".utf8)
        let number = state.withLock { state in
            state.orders += 1
            _ = line.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            return state.orders
        }
        let isDone = poll(seconds: 30, every: 0.002) { process.output.split(separator: "\n").count > number }
        guard isDone else { throw Trouble("the receiver does not obey: \(process.errors)") }
    }

    /// From now on it judges what comes there.
    func check(_ path: String, dialect: String, secret: String) throws {
        try order(path, ["check": ["dialect": dialect, "secret": secret]])
    }

    /// All requests until now, in the order in which they came.
    var hits: [Hit] {
        state.withLock { state in
            read(&state)
            return state.hits
        }
    }

    func hits(at path: String) -> [Hit] { hits.filter { $0.path == path } }

    /// How often somebody has connected, whatever was said then.
    var connections: Int { connectionsByListener.values.reduce(0, +) }

    var connectionsByListener: [String: Int] {
        state.withLock { state in
            read(&state)
            return state.connections
        }
    }

    /// Whether so many requests come in time.
    func receives(_ count: Int, at path: String, seconds: Double = 30) -> Bool {
        poll(seconds: seconds, every: 0.02) { hits(at: path).count >= count }
    }

    private func read(_ state: inout State) {
        guard let file = FileHandle(forReadingAtPath: log) else { return }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: state.offset)) != nil, let data = try? file.readToEnd(),
            let end = data.lastIndex(of: UInt8(ascii: "\n"))
        else { return }
        let whole = data[...end]
        state.offset += UInt64(whole.count)
        for line in whole.split(separator: UInt8(ascii: "\n")) { Self.note(line, &state) }
    }

    private static func note(_ line: Data, _ state: inout State) {
        guard let entry = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else { return }
        guard let path = entry["path"] as? String, let headers = entry["headers"] as? [String: String] else {
            state.connections[entry["listener"] as? String ?? "", default: 0] += 1
            return
        }
        let verdicts = (entry["verdicts"] as? [String: [String: Any]] ?? [:]).mapValues { $0.compactMapValues { $0 as? Bool } }
        state.hits.append(
            Hit(
                at: entry["at"] as? Double ?? 0, path: path, headers: headers,
                body: [UInt8](Data(base64Encoded: entry["body"] as? String ?? "") ?? Data()), verdicts: verdicts))
    }
}

/// A certificate authority of a test's own and servers' certificates, made by `openssl`.
struct Certificates {
    private let folder: Folder
    /// What a client is to trust.
    var authority: String { folder("ca.pem") }
    /// `good` is for localhost and 127.0.0.1, `expired` was, `other` is for another name, and of `untrusted` nobody knows
    /// the authority.
    let servers = ["good", "expired", "other", "untrusted"]

    init(_ folder: Folder) throws {
        self.folder = folder
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        func authority(_ name: String) -> String {
            "openssl req -x509 \(key) -days 2 -subj /CN=\(name) -keyout \(name).key -out \(name).pem"
        }
        func server(_ name: String, _ names: String = "DNS:localhost,IP:127.0.0.1", by authority: String = "ca", days: Int = 2) -> String {
            """
            openssl req \(key) -subj /CN=\(name) -addext subjectAltName=\(names) -keyout \(name).key -out \(name).csr
            openssl x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial -days \(days) \
            -copy_extensions copy -out \(name).pem
            """
        }
        let script = [
            "set -e", authority("ca"), authority("stranger"), server("good"), server("expired", days: -1),
            server("other", "DNS:other.test"),
            server("untrusted", by: "stranger"),
        ]
        let made = try Finished(ChildProcess("/bin/sh", ["-c", script.joined(separator: "\n")], folder: folder.path))
        guard made.exitCode == 0 else { throw Trouble("no certificates: \(made.errors)") }
    }

    func files(of server: String) -> [String] { [folder(server + ".pem"), folder(server + ".key")] }
}

import Foundation

/// An endpoint as a test knows it.
struct Subscriber: Sendable {
    let id: String
    let secret: String
    let path: String
}

/// A database with a `hirewire serve` that sends webhooks to this machine, and what changes its data: other processes.
final class Sender {
    let folder: Folder
    let database: String
    private(set) var server: Server
    private let flags: [String]
    private let environment: [String: String]
    private let network: OwnNetwork?
    private var files = 0

    static let local = ["--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"]

    /// - Parameter network: where `serve` runs.
    init(
        _ folder: Folder, _ flags: [String] = local, _ more: [String] = [], database: String? = nil, environment: [String: String] = [:],
        in network: OwnNetwork? = nil
    ) throws {
        self.folder = folder
        self.database = database ?? folder("sender.db")
        self.flags = flags + more
        self.environment = environment
        self.network = network
        server = try Server(self.database, self.flags, environment: environment, in: network)
    }

    /// Ends `serve`, unless it has ended, and starts it again.
    func restart(_ signal: Int32 = SIGTERM) throws {
        server.stop(signal)
        server = try Server(database, flags, environment: environment, in: network)
    }

    func run(_ arguments: [String]) throws -> Finished {
        try Program.run(arguments + ["--database", database, "--json"], environment: environment)
    }

    /// What a command prints, a JSON object a line.
    @discardableResult
    func command(_ arguments: [String]) throws -> [JSON] {
        let finished = try run(arguments)
        guard finished.exitCode == 0 else { throw Trouble("hirewire \(arguments): \(finished.exitCode) \(finished.errors)") }
        return try finished.lines
    }

    @discardableResult
    func command(_ arguments: String...) throws -> [JSON] { try command(arguments) }

    func subscribe(_ receiver: Receiver, _ path: String, via listener: String = "http", _ options: String...) throws -> Subscriber {
        try subscribe(receiver.url(path, via: listener), path, options)
    }

    func subscribe(_ url: String, _ path: String, _ options: [String] = []) throws -> Subscriber {
        let made = try command(["webhooks", "add", "--url", url] + options)
        guard let id = made.first?["id"].string else { throw Trouble("no endpoint in \(made)") }
        return Subscriber(id: id, secret: made.first?["secret"].string ?? "", path: path)
    }

    /// Starts an import of NDJSON rows.
    func load(_ kind: String, _ rows: [String]) throws -> ChildProcess {
        files += 1
        let file = try folder.write(rows.joined(separator: "\n") + "\n", to: "\(kind)-\(files).ndjson")
        return try ChildProcess(
            Program.path,
            ["import", kind, file, "--database", database, "--json", "--rejects", folder("rejects.ndjson")], environment: environment)
    }

    /// Imports NDJSON rows, all of them.
    func importAll(_ kind: String, _ rows: [String]) throws {
        let finished = try Finished(load(kind, rows))
        guard finished.exitCode == 0 else { throw Trouble("import \(kind): \(finished.exitCode) \(finished.output) \(finished.errors)") }
    }

    /// Makes candidates, and so as many events.
    func makeCandidates(_ numbers: Range<Int>, prefix: String = "c") throws {
        try importAll("candidates", numbers.map { Self.candidate("\(prefix)\($0)") })
    }

    static func candidate(_ id: String) -> String { #"{"external_id":"\#(id)","full_name":"Ada \#(id)"}"# }

    func deliveries(_ subscriber: Subscriber, status: String? = nil) throws -> [JSON] {
        try deliveries(["--endpoint", subscriber.id] + (status.map { ["--status", $0] } ?? []))
    }

    func deliveries(_ options: [String]) throws -> [JSON] {
        try command(["webhooks", "deliveries", "--limit", "1000000"] + options)
    }

    /// Waits until nothing more is to be sent to an endpoint.
    func settles(_ subscriber: Subscriber, seconds: Double = 30) throws -> Bool {
        try poll(seconds: seconds, every: 0.2) { try deliveries(subscriber, status: "pending").isEmpty }
    }

    /// The last delivery to an endpoint with all its attempts.
    func lastDelivery(_ subscriber: Subscriber) throws -> JSON {
        guard let id = try deliveries(subscriber).first?["id"].string, let detail = try command("webhooks", "delivery", id).first else {
            throw Trouble("no delivery to \(subscriber.path)")
        }
        return detail
    }

    /// The number behind a name in `/metrics`.
    func metric(_ name: String) throws -> Double? {
        let text = try operatorAnswer("/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    func operatorAnswer(_ target: String) throws -> Response {
        let connection = try Connection(server.operatorPort)
        connection.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return try connection.receive()
    }
}

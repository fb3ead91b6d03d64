import Domain
import Foundation

/// Another system that pushes its records in, over the operator's port.
struct Pusher: Sendable {
    static let base = "/operator/v1"

    let server: Server
    /// Pushes, and sees what it pushed.
    let key: Key

    /// - Parameter options: of the key; by default it may push and read personal data.
    init(_ server: Server, _ options: [String] = ["--scope", "ingest", "--scope", "read:pii"], limit: Int = 1_000_000) throws {
        self.server = server
        let finished = try Program.run(
            ["keys", "create", "--name", "pusher", "--rate-limit", "\(limit)", "--database", server.database, "--json"] + options)
        guard finished.exitCode == 0, let made = try finished.lines.first, let token = made["key"].string, let id = made["key_id"].string
        else { throw Trouble("no key: \(finished.errors)") }
        key = Key(token: token, id: id)
    }

    /// The same system at another server.
    init(_ server: Server, key: Key) {
        self.server = server
        self.key = key
    }

    /// A name as it stands in a path.
    static func escaped(_ name: String) -> String {
        name.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-._~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte))
                : "%" + String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
        }.joined()
    }

    func connect(from source: String = "127.0.0.1", patience: Double = 60) throws -> Connection {
        try Connection(server.operatorPort, from: source, patience: patience)
    }

    /// - Parameter path: below `/operator/v1`.
    func request(_ method: String, _ path: String, _ body: [UInt8]?, type: String? = "application/json", _ fields: [String] = []) -> [UInt8]
    {
        var all = fields
        if let body { all += ["Content-Length: \(body.count)"] + (type.map { ["Content-Type: \($0)"] } ?? []) }
        return Array(Server.request(method, Self.base + path, key: key.token, all).utf8) + (body ?? [])
    }

    func send(_ method: String, _ path: String, _ body: [UInt8]?, type: String? = "application/json", _ fields: [String] = []) throws
        -> Response
    {
        let connection = try connect()
        connection.send(request(method, path, body, type: type, fields))
        return try connection.receive(isHead: method == "HEAD")
    }

    func put(_ path: String, _ body: String, _ fields: String...) throws -> Response { try send("PUT", path, Array(body.utf8), fields) }
    func post(_ path: String, _ body: String, _ fields: String...) throws -> Response { try send("POST", path, Array(body.utf8), fields) }
    func patch(_ path: String, _ body: String, _ fields: String...) throws -> Response {
        try send("PATCH", path, Array(body.utf8), type: "application/merge-patch+json", fields)
    }
    func get(_ path: String, _ fields: String...) throws -> Response { try send("GET", path, nil, fields) }
    func delete(_ path: String, _ fields: String...) throws -> Response { try send("DELETE", path, nil, fields) }

    /// What was stored, and must have been.
    func stored(_ path: String, _ body: String) throws -> JSON {
        let answer = try put(path, body)
        guard answer.status == 201 || answer.status == 200 else { throw Trouble("PUT \(path): \(answer.status) \(answer.text)") }
        return try answer.json
    }

    /// All events until now.
    func events() throws -> [JSON] {
        let answer = try server.get("/api/v1/events?limit=1000", key: key.token)
        guard answer.status == 200, let events = try answer.json["data"].array else { throw Trouble("no events: \(answer.text)") }
        return events
    }

    /// How many records of a kind there are.
    func count(_ kind: RecordKind) throws -> Int {
        let finished = try Program.run(["check", "--json", "--database", server.database])
        guard finished.exitCode == 0, let count = try finished.lines.first?["records"][kind.plural].int else {
            throw Trouble("check: \(finished.output) \(finished.errors)")
        }
        return count
    }
}

extension Response {
    /// The faults of a body: each pointer with its message.
    var faults: [String: String] {
        let errors = (try? json["errors"].array) ?? []
        return Dictionary(errors.map { ($0["pointer"].string ?? "", $0["message"].string ?? "") }) { $0 + "; " + $1 }
    }
}

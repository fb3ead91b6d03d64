import Foundation

/// The one server that most tests talk to: the demo company, another organization, and a key of every sort.
struct SharedServer: Sendable {
    static let result = Result { try SharedServer() }
    static var running: SharedServer { get throws { try result.get() } }
    static let origin = "https://bi.example.com"

    private let folder: Folder
    let server: Server
    let reader: Key
    let personal: Key
    let ingest: Key
    let expired: Key
    let revoked: Key
    let foreign: Key
    /// A living candidate, a deleted one, and one of another organization.
    let candidate: String
    let deleted: String
    let stranger: String

    private init() throws {
        folder = try Folder()
        server = try Server(folder("shared.db"), ["--demo", "--cors-origins", Self.origin])
        reader = try server.makeKey()
        personal = try server.makeKey("--scope", "read:pii")
        ingest = try server.makeKey("--scope", "ingest")
        expired = try server.makeKey("--expires", "1s")
        revoked = try server.makeKey()
        _ = try server.command("keys", "revoke", revoked.id)
        _ = try server.command("organizations", "add", "other")
        foreign = try server.makeKey("--organization", "other")
        try folder.write("{\"external_id\":\"x1\",\"full_name\":\"Sam Stranger\"}\n", to: "stranger.ndjson")
        _ = try server.command("import", "candidates", folder("stranger.ndjson"), "--organization", "other")
        let page = try server.get("/api/v1/candidates?limit=2", key: reader.token).json["data"]
        guard let first = page[0]["id"].string, let second = page[1]["id"].string,
            let other = try server.get("/api/v1/candidates", key: foreign.token).json["data"][0]["id"].string
        else { throw Trouble("the shared server has no data") }
        _ = try server.command("delete", "candidate", second)
        (candidate, deleted, stranger) = (first, second, other)
        let expired = expired
        let server = server
        // From an address of its own: failing keys are counted.
        let isOver = try poll(seconds: 10, every: 0.3) {
            try server.get("/api/v1/key", key: expired.token, from: "127.0.0.9").status == 401
        }
        guard isOver else { throw Trouble("the key did not expire") }
    }

    /// Of the wrong secret: well formed, but another key's.
    var wrong: String {
        get throws {
            // Rotated without overlap: the old secret has the right check sum and is right no longer.
            let key = try server.makeKey()
            _ = try server.command("keys", "rotate", key.id, "--overlap", "0s")
            return key.token
        }
    }
}

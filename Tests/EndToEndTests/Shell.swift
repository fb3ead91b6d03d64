import Foundation

/// Commands on a database of a test's own, without a server.
struct Shell {
    let folder: Folder
    var environment: [String: String] = [:]
    var database: String { folder("shell.db") }

    init() throws {
        folder = try Folder()
        try load("jobs", #"{"external_id":"j1","title":"Baker","status":"open"}"#)
    }

    func run(_ arguments: [String]) throws -> Finished {
        try Program.run(arguments + ["--database", database], environment: environment)
    }

    func run(_ arguments: String...) throws -> Finished { try run(arguments) }

    /// The lines that a command prints with `--json`.
    func lines(_ arguments: [String]) throws -> [JSON] {
        let finished = try run(arguments + ["--json"])
        guard finished.exitCode == 0 else { throw Trouble("hirewire \(arguments): \(finished.exitCode) \(finished.errors)") }
        return try finished.lines
    }

    func lines(_ arguments: String...) throws -> [JSON] { try lines(arguments) }

    /// The one object that a command prints with `--json`.
    func json(_ arguments: String...) throws -> JSON {
        let lines = try lines(arguments)
        guard let first = lines.first, lines.count == 1 else { throw Trouble("hirewire \(arguments): \(lines.count) lines") }
        return first
    }

    /// Imports NDJSON.
    func load(_ kind: String, _ rows: String) throws {
        let finished = try run("import", kind, try folder.write(rows + "\n", to: kind + ".ndjson"))
        guard finished.exitCode == 0 else { throw Trouble("import: \(finished.errors)") }
    }

    /// Makes candidates, and so as many events.
    func makeCandidates(_ numbers: ClosedRange<Int>) throws {
        let rows = numbers.map { #"{"external_id":"c\#($0)","full_name":"Ada \#($0)","email":"ada\#($0)@example.com"}"# }
        try load("candidates", rows.joined(separator: "\n"))
    }

    func makeEndpoint(_ options: String..., url: String = "https://example.com/hook") throws -> (id: String, secret: String?) {
        let made = try lines(["webhooks", "add", "--url", url] + options)
        guard let id = made.first?["id"].string else { throw Trouble("no endpoint in \(made)") }
        return (id, made.first?["secret"].string)
    }

    /// All bytes of the database and what belongs to it.
    func bytes() throws -> Data {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("shell.db") }
            .reduce(into: Data()) { $0 += try Data(contentsOf: URL(fileURLWithPath: folder($1))) }
    }
}

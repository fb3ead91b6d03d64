import Domain
import Foundation
import GRDBSQLite

/// The rows of one import: the newest in memory, the others in a private database on disk that goes with it.
///
/// They are moved there many at a time and in order: one by one and in any order, they cost an import a tenth of its time.
public final class SeenIndex: SeenRows {
    private let connection: OpaquePointer
    private let statements: StatementCache
    private var newest: [ExactText: Int] = [:]
    private static let most = 50_000
    private let keepsInputs: Bool

    /// - Parameter keepsInputs: for ``first(of:)``; some hundred bytes a row on disk.
    public init(keepsInputs: Bool = false) throws {
        self.keepsInputs = keepsInputs
        // An empty name: SQLite's private on-disk database, deleted when it is closed.
        connection = try Reader.open("", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        statements = StatementCache(connection)
        try statements("PRAGMA journal_mode = OFF").run()
        try statements("PRAGMA synchronous = OFF").run()
        try statements("PRAGMA cache_size = -8192").run()
        try statements("CREATE TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID").run()
        try statements("CREATE TABLE inputs (external_id TEXT PRIMARY KEY, input BLOB NOT NULL, document BLOB)").run()
        // One transaction for good: nothing here is ever to be kept.
        try statements("BEGIN").run()
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(connection)
    }

    public func line(of externalID: String) throws -> Int? {
        if let line = newest[ExactText(externalID)] { return line }
        return try statements("SELECT line FROM seen WHERE external_id = ?").first([.text(externalID)]) { Int($0.integer(0)) }
    }

    public func first(of externalID: String) throws -> RecordInput? {
        let kept = try statements("SELECT input, document FROM inputs WHERE external_id = ?")
            .first([.text(externalID)]) { ($0.blob(0), $0.isNull(1) ? nil : $0.blob(1)) }
        guard let (bytes, document) = kept else { return nil }
        var input = try JSONDecoder().decode(RecordInput.self, from: Data(bytes))
        input.resume = document.map(RecordInput.Document.init)
        return input
    }

    public func remember(_ externalID: String, line: Int, of input: RecordInput) throws {
        if keepsInputs {
            let document = try input.resume.map { document in
                var bytes = [UInt8](repeating: 0, count: document.content.count)
                try bytes.withUnsafeMutableBytes { try document.content.read(into: $0, from: 0) }
                return SQLValue.blob(bytes)
            }
            try statements("INSERT OR IGNORE INTO inputs (external_id, input, document) VALUES (?, ?, ?)")
                .run([.text(externalID), .blob([UInt8](try JSONEncoder().encode(input))), document ?? .null])
        }
        let key = ExactText(externalID)
        if newest[key] == nil { newest[key] = line }
        guard newest.count >= Self.most else { return }
        let sorted = newest.sorted { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }
        newest.removeAll(keepingCapacity: true)
        let insert = try statements("INSERT OR IGNORE INTO seen (external_id, line) VALUES (?, ?)")
        for (key, line) in sorted { try insert.run([.text(key.text), .integer(Int64(line))]) }
    }
}

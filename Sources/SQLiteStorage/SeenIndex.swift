import Domain
import GRDBSQLite

/// The rows of one import in a private database on disk that goes with it.
public final class SeenIndex: SeenRows {
    private let connection: OpaquePointer
    private let statements: StatementCache

    public init() throws {
        // An empty name: SQLite's private on-disk database, deleted when it is closed.
        connection = try Reader.open("", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        statements = StatementCache(connection)
        try statements("PRAGMA journal_mode = OFF").run()
        try statements("PRAGMA synchronous = OFF").run()
        try statements("PRAGMA cache_size = -8192").run()
        try statements("CREATE TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID").run()
        // One transaction for good: nothing here is ever to be kept.
        try statements("BEGIN").run()
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(connection)
    }

    public func line(of externalID: String) throws -> Int? {
        try statements("SELECT line FROM seen WHERE external_id = ?").first([.text(externalID)]) { Int($0.integer(0)) }
    }

    public func remember(_ externalID: String, line: Int) throws {
        try statements("INSERT OR IGNORE INTO seen (external_id, line) VALUES (?, ?)").run([.text(externalID), .integer(Int64(line))])
    }
}

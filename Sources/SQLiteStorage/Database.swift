import Domain
import Foundation
import GRDB
import GRDBSQLite
import SQLiteSetup
import Synchronization

/// Why a database can't be opened, in words for the operator.
public struct DatabaseProblem: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// The one file that holds everything, opened for writing: connection, migrations, transactions.
///
/// Every write is one IMMEDIATE transaction with `synchronous=FULL`: what was acknowledged survives a kill and a power
/// cut. Several processes may have the file open.
public final class Database: WriteStore {
    public let path: String
    let queue: DatabaseQueue
    let time: any TimeSource
    let rendering: (any DeliveryRendering)?
    private let statements: Mutex<Held>
    /// Milliseconds of the clock and random bits for ids, from SQLite's generator: ChaCha20 seeded by the system, which is
    /// asked once and not for every id.
    private let makeID: @Sendable (Timestamp) -> ULID

    /// The writer's prepared statements: used inside GRDB's serialized access alone.
    private struct Held: @unchecked Sendable {
        var cache: StatementCache?
    }

    /// How long to wait for another process that writes, in seconds.
    static let patience = 5.0

    /// Opens the file, making it when `create` is set, and brings its schema up to date.
    ///
    /// - Parameter rendering: makes the bodies of deliveries. Without it an event is refused, with its change, where its
    ///   organization has endpoints: no delivery is ever lost in silence.
    /// - Throws: ``DatabaseProblem``.
    public init(
        path: String, create: Bool = true, time: any TimeSource = SystemTime(), rendering: (any DeliveryRendering)? = nil
    ) throws {
        self.path = path
        self.time = time
        self.rendering = rendering
        makeID = { time in
            var random: (UInt64, UInt64) = (0, 0)
            sqlite3_randomness(16, &random)
            return ULID(
                milliseconds: UInt64(max(time.microseconds / 1000, 0)), random: (UInt16(truncatingIfNeeded: random.0), random.1))
        }
        statements = Mutex(Held())
        _ = Reader.setup
        try Self.inspect(path, create: create)
        do {
            let identity = FileIdentity(path)
            queue = try DatabaseQueue(path: path, configuration: Self.configuration)
            try Self.requireOwn(queue, path, identity)
            try Self.prepare(queue)
            try Self.migrate(queue)
            try queue.inDatabase(Self.prepareWrites)
        } catch let error as DatabaseError {
            throw DatabaseProblem(Self.explain(error, path))
        }
        try makeDefaultOrganization()
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = 1
        configuration.label = "hirewire"
        return configuration
    }

    /// What SQLite would say only vaguely is found out first; the file is made where it may be.
    ///
    /// - Throws: ``DatabaseProblem``.
    public static func inspect(_ path: String, create: Bool) throws {
        let manager = FileManager.default
        var isDirectory: ObjCBool = false
        if manager.fileExists(atPath: path, isDirectory: &isDirectory) {
            if isDirectory.boolValue { throw DatabaseProblem("'\(path)' is a folder, not a database file") }
            guard manager.isReadableFile(atPath: path) else { throw DatabaseProblem("'\(path)' can't be read: permission denied") }
            guard manager.isWritableFile(atPath: path) else {
                throw DatabaseProblem("'\(path)' can't be written: permission denied")
            }
        } else {
            guard create else { throw DatabaseProblem("there is no database '\(path)'; `hirewire import` or `serve` makes one") }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard manager.fileExists(atPath: folder) else { throw DatabaseProblem("the folder '\(folder)' does not exist") }
            guard manager.isWritableFile(atPath: folder) else {
                throw DatabaseProblem("the folder '\(folder)' can't be written: permission denied")
            }
            // Personal data: for the owner alone. Never in the place of a file that another process has just made, and filled.
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 || errno == EEXIST else { throw DatabaseProblem("'\(path)' can't be made") }
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// Another program's database is left as it is; so is one that a `restore` has put aside since.
    ///
    /// - Parameter identity: the file's, from before it was opened.
    private static func requireOwn(_ queue: DatabaseQueue, _ path: String, _ identity: FileIdentity?) throws {
        let tables = try queue.inDatabase {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        }
        guard tables.isEmpty || tables.contains("grdb_migrations") else {
            throw DatabaseProblem("'\(path)' is another program's database; name a file of its own with --database")
        }
        // The shared lock is there from the first look on.
        guard FileIdentity(path) == identity else { throw DatabaseProblem("'\(path)' was replaced just now; try again") }
    }

    /// SQLite itself does not wait where two that have just made a file both want to change its mode.
    private static func setJournalMode(_ database: GRDB.Database) throws -> String? {
        let deadline = DispatchTime.now() + patience
        while true {
            do { return try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") } catch let error as DatabaseError {
                guard error.resultCode == .SQLITE_BUSY, DispatchTime.now() < deadline else { throw error }
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
    }

    private static func prepare(_ queue: DatabaseQueue) throws {
        try queue.inDatabase { database in
            guard let connection = database.sqliteConnection else { return }
            sqlite3_extended_result_codes(connection, 1)
            let mode = try setJournalMode(database)
            guard mode == "wal" else { throw DatabaseProblem("the file system does not allow a write-ahead log (WAL)") }
            // GRDB leaves WAL databases at NORMAL, which may lose the last commits in a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -16384;")
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;")
        }
    }

    /// What lives as long as a transaction or a statement stays in memory, which a migration's sorted indices would fill.
    private static func prepareWrites(_ database: GRDB.Database) throws {
        guard let connection = database.sqliteConnection else { return }
        try database.execute(sql: "PRAGMA temp_store = MEMORY;")
        let code = hirewire_rows_register(connection)
        guard code == SQLITE_OK else { throw DatabaseProblem(SQLiteFailure(connection, code: code).description) }
    }

    /// For an import: the journal may grow to 64 MB before it is moved into the file, so that pages that change again and
    /// again are moved less often, and the indices have 64 MB of memory.
    public func expectMuch() throws {
        try queue.inDatabase { try $0.execute(sql: "PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -65536;") }
    }

    private static func migrate(_ queue: DatabaseQueue) throws {
        var migrator = DatabaseMigrator()
        for migration in Schema.migrations {
            migrator.registerMigration(migration.name) { database in
                try database.execute(sql: migration.sql)
                guard let connection = database.sqliteConnection else { return }
                let statements = StatementCache(connection)
                for kind in migration.reindexed { try SearchIndex.rebuild(.of(kind), statements: statements) }
            }
        }
        // Another process may do the same at the same time. A step of this one then fails as a whole, for what it would make is
        // there or not there yet; the next try takes up where the other one is.
        for wait in [0.01, 0.05, 0.2, 0.5] {
            do { return try migrate(queue, migrator) } catch let error as DatabaseError {
                guard [.SQLITE_ERROR, .SQLITE_CONSTRAINT].contains(error.resultCode) else { throw error }
                Thread.sleep(forTimeInterval: wait)
            }
        }
        try migrate(queue, migrator)
    }

    private static func migrate(_ queue: DatabaseQueue, _ migrator: DatabaseMigrator) throws {
        let (newer, done) = try queue.inDatabase { database in
            (try migrator.hasBeenSuperseded(database), try migrator.hasCompletedMigrations(database))
        }
        if newer {
            throw DatabaseProblem("the database was written by a newer hirewire; use that one, or restore an older backup")
        }
        if !done { try migrator.migrate(queue) }
    }

    static func explain(_ failure: SQLiteFailure, _ path: String) -> String {
        explain(DatabaseError(resultCode: ResultCode(rawValue: failure.code), message: failure.message), path)
    }

    static func explain(_ error: DatabaseError, _ path: String) -> String {
        switch error.resultCode {
        case .SQLITE_NOTADB:
            "'\(path)' is not a hirewire database, or it is damaged; `hirewire restore BACKUP` puts a sound one in its place"
        case .SQLITE_CORRUPT: "'\(path)' is damaged; `hirewire restore BACKUP` puts a sound one in its place"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "'\(path)' is locked by another process for longer than \(Int(patience)) s"
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: "'\(path)' can't be opened for writing"
        case .SQLITE_FULL: "the disk is full"
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            "the disk is full: there is no room for '\(path)-shm', which has to be there while '\(path)' is open"
        default: "'\(path)' can't be used: \(error.message ?? "SQLite error \(error.extendedResultCode.rawValue)")"
        }
    }

    // MARK: Transactions

    /// Runs `body` on one snapshot, whoever writes meanwhile.
    func snapshot<Result>(_ body: (StatementCache) throws -> Result) throws -> Result {
        try transaction(as: .deferred, body)
    }

    /// Runs `body` in one transaction with the writer's statements.
    func transaction<Result>(
        as kind: GRDB.Database.TransactionKind = .immediate, _ body: (StatementCache) throws -> Result
    ) throws -> Result {
        do {
            return try queue.inDatabase { database in
                guard let connection = database.sqliteConnection else { throw StoreError.unavailable("closed") }
                let cache =
                    statements.withLock { held in
                        let cache = held.cache ?? StatementCache(connection)
                        held.cache = cache
                        return Held(cache: cache)
                    }.cache ?? StatementCache(connection)
                var result: Result?
                try database.inTransaction(kind) {
                    result = try body(cache)
                    return .commit
                }
                guard let result else { throw StoreError.unavailable("no result") }
                return result
            }
        } catch {
            throw storeError(error)
        }
    }

    /// What went wrong in the store, in the words of its callers; all else as it is.
    func storeError(_ error: any Error) -> any Error {
        switch error {
        case let error as DatabaseError:
            let busy = error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
            return busy ? StoreError.busy(Self.explain(error, path)) : StoreError.unavailable(Self.explain(error, path))
        case let failure as SQLiteFailure:
            return StoreError(failure)
        default: return error
        }
    }

    public func write<Result>(_ body: (any StoreWriter) throws -> Result) throws -> Result { try change(body) }

    /// Runs `body` with the writer of one transaction.
    func change<Result>(_ body: (RecordWriter) throws -> Result) throws -> Result {
        try transaction { statements in
            let writer = RecordWriter(statements: statements, time: time, rendering: rendering, newID: makeID)
            let result = try body(writer)
            try writer.finish()
            return result
        }
    }

    /// Erases a candidate's personal data; false when there is no such candidate, living or deleted.
    public func erase(_ candidate: ULID, in organization: Organization) throws -> Bool {
        try change { try $0.erase(candidate, in: organization) }
    }

    /// Merges what erased terms lie in, and truncates the journal, until no erased byte is in the files; the erasures that
    /// were asked for until then are done.
    ///
    /// - Parameter progress: called between the steps.
    public func scrub(_ progress: () -> Void = {}) throws {
        let began = time.now
        try clean(progress)
        try transaction {
            try $0("UPDATE erasures SET done_at = ? WHERE done_at IS NULL AND requested_at <= ?").run([SQLValue(time.now), SQLValue(began)])
        }
    }

    func clean(leaves: Int = 500, _ progress: () -> Void) throws {
        for layout in TableLayout.all {
            guard let search = layout.search else { continue }
            try transaction { try SearchIndex.renewIfDeep(layout, statements: $0) }
            var begins = true
            while try transaction({ try SearchIndex.merge(search, leaves: leaves, begins: begins, $0) }) {
                begins = false
                progress()
            }
        }
        for _ in 0..<50 {
            let busy = try queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") ?? 1 }
            if busy == 0 { return }
            progress()
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw StoreError.busy("readers keep the journal; try again when no long request is running")
    }

    /// Moves the journal into the file, as far as no reader is in the way: a stopped service leaves one file.
    public func checkpoint() {
        _ = try? queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    public func record(usage: [String: KeyUsage]) throws {
        try transaction { statements in
            let update = try statements(
                """
                UPDATE api_keys SET usage_count = usage_count + ?,
                    last_used_at = max(ifnull(last_used_at, ?), ?) WHERE key_id = ?
                """)
            for (keyID, usage) in usage {
                let last = SQLValue(usage.lastUsedAt)
                try update.run([.integer(usage.count), last, last, .text(keyID)])
            }
        }
    }

    private func makeDefaultOrganization() throws {
        func isThere() throws -> Bool { try snapshot { try $0("SELECT 1 FROM organizations").first { _ in true } ?? false } }
        if try isThere() { return }
        do { _ = try addOrganization(name: "default") } catch {
            // Another process may have made it meanwhile.
            guard try isThere() else { throw error }
        }
    }

    public var now: Timestamp { time.now }

    func newID(_ time: Timestamp) -> ULID { makeID(time) }
}

/// The system's clock.
public struct SystemTime: TimeSource {
    public init() {}
    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

import Domain
import Foundation
import GRDBSQLite

/// What `hirewire check` finds.
public struct HealthReport: Sendable {
    public let isSound: Bool
    public let problems: [String]
    public let schemaVersion: Int
    public let isNewest: Bool
    /// Another program made steps that this one does not know.
    public let isUnknown: Bool
    public let counts: [(kind: RecordKind, records: Int)]
    public let events: Int
    public let size: Int64
}

/// Copies, restores and examinations of a database file.
public enum Maintenance {
    /// - Throws: ``DatabaseProblem`` where there is no file, or this user may not read it.
    public static func requireReadable(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw DatabaseProblem("there is no file '\(path)'")
        }
        if isFolder.boolValue { throw DatabaseProblem("'\(path)' is a folder, not a database file") }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw DatabaseProblem("'\(path)' can't be read: permission denied")
        }
    }

    /// Opens read-only and examines; changes nothing.
    public static func check(_ path: String) throws -> HealthReport {
        try requireReadable(path)
        do {
            let connection = try openToRead(path)
            defer { sqlite3_close_v2(connection) }
            let statements = StatementCache(connection)
            defer { statements.removeAll() }
            var problems = try statements("PRAGMA integrity_check(20)").all { $0.string(0) }.filter { $0 != "ok" }
            problems += try statements("PRAGMA foreign_key_check").all { "a row of \($0.string(0)) refers to nothing" }.prefix(20)
            let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64) ?? 0
            let known = Schema.migrations.map(\.name)
            let tables = try statements("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all {
                $0.string(0)
            }
            guard tables.isEmpty || tables.contains("grdb_migrations") else {
                throw DatabaseProblem("'\(path)' is another program's database")
            }
            let done = tables.isEmpty ? [] : try statements("SELECT identifier FROM grdb_migrations").all { $0.string(0) }
            if !done.contains(known[2]) {
                // The first command on it ended while it made the tables; the next one makes the others.
                return HealthReport(
                    isSound: problems.isEmpty, problems: problems, schemaVersion: done.count, isNewest: false, isUnknown: false,
                    counts: RecordKind.allCases.map { ($0, 0) }, events: 0, size: size)
            }
            let isUnknown = done.contains { !known.contains($0) }
            if isUnknown { problems.append("written by a newer hirewire: use that one, or restore an older backup") }
            problems += try placeProblems(statements)
            for search in TableLayout.all.compactMap(\.search) where try SearchIndex.levels(search, statements) > SearchIndex.limit {
                problems.append("the index \(search) takes no more words: a running `serve` makes it anew")
            }
            if done.contains(Schema.webhooksName) { problems += try outboxProblems(statements) }
            let counts = try RecordKind.allCases.map { kind in
                (kind, try statements("SELECT count(*) FROM \(kind.plural)").first { Int($0.integer(0)) } ?? 0)
            }
            let events = try statements("SELECT count(*) FROM events").first { Int($0.integer(0)) } ?? 0
            return HealthReport(
                isSound: problems.isEmpty, problems: problems, schemaVersion: done.count, isNewest: done.count == known.count,
                isUnknown: isUnknown, counts: counts, events: events, size: size)
        } catch let failure as SQLiteFailure {
            throw DatabaseProblem(Database.explain(failure, path))
        }
    }

    /// Where a folder can't be written, SQLite can't make the index of a write-ahead log, and reads no database in that mode.
    /// Without a log nobody has the file open to write, and it is read as one that does not change.
    private static func openToRead(_ path: String) throws -> OpaquePointer {
        let connection = try Reader.open(path, flags: SQLITE_OPEN_READONLY)
        let code = sqlite3_exec(connection, "SELECT count(*) FROM sqlite_schema", nil, nil, nil) & 0xFF
        let hasLog = ((try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int64) ?? 0) > 0
        guard code == SQLITE_CANTOPEN || code == SQLITE_READONLY, !hasLog else { return connection }
        sqlite3_close_v2(connection)
        let location = URL(fileURLWithPath: path).absoluteString + "?immutable=1"
        return try Reader.open(location, flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
    }

    /// What SQLite can't know: no record is later than its organization's clock, or both living and deleted.
    private static func placeProblems(_ statements: StatementCache) throws -> [String] {
        var problems: [String] = []
        for kind in RecordKind.allCases {
            let late =
                try statements(
                    """
                    SELECT count(*) FROM clocks c JOIN \(kind.plural) t
                    ON t.change > (c.organization << 51) + (c.last - \(Place.epoch)) AND t.change < ((c.organization + 1) << 51)
                    WHERE c.kind = \(kind.rawValue)
                    """
                ).first { $0.integer(0) } ?? 0
            if late > 0 { problems.append("\(late) \(kind.plural) are later than their clock") }
            let both =
                try statements(
                    "SELECT count(*) FROM tombstones d JOIN \(kind.plural) t ON t.id = d.id WHERE d.kind = \(kind.rawValue)"
                ).first { $0.integer(0) } ?? 0
            if both > 0 { problems.append("\(both) \(kind.plural) are both living and deleted") }
        }
        return problems
    }

    /// A consistent copy while others read and write: `VACUUM INTO`, written beside the target and renamed.
    public static func backup(_ path: String, to target: String) throws {
        guard !FileManager.default.fileExists(atPath: target) else { throw DatabaseProblem("'\(target)' exists already") }
        try requireReadable(path)
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else { throw DatabaseProblem("the folder '\(folder)' does not exist") }
        let partial = target + ".partial"
        try? FileManager.default.removeItem(atPath: partial)
        do {
            let connection = try Reader.open(path, flags: SQLITE_OPEN_READWRITE)
            defer { sqlite3_close_v2(connection) }
            let statement = try Statement(connection, "VACUUM INTO ?")
            try statement.run([.text(partial)])
        } catch let failure as SQLiteFailure {
            try? FileManager.default.removeItem(atPath: partial)
            throw DatabaseProblem("the copy failed: \(Database.explain(failure, path))")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: partial)
        try sync(partial)
        try FileManager.default.moveItem(atPath: partial, toPath: target)
    }

    /// Checks a copy and puts it in the database's place; what was there stays beside it.
    ///
    /// - Returns: where the database that was there is now; nil when there was none.
    /// - Throws: ``DatabaseProblem``, also while another process has the database open: what that commits would be lost.
    public static func restore(_ copy: String, to path: String) throws -> String? {
        let report = try check(copy)
        guard report.schemaVersion > 0 else { throw DatabaseProblem("'\(copy)' holds nothing yet") }
        guard report.isSound else {
            throw DatabaseProblem("'\(copy)' is not sound: \(report.problems.prefix(3).joined(separator: "; "))")
        }
        let manager = FileManager.default
        let log = (try? manager.attributesOfItem(atPath: copy + "-wal")[.size] as? Int64) ?? 0
        guard log == 0 else {
            let both = "`hirewire backup NEW --database '\(copy)'` makes one file of both"
            throw DatabaseProblem("a part of '\(copy)' is in '\(copy)-wal', as of a file in use; \(both)")
        }
        let alone = try manager.fileExists(atPath: path) ? Alone(path) : nil
        defer { alone?.end() }
        let partial = path + ".restoring"
        func removePartial() {
            for suffix in ["", "-wal", "-shm", "-journal"] { try? manager.removeItem(atPath: partial + suffix) }
        }
        removePartial()
        defer { removePartial() }
        try manager.copyItem(atPath: copy, toPath: partial)
        try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: partial)
        try renew(partial)
        try sync(partial)
        var kept: String?
        if manager.fileExists(atPath: path) {
            let stem = "\(path).before-restore-\(Int(Date().timeIntervalSince1970))"
            var (name, number) = (stem, 1)
            // Two restores in one second.
            while manager.fileExists(atPath: name) {
                number += 1
                name = "\(stem)-\(number)"
            }
            // Under both names until the other file takes this one: nobody finds none in between, and makes one.
            if link(path, name) != 0 { try manager.moveItem(atPath: path, toPath: name) }
            if manager.fileExists(atPath: path + "-wal") { try manager.moveItem(atPath: path + "-wal", toPath: name + "-wal") }
            // The log's index, which is made from the log.
            try? manager.removeItem(atPath: path + "-shm")
            kept = name
        }
        guard rename(partial, path) == 0 else {
            throw DatabaseProblem("'\(path)' can't be put in place: \(String(cString: strerror(errno)))")
        }
        return kept
    }

    /// Another identity: what clients remember of the old file's tags is no longer true.
    private static func renew(_ path: String) throws {
        let connection = try Reader.open(path, flags: SQLITE_OPEN_READWRITE)
        defer { sqlite3_close_v2(connection) }
        try Statement(connection, "UPDATE store SET identity = random()").run()
        try Statement(connection, "PRAGMA wal_checkpoint(TRUNCATE)").run()
    }

    private static func sync(_ path: String) throws {
        let file = open(path, O_RDONLY)
        guard file >= 0, fsync(file) == 0 else { throw DatabaseProblem("'\(path)' can't be written through to the disk") }
        close(file)
    }
}

/// Keeps a database file from every other process.
private final class Alone {
    private var connection: OpaquePointer?

    init(_ path: String) throws {
        let connection = try Reader.open(path, flags: SQLITE_OPEN_READWRITE)
        self.connection = connection
        do {
            // Each connection to a database in WAL mode has a shared lock on its file for as long as it is open, and only who
            // is alone may leave that mode.
            for statement in ["PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
                try Statement(connection, statement).run()
            }
        } catch let failure as SQLiteFailure {
            // What is no database, or can't be read any more, nobody writes to.
            guard failure.isBusy else { return }
            end()
            throw DatabaseProblem("another program has '\(path)' open, and what it writes would be lost; end it first")
        }
    }

    deinit { end() }

    func end() {
        sqlite3_close_v2(connection)
        connection = nil
    }
}

/// Says that a process serves a database file: a lock beside it that ends with the process, however it ends.
public final class ServeLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``DatabaseProblem`` when another process has it.
    public init(database path: String) throws {
        descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DatabaseProblem("the lock file '\(path).lock' can't be made") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw DatabaseProblem("another `hirewire serve` is running on '\(path)'")
        }
    }

    deinit { close(descriptor) }
}

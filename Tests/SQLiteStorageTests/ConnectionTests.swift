import Domain
import Foundation
import GRDBSQLite
import Synchronization
import Testing

@testable import SQLiteStorage

@Suite("SQLite: what the connections and the schema promise")
struct ConnectionTests {
    private func pragma(_ name: String, _ statements: StatementCache) throws -> String? {
        try statements("PRAGMA \(name)").first { $0.string(0) }
    }

    @Test("The writer syncs each commit in full, keeps a write-ahead log and holds foreign keys, opened anew too")
    func writer() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let database = try Database(path: folder.path + "/a.db", time: TestClock())
            for round in 0..<2 {
                if round == 1 { _ = try database.organizations() }
                let found = try database.queue.inDatabase { connection in
                    let cache = StatementCache(try #require(connection.sqliteConnection))
                    return try ["synchronous", "journal_mode", "foreign_keys", "secure_delete"].map { try pragma($0, cache) }
                }
                #expect(found == ["2", "wal", "1", "1"])
            }
        }
    }

    #if os(Linux)
        @Test("What SQLite writes goes to the disk in pieces, and comes back as it was", arguments: ["pwrite", "pwrite64"])
        func writesInPieces(name: String) throws {
            let folder = try TemporaryFolder()
            let database = try Database(path: folder.path + "/a.db", time: TestClock())
            let system = try #require(sqlite3_vfs_find(nil))
            let call = try #require(system.pointee.xGetSystemCall(system, name))
            #expect(unsafeBitCast(call, to: UnsafeMutableRawPointer.self) != dlsym(nil, name))
            // Several pieces, of values that end anywhere in a page, through the journal and a checkpoint; twice over the same place.
            for round in 0..<2 {
                try database.transaction { statements in
                    try statements("CREATE TABLE IF NOT EXISTS pieces (number INTEGER PRIMARY KEY, bytes BLOB)").run()
                    try statements(
                        """
                        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
                        INSERT OR REPLACE INTO pieces SELECT i, CAST(printf('%.*c', i % 1500, char(48 + (i + \(round)) % 60)) AS BLOB) FROM n
                        """
                    ).run()
                }
                database.checkpoint()
                let reader = try Reader(path: database.path)
                let wrong = try reader.statements(
                    "SELECT count(*) FROM pieces WHERE bytes <> CAST(printf('%.*c', number % 1500, char(48 + (number + \(round)) % 60)) AS BLOB)"
                ).first { $0.integer(0) }
                #expect(try reader.statements("SELECT count(*) FROM pieces").first { $0.integer(0) } == 4_000 && wrong == 0)
                #expect(try pragma("integrity_check", reader.statements) == "ok")
            }
        }
    #endif

    @Test("A reader can't write")
    func reader() throws {
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.path + "/a.db", time: TestClock())
        let reader = try Reader(path: database.path)
        #expect(try pragma("query_only", reader.statements) == "1" && pragma("journal_mode", reader.statements) == "wal")
        #expect(throws: SQLiteFailure.self) { try reader.statements("DELETE FROM organizations").run() }
    }

    @Test("A table's columns are the schema's fields, and what the store adds", arguments: RecordKind.allCases)
    func columns(kind: RecordKind) throws {
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.path + "/a.db", time: TestClock())
        let columns = try database.transaction {
            try $0("PRAGMA table_info(\(kind.plural))").all { ($0.string(1), $0.string(2), $0.integer(3) == 1) }
        }
        let fields = kind.schema.fields
        var expected = ["change", "organization", "id", "external_id", "version", "created_at"] + fields.map(\.column)
        expected += fields.filter(\.folded).map { $0.column + "_folded" }
        if kind == .candidate { expected.append("best_score") }
        if kind == .application { expected.append("candidate_change") }
        #expect(columns.map(\.0).sorted() == expected.sorted())
        for field in fields {
            let (_, type, isRequired) = try #require(columns.first { $0.0 == field.column })
            let wanted =
                switch field.form {
                case .text, .choice, .list, .object, .array, .json: "TEXT"
                case .integer, .time: "INTEGER"
                case .number: "REAL"
                case .reference: "BLOB"
                }
            #expect(type == wanted, "\(field.column)")
            #expect(isRequired == (field.required || field.initial != .null), "\(field.column)")
        }
    }

    @Test("Every word of every choice can be stored")
    func choices() throws {
        let bench = try Workbench()
        _ = try Related(bench)
        for kind in [RecordKind.candidate, .job, .interview] {
            for field in kind.schema.fields {
                guard case .choice(let words) = field.form else { continue }
                for word in words {
                    let rest = kind == .job ? #""title":"T","# : kind == .interview ? #""candidate_external_id":"related-c","# : ""
                    #expect(try bench.put(kind, #"{\#(rest)"\#(field.name)":"\#(word)"}"#).isCreated, "\(field.name) \(word)")
                }
            }
        }
    }

    @Test("The schema itself refuses what no code should write")
    func constraints() throws {
        let bench = try Workbench()
        let related = try Related(bench)
        for (name, statuses) in [("i", ["completed"]), ("k", ["completed", "cancelled"])] {
            for status in statuses {
                try bench.put(.interview, #"{"external_id":"\#(name)","candidate_external_id":"related-c","status":"\#(status)"}"#)
            }
        }
        let database = try bench.database
        for sql in [
            "UPDATE candidates SET status = 'nonsense'", "UPDATE candidates SET version = 0", "UPDATE candidates SET organization = 2",
            "UPDATE jobs SET title = NULL", "UPDATE applications SET job_id = zeroblob(16)", "DELETE FROM jobs", "DELETE FROM candidates",
            "UPDATE interviews SET status = 'scheduled' WHERE status = 'completed'",
            "UPDATE interviews SET status = 'in_progress' WHERE status = 'cancelled'",
            "INSERT INTO candidates SELECT * FROM candidates", "UPDATE organizations SET match_threshold = 101",
        ] {
            #expect(throws: StoreError.self, "\(sql)") { try database.transaction { try $0(sql).run() } }
        }
        #expect(try bench.record(related.candidate) != nil)
    }

    @Test("A new file is for its owner alone; a folder, a text and a newer database are refused in words")
    func files() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a.db"
        do {
            let database = try Database(path: path, time: TestClock())
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            try database.transaction { try $0("INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')").run() }
        }
        func problem(_ path: String, create: Bool = true) -> String? {
            do { _ = try Database(path: path, create: create, time: TestClock()) } catch let problem as DatabaseProblem {
                return problem.description
            } catch {}
            return nil
        }
        #expect(problem(path)?.contains("newer hirewire") == true)
        let report = try Maintenance.check(path)
        #expect(!report.isSound && report.isUnknown && report.problems.count == 1, "\(report.problems)")
        #expect(problem(folder.path)?.contains("folder") == true)
        #expect(problem(folder.path + "/none.db", create: false)?.contains("there is no database") == true)
        #expect(problem(folder.path + "/none/a.db")?.contains("does not exist") == true)
        try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: folder.path + "/text"))
        #expect(problem(folder.path + "/text")?.contains("not a hirewire database") == true)
    }

    @Test("An older database is brought up to date at its opening, its records found by word, personal word and skill")
    func older() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a.db"
        let connection = try Reader.open(path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        let first = Schema.migrations.filter { $0.name.hasPrefix("1 ") }
        let names = first.map { "('\($0.name)')" }.joined(separator: ", ")
        let script =
            first.map(\.sql).joined() + """
                CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                INSERT INTO grdb_migrations VALUES \(names);
                INSERT INTO organizations (number, id, name, created_at) VALUES (1, zeroblob(16), 'default', 0);
                INSERT INTO candidates (change, organization, id, version, created_at, full_name, status, skills, email)
                VALUES ((1 << 51) + 7, 1, zeroblob(16), 1, 0, 'Ada', 'new', '["Go"]', 'lovelace@mail.example');
                """
        #expect(sqlite3_exec(connection, script, nil, nil, nil) == SQLITE_OK)
        sqlite3_close_v2(connection)
        let database = try Database(path: path, time: TestClock())
        let found = try database.transaction { statements in
            try ["ada", "lovelace", "skill"].map { word in
                let expression =
                    word == "skill" ? SearchIndex.expression(skills: ["GO"]) : SearchIndex.expression(SearchQuery(word), personal: true)
                return try statements("SELECT rowid FROM candidates_search WHERE candidates_search MATCH ?")
                    .first([.text(#require(expression))]) { $0.integer(0) & Place.mask }
            }
        }
        #expect(found == [7, 7, 7])
        #expect(try Maintenance.check(path).isNewest)
    }

    @Test("The journal is cut while requests come without a pause")
    func journal() async throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"0"}"#)
        let engine = try #require(bench.engine as? SQLiteEngine)
        let (readers, database) = (engine.readers, engine.database)
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    while !isDone.value.load(ordering: .relaxed) {
                        _ = try readers.read { try $0.changeCounter(of: OrganizationNumber(1)) }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                // As a service does: readers of threads that have gone elsewhere rest.
                while !isDone.value.load(ordering: .relaxed) {
                    readers.rest()
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            group.addTask {
                defer { isDone.value.store(true, ordering: .relaxed) }
                try database.scrub()
            }
            try await group.waitForAll()
        }
        let size = try FileManager.default.attributesOfItem(atPath: database.path + "-wal")[.size] as? Int
        #expect(size == 0)
    }

    @Test("A copy made between writes is whole, passes the examination, and is another identity when restored")
    func copies() throws {
        let bench = try Workbench()
        _ = try Related(bench)
        let path = try bench.database.path
        let folder = try TemporaryFolder()
        try Maintenance.backup(path, to: folder.path + "/copy.db")
        #expect(throws: DatabaseProblem.self) { try Maintenance.backup(path, to: folder.path + "/copy.db") }
        try bench.put(.candidate, #"{"external_id":"later"}"#)
        let report = try Maintenance.check(folder.path + "/copy.db")
        #expect(report.isSound && report.isNewest && report.events == 2)
        #expect(report.counts.first { $0.kind == .candidate }?.records == 1)
        #expect(try Maintenance.check(path).counts.first { $0.kind == .candidate }?.records == 2)
        #expect(try Maintenance.restore(folder.path + "/copy.db", to: folder.path + "/back.db") == nil)
        let identities = try [path, folder.path + "/copy.db", folder.path + "/back.db"].map { path in
            try Database(path: path, create: false, time: TestClock()).transaction {
                try $0("SELECT identity FROM store").first { $0.integer(0) }
            }
        }
        #expect(identities[0] == identities[1] && identities[1] != identities[2])
    }
}

private final class Flag: Sendable {
    let value = Atomic<Bool>(false)

    @Test("Nothing is put in the place of a database that somebody has open, and nothing is lost when nobody has")
    func restoresAlone() throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"kept"}"#)
        let path = try bench.database.path
        let folder = try TemporaryFolder()
        try Maintenance.backup(path, to: folder.path + "/copy.db")
        let target = folder.path + "/target.db"
        var open: Database? = try Database(path: target, time: TestClock())
        #expect(throws: DatabaseProblem.self) { try Maintenance.restore(folder.path + "/copy.db", to: target) }
        // A reader would be left with a file that has no name.
        open = nil
        var reader: Reader? = try Reader(path: target)
        #expect(throws: DatabaseProblem.self) { try Maintenance.restore(folder.path + "/copy.db", to: target) }
        _ = (open, reader)
        reader = nil
        let kept = try #require(try Maintenance.restore(folder.path + "/copy.db", to: target))
        #expect(try Maintenance.check(target).counts.first { $0.kind == .candidate }?.records == 1)
        #expect(try Maintenance.check(kept).counts.first { $0.kind == .candidate }?.records == 0)
        // A file and its log: one of them alone would not be what was examined.
        let both = folder.path + "/both.db"
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: both + suffix) }
        #expect(throws: DatabaseProblem.self) { try Maintenance.restore(both, to: target) }
        try Maintenance.backup(both, to: folder.path + "/one.db")
        #expect(try Maintenance.restore(folder.path + "/one.db", to: target) != nil)
        #expect(try Maintenance.check(target).counts.first { $0.kind == .candidate }?.records == 1)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!left.contains { $0.contains(".restoring") }, "\(left)")
        // What can't be read any more can be replaced.
        try Data("no database, but as long as the header of one would be, and then some more of it".utf8)
            .write(to: URL(fileURLWithPath: target))
        #expect(try Maintenance.restore(folder.path + "/copy.db", to: target) != nil)
        #expect(try Maintenance.check(target).isSound)
    }

    @Test("Another program's database is left as it is; one whose first command was cut short is sound and empty")
    func others() throws {
        let folder = try TemporaryFolder()
        let theirs = folder.path + "/theirs.db"
        let connection = try Reader.open(theirs, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        try Statement(connection, "CREATE TABLE theirs (x)").run()
        sqlite3_close_v2(connection)
        let before = try Data(contentsOf: URL(fileURLWithPath: theirs))
        #expect(throws: DatabaseProblem.self) { try Database(path: theirs, time: TestClock()) }
        #expect(throws: DatabaseProblem.self) { try Maintenance.check(theirs) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: theirs)) == before)

        let ours = folder.path + "/ours.db"
        try Data().write(to: URL(fileURLWithPath: ours))
        for begun in ["SELECT 1", "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)"] {
            let connection = try Reader.open(ours, flags: SQLITE_OPEN_READWRITE)
            try Statement(connection, begun).run()
            sqlite3_close_v2(connection)
            let report = try Maintenance.check(ours)
            #expect(report.isSound && report.schemaVersion == 0 && !report.isNewest && report.counts.allSatisfy { $0.records == 0 })
            #expect(throws: DatabaseProblem.self) { try Maintenance.restore(ours, to: folder.path + "/target.db") }
        }
        _ = try Database(path: ours, time: TestClock())
        #expect(try Maintenance.check(ours).isNewest)
    }

    @Test("The first page that can't be right ends the readiness")
    func damage() throws {
        let bench = try Workbench()
        let headline = String(repeating: "x", count: 900)
        for number in 0..<300 { try bench.put(.candidate, #"{"external_id":"c\#(number)","headline":"\#(headline)"}"#) }
        try bench.database.checkpoint()
        let folder = try TemporaryFolder()
        let path = folder.path + "/damaged.db"
        try Maintenance.backup(bench.database.path, to: path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let line = Data(String(repeating: "x", count: 500).utf8)
        for page in 1..<bytes.count / 4_096 {
            let place = page * 4_096..<(page + 1) * 4_096
            guard bytes.range(of: line, in: place) != nil else { continue }
            bytes.replaceSubrange(place.prefix(200), with: [UInt8](repeating: 0xA5, count: 200))
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        // As a service does: readers stand beside a writer.
        let database = try Database(path: path, create: false, time: TestClock())
        defer { withExtendedLifetime(database) {} }
        let readers = try ReaderPool(path: path)
        try readers.ping()
        var query = ListQuery(kind: .candidate, sort: .updated)
        query.limit = 1_000
        let thrown = #expect(throws: StoreError.self) {
            _ = try readers.read {
                try ListAnswer($0, query, bench.organization, ListForm(kind: .candidate, personal: true))
            }
        }
        guard case .damaged = thrown else { return #expect(Bool(false), "\(String(describing: thrown))") }
        #expect(throws: StoreError.self) { try readers.ping() }
    }

    @Test("A ping looks at the file itself again, soon after it was well")
    func pingsAgain() async throws {
        // given
        let folder = try TemporaryFolder()
        let path = folder.path + "/pinged.db"
        let bench = try Workbench()
        try Maintenance.backup(bench.database.path, to: path)
        let database = try Database(path: path, create: false, time: TestClock())
        defer { withExtendedLifetime(database) {} }
        let readers = try ReaderPool(path: path)
        try readers.ping()

        // when: the same file, and no database any more
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: [UInt8](repeating: 0xA5, count: 4_096))
        try file.close()

        // then
        let deadline = ContinuousClock.now + .seconds(20)
        while (try? readers.ping()) != nil, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        #expect(throws: StoreError.self) { try readers.ping() }
    }
}

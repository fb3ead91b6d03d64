import Domain
import Foundation
import Synchronization
import Testing

@testable import SQLiteStorage

/// What the tables themselves see to, whoever writes.
@Suite("SQLite: the tables' own checks")
struct SchemaTests {
    private let bench: Workbench
    private let database: Database

    init() throws {
        bench = try Workbench()
        database = try bench.database
    }

    @Test("To store a new record, SQLite fills no table of its own", arguments: RecordKind.allCases)
    func checks(kind: RecordKind) throws {
        // Before an interview is stored, a trigger looks at it: SQLite gathers many of them first.
        let layout = TableLayout.of(kind)
        for sql in [layout.insert] + (kind == .interview ? [] : [layout.insertAll, RecordWriter.insertEvents]) {
            let steps = try database.transaction { statements in
                try Statement(statements.connection, "EXPLAIN " + sql).all { $0.string(1) }
            }
            #expect(steps.contains("OpenWrite") && !steps.contains("OpenEphemeral"), "\(sql)")
        }
    }

    /// A column that holds one of a list of words.
    struct Words: Sendable, CustomTestStringConvertible {
        let kind: RecordKind
        let field: String
        var testDescription: String { "\(kind.plural).\(field)" }
    }

    @Test(
        "A word of the list is taken and another refused, from whomever it comes",
        arguments: [
            Words(kind: .candidate, field: "status"), Words(kind: .job, field: "status"), Words(kind: .job, field: "salary_interval"),
            Words(kind: .interview, field: "status"),
        ])
    func words(_ column: Words) throws {
        let schema = column.kind.schema
        guard case .choice(let words) = schema.fields[schema.position(column.field)].form else {
            Issue.record("no column of words")
            return
        }
        let record = try bench.put(column.kind, Related(bench).whole(column.kind, externalID: "x")).id
        func set(_ word: String) throws {
            try database.transaction {
                try $0("UPDATE \(column.kind.plural) SET \(column.field) = ? WHERE id = ?").run([.text(word), .ulid(record.ulid)])
            }
        }
        // A completed interview does not go back, so that comes last.
        for word in words.filter({ $0 != "completed" }) + words.filter({ $0 == "completed" }) { try set(word) }
        for word in ["", "unheard", words[0].uppercased(), words[0] + " "] {
            #expect { try set(word) } throws: { ($0 as? StoreError)?.description.contains("CHECK constraint failed") == true }
        }
    }

    @Test("Several that open a new file at once all find it made")
    func together() throws {
        let folder = try TemporaryFolder()
        for round in 0..<10 {
            let failures = Mutex<[any Error]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    let database = try Database(path: folder.path + "/\(round).db")
                    #expect(try database.organization(named: "default") != nil)
                } catch { failures.withLock { $0.append(error) } }
            }
            let all = failures.withLock(\.self)
            #expect(all.isEmpty, "\(all)")
        }
    }

    @Test("Events of before keep the masked data that was stored with them; the later ones' is made when it is read")
    func storedMasks() throws {
        try bench.put(.candidate, #"{"external_id":"c","full_name":"Kim","email":"kim@mail.example"}"#)
        func masked() throws -> String? { try bench.events(personal: false).first?["data"]?.text }
        #expect(try masked()?.contains(#""full_name":"Kim""#) == true && masked()?.contains("mail.example") == false)
        for (stored, expected) in [(#"'{"as":"stored"}'"#, #"{"as":"stored"}"#), ("NULL", "mail.example")] {
            try database.transaction { try $0("UPDATE events SET masked_data = \(stored)").run() }
            #expect(try masked()?.contains(expected) == true)
        }
        #expect(try bench.events().first?["data"]?.text.contains("mail.example") == true)
    }

    @Test("A file from before the checks were said word by word gets them when it is opened, and keeps its rows")
    func upgrade() throws {
        let path = try bench.database.path
        let written = try bench.put(.candidate, #"{"external_id":"before","full_name":"Before","status":"offer"}"#).id
        // As the last version left it: the words in one list, and the migration still to come.
        try database.transaction { statements in
            let words = RecordKind.candidate.schema.fields.compactMap { field -> [String]? in
                if case .choice(let words) = field.form, field.name == "status" { words } else { nil }
            }.joined()
            try statements("PRAGMA writable_schema = ON").run()
            try statements("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'candidates'").run([
                .text(words.map { "status = '\($0)'" }.joined(separator: " OR ")),
                .text("status IN (" + words.map { "'\($0)'" }.joined(separator: ", ") + ")"),
            ])
            try statements("PRAGMA writable_schema = OFF").run()
            try statements("DELETE FROM grdb_migrations WHERE identifier = '6 words one by one'").run()
        }
        func check() throws -> String {
            let reader = try Reader(path: path)
            return try withExtendedLifetime(reader) {
                try reader.statements("SELECT sql FROM sqlite_schema WHERE name = 'candidates'").all { $0.string(0) }.joined()
            }
        }
        #expect(try check().contains("status IN ('new'"))
        let opened = try Database(path: path, create: false)
        #expect(try check().contains("status = 'new' OR"))
        let found = try opened.change { try $0.find(.externalID("before"), of: .candidate, in: bench.organization.number) }
        guard case .living(let record) = found else {
            Issue.record("the candidate is gone")
            return
        }
        #expect(record.recordID == written && record.text("status") == "offer")
    }
}

import Domain
import GRDBSQLite
import Testing

@testable import SQLiteStorage

/// That no answer's time tells an id that is another organization's from one that is none: the same statements are run,
/// as often, each seeks once in an index and reads no row.
@Suite("SQLite: what is another's costs what is unknown costs")
struct UnknownRecordTests {
    /// What SQLite's machine does more where an entry of the index is there and is not the asker's: it takes the entry's
    /// place and compares it with the two bounds. Some nanoseconds, however large the table.
    private static let mostSteps: Int32 = 3

    private struct Run {
        let sql: String
        let times: Int32
        let steps: Int32
    }

    /// What was run since the last look.
    private func runs(_ connection: OpaquePointer) -> [Run] {
        var runs: [Run] = []
        var statement = sqlite3_next_stmt(connection, nil)
        while let handle = statement {
            let run = Run(
                sql: String(cString: sqlite3_sql(handle)), times: sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_RUN, 1),
                steps: sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
            if run.times > 0 { runs.append(run) }
            statement = sqlite3_next_stmt(connection, handle)
        }
        return runs.sorted { $0.sql < $1.sql }
    }

    @Test(
        "Unknown, another's, another's deleted: the same statements, and steps that differ by three at most", arguments: RecordKind.allCases
    )
    func steps(kind: RecordKind) throws {
        // given: records of the one that asks, and of others before and behind it
        let bench = try Workbench()
        let (first, asking, last) = (bench, try bench.inOrganization("asking"), try bench.inOrganization("last"))
        var foreign: [(name: String, id: RecordID)] = []
        for (name, bench) in [("first", first), ("asking", asking), ("last", last)] {
            let related = try Related(bench)
            let living = try (0..<20).map { try bench.put(kind, related.whole(kind, externalID: "living \($0)")).id }
            let dead = try (0..<20).map { try bench.put(kind, related.whole(kind, externalID: "dead \($0)")).id }
            for id in dead { try bench.delete(id) }
            guard name != "asking" else { continue }
            foreign += [("\(name)'s living", living[7]), ("\(name)'s newest", living[19]), ("\(name)'s deleted", dead[3])]
        }
        let reader = try Reader(path: bench.database.path)
        let form = ListForm(kind: kind, detail: true, personal: true, embedding: ListDefinition.of(kind)?.embeds ?? [])
        func ask(_ id: RecordID) throws -> [Run] {
            _ = runs(reader.connection)
            var out = ByteWriter()
            let lookup = try reader.record(id, of: asking.organization.number, form: form, into: &out)
            guard case .missing = lookup else { throw InputFaults([InputFault("", "\(id) was found")]) }
            #expect(out.count == 0)
            return runs(reader.connection)
        }
        let unknown = RecordID(kind: kind, ulid: ULID(high: foreign[0].id.ulid.high, low: 1))
        _ = try ask(unknown)

        // when
        let expected = try ask(unknown)

        // then
        #expect(!expected.isEmpty)
        for (name, id) in foreign {
            let found = try ask(id)
            #expect(found.map(\.sql) == expected.map(\.sql) && found.map(\.times) == expected.map(\.times), "\(name)")
            for (run, other) in zip(found, expected) {
                #expect((0...Self.mostSteps).contains(run.steps - other.steps), "\(name): \(run.steps), \(other.steps) of \(run.sql)")
            }
        }
        for run in expected {
            let plan = try reader.statements("EXPLAIN QUERY PLAN " + run.sql).all { $0.string(3) }
            #expect(plan.allSatisfy { $0.contains("COVERING INDEX") }, "\(plan)")
        }
    }
}

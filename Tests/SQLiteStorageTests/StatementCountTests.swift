import Domain
import GRDBSQLite
import Testing

@testable import SQLiteStorage

/// How many statements a page takes.
@Suite("A page takes at most three statements, its related records with it")
struct StatementCountTests {
    /// Counts the statements that a connection begins, as SQLite tells of them.
    private final class Counter {
        var texts: [String] = []

        init(_ connection: OpaquePointer) {
            sqlite3_trace_v2(
                connection, UInt32(SQLITE_TRACE_STMT),
                { _, context, statement, _ in
                    guard let context, let statement else { return 0 }
                    let text = sqlite3_sql(OpaquePointer(statement)).map { String(cString: $0) } ?? ""
                    Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().texts.append(text)
                    return 0
                }, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    private let bench: Workbench
    private let related: Related
    private let reader: Reader

    init() throws {
        bench = try Workbench()
        related = try Related(bench)
        for index in 0..<40 {
            let candidate = #""candidate_external_id":"c\#(index)""#
            try bench.put(.candidate, #"{"external_id":"c\#(index)","full_name":"Candidate \#(index)"}"#)
            // Some scores are shared, none lies in the order of the changes.
            let score = Double(index * 37 % 25) * 4.25
            try bench.put(.match, #"{"external_id":"m\#(index)",\#(candidate),"job_external_id":"related-j","score":\#(min(score, 100))}"#)
            try bench.put(.application, #"{"external_id":"a\#(index)",\#(candidate),"job_external_id":"related-j"}"#)
            try bench.put(.interview, #"{"external_id":"i\#(index)",\#(candidate),"job_external_id":"related-j"}"#)
        }
        try bench.put(.match, #"{"external_id":"m","candidate_external_id":"related-c","job_external_id":"related-j","score":5}"#)
        reader = try Reader(path: bench.database.path)
    }

    private func page(_ kind: RecordKind, _ query: String, after cursor: String?) throws -> (
        statements: [String], rows: [JSONValue], next: String?
    ) {
        let definition = try #require(ListDefinition.of(kind))
        let request = try bench.request(kind, RequestParameter.read(query) + (cursor.map { [RequestParameter("cursor", $0)] } ?? []))
        let form = ListForm(
            kind: kind, personal: true, only: request.fields, embedding: definition.embeds, expanded: request.expanded)
        try reader.begin()
        let counter = Counter(reader.connection)
        var out = ByteWriter()
        let end = try reader.list(request.query, of: bench.organization.number, form: form, into: &out)
        sqlite3_trace_v2(reader.connection, 0, nil, nil)
        let rows = try JSONParser.parse("[" + out.text + "]").elements
        return (counter.texts, rows, end.hasMore ? end.last.map(request.cursor) : nil)
    }

    @Test(
        "Each page of a walk",
        arguments: [
            (RecordKind.match, "expand=candidate,job&limit=7"), (.match, "expand=candidate,job&limit=7&sort=updated_at"),
            (.match, "expand=candidate,job&limit=7&job_id=JOB"), (.match, "expand=candidate,job&limit=7&job_id=JOB&sort=updated_at"),
            (.match, "expand=candidate,job&limit=7&candidate_id=CANDIDATE"), (.match, "expand=candidate,job&limit=7&include_deleted=true"),
            (.match, "expand=candidate,job&fields=score,rank,candidate,job&limit=7&job_id=JOB&max_score=90"),
            (.application, "expand=candidate,job&limit=7"), (.interview, "expand=candidate,job&limit=7"), (.candidate, "limit=7"),
            (.job, "limit=7"),
        ])
    func walk(kind: RecordKind, query: String) throws {
        let query = query.replacing("JOB", with: related.job.description).replacing("CANDIDATE", with: related.candidate.description)
        var cursor: String?
        var count = 0
        repeat {
            let page = try page(kind, query, after: cursor)
            #expect(page.statements.count <= 3, "\(page.statements)")
            #expect(!page.statements.isEmpty)
            if kind == .match {
                for row in page.rows { #expect(row["candidate"]?["full_name"] != nil && row["job"]?["title"] != nil) }
            }
            count += page.rows.count
            cursor = page.next
        } while cursor != nil
        #expect(kind != .match || count > 0)
    }

    @Test("Ranks are the same on every page and in every order")
    func ranks() throws {
        func ranks(_ query: String) throws -> [String: Int] {
            var all: [String: Int] = [:]
            var cursor: String?
            repeat {
                let page = try page(.match, query + "&job_id=\(related.job)", after: cursor)
                for row in page.rows { all[row.id] = row["rank"].flatMap { $0.text }.flatMap { Int($0) } }
                cursor = page.next
            } while cursor != nil
            return all
        }
        let whole = try ranks("limit=1000")
        let scores = try page(.match, "limit=1000&job_id=\(related.job)", after: nil).rows.compactMap {
            $0["score"].flatMap { $0.text }.flatMap { Double($0) }
        }
        #expect(whole.count > 20)
        #expect(whole.values.sorted() == scores.map { score in 1 + scores.count { $0 > score } }.sorted())
        for query in [
            "limit=3", "limit=3&sort=updated_at", "limit=3&sort=-updated_at", "limit=4&sort=score", "limit=2&max_score=70",
            "limit=5&min_score=20",
        ] {
            for (id, rank) in try ranks(query) { #expect(whole[id] == rank, "\(query)") }
        }
    }
}

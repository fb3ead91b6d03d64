import Domain
import Testing

@testable import SQLiteStorage

/// How SQLite goes about a list, as `EXPLAIN QUERY PLAN` tells it.
@Suite("Query plans: each list is driven by an index")
struct QueryPlanTests {
    /// Says of every range that it is narrow, or wide.
    private struct Estimate: RowEstimating {
        let rows: Int64
        func count(_ fragment: SQLFragment) throws -> Int64 { rows }
        func changes(_ fragment: SQLFragment) throws -> [Int64] { [] }
    }

    private let bench: Workbench
    private let reader: Reader

    init() throws {
        bench = try Workbench()
        // Plans are chosen without statistics, so an empty database has those of a full one.
        reader = try Reader(path: bench.database.path)
    }

    private func planner(_ kind: RecordKind, _ query: String, positioned: Bool = false) throws -> ListPlanner {
        let definition = try #require(ListDefinition.of(kind))
        var query = try bench.request(kind, RequestParameter.read(query)).query
        if positioned {
            let time = Timestamp(rfc3339: "2026-01-01T00:00:00Z")!
            let value: FieldValue =
                switch query.sort.field {
                case "updated_at": .null
                case "score": .number(50)
                case "full_name", "title": .text("m")
                default: .time(time)
                }
            query.position = ListPosition(value: value, updatedAt: time, asOf: time)
        }
        return ListPlanner(
            query, form: ListForm(kind: kind, personal: false, embedding: definition.embeds), organization: bench.organization.number)
    }

    private func explain(_ sql: String) throws -> [String] { try reader.statements("EXPLAIN QUERY PLAN " + sql).all { $0.string(3) } }

    private func steps(_ kind: RecordKind, _ query: String, positioned: Bool = false) throws -> [[String]] {
        let planner = try planner(kind, query, positioned: positioned)
        return try [0, Int64.max].map { try planner.plan(estimating: Estimate(rows: $0)).parts.flatMap { try explain($0.text) } }
    }

    /// The steps that read a table from end to end; a subquery's rows, the full-text index's and the whole numbers to a
    /// hundred are none of one.
    private func scans(_ steps: [String]) -> [String] {
        steps.filter {
            $0.hasPrefix("SCAN ") && !$0.hasPrefix("SCAN k") && !$0.contains("VIRTUAL TABLE INDEX") && !$0.contains("subquery")
                && $0 != "SCAN numbers" && $0 != "SCAN CONSTANT ROW"
        }
    }

    private static func values(_ filter: ListFilter) -> [String] {
        func id(_ kind: RecordKind) -> String { RecordID(kind: kind, ulid: ULID(high: 1, low: 2)).description }
        switch filter.form {
        case .choice(let words): return [words[0], words[0...1].joined(separator: ",")]
        case .ids(let kind):
            return [id(kind), [id(kind), RecordID(kind: kind, ulid: ULID(high: 3, low: 4)).description].joined(separator: ",")]
        case .words: return ["one", "one,two"]
        case .text: return ["one"]
        case .number: return ["5"]
        case .time: return ["2026-01-01T00:00:00Z"]
        case .search: return ["one", "on* \"two three\""]
        }
    }

    private static let sorts = ListDefinition.all.flatMap { definition in
        definition.sorts.flatMap { sort in ["", "-"].map { (definition.kind, $0 + sort) } }
    }

    @Test("No filter in any sort reads a table from end to end, on the first page or a later one, counted or not", arguments: sorts)
    func filters(kind: RecordKind, sort: String) throws {
        let definition = try #require(ListDefinition.of(kind))
        for filter in definition.filters {
            for value in Self.values(filter) {
                for positioned in [false, true] {
                    let query = "\(filter.name)=\(value)&sort=\(sort)"
                    for steps in try steps(kind, query, positioned: positioned) {
                        #expect(!steps.isEmpty && scans(steps).isEmpty, "\(query): \(steps)")
                        #expect(steps.contains { $0.hasPrefix("SEARCH ") || $0.contains("VIRTUAL TABLE INDEX") }, "\(query): \(steps)")
                    }
                }
            }
        }
    }

    @Test("No pair of filters reads a table from end to end", arguments: ListDefinition.all.map(\.kind))
    func pairs(kind: RecordKind) throws {
        let definition = try #require(ListDefinition.of(kind))
        for first in definition.filters {
            for second in definition.filters where second.name != first.name {
                for sort in definition.sorts {
                    let query = "\(first.name)=\(Self.values(first)[0])&\(second.name)=\(Self.values(second)[0])&sort=\(sort)"
                    for steps in try steps(kind, query) { #expect(scans(steps).isEmpty, "\(query): \(steps)") }
                }
            }
        }
    }

    @Test("A plain walk is a range of row ids; in another sort it is a range of that sort's index; nothing is sorted", arguments: sorts)
    func plain(kind: RecordKind, sort: String) throws {
        for positioned in [false, true] {
            for steps in try steps(kind, "sort=\(sort)", positioned: positioned) {
                #expect(scans(steps).isEmpty, "\(steps)")
                let field = sort.drop { $0 == "-" }
                let driver =
                    field == "updated_at"
                    ? "SEARCH t USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" : "INDEX \(kind.plural)_\(field) (organization=?"
                #expect(steps.contains { $0.contains(driver) }, "\(steps)")
                #expect(!steps.contains { $0.contains("TEMP B-TREE") }, "\(steps)")
            }
        }
    }

    @Test(
        "One value of an equality comes sorted from its index, in the change order", arguments: ListDefinition.all.map(\.kind),
        ["updated_at", "-updated_at"])
    func equality(kind: RecordKind, sort: String) throws {
        let definition = try #require(ListDefinition.of(kind))
        for filter in definition.filters {
            guard case .equals(let field) = filter.meaning else { continue }
            for positioned in [false, true] {
                for steps in try steps(kind, "\(filter.name)=\(Self.values(filter)[0])&sort=\(sort)", positioned: positioned) {
                    let driver = "SEARCH t USING INDEX \(kind.plural)_\(field) ("
                    #expect(
                        steps.first?.hasPrefix(driver) == true && steps.first?.contains("rowid>? AND rowid<?") == true,
                        "\(filter.name): \(steps)")
                    #expect(!steps.contains { $0.contains("TEMP B-TREE") }, "\(filter.name): \(steps)")
                }
            }
        }
    }

    @Test("The best of a job's applicants are found by the job's scores where those are few, else among the applicants")
    func scored() throws {
        let query = "min_score=90&job_id=\(RecordID(kind: .job, ulid: ULID(high: 1, low: 2)))"
        for sort in ["updated_at", "-updated_at", "full_name"] {
            let steps = try steps(.candidate, "\(query)&sort=\(sort)")
            #expect(steps[0].contains { $0.contains("SEARCH m USING INDEX matches_job_score (job_id=? AND score>?") }, "\(steps)")
            #expect(steps[0].contains { $0.contains("SEARCH t ") && $0.contains("INDEX candidates_id (id=?") }, "\(steps)")
            #expect(steps[1].contains { $0.contains("SEARCH a USING COVERING INDEX applications_applicants (job_id=?") }, "\(steps)")
        }
    }

    @Test("Times, ids, tombstones and totals are found by an index too", arguments: ListDefinition.all.map(\.kind))
    func common(kind: RecordKind) throws {
        let id = RecordID(kind: kind, ulid: ULID(high: 1, low: 2)).description
        let time = "2026-01-01T00:00:00Z"
        var queries = [
            "updated_after=\(time)", "updated_before=\(time)", "created_after=\(time)", "created_before=\(time)", "ids=\(id)",
            "include_deleted=true",
        ]
        queries += ["ids=\(id)&include_deleted=true", "sort=-updated_at&include_deleted=true", "created_after=\(time)&sort=-created_at"]
        for query in queries {
            for steps in try steps(kind, query) { #expect(scans(steps).isEmpty, "\(query): \(steps)") }
            for total in try planner(kind, query + "&count=exact").total() {
                let steps = try explain(total.text)
                #expect(scans(steps).isEmpty, "total of \(query): \(steps)")
            }
        }
    }

    @Test("A filter's total is counted by an index", arguments: ListDefinition.all.map(\.kind))
    func totals(kind: RecordKind) throws {
        for filter in try #require(ListDefinition.of(kind)).filters {
            for value in Self.values(filter) {
                for total in try planner(kind, "\(filter.name)=\(value)&count=exact").total() {
                    let steps = try explain(total.text)
                    #expect(scans(steps).isEmpty, "total of \(filter.name): \(steps)")
                }
            }
        }
    }
}

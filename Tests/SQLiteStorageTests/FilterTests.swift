import Domain
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("Storage contract: every list answers as a look at every record would")
struct FilterTests {
    @Test("What is written small first folds to the same: a cursor may spell words so")
    func foldsInAnyCase() {
        for scalar in (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init) where scalar.properties.changesWhenLowercased {
            for text in ["\(scalar)", "a\(scalar)", "\(scalar)b", "Σ\(scalar) \(scalar)Σ", "i\u{307}\(scalar)"] {
                #expect(folded(text.lowercased()) == folded(text), "\(scalar)")
            }
        }
    }

    @Test(
        "Random filters, sorts and page sizes give the same rows in the same order, and the same total",
        arguments: ListDefinition.all.map(\.kind))
    func agrees(kind: RecordKind) throws {
        let bench = try Workbench()
        var population = Population(random: SeededGenerator("filters of \(kind.plural)"), candidates: 150, jobs: 12)
        let model = try Model.random(&population, bench, each: 250)
        let definition = try #require(ListDefinition.of(kind))
        var requests = RandomRequests(random: population.random, model: model)
        var found = 0
        for _ in 0..<60 {
            let parameters = requests.parameters(definition)
            let personal = requests.random.chance(50)
            let first = try bench.request(kind, parameters)
            let expected = NaiveList(model: model, query: first.query, personal: personal).ids
            let told = parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
            found += expected.count
            var ids: [String] = []
            var cursor: String?
            repeat {
                let more = cursor.map { [RequestParameter("cursor", $0)] } ?? [RequestParameter("count", "exact")]
                // A cursor works alone, and with the filters repeated.
                let repeated = cursor == nil || requests.random.chance(50) ? parameters : []
                let limit = requests.random.number(1...max(expected.count, 20))
                let page = try bench.list(
                    kind, repeated + more + [RequestParameter("limit", String(limit)), RequestParameter("fields", "id")], personal: personal
                )
                ids += page.ids
                if cursor == nil { #expect(page.end.total == expected.count, "\(told)") }
                #expect(first.query.ids != nil || page.rows.count <= limit)
                cursor = page.cursor
            } while cursor != nil
            #expect(ids == expected, "\(told), personal: \(personal)")
        }
        #expect(found > 100, "the requests find something")
    }

    /// Says of every range that it is narrow, or wide, so that both ways of a plan are taken on any data.
    private struct Estimate: RowEstimating {
        let rows: Int64
        func count(_ fragment: SQLFragment) throws -> Int64 { rows }
        func changes(_ fragment: SQLFragment) throws -> [Int64] { [] }
    }

    @Test("A plan that sorts and one that walks give the same page", arguments: ListDefinition.all.map(\.kind))
    func plans(kind: RecordKind) throws {
        let bench = try Workbench()
        var population = Population(random: SeededGenerator("plans of \(kind.plural)"), candidates: 100, jobs: 8)
        let model = try Model.random(&population, bench, each: 120)
        let definition = try #require(ListDefinition.of(kind))
        var requests = RandomRequests(random: population.random, model: model)
        let path = try bench.database.path
        let reader = try Reader(path: path)
        for _ in 0..<60 {
            let request = try bench.request(
                kind, requests.parameters(definition) + [RequestParameter("limit", String(requests.random.number(1...30)))])
            var query = request.query
            if requests.random.chance(50), query.ids == nil, let last = try bench.page(request).end.last { query.position = last }
            let form = ListForm(kind: kind, personal: true, embedding: definition.embeds)
            let planner = ListPlanner(query, form: form, organization: bench.organization.number)
            if planner.findsNothing { continue }
            // As it is on little data, and with the next rows of the order looked at for whatever is searched.
            let looking = ListPlanner(query, form: form, organization: bench.organization.number, searchable: 0)
            let plans = try [0, Int64.max].map { try planner.plan(estimating: Estimate(rows: $0)) } + [looking.plan(estimating: reader)]
            let pages = try plans.map { plan in
                let rows = try plan.parts.flatMap { part in
                    try reader.statements(part.text).all(part.values) { row in
                        plan.tombstoneColumn.map { row.isNull(0) ? row.ulid($0) : row.ulid(0) } ?? row.ulid(0)
                    }
                }
                return Array(rows.prefix(query.limit + 1))
            }
            #expect(pages[0] == pages[1] && pages[0] == pages[2], "\(query.conditions) \(query.sort.text)")
        }
    }
}

import Domain
import Foundation
import TestSupport
import Testing

@Suite("Storage contract: walks while others write")
struct WalkTests {
    /// A client's copy, kept by what it is given.
    private struct Copy {
        var versions: [String: Double] = [:]
        var times: [String: Int] = [:]

        mutating func take(_ rows: [JSONValue]) {
            for row in rows {
                times[row.id, default: 0] += 1
                if row["deleted_at"]?.isNull == false { versions[row.id] = nil } else { versions[row.id] = row.number("version") }
            }
        }
    }

    private static let fields = [RequestParameter("fields", "id,version,updated_at,deleted_at")]

    private func next(_ bench: Workbench, _ kind: RecordKind, _ parameters: [RequestParameter], _ cursor: String?) throws -> Page {
        try bench.list(
            kind,
            cursor.map { [RequestParameter("cursor", $0), RequestParameter("limit", "500")] + Self.fields } ?? parameters + Self.fields)
    }

    private func state(_ bench: Workbench, _ kind: RecordKind) throws -> [String: Double] {
        var copy = Copy()
        copy.take(try bench.walk(kind, "sort=updated_at&fields=id,version,deleted_at", limit: 1_000))
        return copy.versions
    }

    /// Everything since, tombstones too: what a poller does.
    private func poll(_ bench: Workbench, _ kind: RecordKind, since: Timestamp, into copy: inout Copy) throws -> (
        rows: Int, asOf: Timestamp
    ) {
        var rows = 0
        var cursor: String?
        var asOf: Timestamp?
        repeat {
            let parameters = RequestParameter.read("include_deleted=true&updated_after=\(since)&limit=500")
            let page = try next(bench, kind, parameters, cursor)
            asOf = asOf ?? page.end.asOf
            #expect(page.end.asOf == asOf, "the first page's mark goes along")
            copy.take(page.rows)
            rows += page.rows.count
            cursor = page.cursor
        } while cursor != nil
        return (rows, try #require(asOf))
    }

    @Test(
        "In any sort unchanged rows come once, changed ones are never missed in ascending updated_at, and as_of misses nothing",
        arguments: [
            (RecordKind.candidate, 20_000), (.match, 20_000), (.job, 3_000), (.application, 3_000), (.interview, 3_000), (.call, 3_000),
        ])
    func walk(kind: RecordKind, count: Int) throws {
        let bench = try Workbench(clock: TestClock(step: 1))
        let purpose = "walks of \(kind.plural)"
        var population = Population(
            random: SeededGenerator(purpose), candidates: kind == .candidate ? count : 300, jobs: kind == .job ? count : 40)
        var model = Model()
        var size: [RecordKind: Int] = [.candidate: population.candidates, .job: population.jobs]
        size[kind] = count
        for part in Set([RecordKind.candidate, .job, kind]).sorted(by: { $0.rawValue < $1.rawValue }) {
            for start in stride(from: 0, to: size[part]!, by: 1_000) {
                try model.put((start..<min(start + 1_000, size[part]!)).map { try population.input(part, $0) }, bench)
            }
        }
        let definition = try #require(ListDefinition.of(kind))
        for sort in definition.sorts.flatMap({ [$0, "-" + $0] }) {
            let before = try state(bench, kind)
            var copy = Copy()
            var cursor: String?
            var asOf: Timestamp?
            var pages = 0
            repeat {
                let page = try next(bench, kind, RequestParameter.read("limit=500&sort=\(sort)"), cursor)
                asOf = asOf ?? page.end.asOf
                copy.take(page.rows)
                cursor = page.cursor
                pages += 1
                // Others change, add and delete between the pages, until a little before the walk's own end.
                if cursor != nil, pages < count / 500 + 3 { try disturb(bench, kind, &population, &size) }
            } while cursor != nil
            let after = try state(bench, kind)
            let untouched = before.filter { after[$0.key] == $0.value }
            #expect(untouched.count > count / 2 && untouched.count < before.count)
            #expect(untouched.allSatisfy { copy.times[$0.key] == 1 && copy.versions[$0.key] == $0.value }, "\(sort)")
            if sort == "updated_at" {
                #expect(after.allSatisfy { copy.versions[$0.key] == $0.value }, "each changed row came as it is now")
            }
            let polled = try poll(bench, kind, since: #require(asOf), into: &copy)
            #expect(polled.rows > 0 && copy.versions == after, "\(sort): the copy is whole")
            #expect(try poll(bench, kind, since: polled.asOf, into: &copy).rows == 0, "an idle poll is empty")
        }
    }

    private func disturb(_ bench: Workbench, _ kind: RecordKind, _ population: inout Population, _ size: inout [RecordKind: Int]) throws {
        let count = size[kind]!
        size[kind] = count + 4
        var numbers = (0..<12).map { _ in population.random.number(0...count - 1) }
        numbers += Array(count..<count + 4)
        let inputs = try numbers.map { try population.input(kind, $0) }
        let victims = Set((0..<4).map { _ in "\(kind.prefix)\(population.random.number(0...count - 1))" })
        var options = ChangeOptions()
        options.isHistory = true
        try bench.engine.writing.write { writer in
            for input in inputs { _ = try writer.apply(input, in: bench.organization, options: options) }
            for victim in victims {
                // The one way of the protocols to an external_id's id is a change that changes nothing much.
                var input = RecordInput(kind: kind)
                input.externalID = victim
                guard let outcome = try? writer.apply(input, in: bench.organization, options: options) else { continue }
                _ = try writer.delete(outcome.record.recordID, in: bench.organization, options: options)
            }
        }
    }

    @Test("The same holds when the writers are threads of their own", arguments: ["updated_at", "-full_name"])
    func concurrent(sort: String) async throws {
        let bench = try Workbench(clock: TestClock(step: 1))
        var population = Population(random: SeededGenerator("concurrent walk by \(sort)"), candidates: 4_000, jobs: 1)
        var model = Model()
        try model.put((0..<4_000).map { try population.input(.candidate, $0) }, bench)
        let before = try state(bench, .candidate)
        let writers = (0..<2).map { writer in
            var own = population
            for _ in 0...writer { _ = own.random.next() }
            return Task.detached { [own] in
                var own = own
                var size = [RecordKind.candidate: 4_000]
                for _ in 0..<60 { try disturb(bench, .candidate, &own, &size) }
            }
        }
        var copy = Copy()
        var cursor: String?
        var asOf: Timestamp?
        repeat {
            let parameters = cursor.map { [RequestParameter("cursor", $0)] } ?? RequestParameter.read("sort=\(sort)")
            let page = try bench.list(.candidate, parameters + [RequestParameter("limit", "40")] + Self.fields)
            asOf = asOf ?? page.end.asOf
            copy.take(page.rows)
            cursor = page.cursor
        } while cursor != nil
        for writer in writers { try await writer.value }
        let after = try state(bench, .candidate)
        let untouched = before.filter { after[$0.key] == $0.value }
        #expect(untouched.allSatisfy { copy.times[$0.key] == 1 })
        let polled = try poll(bench, .candidate, since: #require(asOf), into: &copy)
        #expect(copy.versions == after)
        #expect(try poll(bench, .candidate, since: polled.asOf, into: &copy).rows == 0)
    }
}

import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Storage contract: long walks while others write")
struct LargeWalkTests {
    private static let count = 100_000

    /// How many are not done yet.
    private final class Remaining: Sendable {
        private let count: Atomic<Int>
        init(_ count: Int) { self.count = Atomic(count) }
        var isSome: Bool { count.load(ordering: .relaxed) > 0 }
        func take() { count.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// A client's copy: by id the version that came last, nil for a deleted one, its `updated_at`, and how often the record
    /// came.
    private struct Copy {
        private(set) var rows: [String: (version: Int?, updatedAt: String, times: Int)] = [:]
        private(set) var taken = 0

        var versions: [String: Int] { rows.compactMapValues(\.version) }

        mutating func take(_ page: [[String: Any]]) throws {
            for row in page {
                let id = try #require(row["id"] as? String)
                let version = row["deleted_at"] is NSNull ? row["version"] as? Int : nil
                rows[id] = try (version, #require(row["updated_at"] as? String), (rows[id]?.times ?? 0) + 1)
            }
            taken += page.count
        }
    }

    /// Reads to the end of a list.
    ///
    /// - Returns: the first page's high-water mark.
    private func walk(_ bench: Workbench, _ query: String, into copy: inout Copy) throws -> Timestamp {
        let page = [RequestParameter("limit", "1000"), RequestParameter("fields", "id,version,updated_at,deleted_at")]
        let form = ListForm(kind: .candidate, personal: true, only: ["id", "version", "updated_at", "deleted_at"])
        var parameters = RequestParameter.read(query)
        var asOf: Timestamp?
        while true {
            let request = try bench.request(.candidate, parameters + page)
            let (bytes, end) = try bench.engine.reading.read { reader in
                var out = ByteWriter()
                let end = try reader.list(request.query, of: bench.organization.number, form: form, into: &out)
                return (Array(out.bytes), end)
            }
            // Foundation's reader: ours takes its time where it is not optimised.
            let rows = try JSONSerialization.jsonObject(with: Data([0x5B] + bytes + [0x5D]))
            try copy.take(#require(rows as? [[String: Any]]))
            asOf = asOf ?? end.asOf
            #expect(end.asOf == asOf, "the first page's mark goes along")
            guard end.hasMore, let last = end.last else { break }
            parameters = [RequestParameter("cursor", request.cursor(after: last))]
        }
        return try #require(asOf)
    }

    private func input(_ number: Int, _ random: inout SeededGenerator) -> RecordInput {
        var input = RecordInput(kind: .candidate)
        input.externalID = String(number)
        input.values[RecordKind.candidate.schema.position("full_name")] = .text(
            "\(random.pick(Population.words)) \(random.number(0...9_999))")
        return input
    }

    /// Changes, adds, deletes and revives until it is told that it is enough. Three of four that there were it leaves
    /// alone.
    private func disturb(_ bench: Workbench, _ writer: Int, _ ids: [RecordID], while goesOn: () -> Bool) throws {
        var random = SeededGenerator("writer \(writer) beside long walks")
        var options = ChangeOptions()
        options.isHistory = true
        var added = 0
        while goesOn() {
            let numbers = (0..<16).map { _ in random.number(0...ids.count / 4 - 1) * 4 + writer }
            try bench.engine.writing.write { store in
                for number in numbers.prefix(10) { _ = try store.apply(input(number, &random), in: bench.organization, options: options) }
                for number in numbers.dropFirst(10) { _ = try store.delete(ids[number], in: bench.organization, options: options) }
                for number in added..<added + 4 {
                    _ = try store.apply(input(1_000_000 * (writer + 1) + number, &random), in: bench.organization, options: options)
                }
            }
            added += 4
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    @Test("In each sort of 100,000 rows, walked at once while others insert, update and delete, nothing is missed")
    func walks() async throws {
        let bench = try Workbench(clock: TestClock(step: 1))
        var random = SeededGenerator("long walks")
        var options = ChangeOptions()
        options.isHistory = true
        var ids: [RecordID] = []
        while ids.count < Self.count {
            ids += try bench.engine.writing.write { writer in
                try (ids.count..<ids.count + 1_000).map {
                    try writer.apply(input($0, &random), in: bench.organization, options: options).record.recordID
                }
            }
        }
        let sorts = try #require(ListDefinition.of(.candidate)).sorts.flatMap { [$0, "-" + $0] }
        // The one that follows the changes ends when they do.
        let others = Remaining(sorts.count - 1)

        // when
        // Threads of their own: tasks that wait for others would keep these from running.
        let writers = (0..<2).map { writer in
            let (ended, end) = AsyncThrowingStream.makeStream(of: Never.self)
            Thread.detachNewThread { [ids] in
                end.finish(throwing: Result { try disturb(bench, writer, ids) { others.isSome } }.failure)
            }
            return ended
        }
        let walkers = sorts.map { sort in
            Task.detached {
                defer { if sort != "updated_at" { others.take() } }
                let start = try bench.counter()
                var copy = Copy()
                let asOf = try walk(bench, "sort=\(sort)", into: &copy)
                #expect(try bench.counter() > start, "others wrote meanwhile")
                return (sort: sort, copy: copy, asOf: asOf)
            }
        }
        var walks: [(sort: String, copy: Copy, asOf: Timestamp)] = []
        for walker in walkers { walks.append(try await walker.value) }
        for writer in writers { for try await _ in writer {} }

        // then
        #expect(walks.count == 6)
        var stored = Copy()
        let mark = try walk(bench, "sort=updated_at", into: &stored)
        let now = stored.versions
        let untouched = ids.enumerated().filter { $0.offset % 4 > 1 }.map(\.element.description)
        #expect(untouched.count == Self.count / 2 && ids.contains { now[$0.description] == nil })
        for (sort, copy, asOf) in walks {
            var copy = copy
            #expect(untouched.allSatisfy { copy.rows[$0]?.times == 1 && copy.rows[$0]?.version == 1 }, "\(sort)")
            if sort == "updated_at" {
                // As far as the walk came, each changed row came as it is.
                let last = try #require(copy.rows.values.map(\.updatedAt).max())
                let met = stored.rows.filter { $0.value.updatedAt <= last }
                #expect(met.count >= Self.count / 2 && met.allSatisfy { copy.rows[$0.key]?.version == $0.value.version })
            }
            let before = copy.taken
            #expect(try walk(bench, "include_deleted=true&updated_after=\(asOf)", into: &copy) == mark)
            #expect(copy.taken > before && copy.versions == now, "\(sort): from its as_of the copy becomes whole")
        }
        var idle = Copy()
        #expect(
            try walk(bench, "include_deleted=true&updated_after=\(mark)", into: &idle) == mark && idle.taken == 0, "an idle poll is empty")
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}

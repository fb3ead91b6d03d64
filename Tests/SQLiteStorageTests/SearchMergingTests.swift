import Domain
import Testing

@testable import SQLiteStorage

@Suite("SQLite: the parts of a full-text index")
struct SearchMergingTests {
    private let bench: Workbench
    private let database: Database

    init() throws {
        bench = try Workbench()
        database = try bench.database
    }

    private func parts() throws -> Int {
        try database.snapshot { try $0("SELECT count(DISTINCT segid) FROM candidates_search_idx").first { Int($0.integer(0)) } ?? 0 }
    }

    private func add(_ numbers: Range<Int>) throws {
        try database.change { writer in
            for number in numbers {
                let headline = String(repeating: "w\(number) ", count: 40)
                let json = #"{"external_id":"c\#(number)","full_name":"Kim \#(number)","headline":"\#(headline)"}"#
                _ = try writer.apply(RecordInput(kind: .candidate, json: JSONParser.parse(json)), in: bench.organization, options: .init())
            }
        }
    }

    /// Steps until there is nothing more to do at once.
    private func merge(_ merging: SearchMerging) throws -> Int {
        var steps = 0
        while try merging.step() { steps += 1 }
        return steps
    }

    @Test("Many parts become one, in steps, and the same is found")
    func merged() throws {
        for start in 0..<7 { try add(start * 400..<(start + 1) * 400) }
        let merging = SearchMerging(database, quiet: .zero, longest: .zero)
        #expect(try parts() > 1)
        let found = try (bench.ids(.candidate, "q=kim"), bench.ids(.candidate, "q=w17"), bench.ids(.candidate, "q=w1*"))
        #expect(found.0.count == 2_800 && found.1.count == 1)
        #expect(try !merging.step(), "what is new since it looked last waits")
        #expect(try merge(merging) > 3)
        #expect(try parts() == 1 && merge(merging) == 0)
        #expect(try bench.ids(.candidate, "q=kim") == found.0 && bench.ids(.candidate, "q=w17") == found.1)
        #expect(try bench.ids(.candidate, "q=w1*") == found.2)
    }

    @Test("A little beside a large part is left as it is; when it is a third of all, it is merged")
    func amortized() throws {
        try add(0..<4_000)
        let merging = SearchMerging(database, quiet: .zero, longest: .zero)
        try database.transaction { try $0("INSERT INTO candidates_search (candidates_search) VALUES ('optimize')").run() }
        try add(4_000..<4_050)
        #expect(try parts() == 2)
        #expect(try (merging.step(), merge(merging)) == (false, 0))
        for start in 0..<6 { try add((4_050 + start * 800)..<(4_850 + start * 800)) }
        _ = try merging.step()
        #expect(try merge(merging) > 0 && parts() == 1)
    }

    @Test("Nothing is merged while somebody writes, and what is written between two steps is found too")
    func whileWriting() throws {
        for start in 0..<7 { try add(start * 400..<(start + 1) * 400) }
        let busy = SearchMerging(database, quiet: .seconds(3_600), longest: .zero)
        #expect(try (busy.step(), busy.step()) == (false, false))
        let merging = SearchMerging(database, quiet: .zero, longest: .zero)
        _ = try merging.step()
        #expect(try merging.step())
        try add(2_800..<2_900)
        #expect(try !merging.step(), "somebody wrote")
        #expect(try merging.step() && merging.step())
        let gone = try #require(bench.ids(.candidate, "q=w5").first.flatMap { RecordID($0, kind: .candidate) })
        #expect(try bench.delete(gone))
        while try merging.step() {}
        while try merging.step() {}
        #expect(try parts() <= 4, "what was written meanwhile is left for later")
        #expect(try bench.ids(.candidate, "q=kim").count == 2_899 && bench.ids(.candidate, "q=w5").isEmpty)
        #expect(try bench.ids(.candidate, "q=w2850").count == 1)
    }

    private var depth: Int64 { get throws { try database.snapshot { try SearchIndex.levels("candidates_search", $0) } } }

    @Test("Who writes between all steps of a merging adds no levels to the index, and the merging ends")
    func whileManyWrite() throws {
        for start in 0..<7 { try add(start * 400..<(start + 1) * 400) }
        let (before, merging) = (try depth, SearchMerging(database, quiet: .zero, longest: .zero))
        for row in 2_800..<2_900 {
            // What is new is seen, then a step is done.
            _ = try (merging.step(), merging.step())
            try add(row..<row + 1)
        }
        #expect(try depth <= before + 4)
        #expect(try parts() < 12)
        #expect(try bench.ids(.candidate, "q=kim").count == 2_900)
    }

    @Test("Nor does who writes between all steps of a scrub")
    func scrubWhileManyWrite() throws {
        for start in 0..<7 { try add(start * 400..<(start + 1) * 400) }
        let before = try depth
        var rows = 2_800
        try database.clean(leaves: 8) {
            guard rows < 4_000 else { return }
            try? add(rows..<rows + 1)
            rows += 1
        }
        #expect(rows > 2_805 && rows < 4_000)
        #expect(try depth <= before + 4)
        #expect(try parts() < 12)
        #expect(try bench.ids(.candidate, "q=kim").count == rows)
    }

    @Test("An index with too many levels is made anew, one that takes no more words too", arguments: [1_000, 2_001])
    func renewed(depth wanted: Int64) throws {
        // given: what is merged anew after each word
        try add(0..<20)
        for place in 1...Int64(3_000) where try depth < wanted {
            do {
                try database.transaction {
                    try $0("INSERT INTO candidates_search (rowid, text) VALUES (?, 'none')").run([.integer(place)])
                }
                _ = try database.transaction { try SearchIndex.merge("candidates_search", leaves: 32, begins: true, $0) }
            } catch { break }
        }
        #expect(try depth >= SearchIndex.mostLevels)
        if wanted == 2_001 { #expect(throws: StoreError.self) { try add(20..<21) } }
        #expect(try Maintenance.check(database.path).isSound == (wanted == 1_000))

        // when
        let merging = SearchMerging(database, quiet: .zero, longest: .zero)
        _ = try (merging.step(), merging.step())

        // then
        #expect(try depth < 10 && Maintenance.check(database.path).isSound)
        try add(20..<30)
        #expect(try bench.ids(.candidate, "q=kim").count == 30)
    }

    /// Each merging of all parts adds levels to FTS5's index, which takes 2,000 of them for damage.
    @Test("However often what is erased is scrubbed, the index of words stays sound")
    func levels() throws {
        try add(0..<20)
        var most: Int64 = 0
        for round in 0..<1_100 {
            try add(20 + round..<21 + round)
            try database.scrub()
            most = max(most, try database.snapshot { try SearchIndex.levels("candidates_search", $0) })
        }
        #expect(most >= SearchIndex.mostLevels && most < 1_100)
        #expect(try bench.ids(.candidate, "q=kim").count == 1_120 && bench.ids(.candidate, "q=w1119").count == 1)
    }
}

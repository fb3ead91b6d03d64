import Domain
import GRDBSQLite
import SQLiteSetup
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("Rows that are kept between requests")
struct RowCacheTests {
    /// A packed row of one text.
    private func pack(_ text: [UInt8]) -> [UInt8] {
        let word = UInt16(HIREWIRE_PACKED_BYTES << HIREWIRE_PACKED_TYPE_SHIFT | text.count)
        return withUnsafeBytes(of: word) { Array($0) } + text
    }

    private func keep(_ text: [UInt8], at change: Int64, in rows: RowCache) -> Int {
        pack(text).withUnsafeBytes { rows.keep($0, columns: 1, at: change, of: .candidate) }
    }

    private func text(_ link: RowCache.Link, in rows: RowCache, of kind: RecordKind = .candidate) -> [UInt8]? {
        var text: [UInt8]?
        _ = rows.visit(link, of: kind, counter: 1) { text = Array($0.text(0)) }
        return text
    }

    @Test("A row is found as it was kept or not at all, however often newer ones have taken its place")
    func ring() throws {
        var random = SeededGenerator("kept rows")
        let rows = RowCache(shards: 1)
        var kept: [(link: RowCache.Link, text: [UInt8])] = []
        var found = 0
        for _ in 0..<12_000 {
            let change = Int64.random(in: 1...Int64.max, using: &random)
            let text = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: random.number(0...4_000))
            kept.append((RowCache.Link(change: change, position: keep(text, at: change, in: rows)), text))
            #expect(keep([1], at: change, in: rows) == kept[kept.count - 1].link.position, "what is there stays")
            let old = random.pick(kept)
            // By where it lay, and by its key alone.
            for link in [old.link, RowCache.Link(change: old.link.change)] {
                guard let seen = self.text(link, in: rows) else { continue }
                #expect(seen == old.text)
                found += 1
            }
            #expect(self.text(old.link, in: rows, of: .job) == nil, "the key of another kind")
        }
        // 2 MB hold a thousand of these, of twelve times as many.
        #expect(found > 500 && found < 12_000)
        for newest in kept.suffix(200) { #expect(text(newest.link, in: rows) == newest.text) }
    }

    @Test("What was kept can be forgotten, and there is room again")
    func forgets() {
        let rows = RowCache(shards: 1)
        for round in 1...3 {
            // The last round goes beyond the ring.
            let count = Int64(round == 3 ? 1_000 : 10)
            let places = (1...count).map { keep([UInt8](repeating: 7, count: 4_000), at: $0 << 20, in: rows) }
            #expect(text(RowCache.Link(change: count << 20), in: rows)?.count == 4_000)
            rows.forget()
            for change in 1...count {
                #expect(text(RowCache.Link(change: change << 20, position: places[Int(change) - 1]), in: rows) == nil)
            }
        }
    }

    @Test("A row that is too long is not kept")
    func long() {
        let rows = RowCache(shards: 1)
        let bytes = [UInt8](repeating: 0, count: RowCache.longestRow + 1)
        #expect(bytes.withUnsafeBytes { rows.keep($0, columns: 1, at: 7, of: .candidate) } == 0)
        #expect(text(RowCache.Link(change: 7), in: rows) == nil)
    }

    @Test("What comes next is known to the snapshots of one change counter")
    func next() {
        let rows = RowCache()
        let position = keep([65], at: 9, in: rows)
        func next(_ counter: Int64) -> String { "\(rows.next(after: 9, of: .candidate, counter: counter))" }
        #expect(next(1) == "unknown")
        rows.note(RowCache.Link(change: 12, position: 5), after: 9, of: .candidate, counter: 1)
        rows.note(RowCache.Link(change: 13), after: 10, of: .candidate, counter: 1)
        #expect(next(1) == "row(SQLiteStorage.RowCache.Link(change: 12, position: 5))" && next(2) == "changed" && next(0) == "changed")
        #expect("\(rows.next(after: 10, of: .candidate, counter: 1))" == "unknown", "of a row that is not kept")
        #expect("\(rows.next(after: 9, of: .job, counter: 1))" == "unknown")
        rows.note(RowCache.Link(change: 15), after: 9, of: .candidate, counter: 3)
        #expect(next(1) == "changed" && next(3).contains("15"))
        #expect(text(RowCache.Link(change: 9, position: position), in: rows) == [65], "the row itself is the same for ever")
    }

    @Test("A packed row has the values of the row under the statement")
    func packing() throws {
        let connection = try Reader.open(":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        defer { sqlite3_close_v2(connection) }
        let texts = ["", "plain", "quo\"te", "back\\slash", "tab\t", "nul\u{0}", "日本語", String(repeating: "x", count: 300), "\u{7F}"]
        let integers: [Int64] = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 47, (1 << 56) - 1, 1 << 56, .max, -1, -256, .min]
        let values =
            [SQLValue.null, .ulid(ULID(high: .max, low: 1)), .blob([]), .real(0), .real(-2.5), .real(.infinity)]
            + texts.map(SQLValue.text) + integers.map(SQLValue.integer)
        let statement = try Statement(connection, "SELECT \(SQLFragment.marks(values.count))")
        try statement.bind(values)
        #expect(try statement.step())
        let columns = Int32(values.count)
        var bytes = [UInt8](repeating: 0xFF, count: 4_096)
        let length = hirewire_pack(statement.handle, columns, &bytes, bytes.count)
        #expect(length > 0 && bytes[length...].allSatisfy { $0 == 0xFF })
        let (whole, stored) = (bytes, statement.row)
        whole.withUnsafeBytes { whole in
            guard let start = whole.baseAddress else { return }
            let row = PackedRow(start, columns: values.count)
            for (column, value) in values.enumerated() {
                #expect(row.isNull(column) == (value == .null), "\(value)")
                switch value {
                case .integer(let integer): #expect(row.integer(column) == integer && row.number(column) == Double(integer))
                case .real(let real): #expect(row.number(column) == real)
                case .ulid(let ulid): #expect(row.ulid(column) == ulid)
                case .text(let text):
                    let known = row.knownText(column)
                    #expect(known.map { Array($0.bytes) } == Array(text.utf8) && Array(stored.text(column)) == Array(text.utf8))
                    var escaped = ByteWriter()
                    escaped.append(quoted: text)
                    #expect(known?.isClean == (escaped.text == "\"\(text)\""), "\(text)")
                default: break
                }
            }
        }
        for room in 0..<length { #expect(hirewire_pack(statement.handle, columns, &bytes, room) == 0, "\(room) bytes are too few") }
    }

    // MARK: Pages

    @Test(
        "A page is what the file has, whatever was kept before, while records come, change, go and are erased",
        arguments: [RecordKind.candidate, .job, .call])
    func pages(kind: RecordKind) throws {
        let bench = try Workbench(clock: TestClock(step: 700))
        let other = try bench.inOrganization("other")
        var population = Population(random: SeededGenerator("kept pages of \(kind.plural)"), candidates: 60, jobs: 60)
        var model = Model()
        // Calls name a candidate and a job, so these come first.
        for part in [RecordKind.candidate, .job] + (kind == .call ? [.call] : []) {
            for bench in [bench, other] { try model.put((0..<60).map { try population.input(part, $0) }, bench) }
        }
        var places: [Timestamp?] = [nil]
        for _ in 0..<250 {
            switch population.random.number(0...9) {
            case 0...2:
                let count = population.random.number(1...3)
                try model.put((0..<count).map { _ in try population.input(kind, population.random.number(0...90)) }, bench)
            case 3: try model.put([try population.input(kind, population.random.number(0...90))], other)
            case 4:
                let ids = Array(try bench.ids(kind))
                if let id = ids.isEmpty ? nil : RecordID(population.random.pick(ids.sorted()), kind: kind) {
                    if kind == .candidate, population.random.chance(50) {
                        #expect(try bench.engine.erase(id, in: bench.organization))
                    } else {
                        try bench.delete(id)
                    }
                }
            default: break
            }
            for _ in 0..<4 {
                let asked = population.random.chance(20) ? other : bench
                var query = ListQuery(kind: kind, sort: .updated)
                query.limit = population.random.number(1...40)
                let place = population.random.pick(places)
                if let place { query.position = ListPosition(value: .null, updatedAt: place, asOf: place) }
                if population.random.chance(15) { query.updatedBefore = population.random.pick(places) }
                if population.random.chance(15) { query.updatedAfter = population.random.pick(places) }
                let form = ListForm(
                    kind: kind, personal: population.random.chance(60), only: population.random.chance(20) ? ["version", "status"] : nil,
                    notation: population.random.pick([.json, .json, .ndjson, .csv]))
                let given = try bench.engine.reading.read { try ListAnswer($0, query, asked.organization, form) }
                let stored = try bench.engine.reading.hold().read { try ListAnswer($0, query, asked.organization, form) }
                #expect(given == stored)
                if let last = given.last { places.append(last) }
            }
        }
        #expect(places.count > 100)
    }

    // MARK: Statements

    @Test("A page of kept rows asks the file for nothing, and for keys alone after a change elsewhere")
    func asks() throws {
        let bench = try Workbench()
        for index in 0..<60 { try bench.put(.candidate, #"{"external_id":"c\#(index)","full_name":"Candidate \#(index)"}"#) }
        let engine = try #require(bench.engine as? SQLiteEngine)
        let reader = try Reader(path: engine.database.path, rows: RowCache(shards: 1))
        let form = ListForm(kind: .candidate, personal: true)
        let asOf = bench.clock.now
        func page(after: String?) throws -> (texts: [String], answer: ListAnswer) {
            try reader.begin()
            // What every request asks first.
            _ = try reader.changeCounter(of: bench.organization.number)
            var query = ListQuery(kind: .candidate, sort: .updated)
            query.limit = 20
            if let after { query.position = ListPosition(value: .null, updatedAt: try #require(Timestamp(rfc3339: after)), asOf: asOf) }
            var answer: ListAnswer?
            let texts = try reader.statementsRun { answer = try ListAnswer(reader, query, bench.organization, form) }
            return (texts, try #require(answer))
        }
        let walk = try bench.walk(.candidate)
        let place = try #require(walk[9].string("updated_at"))
        let first = try page(after: nil)
        #expect(first.texts.count { $0.contains("full_name") } == 1)
        let cold = try page(after: place)
        // Ten of them are there, the others come from the file.
        #expect(cold.texts.count == 1 && cold.texts[0].contains("full_name") && cold.answer.count == 20)
        let warm = try page(after: place)
        #expect(warm.texts == [] && warm.answer == cold.answer)
        try bench.put(.candidate, #"{"external_id":"c59","full_name":"Somebody else"}"#)
        let later = try page(after: place)
        #expect(later.texts.count == 1 && later.texts[0].hasPrefix("SELECT change FROM candidates") && later.answer == cold.answer)
        #expect(try page(after: place).texts == [])
        // A row that was on the page itself is at the end now.
        try bench.put(.candidate, #"{"external_id":"c15","full_name":"Moved"}"#)
        let without = try page(after: place)
        #expect(without.answer.count == 20 && !without.answer.text.contains(#""c15""#) && without.answer.text.contains(#""c30""#))
        #expect(without.texts.count { $0.contains("full_name") } <= 1)
    }
}

import Domain
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("What lists found before")
struct FoundKeysTests {
    // MARK: Looks

    private func look(_ counter: Int64, _ bounds: ClosedRange<Int64>, _ keys: [Int64]) -> FoundKeys.Look {
        FoundKeys.Look(counter: counter, low: bounds.lowerBound, high: bounds.upperBound, keys: keys)
    }

    @Test("Looks that meet are one look, of the later snapshot; others are not joined")
    func joins() {
        let known = look(5, 10...20, [11, 15, 19])
        #expect(known.joined(with: look(6, 12...30, [15, 25])) == look(6, 10...30, [11, 15, 25]), "19 has gone")
        #expect(known.joined(with: look(5, 5...13, [6, 11])) == look(5, 5...20, [6, 11, 15, 19]))
        #expect(known.joined(with: look(6, 14...16, [])) == look(6, 10...20, [11, 19]), "in the middle")
        // Both bounds are outside: 20 itself was not looked at by a look that begins there.
        #expect(known.joined(with: look(6, 19...30, [25])) == look(6, 10...30, [11, 15, 19, 25]))
        #expect(known.joined(with: look(6, 20...30, [25])) == look(6, 20...30, [25]))
        #expect(known.joined(with: look(6, 5...10, [6])) == look(6, 5...10, [6]))
        #expect(known.joined(with: look(4, 12...30, [15])) == known, "an older snapshot")
        let many = look(5, 0...2_000, Array(1...999))
        #expect(many.joined(with: look(5, 1_999...3_000, [2_500])).keys.count == 1_000)
        let wide = look(5, 1_999...3_000, [2_500, 2_501])
        #expect(many.joined(with: wide) == wide, "more keys than are kept")
    }

    @Test("A snapshot from before a look is told nothing, and what is kept stays within its bytes, the last used first")
    func keeps() {
        let found = FoundKeys(bytes: 100_000)
        func question(_ number: Int) -> [UInt8] { Array("question \(number)".utf8) }
        for number in 0..<5_000 {
            found.note(look(7, 0...100, Array(1...Int64(number % 90 + 1))), for: question(number))
            #expect(found.look(for: question(0), counter: 7) != nil, "used all the time")
        }
        let kept = (0..<5_000).filter { found.look(for: question($0), counter: 7) != nil }
        #expect(kept.count > 50 && kept.count < 400 && kept.suffix(50) == Array(4_950..<5_000))
        #expect(found.look(for: question(4_999), counter: 6) == nil && found.look(for: question(4_999), counter: 8) != nil)
        found.forget()
        #expect((0..<5_000).allSatisfy { found.look(for: question($0), counter: 7) == nil })
    }

    // MARK: Lists

    /// A reader that remembers, and one of the same snapshot that does not.
    private struct Pair {
        let reader: Reader
        let plain: Reader

        func begin() throws {
            for reader in [reader, plain] {
                reader.end()
                try reader.begin()
                _ = try reader.changeCounter(of: OrganizationNumber(1))
            }
        }
    }

    @Test(
        "A list is what its snapshot has, whatever was found before or since, while records come, change and go",
        arguments: ListDefinition.all.map(\.kind))
    func agrees(kind: RecordKind) throws {
        let bench = try Workbench(clock: TestClock(step: 700))
        let other = try bench.inOrganization("other")
        var population = Population(random: SeededGenerator("lists of \(kind.plural) asked again"), candidates: 80, jobs: 8)
        let model = try Model.random(&population, bench, each: 150)
        var others = Model()
        for part in [RecordKind.candidate, .job] + ([.candidate, .job].contains(kind) ? [] : [kind]) {
            try others.put((0..<80).map { try population.input(part, $0 % (part == .job ? 8 : 80)) }, other)
        }
        let definition = try #require(ListDefinition.of(kind))
        var requests = RandomRequests(random: population.random, model: model)
        var asked: [ListQuery] = []
        while asked.count < 14 {
            var query = try bench.request(kind, requests.parameters(definition)).query
            if query.conditions.isEmpty { continue }
            query.sort = .updated
            (query.updatedAfter, query.updatedBefore) = (nil, nil)
            asked.append(query)
        }
        population.random = requests.random
        let path = try bench.database.path
        let found = FoundKeys(worth: 0)
        let pairs = try (0..<3).map { _ in try Pair(reader: Reader(path: path, found: found), plain: Reader(path: path)) }
        for pair in pairs { try pair.begin() }
        var places: [Timestamp] = []
        var (known, rows) = (0, 0)
        for _ in 0..<500 {
            let changed = population.random.chance(15) ? other : bench
            switch population.random.number(0...9) {
            case 0...1:
                let inputs = try (0..<population.random.number(1...4)).map { _ in
                    try population.input(kind, population.random.number(0...(kind == .job ? 7 : 79)))
                }
                // What names a record that has gone is refused.
                for input in inputs { try? others.put([input], changed) }
            case 2:
                let spared = kind == .job && population.random.chance(95)
                if !spared, let id = try changed.ids(kind).sorted().randomElement(using: &population.random) {
                    try changed.delete(try #require(RecordID(id, kind: kind)))
                }
            default: break
            }
            let pair = population.random.pick(pairs)
            // The others stay in a snapshot from before.
            if population.random.chance(60) { try pair.begin() }
            for _ in 0..<3 {
                var query = population.random.pick(asked)
                query.sort = ListSort(field: "updated_at", descending: population.random.chance(50))
                query.limit = population.random.number(1...(population.random.chance(50) ? 8 : 100))
                if let place = places.randomElement(using: &population.random), population.random.chance(40) {
                    query.position = ListPosition(value: .null, updatedAt: place, asOf: place)
                }
                if let place = places.randomElement(using: &population.random), population.random.chance(15) { query.updatedAfter = place }
                if let place = places.randomElement(using: &population.random), population.random.chance(15) { query.updatedBefore = place }
                let form = ListForm(
                    kind: kind, personal: population.random.chance(60), embedding: population.random.chance(30) ? definition.embeds : [],
                    notation: population.random.pick([.json, .json, .ndjson, .csv]))
                let organization = population.random.chance(20) ? other.organization : bench.organization
                let planner = ListPlanner(query, form: form, organization: organization.number)
                if let question = planner.question,
                    found.look(for: question, counter: try pair.reader.changeCounter(of: organization.number)) != nil
                {
                    known += 1
                }
                let given = try ListAnswer(pair.reader, query, organization, form)
                #expect(try given == ListAnswer(pair.plain, query, organization, form), "\(query)")
                rows += given.count
                if let last = given.last { places.append(last) }
            }
        }
        #expect(known > 300 && rows > 300, "\(known) asked again, \(rows) rows")
    }

    @Test("A search that was made before reads what it found by key, and the index from there on; another key's is its own")
    func asks() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        for (bench, count) in [(bench, 40), (other, 30)] {
            for index in 0..<count {
                let word = index % 10 == 3 ? "quartz" : "plain"
                try bench.put(
                    .candidate, #"{"external_id":"c\#(index)","full_name":"A \#(word)","email":"xylem@example.com"}"#)
            }
        }
        let found = FoundKeys(worth: 0)
        let reader = try Reader(path: bench.database.path, found: found)
        func ask(
            _ words: String, _ asking: Workbench, personal: Bool = true, descending: Bool = false
        ) throws -> (texts: [String], count: Int) {
            try reader.begin()
            _ = try reader.changeCounter(of: asking.organization.number)
            var query = ListQuery(kind: .candidate, sort: ListSort(field: "updated_at", descending: descending))
            query.conditions = [.search(SearchQuery(words))]
            var count = 0
            let texts = try reader.statementsRun {
                count = try ListAnswer(reader, query, asking.organization, ListForm(kind: .candidate, personal: personal)).count
            }
            return (texts.filter { $0.contains("MATCH") || $0.contains("t.change = ?") }, count)
        }
        for descending in [false, true] {
            found.forget()
            let first = try ask("quartz", bench, descending: descending)
            #expect(first.count == 4 && first.texts.count == 1 && first.texts[0].contains("MATCH"))
            let again = try ask("quartz", bench, descending: descending)
            #expect(again.count == 4 && again.texts.count == 4 && !again.texts.contains { $0.contains("MATCH") })
            try bench.put(.candidate, #"{"external_id":"c0","full_name":"Now quartz \#(descending)"}"#)
            let later = try ask("quartz", bench, descending: descending)
            #expect(later.count == 5 && later.texts.count { $0.contains("MATCH") } == 1)
            #expect(try ask("quartz", other, descending: descending).count == 3)
            try bench.put(.candidate, #"{"external_id":"c0","full_name":"No more"}"#)
            #expect(try ask("quartz", bench, descending: descending).count == 4)
        }
        #expect(try ask("xylem", bench).count == 40)
        #expect(try ask("xylem", bench, personal: false).count == 0)
        #expect(try ask("xylem", bench).count == 40)
    }

    @Test("What depends on other records is never remembered: applications, best scores")
    func related() throws {
        let bench = try Workbench()
        try bench.put(.candidate, #"{"external_id":"c","full_name":"A"}"#)
        try bench.put(.job, #"{"external_id":"j","title":"T"}"#)
        let found = FoundKeys(worth: 0)
        let readers = try ReaderPool(path: bench.database.path, found: found)
        func count(_ parameters: String) throws -> Int {
            let query = try bench.request(.candidate, RequestParameter.read(parameters)).query
            return try readers.read {
                try ListAnswer($0, query, bench.organization, ListForm(kind: .candidate, personal: true)).count
            }
        }
        let job = try #require(bench.ids(.job).first)
        let asked = ["min_score=50", "min_score=50&job_id=\(job)", "job_id=\(job)"]
        for one in asked { #expect(try count(one) == 0) }
        try bench.put(.match, #"{"external_id":"m","candidate_external_id":"c","job_external_id":"j","score":80}"#)
        try bench.put(.application, #"{"external_id":"a","candidate_external_id":"c","job_external_id":"j"}"#)
        for one in asked { #expect(try count(one) == 1, "\(one)") }
    }
}

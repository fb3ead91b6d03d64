import Domain
import TestSupport
import Testing

@testable import SQLiteStorage

/// New rows wait in a transaction to be written together. Nothing that the transaction does, and nothing that is read after
/// it, may tell.
@Suite("Changes in one transaction")
struct TogetherTests {
    @Test("A record that was renamed has its old name no longer, in the same transaction either")
    func renamed() throws {
        let bench = try Workbench()
        func input(_ kind: RecordKind, _ json: String) throws -> RecordInput { try RecordInput(kind: kind, json: JSONParser.parse(json)) }
        try bench.database.change { writer in
            let organization = bench.organization
            let made = try writer.apply(input(.candidate, #"{"external_id":"old"}"#), in: organization, options: .init())
            _ = try writer.apply(input(.job, #"{"external_id":"j","title":"Baker"}"#), in: organization, options: .init())
            let new = try input(.candidate, #"{"external_id":"new"}"#)
            _ = try writer.change(made.record.recordID, by: new, in: organization, options: .init())
            func apply(_ name: String) throws -> ChangeOutcome {
                let json = #"{"candidate_external_id":"\#(name)","job_external_id":"j"}"#
                return try writer.apply(input(.application, json), in: organization, options: .init())
            }
            #expect(throws: InputFaults.self) { try apply("old") }
            #expect(try apply("new").record.reference("candidate_id") == made.record.id)
        }
    }

    /// What a caller may do.
    private enum Step {
        case put(RecordInput)
        /// The record that has the name, changed by its id.
        case change(RecordKind, String, by: RecordInput)
        case delete(RecordKind, String)
        /// An application whose candidate and job are named by id.
        case apply(String, candidate: String, job: String)
    }

    @Test("Many in one end as the same ones do each in its own")
    func alike() throws {
        var random = SeededGenerator("changes together")
        for _ in 0..<4 {
            var population = Population(random: random, candidates: 40, jobs: 8)
            let steps = try Self.steps(1_500, &population)
            random = population.random
            let (apart, together) = (try Workbench(), try Workbench())
            let told = try (Self.run(steps, apart, upTo: { 1 }), Self.run(steps, together, upTo: { random.number(1...1_500) }))
            #expect(told.0 == told.1)
            let (left, right) = (try Self.dump(apart), try Self.dump(together))
            for (name, text) in left { #expect(text == right[name], "\(name)") }
            #expect(left.count == right.count && left["events"]?.isEmpty == false)
        }
    }

    @Test("Thousands of new rows, and more texts than are kept waiting, are all there", arguments: [300, 3_000])
    func many(words: Int) throws {
        let bench = try Workbench()
        let database = try bench.database
        let text = String(repeating: "quartz ", count: words)
        try database.change { writer in
            for number in 0..<1_000 {
                let json = #"{"external_id":"c\#(number)","full_name":"Kim \#(number)","resume":{"text":"\#(text)"}}"#
                _ = try writer.apply(RecordInput(kind: .candidate, json: JSONParser.parse(json)), in: bench.organization, options: .init())
                // Sees what waits.
                guard number % 97 == 0 else { continue }
                guard case .living(let record) = try writer.find(.externalID("c\(number)"), of: .candidate, in: bench.organization.number)
                else {
                    Issue.record("c\(number) is not seen")
                    continue
                }
                #expect(record.text("full_name") == "Kim \(number)")
            }
        }
        #expect(try bench.walk(.candidate).count == 1_000)
        #expect(try bench.ids(.candidate, "q=quartz").count == 1_000 && bench.ids(.candidate, "q=999").count == 1)
        #expect(try bench.events().map { $0["sequence"]?.text } == (1...1_000).map { String($0) })
    }

    @Test("What the tables refuse ends the transaction with nothing done, wherever it is found")
    func refused() throws {
        let bench = try Workbench()
        let database = try bench.database
        for count in [1, 20, 700] {
            #expect(throws: (any Error).self) {
                try database.change { writer in
                    for number in 0..<count {
                        _ = try writer.apply(
                            RecordInput(kind: .job, json: JSONParser.parse(#"{"title":"J\#(number)"}"#)), in: bench.organization,
                            options: .init())
                    }
                    // A row that is there already: what no caller can do.
                    writer.events.begin(columns: 11)
                    writer.events.append(Place.key(bench.organization.number, 1))
                    for _ in 0..<10 { writer.events.append() }
                }
            }
            #expect(try bench.walk(.job).isEmpty && bench.events().isEmpty)
        }
        try bench.put(.job, #"{"external_id":"j","title":"After"}"#)
        #expect(try bench.walk(.job).count == 1 && bench.events().count == 1)
    }

    // MARK: Steps

    private static func steps(_ count: Int, _ population: inout Population) throws -> [Step] {
        var steps: [Step] = []
        let kinds: [RecordKind] = [.candidate, .job, .application, .interview, .match, .call]
        for kind in [RecordKind.candidate, .job] { for number in 0..<8 { steps.append(.put(try population.input(kind, number))) } }
        while steps.count < count {
            let kind = population.random.pick(kinds)
            for _ in 0..<population.random.number(1...(population.random.chance(30) ? 300 : 5)) {
                let most = kind == .candidate ? 39 : kind == .job ? 7 : 400
                let number = population.random.number(0...most)
                let name = "\(kind.prefix)\(number)"
                switch population.random.number(0...99) {
                case 0...2: steps.append(.delete(kind, name))
                case 3...8:
                    var input = try population.input(kind, number)
                    input.externalID = nil
                    steps.append(.change(kind, name, by: input))
                case 9...12:
                    steps.append(
                        .apply(
                            "app\(number)", candidate: "cand\(population.random.number(0...39))",
                            job: "job\(population.random.number(0...7))"))
                default: steps.append(.put(try population.input(kind, number)))
                }
            }
        }
        return steps
    }

    /// Does them, so many in a transaction, and returns what each came to.
    private static func run(_ steps: [Step], _ bench: Workbench, upTo size: () -> Int) throws -> [String] {
        let database = try bench.database
        var told: [String] = []
        var rest = steps[...]
        while !rest.isEmpty {
            let some = rest.prefix(size())
            rest = rest.dropFirst(some.count)
            try database.change { writer in
                for step in some {
                    do { told.append(try perform(step, writer, bench.organization)) } catch let faults as InputFaults {
                        told.append(faults.faults.map(\.pointer).joined())
                    }
                }
            }
        }
        return told
    }

    private static func perform(_ step: Step, _ writer: RecordWriter, _ organization: Organization) throws -> String {
        func id(_ kind: RecordKind, _ name: String) throws -> RecordID? {
            guard case .living(let record) = try writer.find(.externalID(name), of: kind, in: organization.number) else { return nil }
            return record.recordID
        }
        func word(_ outcome: ChangeOutcome?) -> String {
            switch outcome {
            case .created(let record): "created \(record.version)"
            case .updated(let record): "updated \(record.version)"
            case .unchanged(let record): "unchanged \(record.version)"
            case nil: "missing"
            }
        }
        switch step {
        case .put(let input): return try word(writer.apply(input, in: organization, options: .init()))
        case .change(let kind, let name, let input):
            return try id(kind, name).map { try word(writer.change($0, by: input, in: organization, options: .init())) } ?? "missing"
        case .delete(let kind, let name):
            return try id(kind, name).map { try "\(writer.delete($0, in: organization, options: .init()))" } ?? "missing"
        case .apply(let name, let candidate, let job):
            guard let candidate = try id(.candidate, candidate), let job = try id(.job, job) else { return "missing" }
            let json = #"{"external_id":"\#(name)","candidate_id":"\#(candidate)","job_id":"\#(job)"}"#
            return try word(writer.apply(RecordInput(kind: .application, json: JSONParser.parse(json)), in: organization, options: .init()))
        }
    }

    // MARK: What is there

    /// Everything that can be read, each id by the name that the record has, times left out.
    private static func dump(_ bench: Workbench) throws -> [String: String] {
        var names: [String: String] = [:]
        var texts: [String: String] = [:]
        let kinds: [RecordKind] = [.candidate, .job, .application, .interview, .match, .call]
        let database = try bench.database
        for kind in kinds {
            for row in try bench.walk(kind, "sort=updated_at&include_deleted=true") { names[row.id] = row["external_id"]?.text ?? "-" }
            for (id, name) in try database.snapshot({ statements in
                try statements("SELECT id, external_id FROM tombstones WHERE kind = ?").all([.integer(Int64(kind.rawValue))]) {
                    (RecordID(kind: kind, ulid: $0.ulid(0)).description, $0.string(1))
                }
            }) { names[id] = name }
        }
        func plain(_ text: String) -> String {
            text.replacing(/[a-z]+_[0-9A-Z]{26}/) { names[String($0.output)] ?? "?" }
                .replacing(/2026-01-01T00[0-9:.]+Z/, with: "now").replacing(/"evt_[^"]+"/, with: "evt")
        }
        for kind in kinds {
            texts["\(kind)"] = try bench.walk(kind, "sort=updated_at&include_deleted=true").map { plain($0.text) }.joined(separator: "\n")
            guard kind == .candidate || kind == .job else { continue }
            for word in Population.words {
                texts["\(kind) \(word)"] = try bench.ids(kind, "q=\(word)").map { names[$0] ?? "?" }.sorted().joined(separator: " ")
            }
        }
        for score in [10, 50, 90] {
            texts["min_score \(score)"] = try bench.ids(.candidate, "min_score=\(score)").map { names[$0] ?? "?" }.sorted().joined(
                separator: " ")
        }
        texts["events"] = try bench.events().map { plain($0.text) }.joined(separator: "\n")
        texts["masked events"] = try bench.events(personal: false).map { plain($0.text) }.joined(separator: "\n")
        return texts
    }
}

import Domain
import TestSupport

/// Random records of every listed kind: few values, so that filters meet, and each text in several spellings.
struct Population {
    /// Texts of one row are one to a reader of any case.
    static let families: [String: [[String]]] = [
        "location": [["Austin, TX", "AUSTIN, tx"], ["Zürich", "ZÜRICH", "Zu\u{308}rich"], ["Straße", "STRASSE"], ["東京"]],
        "source": [["Referral", "REFERRAL"], ["Job fair", "job FAIR"], ["Σίσυφος", "ΣΊΣΥΦΟΣ"]],
        "department": [["Research", "RESEARCH"], ["Café", "CAFE\u{301}"], ["R&D", "r&d"]],
        "employment_type": [["Full-time", "FULL-TIME"], ["Intern"], ["Contract", "contract"]],
        "word": [["Phone", "PHONE"], ["Onsite", "onsite"], ["Émigré", "ÉMIGRÉ"]],
        "skill": [
            ["C++", "c++"], ["C#", "c#"], ["Swift", "SWIFT"], ["Node.js", "NODE.js"], ["Straßenbau", "STRASSENBAU"], ["★"], ["C"],
        ],
    ]
    /// Words that stand in nothing else, for searches.
    static let words = ["quartz", "quay", "quiver", "quarry", "xenon", "xerox", "xylem", "yacht", "yarrow", "yonder", "Quartz", "XENON"]

    var random: SeededGenerator
    /// The numbers of the candidates and jobs there are, for relations.
    let candidates: Int
    let jobs: Int

    mutating func family(_ name: String) -> String { random.pick(random.pick(Self.families[name] ?? [])) }
    /// Words between two that are searched for nowhere, so that no phrase is one across two fields.
    mutating func phrase(_ count: ClosedRange<Int>) -> String {
        (["on"] + (0..<random.number(count)).map { _ in random.pick(Self.words) } + ["at"]).joined(separator: " ")
    }
    mutating func time() -> String {
        Timestamp(microseconds: 1_767_225_600_000_000 + Int64(random.number(0...200)) * 3_600_000_000).description
    }

    private mutating func list(_ name: String) -> String {
        JSONValue.array((0..<random.number(0...4)).map { _ in .string(family(name)) }).text
    }

    /// An input for the record of that number, which exists already or not.
    mutating func input(_ kind: RecordKind, _ number: Int) throws -> RecordInput {
        var parts = ["\"external_id\":\"\(kind.prefix)\(number)\""]
        func add(_ name: String, _ json: String) { parts.append("\"\(name)\":\(json)") }
        func text(_ name: String, _ text: String) { add(name, JSONValue.string(text).text) }
        func sometimes(_ value: String) -> String { random.chance(20) ? "" : value }
        switch kind {
        case .candidate:
            if random.chance(50) {
                text("full_name", sometimes(phrase(1...3)))
            } else {
                text("first_name", phrase(1...1)); text("last_name", phrase(1...1))
            }
            text("headline", sometimes(phrase(1...4)))
            text("location", sometimes(family("location")))
            text("source", sometimes(family("source")))
            text("status", random.pick(RecordSchema.candidateStatuses))
            add("skills", list("skill"))
            add("years_experience", random.chance(30) ? "null" : String(Double(random.number(0...20)) / 2))
            text("email", sometimes("\(random.pick(Self.words))@mail.example"))
            add("resume", "{\"text\":\(JSONValue.string(phrase(1...5)).text)}")
        case .job:
            text("title", phrase(1...3))
            text("department", sometimes(family("department")))
            text("location", sometimes(family("location")))
            text("employment_type", sometimes(family("employment_type")))
            text("status", random.pick(RecordSchema.jobStatuses))
            text("description", sometimes(phrase(1...4)))
            add("required_skills", list("skill"))
            text("posted_at", sometimes(time()))
        default:
            if kind != .call || random.chance(80) { text("candidate_external_id", "cand\(random.number(0...candidates - 1))") }
            if kind == .application || kind == .match || random.chance(70) { text("job_external_id", "job\(random.number(0...jobs - 1))") }
            if kind == .application || kind == .match || kind == .call { text("status", sometimes(family("word"))) }
            switch kind {
            case .application:
                text("stage", sometimes(family("word")))
                text("applied_at", sometimes(time()))
            case .interview:
                text("type", sometimes(family("word")))
                // Not completed, so that each can become any.
                text("status", random.pick(RecordSchema.interviewStatuses.filter { $0 != "completed" }))
                text("scheduled_at", sometimes(time()))
            case .match: add("score", String(Double(random.number(0...40)) * 2.5))
            default:
                text("purpose", sometimes(family("word")))
                text("started_at", sometimes(time()))
            }
        }
        return try RecordInput(kind: kind, json: JSONParser.parse("{" + parts.joined(separator: ",") + "}"))
    }
}

/// What should be stored, kept beside it.
struct Model {
    var records: [RecordKind: [ULID: Record]] = [:]
    var tombstones: [RecordKind: [ULID: Timestamp]] = [:]

    mutating func put(_ inputs: [RecordInput], _ bench: Workbench) throws {
        var options = ChangeOptions()
        options.isHistory = true
        let made = try bench.engine.writing.write { writer in
            try inputs.map { try writer.apply($0, in: bench.organization, options: options).record }
        }
        for record in made {
            records[record.kind, default: [:]][record.id] = record
            tombstones[record.kind]?[record.id] = nil
        }
    }

    /// Deletes in one transaction, and reads back when the tombstones were made.
    mutating func delete(_ ids: [RecordID], _ bench: Workbench) throws {
        var options = ChangeOptions()
        options.isHistory = true
        try bench.engine.writing.write { writer in for id in ids { _ = try writer.delete(id, in: bench.organization, options: options) } }
        for id in ids {
            records[id.kind]?[id.ulid] = nil
            for kind in [RecordKind.application, .interview, .match] where id.kind == .candidate || id.kind == .job {
                records[kind] = records[kind]?.filter { $0.value.reference("\(id.kind.singular)_id") != id.ulid }
            }
        }
        for definition in ListDefinition.all {
            let rows = try bench.walk(definition.kind, "include_deleted=true&fields=id,updated_at,deleted_at", limit: 1_000)
            let dead = rows.filter { $0["deleted_at"]?.isNull == false }
            tombstones[definition.kind] = Dictionary(
                uniqueKeysWithValues: dead.map { (RecordID($0.id, kind: definition.kind)!.ulid, $0.time("updated_at")!) })
        }
    }

    /// Some hundreds of records of each kind, some changed since, some deleted.
    static func random(_ population: inout Population, _ bench: Workbench, each count: Int) throws -> Model {
        var model = Model()
        let kinds: [RecordKind] = [.candidate, .job, .application, .interview, .match, .call]
        func size(_ kind: RecordKind) -> Int {
            kind == .candidate ? population.candidates : kind == .job ? population.jobs : count
        }
        for kind in kinds { try model.put((0..<size(kind)).map { try population.input(kind, $0) }, bench) }
        for _ in 0..<10 {
            let kind = population.random.pick(kinds)
            try model.put((0..<size(kind) / 8).map { _ in try population.input(kind, population.random.number(0...size(kind) - 1)) }, bench)
        }
        var victims: [RecordID] = []
        for kind in kinds {
            let ids = (model.records[kind] ?? [:]).values.map(\.recordID).sorted { $0.ulid < $1.ulid }
            for _ in 0..<(kind == .job ? 1 : max(ids.count / 25, 1)) { victims.append(population.random.pick(ids)) }
        }
        try model.delete(victims, bench)
        return model
    }
}

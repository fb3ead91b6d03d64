import Domain
import TestSupport

/// A list as the contract describes it, by a look at every record: slow, plain, and not the store's way.
struct NaiveList {
    let model: Model
    let query: ListQuery
    let personal: Bool

    /// The ids of the whole walk, in order.
    var ids: [String] {
        let descending = query.sort.descending
        var rows = living.map { (key: key($0), time: $0.updatedAt, id: $0.recordID) }
        if query.includeDeleted {
            for (id, time) in model.tombstones[query.kind] ?? [:] where isInTime(time) && isAsked(id) {
                rows.append((.time(time), time, RecordID(kind: query.kind, ulid: id)))
            }
        }
        rows.sort { left, right in
            let ascending = Self.isLess(left.key, right.key) || (!Self.isLess(right.key, left.key) && left.time < right.time)
            return ascending != descending
        }
        return rows.map(\.id.description)
    }

    private var living: [Record] {
        (model.records[query.kind] ?? [:]).values.filter { record in
            isInTime(record.updatedAt) && isAsked(record.id) && (query.createdAfter.map { record.createdAt >= $0 } ?? true)
                && (query.createdBefore.map { record.createdAt < $0 } ?? true) && query.conditions.allSatisfy { holds($0, record) }
        }
    }

    private func isInTime(_ time: Timestamp) -> Bool {
        (query.updatedAfter.map { time >= $0 } ?? true) && (query.updatedBefore.map { time < $0 } ?? true)
    }

    private func isAsked(_ id: ULID) -> Bool { query.ids?.contains(id) ?? true }

    // MARK: Order

    /// Unknown times come first, unknown texts as the empty one.
    private func key(_ record: Record) -> FieldValue {
        switch query.sort.field {
        case "updated_at": return .time(record.updatedAt)
        case "created_at": return .time(record.createdAt)
        case "full_name", "title": return .text((record.text(query.sort.field) ?? "").lowercased())
        default:
            let value = record[query.sort.field]
            return value == .null ? .time(.earliest) : value
        }
    }

    private static func isLess(_ left: FieldValue, _ right: FieldValue) -> Bool {
        switch (left, right) {
        case (.time(let left), .time(let right)): left < right
        case (.number(let left), .number(let right)): left < right
        case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        default: false
        }
    }

    // MARK: Conditions

    private func holds(_ condition: ListCondition, _ record: Record) -> Bool {
        switch condition {
        case .equals(let field, let values): return values.contains(record[field])
        case .matches(let field, let texts): return texts.contains { Self.isAlike($0, record.text(field)) }
        case .atLeast(let field, let bound): return record[field] != .null && !Self.isLess(record[field], bound)
        case .atMost(let field, let bound): return record[field] != .null && !Self.isLess(bound, record[field])
        case .before(let field, let bound): return Self.isLess(record[field], bound)
        case .skills(let skills):
            guard case .list(let own) = record["skills"] else { return false }
            return skills.allSatisfy { skill in own.contains { Self.isAlike(skill, $0) } }
        case .appliedTo(let jobs):
            return (model.records[.application] ?? [:]).values.contains {
                $0.reference("candidate_id") == record.id && jobs.contains($0.reference("job_id")!)
            }
        case .bestScore(let score, let jobs):
            return (model.records[.match] ?? [:]).values.contains { match in
                guard match.reference("candidate_id") == record.id, case .number(let own) = match["score"] else { return false }
                return own >= score && (jobs.isEmpty || jobs.contains(match.reference("job_id")!))
            }
        case .search(let search): return !search.terms.isEmpty && search.terms.allSatisfy { finds($0, record) }
        }
    }

    /// By the table of spellings alone: nothing of the store's folding.
    private static func isAlike(_ left: String, _ right: String?) -> Bool {
        guard let right else { return false }
        if left.utf8.elementsEqual(right.utf8) { return true }
        return Population.families.values.joined().contains { family in
            family.contains { $0.utf8.elementsEqual(left.utf8) } && family.contains { $0.utf8.elementsEqual(right.utf8) }
        }
    }

    private func finds(_ term: SearchQuery.Term, _ record: Record) -> Bool {
        let open =
            record.kind == .candidate
            ? ["full_name", "first_name", "last_name", "headline", "location", "source"]
            : ["title", "department", "location", "employment_type", "description"]
        let hidden = record.kind == .candidate && personal ? ["email", "resume.text"] : []
        let wanted = Self.tokens(term.text)
        return (open + hidden).contains { field in
            let tokens = Self.tokens(record.text(field) ?? "")
            guard tokens.count >= wanted.count else { return false }
            return (0...tokens.count - wanted.count).contains { start in
                zip(tokens[start...], wanted).enumerated().allSatisfy { index, pair in
                    term.isPrefix && index == wanted.count - 1 ? pair.0.hasPrefix(pair.1) : pair.0 == pair.1
                }
            }
        }
    }

    private static func tokens(_ text: String) -> [String] { text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init) }
}

/// Random requests for a list, as a client could write them.
struct RandomRequests {
    var random: SeededGenerator
    let model: Model

    mutating func parameters(_ definition: ListDefinition) -> [RequestParameter] {
        var parameters: [RequestParameter] = []
        for filter in definition.filters where random.chance(100 / (definition.filters.count - 1)) {
            parameters += values(of: filter, definition.kind).map { RequestParameter(filter.name, $0) }
        }
        let includesDeleted = random.chance(20)
        if includesDeleted { parameters.append(RequestParameter("include_deleted", "true")) }
        for name in ["updated_after", "updated_before", "created_after", "created_before"] where random.chance(12) {
            parameters.append(RequestParameter(name, time(definition.kind)))
        }
        if random.chance(8) {
            let ids = (0..<random.number(1...100)).map { _ in id(definition.kind) }
            parameters.append(RequestParameter("ids", ids.joined(separator: ",")))
        }
        if random.chance(60) {
            let sort = includesDeleted ? "updated_at" : random.pick(definition.sorts)
            parameters.append(RequestParameter("sort", (random.chance(50) ? "-" : "") + sort))
        }
        return parameters
    }

    private mutating func values(of filter: ListFilter, _ kind: RecordKind) -> [String] {
        switch filter.form {
        case .choice(let words): return [(0..<random.number(1...3)).map { _ in random.pick(words) }.joined(separator: ",")]
        case .ids(let kind): return [(0..<random.number(1...3)).map { _ in id(kind) }.joined(separator: ",")]
        case .words:
            let pool = Population.families[filter.name] ?? Population.families["word"]!
            return [(0..<random.number(1...2)).map { _ in random.pick(random.pick(pool)) }.joined(separator: ",")]
        case .text:
            let pool = Population.families[filter.name]!
            return (0..<random.number(1...2)).map { _ in random.pick(random.pick(pool)) }
        case .number(let range):
            return [String(Double(random.number(0...Int(range.upperBound * 0.4))) / 2 * (filter.name == "min_experience" ? 0.5 : 1))]
        case .time: return [Timestamp(microseconds: 1_767_225_600_000_000 + Int64(random.number(0...200)) * 3_600_000_000).description]
        case .search:
            let word = random.pick(Population.words)
            switch random.number(0...4) {
            case 0: return [String(word.prefix(3)) + "*"]
            case 1: return ["\"\(word) \(random.pick(Population.words))\""]
            case 2: return ["\(word) \(random.pick(Population.words).prefix(2))*"]
            default: return [word]
            }
        }
    }

    private mutating func id(_ kind: RecordKind) -> String {
        if random.chance(10), let dead = model.tombstones[kind]?.keys.sorted().first { return RecordID(kind: kind, ulid: dead).description }
        return RecordID(kind: kind, ulid: random.pick((model.records[kind] ?? [:]).keys.sorted())).description
    }

    private mutating func time(_ kind: RecordKind) -> String {
        let records = (model.records[kind] ?? [:]).values.sorted { $0.id < $1.id }
        let record = random.pick(records)
        return (random.chance(50) ? record.updatedAt : record.createdAt).description
    }
}

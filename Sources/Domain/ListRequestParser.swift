/// Reads parameters into a ``ListQuery``, strictly: nothing unknown, nothing twice, nothing out of range.
struct ListRequestParser {
    let definition: ListDefinition
    var query: ListQuery
    var fields: Set<String>?
    var expanded: Set<RecordKind> = []
    var canonical = ""
    /// Everything in one answer.
    var isExport = false

    private var explicitSort: ListSort?
    private var hasLimit = false
    /// Filters and sort by name, in one spelling each, for `canonical`.
    private var spelled: [(name: String, value: String)] = []

    init(definition: ListDefinition) {
        self.definition = definition
        query = ListQuery(kind: definition.kind, sort: definition.defaultSort)
    }

    mutating func read(_ parameters: [RequestParameter]) throws(ParameterFault) {
        let cursor = try readOnce(parameters)
        if let cursor {
            guard let cursor = Cursor(text: cursor) else { throw .invalidCursor }
            if cursor.kind != definition.kind { throw .invalidCursor }
            if spelled.isEmpty, explicitSort == nil { try adopt(cursor) }
            guard canonicalText() == cursor.canonical else { throw .cursorMismatch }
            query.position = cursor.position
        }
        canonical = canonicalText()
        try finish()
    }

    private mutating func readOnce(_ parameters: [RequestParameter]) throws(ParameterFault) -> String? {
        let known = definition.parameters
        var cursor: String?
        var seen: Set<String> = []
        for parameter in parameters {
            let filter = definition.filters.first { $0.name == parameter.name }
            guard filter != nil || known.contains(parameter.name) else {
                throw .unknown(parameter.name, suggestion: Suggestion.closest(to: parameter.name, in: known))
            }
            guard seen.insert(parameter.name).inserted || filter?.form == .text else { throw .repeated(parameter.name) }
            guard !parameter.value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
                throw .invalid(parameter.name, message: "holds a control character")
            }
            if parameter.name == "cursor" {
                cursor = parameter.value
            } else if let filter {
                try read(filter, parameter.value)
            } else {
                try readCommon(parameter)
            }
        }
        return cursor
    }

    /// A cursor that comes alone brings its filters along.
    private mutating func adopt(_ cursor: Cursor) throws(ParameterFault) {
        for parameter in cursor.parameters {
            let filter = definition.filters.first { $0.name == parameter.name }
            do throws(ParameterFault) {
                if let filter {
                    try read(filter, parameter.value)
                } else if ListDefinition.commonParameters.contains(parameter.name) {
                    try readCommon(parameter)
                } else {
                    throw .invalidCursor
                }
            } catch { throw .invalidCursor }
        }
    }

    /// A sort that would be there without being asked for is not spelled out, and what is repeated is spelled once.
    private func canonicalText() -> String {
        if spelled.isEmpty, explicitSort == nil { return "" }
        let sort = explicitSort.flatMap { $0 == defaultSort ? nil : ("sort", $0.text) }
        return unique((spelled + [sort].compactMap(\.self)).map { "\($0.name)=\($0.value)" }).sorted().joined(separator: "\u{1F}")
    }

    /// The one spelling of words that are compared without regard to case. It can stand for them in a query: it folds to
    /// what they fold to.
    private func canonical(_ words: [String]) -> String { unique(words.map { $0.lowercased() }).sorted().joined(separator: ",") }

    private mutating func readCommon(_ parameter: RequestParameter) throws(ParameterFault) {
        let (name, value) = (parameter.name, parameter.value)
        switch name {
        case "limit":
            query.limit = try limit(value)
            hasLimit = true
        case "format":
            // What is chosen is known before, with the cost: here it is only checked.
            _ = try Notation(parameter: value)
        case "export":
            guard value == "all" else { throw .invalid(name, message: "takes only 'all'", allowed: ["all"]) }
            isExport = true
        case "sort": try readSort(value)
        case "fields": fields = Set(try names(value, of: name, from: definition.fieldNames))
        case "expand":
            let kinds = try names(value, of: name, from: definition.embeds.map(\.singular))
            expanded = Set(kinds.compactMap { RecordKind(word: $0) })
        case "count":
            guard value == "exact" else { throw .invalid(name, message: "takes only 'exact'", allowed: ["exact"]) }
            query.countsExactly = true
        case "ids":
            let ids = try ids(value, kind: definition.kind, name: name)
            query.ids = ids
            spelled.append((name, ids.map { RecordID(kind: definition.kind, ulid: $0).description }.sorted().joined(separator: ",")))
        case "include_deleted":
            guard ["true", "false"].contains(value) else {
                throw .invalid(name, message: "takes 'true' or 'false'", allowed: ["true", "false"])
            }
            query.includeDeleted = value == "true"
            if query.includeDeleted { spelled.append((name, "true")) }
        default:
            let time = try time(value, name: name)
            switch name {
            case "updated_after": query.updatedAfter = time
            case "updated_before": query.updatedBefore = time
            case "created_after": query.createdAfter = time
            default: query.createdBefore = time
            }
            spelled.append((name, time.description))
        }
    }

    private func limit(_ value: String) throws(ParameterFault) -> Int {
        let largest = ListDefinition.largestPage
        guard value.utf8.count <= 9, value.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(value),
            (1...largest).contains(number)
        else { throw .invalid("limit", message: "is a whole number from 1 to \(largest)", maximum: largest) }
        return number
    }

    private mutating func readSort(_ value: String) throws(ParameterFault) {
        let descending = value.hasPrefix("-")
        let field = String(descending ? value.dropFirst() : Substring(value))
        guard definition.sorts.contains(field) else {
            throw .invalid("sort", message: "can't sort by '\(field.prefix(60))'", allowed: definition.sorts.flatMap { [$0, "-" + $0] })
        }
        let sort = ListSort(field: field, descending: descending)
        explicitSort = sort
    }

    private func names(_ value: String, of parameter: String, from known: [String]) throws(ParameterFault) -> [String] {
        let names = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where !known.contains(name) {
            let hint = Suggestion.text(for: name, in: known)
            throw .invalid(parameter, message: "knows no '\(name.prefix(60))'\(hint)", allowed: known)
        }
        return names
    }

    private func ids(_ value: String, kind: RecordKind, name: String) throws(ParameterFault) -> [ULID] {
        let parts = value.split(separator: ",", maxSplits: 101, omittingEmptySubsequences: false)
        guard parts.count <= 100 else { throw .invalid(name, message: "takes at most 100 ids", maximum: 100) }
        var ids: [ULID] = []
        for part in parts {
            guard let id = RecordID(part, kind: kind) else {
                throw .invalid(name, message: "'\(part.prefix(60))' is no \(kind.singular) id (\(kind.prefix)_…)")
            }
            if !ids.contains(id.ulid) { ids.append(id.ulid) }
        }
        return ids
    }

    private func time(_ value: String, name: String) throws(ParameterFault) -> Timestamp {
        guard let time = Timestamp(rfc3339: value) else {
            throw .invalid(name, message: "is an RFC 3339 time, such as 2026-01-31T09:00:00Z")
        }
        return time
    }

    private mutating func read(_ filter: ListFilter, _ value: String) throws(ParameterFault) {
        guard !value.isEmpty else { throw .invalid(filter.name, message: "is empty") }
        switch filter.form {
        case .choice(let words):
            let chosen = try names(value, of: filter.name, from: words)
            add(
                filter, .equals(field: filter.name, anyOf: unique(chosen).map(FieldValue.text)),
                unique(chosen).sorted().joined(separator: ","))
        case .ids(let kind):
            let ids = try ids(value, kind: kind, name: filter.name)
            let condition: ListCondition =
                filter.meaning == .appliedTo ? .appliedTo(ids) : .equals(field: filter.name, anyOf: ids.map(FieldValue.reference))
            add(filter, condition, ids.map { RecordID(kind: kind, ulid: $0).description }.sorted().joined(separator: ","))
        case .words:
            let words = value.split(separator: ",", maxSplits: 100, omittingEmptySubsequences: true).map(String.init)
            guard !words.isEmpty, words.count <= 100 else { throw .invalid(filter.name, message: "takes 1 to 100 words") }
            add(filter, .matches(field: filter.name, anyOf: unique(words)), canonical(words))
        case .text: addText(filter, value)
        case .number(let range):
            guard value.utf8.count < 40, let number = Double(value), number.isFinite, range.contains(number) else {
                let bounds = "\(Int(range.lowerBound)) to \(Int(range.upperBound))"
                throw .invalid(filter.name, message: "is a number from \(bounds)", maximum: Int(range.upperBound))
            }
            add(filter, bound(filter, .number(number)), number.description)
        case .time:
            let time = try time(value, name: filter.name)
            add(filter, bound(filter, .time(time)), time.description)
        case .search:
            guard value.utf8.count <= 1_000 else { throw .invalid(filter.name, message: "is longer than 1000 bytes", maximum: 1_000) }
            add(filter, .search(SearchQuery(value)), value)
        }
    }

    private func unique(_ words: [String]) -> [String] {
        words.reduce(into: []) { list, word in if !list.contains(word) { list.append(word) } }
    }

    private func bound(_ filter: ListFilter, _ value: FieldValue) -> ListCondition {
        switch filter.meaning {
        case .atLeast(let field): .atLeast(field: field, value)
        case .atMost(let field): .atMost(field: field, value)
        case .before(let field): .before(field: field, value)
        default:
            if case .number(let score) = value { .bestScore(score, jobs: []) } else { .bestScore(0, jobs: []) }
        }
    }

    private mutating func add(_ filter: ListFilter, _ condition: ListCondition, _ spelling: String) {
        query.conditions.append(condition)
        spelled.append((filter.name, spelling))
    }

    /// A repeated text filter widens what it is compared with, or, for skills, asks for all of them.
    private mutating func addText(_ filter: ListFilter, _ value: String) {
        spelled.append((filter.name, value.lowercased()))
        for index in query.conditions.indices {
            switch query.conditions[index] {
            case .skills(let skills) where filter.meaning == .skills:
                query.conditions[index] = .skills(unique(skills + [value]))
                return
            case .matches(filter.name, let texts):
                query.conditions[index] = .matches(field: filter.name, anyOf: unique(texts + [value]))
                return
            default: continue
            }
        }
        query.conditions.append(filter.meaning == .skills ? .skills([value]) : .matches(field: filter.name, anyOf: [value]))
    }

    private var defaultSort: ListSort {
        let searches = query.conditions.contains { if case .search = $0 { true } else { false } }
        return query.updatedAfter != nil || query.includeDeleted || searches ? .updated : definition.defaultSort
    }

    private mutating func finish() throws(ParameterFault) {
        query.sort = explicitSort ?? defaultSort
        if query.includeDeleted, !query.sort.isByChange {
            throw .invalid("sort", message: "tombstones come in the order of updated_at only", allowed: ["updated_at", "-updated_at"])
        }
        if isExport, hasLimit { throw .invalid("limit", message: "is for pages; 'export=all' gives everything") }
        joinScoreAndJobs()
        guard canonical.utf8.count <= 3_500 else {
            throw .invalid("limit", message: "the filters are too long to page through: 3500 bytes at most, decoded")
        }
        try checkPosition()
    }

    /// `min_score` with `job_id` asks for a match with that job.
    private mutating func joinScoreAndJobs() {
        var jobs: [ULID] = []
        for case .appliedTo(let ids) in query.conditions { jobs = ids }
        query.conditions = query.conditions.map {
            if case .bestScore(let score, _) = $0 { .bestScore(score, jobs: jobs) } else { $0 }
        }
    }

    /// A cursor is only a hint from outside: its position must be one that this sort can have.
    private func checkPosition() throws(ParameterFault) {
        guard let position = query.position else { return }
        if query.ids != nil { throw .invalidCursor }
        switch (query.sort.field, position.value) {
        case ("updated_at", .null), ("score", .number): return
        case ("full_name", .text), ("title", .text): return
        case (let field, .time) where field.hasSuffix("_at") && field != "updated_at": return
        default: throw .invalidCursor
        }
    }
}

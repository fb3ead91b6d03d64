/// A filter of a list: the parameter's name, what it takes, and what it means.
public struct ListFilter: Sendable {
    public enum Form: Sendable, Equatable {
        /// A comma list of these words.
        case choice([String])
        /// A comma list of ids of this kind.
        case ids(RecordKind)
        /// A comma list of texts, compared case-insensitively.
        case words
        /// One text that is not split; the parameter may be repeated. Compared case-insensitively.
        case text
        case number(ClosedRange<Double>)
        case time
        case search
    }

    public enum Meaning: Sendable, Equatable {
        /// The field equals any of the values.
        case equals(String)
        /// The field is at least, at most, or before the value.
        case atLeast(String)
        case atMost(String)
        case before(String)
        /// The candidate has all of the skills.
        case skills
        /// The candidate has applied to any of the jobs.
        case appliedTo
        /// The candidate has a match at least this good, for those jobs if any are given.
        case bestScore
        /// Full-text search.
        case search
    }

    public let name: String
    public let form: Form
    public let meaning: Meaning

    init(_ name: String, _ form: Form, _ meaning: Meaning) {
        self.name = name
        self.form = form
        self.meaning = meaning
    }
}

/// What a list of the public API takes: one definition for the parser, the contract's test and the operator's pages.
public struct ListDefinition: Sendable {
    public let kind: RecordKind
    public let filters: [ListFilter]
    /// The fields that it can be sorted by.
    public let sorts: [String]
    public let defaultSort: ListSort
    /// The related records that each row carries.
    public let embeds: [RecordKind]
    /// Every parameter that it takes.
    public let parameters: [String]

    init(kind: RecordKind, filters: [ListFilter], sorts: [String], defaultSort: ListSort, embeds: [RecordKind]) {
        self.kind = kind
        self.filters = filters
        self.sorts = sorts
        self.defaultSort = defaultSort
        self.embeds = embeds
        parameters = filters.map(\.name) + Self.commonParameters + (embeds.isEmpty ? [] : ["expand"])
    }

    public static let largestPage = 1_000
    public static let defaultPage = 100

    /// Taken by every list.
    public static let commonParameters = [
        "limit", "cursor", "sort", "fields", "count", "ids", "include_deleted", "updated_after", "updated_before",
        "created_after", "created_before", "format", "export",
    ]

    /// The names that `fields` may ask for.
    public var fieldNames: [String] {
        var names = ["id", "external_id", "version", "created_at", "updated_at", "deleted_at"]
        let schema = kind.schema
        let shown = Projection.list.fields(of: kind).map { schema.fields[$0] }
        for field in shown {
            let name = field.group ?? field.name
            if names.last != name { names.append(name) }
            if kind == .match, name == "score" { names.append("rank") }
        }
        return names + embeds.map(\.singular)
    }

    public static func of(_ kind: RecordKind) -> ListDefinition? { all.first { $0.kind == kind } }

    public static let all: [ListDefinition] = [
        ListDefinition(
            kind: .candidate,
            filters: [
                ListFilter("status", .choice(RecordSchema.candidateStatuses), .equals("status")),
                ListFilter("source", .text, .equals("source")),
                ListFilter("location", .text, .equals("location")),
                ListFilter("skill", .text, .skills),
                ListFilter("job_id", .ids(.job), .appliedTo),
                ListFilter("min_experience", .number(0...100), .atLeast("years_experience")),
                ListFilter("min_score", .number(0...100), .bestScore),
                ListFilter("q", .search, .search),
            ],
            sorts: ["updated_at", "created_at", "full_name"], defaultSort: .updated, embeds: []),
        ListDefinition(
            kind: .job,
            filters: [
                ListFilter("status", .choice(RecordSchema.jobStatuses), .equals("status")),
                ListFilter("department", .text, .equals("department")),
                ListFilter("location", .text, .equals("location")),
                ListFilter("employment_type", .words, .equals("employment_type")),
                ListFilter("q", .search, .search),
            ],
            sorts: ["updated_at", "created_at", "title", "posted_at"], defaultSort: .updated, embeds: []),
        ListDefinition(
            kind: .application,
            filters: [
                ListFilter("candidate_id", .ids(.candidate), .equals("candidate_id")),
                ListFilter("job_id", .ids(.job), .equals("job_id")),
                ListFilter("status", .words, .equals("status")),
                ListFilter("stage", .words, .equals("stage")),
            ],
            sorts: ["updated_at", "created_at", "applied_at"], defaultSort: .updated, embeds: [.candidate, .job]),
        ListDefinition(
            kind: .interview,
            filters: [
                ListFilter("status", .choice(RecordSchema.interviewStatuses), .equals("status")),
                ListFilter("type", .words, .equals("type")),
                ListFilter("candidate_id", .ids(.candidate), .equals("candidate_id")),
                ListFilter("job_id", .ids(.job), .equals("job_id")),
                ListFilter("scheduled_after", .time, .atLeast("scheduled_at")),
                ListFilter("scheduled_before", .time, .before("scheduled_at")),
            ],
            sorts: ["updated_at", "created_at", "scheduled_at"], defaultSort: .updated, embeds: [.candidate, .job]),
        ListDefinition(
            kind: .match,
            filters: [
                ListFilter("candidate_id", .ids(.candidate), .equals("candidate_id")),
                ListFilter("job_id", .ids(.job), .equals("job_id")),
                ListFilter("min_score", .number(0...100), .atLeast("score")),
                ListFilter("max_score", .number(0...100), .atMost("score")),
                ListFilter("status", .words, .equals("status")),
            ],
            sorts: ["score", "updated_at", "created_at"], defaultSort: ListSort(field: "score", descending: true),
            embeds: [.candidate, .job]),
        ListDefinition(
            kind: .call,
            filters: [
                ListFilter("candidate_id", .ids(.candidate), .equals("candidate_id")),
                ListFilter("job_id", .ids(.job), .equals("job_id")),
                ListFilter("purpose", .words, .equals("purpose")),
                ListFilter("status", .words, .equals("status")),
            ],
            sorts: ["updated_at", "created_at", "started_at"], defaultSort: .updated, embeds: []),
    ]
}

public struct ListSort: Sendable, Hashable {
    public let field: String
    public let descending: Bool
    public static let updated = ListSort(field: "updated_at", descending: false)
    public init(field: String, descending: Bool) {
        self.field = field
        self.descending = descending
    }
    public var text: String { (descending ? "-" : "") + field }
    public var isByChange: Bool { field == "updated_at" }
}

/// One thing that a listed record must fulfil. All of a query's conditions must hold.
public enum ListCondition: Sendable, Equatable {
    case equals(field: String, anyOf: [FieldValue])
    /// As `equals`, the texts compared case-insensitively.
    case matches(field: String, anyOf: [String])
    case atLeast(field: String, FieldValue)
    case atMost(field: String, FieldValue)
    case before(field: String, FieldValue)
    case skills([String])
    case appliedTo([ULID])
    case bestScore(Double, jobs: [ULID])
    case search(SearchQuery)
}

/// A list as it is asked of the store.
public struct ListQuery: Sendable {
    public let kind: RecordKind
    public var conditions: [ListCondition] = []
    public var ids: [ULID]?
    public var includeDeleted = false
    public var updatedAfter: Timestamp?
    public var updatedBefore: Timestamp?
    public var createdAfter: Timestamp?
    public var createdBefore: Timestamp?
    public var sort: ListSort
    public var limit = ListDefinition.defaultPage
    /// Where the page before ended; nil on the first.
    public var position: ListPosition?
    public var countsExactly = false

    public init(kind: RecordKind, sort: ListSort) {
        self.kind = kind
        self.sort = sort
    }
}

/// A place in a walk: after the row with this sort value and this change.
public struct ListPosition: Sendable, Equatable {
    /// The value of the sort's field; `.null` when the sort is by `updated_at`.
    public let value: FieldValue
    public let updatedAt: Timestamp
    /// The high-water mark of the walk's first page.
    public let asOf: Timestamp

    public init(value: FieldValue, updatedAt: Timestamp, asOf: Timestamp) {
        self.value = value
        self.updatedAt = updatedAt
        self.asOf = asOf
    }
}

/// Words to find: all of them, in any order.
public struct SearchQuery: Sendable, Equatable {
    public struct Term: Sendable, Equatable {
        /// One word, or the words of a phrase as they were written.
        public let text: String
        public let isPrefix: Bool
    }
    public let terms: [Term]
    public static let mostTerms = 32

    /// Reads words, `prefix*` and `"quoted phrases"`. Whatever is not well formed is searched as words.
    public init(_ text: String) {
        var terms: [Term] = []
        var rest = Substring(text)
        while let first = rest.first, terms.count < Self.mostTerms {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") {
                Self.append(rest[rest.index(after: rest.startIndex)..<end], isPrefix: false, to: &terms)
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.dropFirst().firstIndex { $0.isWhitespace || $0 == "\"" } ?? rest.endIndex
                let word = rest[..<end]
                Self.append(word, isPrefix: word.hasSuffix("*"), to: &terms)
                rest = rest[end...]
            }
        }
        self.terms = terms
    }

    private static func append(_ text: Substring, isPrefix: Bool, to terms: inout [Term]) {
        let clean = text.unicodeScalars.filter {
            $0 != "\"" && $0 != "*" && $0.value != 0 && $0.properties.generalCategory != .privateUse
        }
        let word = String(String.UnicodeScalarView(clean))
        let letters = word.unicodeScalars.filter(\.isSearchable).count
        guard letters > 0 else { return }
        // A prefix of one letter stands for half the index: it is searched as the word that it also is.
        terms.append(Term(text: word, isPrefix: isPrefix && letters >= 2))
    }
}

extension Unicode.Scalar {
    /// What the full-text index takes for part of a word. What is of private use means something only to the index.
    public var isSearchable: Bool {
        if isASCII {
            return (value >= 48 && value <= 57) || (value | 32 >= 97 && value | 32 <= 122) || self == "+" || self == "#"
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }
}

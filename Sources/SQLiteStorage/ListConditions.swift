import Domain

/// A piece of SQL with the values of its marks, in order.
struct SQLFragment {
    var text: String
    var values: [SQLValue]

    init(_ text: String, _ values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }

    static func joined(_ fragments: [SQLFragment], by separator: String) -> SQLFragment {
        SQLFragment(fragments.map(\.text).joined(separator: separator), fragments.flatMap(\.values))
    }

    static func + (left: SQLFragment, right: SQLFragment) -> SQLFragment {
        SQLFragment(left.text + right.text, left.values + right.values)
    }

    static func + (left: SQLFragment, right: String) -> SQLFragment { SQLFragment(left.text + right, left.values) }

    static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
}

/// One condition of a list as SQL over the table's alias `t`, and, where an index gives its rows in the change order,
/// as a driver of the whole query.
struct ListTerm {
    /// How well the condition narrows; the lowest drives.
    enum Rank: Int {
        case relation, search, applied, word, choice, range, none
    }

    let rank: Rank
    /// The condition as a test of one row.
    let test: SQLFragment
    /// Equality on an index whose row ids are the change order: one stream for each value.
    var streams: [(index: String, test: SQLFragment)] = []
    /// A range on an index that begins with the organization.
    var range: (index: String, test: SQLFragment)?
    /// At least a number from 0 to 100, by the index of its whole part.
    var wholes: (index: String, column: String, least: Double)?
    /// Asks the full-text index, with personal fields or without.
    var match: ((_ personal: Bool) -> String?)?
}

extension ListTerm {
    init(_ condition: ListCondition, layout: TableLayout) {
        let table = layout.table
        switch condition {
        case .equals(let field, let values):
            let isRelation = field.hasSuffix("_id")
            self.init(
                rank: isRelation ? .relation : .choice,
                test: SQLFragment("t.\(field) IN (\(SQLFragment.marks(values.count)))", values.map { SQLValue($0) }),
                streams: values.map { ("\(table)_\(field)", SQLFragment("t.\(field) = ?", [SQLValue($0)])) })
        case .matches(let field, let texts):
            let keys = Array(Set(texts.map(folded))).sorted().map(SQLValue.text)
            self.init(
                rank: .word,
                test: SQLFragment("t.\(field)_folded IN (\(SQLFragment.marks(keys.count)))", keys),
                streams: keys.map { ("\(table)_\(field)", SQLFragment("t.\(field)_folded = ?", [$0])) })
        case .atLeast("years_experience", .number(let years)): self.init(atLeast: years, of: "years_experience")
        case .atLeast(let field, let value): self.init(range: field, ">=", value, layout)
        case .atMost(let field, let value): self.init(range: field, "<=", value, layout)
        case .before(let field, let value): self.init(range: field, "<", value, layout)
        case .skills(let skills):
            let tests = skills.map { SQLFragment("hirewire_has(t.skills, ?)", [.text(folded($0))]) }
            self.init(rank: .search, test: .joined(tests, by: " AND "))
            match = { _ in SearchIndex.expression(skills: skills) }
        case .appliedTo(let jobs):
            let values = jobs.map(SQLValue.ulid)
            // Of many jobs it is quicker to look through the candidate's own applications than to ask each.
            let index = jobs.count > 4 ? "applications_candidate_change" : "applications_applicants"
            self.init(
                rank: .applied,
                test: SQLFragment(
                    """
                    EXISTS (SELECT 1 FROM applications a INDEXED BY \(index)
                    WHERE a.job_id IN (\(SQLFragment.marks(jobs.count))) AND a.candidate_change = t.change)
                    """, values))
        case .bestScore(let score, let jobs) where jobs.isEmpty:
            self.init(atLeast: score, of: "best_score")
        case .bestScore(let score, let jobs):
            self.init(
                rank: .none,
                test: SQLFragment(
                    """
                    EXISTS (SELECT 1 FROM matches m INDEXED BY matches_candidate_id
                    WHERE m.candidate_id = t.id AND m.job_id IN (\(SQLFragment.marks(jobs.count))) AND m.score >= ?)
                    """, jobs.map(SQLValue.ulid) + [.real(score)]))
        case .search(let query):
            self.init(rank: .search, test: SQLFragment("1"))
            match = { SearchIndex.expression(query, personal: $0) }
        }
    }

    private init(atLeast number: Double, of field: String) {
        self.init(rank: .range, test: SQLFragment("t.\(field) >= ?", [.real(number)]))
        wholes = ("candidates_\(field)", "t.\(field)", number)
    }

    private init(range field: String, _ sign: String, _ value: FieldValue, _ layout: TableLayout) {
        let column = ListSortExpression.column(field)
        let test = SQLFragment("\(column) \(sign) ?", [SQLValue(value)])
        // A row without a time is on neither side of one.
        let known = column == "t.\(field)" ? test : SQLFragment("t.\(field) IS NOT NULL AND ") + test
        self.init(rank: .range, test: known, range: ("\(layout.table)_\(field)", known))
    }
}

/// What a list is sorted by, as its index has it: never NULL, so that a walk has one order.
enum ListSortExpression {
    static func column(_ field: String) -> String {
        switch field {
        case "full_name", "title": "ifnull(t.\(field), '') COLLATE NOCASE"
        case "posted_at", "applied_at", "scheduled_at", "started_at": "ifnull(t.\(field), -62167219200000000)"
        default: "t.\(field)"
        }
    }
}

import Domain

/// Says which column or path of a file becomes which field: a small JSON document.
///
/// ```json
/// {
///   "where": [{"from": "Agency", "is": ["DOT", "DEP"]}],
///   "zone": "America/New_York",
///   "fields": {
///     "external_id": {"join": ["Job ID", "Posting Type"], "with": "-"},
///     "title": "Business Title",
///     "salary_currency": {"constant": "USD"},
///     "salary_min": {"from": "Salary", "number": true},
///     "salary_interval": {"from": "Frequency", "translate": {"Annual": "year", "Hourly": "hour"}},
///     "status": {"first": [{"when": {"from": "Post Until", "before": "2019-03-19"}, "constant": "closed"}],
///                "otherwise": "open"},
///     "posted_at": {"from": "Posting Date", "date": ["M/d/yyyy", "iso"]},
///     "required_skills": {"from": "Skills", "split": ","},
///     "custom": {"object": {"level": "Level", "unit": "Work Unit"}}
///   }
/// }
/// ```
///
/// **The document.** `fields` has a rule for each field to be set; fields that are not in it keep their values.
/// `where` lists conditions that must all hold; other rows are passed over. `each` is the path of an array, each
/// element of which is a record (anything but an array counts as an array of one), or
/// `{"in": path, "where": [conditions on the element]}`; within it, paths start at the element, and `$.name` starts at
/// the row. `zone` is where dates without an offset are at home: `UTC` (the default), `+02:00` or a name of the tz
/// database. `loose_relations` names relations, such as `["application_external_id"]`, that stay empty where the other
/// record is not known, rather than refusing the row; a later import fills them. `separator` is what stands between the cells of CSV: `,` (the default), `;`, `|` or a tab.
///
/// **Paths.** In CSV, a column's name as it is in the header. In JSON, names with dots between them, `[0]` for an
/// element, `[*]` for every element (`offices[*].name` is a list), `['a.b']` for a name with a dot or bracket, `.` for
/// the whole element. A name that is missing leaves the field as it is; `null`, an empty cell, and an array that is
/// too short clear it.
///
/// **Rules.** A path, or an object with exactly one source:
/// - `"from": path`
/// - `"constant": value`
/// - `"join": [rules], "with": "-"` puts texts together; with `"omit_empty": true` empty ones are left out
/// - `"object": {name: rule}` gathers what is not empty in a JSON object
/// - `"list": [rules]` gathers what is not empty in a list
/// - `"first": [rules]` is the first of them that is not empty
///
/// What the source gave goes through these, in this order, where they are there:
/// - `"split": ","` makes a text a list, without the white space around its parts and without empty ones
/// - `"translate": {text: value}` replaces a text, or each text of a list; what is not in the table stays as it is
/// - `"number": true` reads `$1,234.50`, `80k` or `85 %`; `"number": {"decimal": ","}` reads `1.234,50 €`
/// - `"date": format` or `[formats]`, tried in turn, with `"zone"`: `rfc3339`, `iso` (a date, or a date and time, with
///   or without offset), `unix`, `unix_ms`, or a pattern of `yyyy MM dd HH mm ss S a X` as in `"MMM d, yyyy h:mm a"`
/// - `"otherwise": value` where there is nothing, or nothing in the table
///
/// and `"when": condition` (or a list of them) lets the rule give nothing unless it holds. In CSV, a text that becomes
/// a list field without `split` is split at `;`, and one that becomes an object or array is read as JSON.
///
/// **Conditions.** `{"from": path}` with one or more of `"is": text` or `[texts]`, `"starts_with"`, `"contains"`,
/// `"present": true`, `"before": date` and `"since": date` (at it or after; with `"date"` and `"zone"` as in a rule,
/// `iso` unless given); or `{"all": [conditions]}`, `{"any": [conditions]}`, `{"not": condition}`.
public struct Mapping: Sendable {
    let kind: RecordKind
    let table: TargetTable
    let paths: [FieldPath]
    let conditions: [Condition]
    let each: Each?
    let fields: [(target: Int, rule: Rule)]
    let separator: UInt8
    /// Relations that stay empty where the other record is not known.
    let looseRelations: Set<Int>

    struct Each: Sendable {
        /// The index of its path.
        let path: Int
        let conditions: [Condition]
    }

    /// Reads a mapping for records of `kind`.
    /// - Throws: ``InputFaults`` with everything in it that is unknown or makes no sense, each with its JSON Pointer.
    public init(json: JSONValue, kind: RecordKind) throws(InputFaults) {
        let table = TargetTable(kind: kind)
        var parser = MappingParser(table: table)
        let document = parser.document(MappingNode(json))
        guard let document, parser.faults.isEmpty else { throw InputFaults(parser.faults) }
        self.kind = kind
        self.table = table
        paths = parser.paths
        conditions = document.conditions
        each = document.each
        fields = document.fields
        separator = document.separator
        looseRelations = document.looseRelations
    }

    /// The path of `each`, for messages.
    var eachText: String { each.map { paths[$0.path].text } ?? "" }

    /// - Throws: ``ImportFileError`` where a path can't be one of JSON.
    func requirePaths() throws(ImportFileError) {
        let wrong = paths.filter { $0.steps == nil }.map(\.text)
        guard wrong.isEmpty else {
            throw ImportFileError(line: 0, "no path into JSON: \(TableHeader.list(wrong)); put odd names in ['…']")
        }
    }
}

extension Mapping {
    func selects(_ row: some RowValues) throws(InputFaults) -> Bool {
        try Self.hold(conditions, in: row, at: "where")
    }

    func selectsElement(_ row: some RowValues) throws(InputFaults) -> Bool {
        try Self.hold(each?.conditions ?? [], in: row, at: "each.where")
    }

    private static func hold(
        _ conditions: [Condition], in row: some RowValues, at place: String
    ) throws(InputFaults) -> Bool {
        do throws(RuleFailure) {
            return try Condition.all(conditions).holds(in: row)
        } catch {
            throw InputFaults([InputFault(place, error.message)])
        }
    }

    /// - Throws: ``InputFaults`` where the row has nothing at the path of `each`.
    func elements(of row: ObjectRow) throws(InputFaults) -> RowElements {
        guard let each else {
            return RowElements(paths: paths, row: row.row, elements: [row.row], areCounted: false)
        }
        switch row.value(each.path) {
        case nil:
            throw InputFaults([InputFault("each", "the row has no '\(eachText)'; \"where\" can leave such rows out")])
        case .null:
            return RowElements(paths: paths, row: row.row, elements: [], areCounted: false)
        case .array(let elements):
            return RowElements(paths: paths, row: row.row, elements: elements, areCounted: true)
        case .some(let value):
            return RowElements(paths: paths, row: row.row, elements: [value], areCounted: false)
        }
    }

    /// - Throws: ``InputFaults`` with all that is wrong with the row.
    func record(from row: some RowValues) throws(InputFaults) -> RecordInput {
        var draft = RecordDraft(kind: kind, capacity: fields.count)
        for field in fields {
            let target = table.targets[field.target]
            do {
                guard var value = try field.rule.value(in: row) else { continue }
                if row.hasCells, case .string(let text) = value { value = try target.value(ofMapped: text) }
                draft.set(target, to: value)
            } catch let error as RuleFailure {
                draft.fail(target.pointer, error.message)
            } catch {
                draft.fail(target.pointer, "not JSON: \(error)")
            }
        }
        var input = try draft.finish()
        for index in input.references.indices { input.references[index].isLoose = looseRelations.contains(input.references[index].field) }
        return input
    }
}

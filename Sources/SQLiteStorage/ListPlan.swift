import Domain

/// A list as one SQL statement: what PostgREST calls the plan. Which index drives is decided here, not by SQLite's
/// statistics, so that a page costs what it costs on any data.
///
/// In the change order, each equality is a stream that its index gives sorted, several values are several streams
/// merged, and the full-text index is a stream too. A range has no such order: when few rows are in it they are
/// sorted, else the table is walked and tested. See `product.md` for what the orders promise.
struct ListPlan {
    /// One after the other, until the page is full.
    let parts: [SQLFragment]
    /// The column of the sort's value, where the order is not the change order.
    let sortColumn: Int?
    /// The first column of the tombstone's, where they are included.
    let tombstoneColumn: Int?
    /// The first column of each embedded record.
    let embedColumns: [Int]
}

/// What a plan asks before it is made.
protocol RowEstimating {
    /// How many rows a range or a value has, at most so many.
    func count(_ fragment: SQLFragment) throws -> Int64
    /// The rows' own keys, few of them.
    func changes(_ fragment: SQLFragment) throws -> [Int64]
}

/// Rows of one index in one order: a page is one of them, or several merged.
struct ListStream {
    var source: String
    var tests: [SQLFragment]
    /// The column of the change.
    var change = "t.change"
    /// The index gives the order, so that the page's own columns can be read as it goes.
    var isOrdered = true
    var isDistinct = false
    /// All rows have one value of the sort.
    var isLevel = false
}

struct ListPlanner {
    /// Up to so many rows are sorted rather than walked to.
    static let sortable: Int64 = 8_000

    let query: ListQuery
    let form: ListForm
    let layout: TableLayout
    let organization: OrganizationNumber
    /// Up to so many rows that a search finds are sorted, without a look at the next ones of the order.
    private let searchable: Int64
    let terms: [ListTerm]
    /// A part of the list: exclusive bounds of its keys.
    private var window: (low: Int64, high: Int64)?
    /// There are so few rows in the window that they are sorted.
    private var isSorted = false

    init(_ query: ListQuery, form: ListForm, organization: OrganizationNumber, searchable: Int64 = 20_000) {
        self.query = query
        self.searchable = searchable
        self.form = form
        self.organization = organization
        layout = .of(query.kind)
        terms = query.conditions.map { ListTerm($0, layout: .of(query.kind)) }.sorted { $0.rank.rawValue < $1.rank.rawValue }
    }

    /// A search for nothing that is a word finds nothing.
    var findsNothing: Bool {
        query.conditions.contains { if case .search(let query) = $0 { query.terms.isEmpty } else { false } }
    }

    func plan(estimating estimator: some RowEstimating) throws -> ListPlan {
        if query.sort.isByChange { return try assemble([changeStreams(estimator)]) }
        return try assemble(sortedStreams(estimator))
    }

    /// Tells plain walks apart, whose statements differ by nothing else: the kind, the direction, and how related records
    /// are given. Nil for any other list.
    var plainShape: Int? {
        guard query.conditions.isEmpty, query.ids == nil, !query.includeDeleted, query.sort.isByChange, query.createdAfter == nil,
            query.createdBefore == nil
        else { return nil }
        return form.embeds.reduce(Int(query.kind.rawValue) << 1 | (query.sort.descending ? 1 : 0)) { shape, embed in
            shape << 8 | Int(embed.form.kind.rawValue) << 4 | Int(embed.form.projection.rawValue)
        }
    }

    /// The values of a plain walk's statement.
    var plainValues: [SQLValue] { inBounds().values + [limit] }

    /// A plain walk whose rows are worth keeping (``RowCache``): forwards, and not so wide that it would push out all others.
    var isKept: Bool { !query.sort.descending && form.embeds.isEmpty && query.limit <= ListDefinition.defaultPage }

    // MARK: Bounds and tests

    /// Exclusive bounds of `change`; the walk's position counts where the order is the change order.
    func bounds(positioned: Bool) -> (low: Int64, high: Int64) {
        var low = Place.key(organization, 0) - 1
        var high = Place.key(organization, Place.mask) + 1
        // Nothing was changed before it was created.
        for after in [query.updatedAfter, query.includeDeleted ? nil : query.createdAfter].compactMap(\.self) {
            low = max(low, Place.key(organization, after) - 1)
        }
        if let before = query.updatedBefore { high = min(high, Place.key(organization, before)) }
        if positioned, let position = query.position, query.sort.isByChange {
            let key = Place.key(organization, position.updatedAt)
            if query.sort.descending { high = min(high, key) } else { low = max(low, key) }
        }
        if let window { (low, high) = (max(low, window.low), min(high, window.high)) }
        return (low, high)
    }

    /// The same list, of keys between two.
    func within(_ low: Int64, _ high: Int64, isSorted: Bool = false) -> ListPlanner {
        var part = self
        part.window = (low, high)
        part.isSorted = isSorted
        return part
    }

    /// The list's row under a key, the first value of the plan's one statement, if there is one: it is not tested.
    func rowByKey() throws -> ListPlan {
        try assemble([[ListStream(source: "\(layout.table) t NOT INDEXED", tests: [SQLFragment("t.change = ?", [.integer(0)])])]])
    }

    func inBounds(_ column: String = "t.change", positioned: Bool = true) -> SQLFragment {
        let bounds = bounds(positioned: positioned)
        return SQLFragment("\(column) > ? AND \(column) < ?", [.integer(bounds.low), .integer(bounds.high)])
    }

    var inOrganization: SQLFragment { SQLFragment("t.organization = ?", [.integer(organization.value)]) }

    /// The tests of every condition but the driver's.
    func tests(except driver: Int? = nil) -> [SQLFragment] {
        var tests = terms.enumerated().filter { $0.offset != driver && $0.element.test.text != "1" }.map(\.element.test)
        if let ids = query.ids { tests.append(isOneOf(ids)) }
        return tests + created
    }

    func isOneOf(_ ids: [ULID]) -> SQLFragment {
        SQLFragment("t.id IN (\(SQLFragment.marks(ids.count)))", ids.map(SQLValue.ulid))
    }

    private var created: [SQLFragment] {
        var tests: [SQLFragment] = []
        if let after = query.createdAfter { tests.append(SQLFragment("t.created_at >= ?", [SQLValue(after)])) }
        if let before = query.createdBefore { tests.append(SQLFragment("t.created_at < ?", [SQLValue(before)])) }
        return tests
    }

    /// What the full-text index is asked, all searching conditions in one.
    var match: (index: String, expression: SQLValue)? {
        let expressions = terms.compactMap { $0.match?(form.personal) }
        guard let index = layout.search, !expressions.isEmpty else { return nil }
        return (index, .text(expressions.joined(separator: " AND ")))
    }

    /// The search as a test of one row, where something else drives.
    var matchTests: [SQLFragment] {
        match.map {
            [SQLFragment("EXISTS (SELECT 1 FROM \($0.index) WHERE \($0.index) MATCH ? AND rowid = t.change)", [$0.expression])]
        } ?? []
    }

    var order: String { query.sort.descending ? " DESC" : "" }
    var limit: SQLValue { .integer(Int64(query.ids == nil ? query.limit + 1 : 101)) }

    private func driver(_ ranks: ListTerm.Rank...) -> Int? { terms.firstIndex { ranks.contains($0.rank) } }

    // MARK: Streams

    private func stream(index: String?, _ tests: [SQLFragment]) -> ListStream {
        let hint = index.map { "INDEXED BY \($0)" } ?? "NOT INDEXED"
        return ListStream(source: "\(layout.table) t \(hint)", tests: tests + [inBounds()])
    }

    private func searchStream(_ match: (index: String, expression: SQLValue), change: String = "f.rowid") -> ListStream {
        ListStream(
            source: "\(match.index) f CROSS JOIN \(layout.table) t ON t.change = f.rowid",
            tests: [SQLFragment("f.\(match.index) MATCH ?", [match.expression]), inBounds("f.rowid")] + tests(),
            change: change)
    }

    /// Of each job the candidates that applied, in the candidates' change order.
    private func applicantStreams(_ index: Int) -> [ListStream] {
        var jobs: [ULID] = []
        for case .appliedTo(let ids) in query.conditions { jobs = ids }
        return jobs.map { job in
            ListStream(
                source: """
                    applications a INDEXED BY applications_applicants
                    CROSS JOIN candidates t ON t.change = a.candidate_change
                    """,
                tests: [SQLFragment("a.job_id = ?", [.ulid(job)]), inBounds("a.candidate_change")] + tests(except: index),
                change: "a.candidate_change", isDistinct: true)
        }
    }

    /// Of each job its best matches' candidates, where those are few and no more than the job's applicants.
    private func scoredStreams(_ estimator: some RowEstimating) throws -> [ListStream]? {
        let index = query.conditions.firstIndex { if case .bestScore(_, let jobs) = $0 { !jobs.isEmpty } else { false } }
        guard let index, case .bestScore(let score, let jobs) = query.conditions[index] else { return nil }
        let matches = "matches m INDEXED BY matches_job_score"
        let tests = jobs.map { [SQLFragment("m.job_id = ?", [.ulid($0)]), SQLFragment("m.score >= ?", [.real(score)])] }
        let scored = try count(tests.map { ListStream(source: matches, tests: $0) }, atMost: Self.sortable, estimator)
        guard scored <= Self.sortable else { return nil }
        let applicants = jobs.map {
            ListStream(source: "applications a INDEXED BY applications_applicants", tests: [SQLFragment("a.job_id = ?", [.ulid($0)])])
        }
        guard try count(applicants, atMost: scored, estimator) >= scored else { return nil }
        return tests.map {
            ListStream(
                source: "\(matches) CROSS JOIN candidates t INDEXED BY candidates_id ON t.id = m.candidate_id",
                tests: $0 + [inBounds()] + self.tests(), isOrdered: false, isDistinct: true)
        }
    }

    /// In the change order.
    private func changeStreams(_ estimator: some RowEstimating) throws -> [ListStream] {
        if query.ids != nil { return [unordered(stream(index: "\(layout.table)_id", tests() + matchTests))] }
        if let index = driver(.relation) {
            return terms[index].streams.map { stream(index: $0.index, [$0.test] + tests(except: index) + matchTests) }
        }
        if let match { return [isSorted ? unordered(searchStream(match, change: "+f.rowid")) : searchStream(match)] }
        if let index = driver(.applied) { return try scoredStreams(estimator) ?? applicantStreams(index) }
        if let index = driver(.word, .choice) {
            return terms[index].streams.map { stream(index: $0.index, [$0.test] + tests(except: index)) }
        }
        if let index = try sortableRange(estimator) {
            return [unordered(stream(index: index, [inOrganization] + tests()))]
        }
        if let wholes = terms.compactMap(\.wholes).first { return wholeStreams(wholes) }
        return [stream(index: nil, tests())]
    }

    /// Of numbers from 0 to 100 with an index of their whole parts: those in the least one's own whole number, each asked,
    /// and all in the higher ones. Within each whole number the index has the change order, and SQLite leaves it as soon
    /// as the page has earlier rows.
    private func wholeStreams(_ wholes: (index: String, column: String, least: Double)) -> [ListStream] {
        let least = max(wholes.least, 0)
        let whole = "\(wholes.column) IS NOT NULL AND CAST(\(wholes.column) AS INTEGER)"
        let first = Int64(least.rounded(.up))
        let others = tests(except: terms.firstIndex { $0.wholes != nil })
        var streams = [
            stream(
                index: wholes.index,
                [
                    SQLFragment(
                        """
                        \(whole) IN (WITH RECURSIVE numbers(n) AS (VALUES(?) UNION ALL SELECT n + 1 FROM numbers WHERE n < 100)
                        SELECT n FROM numbers)
                        """, [.integer(first)])
                ] + others)
        ]
        if Double(first) > least {
            streams.append(stream(index: wholes.index, [SQLFragment("\(whole) = ?", [.integer(first - 1)])] + tests()))
        }
        return streams.map(unordered)
    }

    private func unordered(_ stream: ListStream) -> ListStream {
        var stream = stream
        stream.isOrdered = false
        return stream
    }

    /// In another order: from the index of the order, or from a narrow driver and sorted.
    private func sortedStreams(_ estimator: some RowEstimating) throws -> [[ListStream]] {
        if query.ids != nil { return [afterPosition([stream(index: "\(layout.table)_id", tests() + matchTests)])] }
        if let index = driver(.relation) {
            let scored = query.sort.field == "score"
            let streams = terms[index].streams.map { driver in
                stream(
                    index: scored ? "\(driver.index.dropLast(3))_score" : driver.index,
                    [driver.test] + tests(except: index) + matchTests)
            }
            return scored ? splitAtPosition(streams) : [afterPosition(streams)]
        }
        if let match {
            if try hasMany(match, estimator), let rows = try soonMet(match, estimator) { return [[rows]] }
            return [afterPosition([searchStream(match)])]
        }
        if let index = driver(.applied) { return try [afterPosition(scoredStreams(estimator) ?? applicantStreams(index))] }
        if let index = try sortableWord(estimator) {
            return [afterPosition(terms[index].streams.map { stream(index: $0.index, [$0.test] + tests(except: index)) })]
        }
        return splitAtPosition([stream(index: "\(layout.table)_\(query.sort.field)", [inOrganization] + tests())])
    }

    private func hasMany(_ match: (index: String, expression: SQLValue), _ estimator: some RowEstimating) throws -> Bool {
        let found =
            SQLFragment("SELECT count(*) FROM (SELECT 1 FROM \(match.index) f WHERE f.\(match.index) MATCH ? AND ", [match.expression])
            + inBounds("f.rowid") + " LIMIT \(searchable + 1))"
        return try estimator.count(found) > searchable
    }

    /// The page's own rows, where the next ones of the order's index have enough of them: what a search finds often is soon
    /// met, and to sort all that it finds takes far longer. Nil where it is not met among them.
    private func soonMet(_ match: (index: String, expression: SQLValue), _ estimator: some RowEstimating) throws -> ListStream? {
        let searches = query.conditions.contains { if case .search = $0 { true } else { false } }
        // Each skill is a test of the row already. What is found is looked up once: to ask the index for a row costs more,
        // and for a prefix as much as to ask it for all.
        let found = SQLFragment("k.change IN (SELECT rowid FROM \(match.index) WHERE \(match.index) MATCH ?)", [match.expression])
        let wanted = (searches ? [found] : []) + tests()
        let needed = query.limit + 1
        var changes: [Int64] = []
        for part in splitAtPosition([stream(index: "\(layout.table)_\(query.sort.field)", [inOrganization])]).flatMap(\.self) {
            var next = render(part, columns: "t.change AS change")
            next.values[next.values.count - 1] = .integer(Int64(min(24 * needed, 2_000)))
            changes += try estimator.changes(
                SQLFragment("SELECT k.change FROM (") + next + ") k CROSS JOIN \(layout.table) t ON t.change = k.change WHERE "
                    + .joined(wanted, by: " AND ") + " LIMIT \(needed - changes.count)")
            if changes.count == needed {
                let met = SQLFragment("t.change IN (\(SQLFragment.marks(needed)))", changes.map(SQLValue.integer))
                return unordered(ListStream(source: "\(layout.table) t NOT INDEXED", tests: [met]))
            }
        }
        return nil
    }

    /// What comes after the position: with the same sort value and a later change, or with a later sort value.
    func position() -> (same: SQLFragment, later: SQLFragment)? {
        guard let position = query.position else { return nil }
        let column = ListSortExpression.column(query.sort.field)
        let sign = query.sort.descending ? "<" : ">"
        let value = SQLValue(position.value)
        let change = SQLValue.integer(Place.key(organization, position.updatedAt))
        return (
            SQLFragment("\(column) = ? AND t.change \(sign) ?", [value, change]), SQLFragment("\(column) \(sign) ?", [value])
        )
    }

    /// Two ranges of each index that has the order: first what has the position's value, then what comes later.
    private func splitAtPosition(_ streams: [ListStream]) -> [[ListStream]] {
        guard let (same, later) = position() else { return [streams] }
        return [(same, true), (later, false)].map { test, isLevel in
            streams.map { stream in
                var part = stream
                part.tests.append(test)
                part.isLevel = isLevel
                return part
            }
        }
    }

    /// A test where the rows are sorted anyway.
    private func afterPosition(_ streams: [ListStream]) -> [ListStream] {
        streams.map { stream in
            var part = unordered(stream)
            if let (same, later) = position() { part.tests.append(SQLFragment("((") + same + ") OR " + later + ")") }
            return part
        }
    }

    // MARK: Estimates

    /// The index of a range that few enough rows are in to be sorted.
    private func sortableRange(_ estimator: some RowEstimating) throws -> String? {
        var ranges = terms.compactMap(\.range)
        if !created.isEmpty { ranges.append(("\(layout.table)_created_at", .joined(created, by: " AND "))) }
        for range in ranges where try fits(stream(index: range.index, [inOrganization, range.test]), estimator) {
            return range.index
        }
        return nil
    }

    /// A word or a choice that few enough rows have to be sorted.
    private func sortableWord(_ estimator: some RowEstimating) throws -> Int? {
        guard let index = driver(.word, .choice) else { return nil }
        let fit = try terms[index].streams.allSatisfy { try fits(stream(index: $0.index, [$0.test]), estimator) }
        return fit ? index : nil
    }

    private func fits(_ stream: ListStream, _ estimator: some RowEstimating) throws -> Bool {
        try count([stream], atMost: Self.sortable, estimator) <= Self.sortable
    }

    /// How many rows the streams have, or more than `most`.
    private func count(_ streams: [ListStream], atMost most: Int64, _ estimator: some RowEstimating) throws -> Int64 {
        try streams.reduce(0) { sum, stream in
            if sum > most { return sum }
            let rows =
                SQLFragment("SELECT count(*) FROM (SELECT 1 FROM \(stream.source) WHERE ")
                + .joined(stream.tests, by: " AND ") + " LIMIT \(most + 1))"
            return try sum + estimator.count(rows)
        }
    }
}

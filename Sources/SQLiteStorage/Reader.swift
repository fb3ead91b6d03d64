import Dispatch
import Domain
import GRDBSQLite
import SQLiteSetup

/// A read-only connection that steps its own statements: the hot path of every request.
///
/// Each call, from ``begin()`` to ``pause()``, reads one snapshot. The transaction stays open from one call to the next
/// for as long as nobody has committed: to begin and end one takes system calls under a lock that all connections of the
/// process share, which halved the pages of two event loops.
///
/// Used by one thread at a time, which ``ReaderPool`` sees to.
final class Reader: StoreReader {
    let connection: OpaquePointer
    let statements: StatementCache
    let signal: CommitSignal
    /// What was committed when the open transaction began; nil when none is open.
    private var snapshot: CommitSignal.Mark?
    /// When it began.
    private var began: UInt64 = 0
    /// A call was made since ``rest()`` last looked.
    private var isInUse = false
    /// What was committed when `counters` and `keys` were read.
    private var seen: CommitSignal.Mark?
    private var storedIdentity: UInt64?
    private var keyCounter: Int64 = -1
    private var counters: [OrganizationNumber: Int64] = [:]
    private var keys: [String: APIKey] = [:]
    private let patience = Patience()
    /// Whose personal data was written.
    var told: [ULID] = []
    /// The statements of plain walks, by ``ListPlanner/plainShape``.
    private var plain: [Int: (ListPlan, Statement)] = [:]

    /// When the call under way has to be done; SQLite asks every few thousand steps.
    private final class Patience {
        /// Longer than any query of the contract needs.
        static let nanoseconds: UInt64 = 10_000_000_000
        var deadline = UInt64.max
    }

    /// A call begins, of one snapshot: the last one's if that is still what is there.
    func begin() throws {
        let now = DispatchTime.now().uptimeNanoseconds
        patience.deadline = now + Patience.nanoseconds
        isInUse = true
        if !told.isEmpty { told = [] }
        // Taken before anything is read: what is read may be newer, never older.
        let mark = signal.mark
        guard mark != snapshot || now - began > Self.longestTransaction else { return }
        end()
        try statements("BEGIN").run()
        snapshot = mark
        began = now
    }

    /// A call ends. With a long journal the transaction does too, so that a checkpoint finds a moment without readers
    /// and the journal can begin anew.
    func pause() {
        if let snapshot, snapshot.frames > Self.shortJournal { end() }
    }

    /// Ends a transaction that is behind or unused: it would keep the journal from being cut. Called some ten times a
    /// second between calls.
    func rest() {
        if !isInUse || snapshot != signal.mark { end() }
        isInUse = false
    }

    /// Ends the transaction, in whatever state it is.
    func end() {
        guard snapshot != nil else { return }
        snapshot = nil
        // A failed COMMIT of a read leaves nothing behind but the transaction itself.
        do { try statements("COMMIT").run() } catch { sqlite3_exec(connection, "ROLLBACK", nil, nil, nil) }
    }

    /// Nanoseconds. A transaction that began after a checkpoint reads the file alone and leaves the journal free to be cut;
    /// one from before it would keep it for as long as requests come and nothing changes.
    private static let longestTransaction: UInt64 = 100_000_000
    /// Frames, of a page each: half of what starts a checkpoint.
    private static let shortJournal: UInt32 = 2_000

    /// - Parameter signal: the database's, where somebody has it already.
    init(path: String, signal known: CommitSignal? = nil) throws {
        connection = try Self.open(path, flags: SQLITE_OPEN_READONLY)
        statements = StatementCache(connection)
        // The first read opens the index that the signal looks at.
        try Statement(connection, "SELECT identity FROM store").run()
        signal = try known ?? CommitSignal(path: path)
        for pragma in ["cache_size = -8192", "mmap_size = 0", "temp_store = MEMORY", "query_only = 1"] {
            try statements("PRAGMA \(pragma)").run()
        }
        try SkillFunction.register(on: connection)
        // `patience` lives as long as the connection that it is registered with.
        sqlite3_progress_handler(
            connection, 20_000,
            { context in
                guard let context else { return 0 }
                let patience = Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue()
                return DispatchTime.now().uptimeNanoseconds > patience.deadline ? 1 : 0
            }, Unmanaged.passUnretained(patience).toOpaque())
    }

    deinit {
        end()
        statements.removeAll()
        sqlite3_close_v2(connection)
    }

    /// Done once, before the first connection of the process.
    static let setup: Int32 = hirewire_sqlite_setup()

    static func open(_ path: String, flags: Int32) throws -> OpaquePointer {
        _ = setup
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            let failure = SQLiteFailure(handle, code: code)
            sqlite3_close_v2(handle)
            throw failure
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5_000)
        return handle
    }

    /// Drops what was remembered when somebody has committed since.
    private func refresh() throws {
        guard let mark = snapshot, mark != seen else { return }
        seen = mark
        counters.removeAll(keepingCapacity: true)
        let counter = try statements("SELECT key_counter FROM store").first { $0.integer(0) } ?? 0
        if counter != keyCounter || keys.count > 10_000 {
            keys.removeAll(keepingCapacity: true)
            keyCounter = counter
        }
    }

    var identity: UInt64 {
        get throws {
            if let storedIdentity { return storedIdentity }
            let identity = try statements("SELECT identity FROM store").first { UInt64(bitPattern: $0.integer(0)) } ?? 0
            storedIdentity = identity
            return identity
        }
    }

    func changeCounter(of organization: OrganizationNumber) throws -> Int64 {
        try refresh()
        if let counter = counters[organization] { return counter }
        let counter =
            try statements("SELECT change_counter FROM organizations WHERE number = ?")
            .first([.integer(organization.value)]) { $0.integer(0) } ?? 0
        counters[organization] = counter
        return counter
    }

    func key(_ keyID: String) throws -> APIKey? {
        try refresh()
        if let key = keys[keyID] { return key }
        let key = try statements(KeyRows.select + " WHERE k.key_id = ?").first([.text(keyID)], KeyRows.key)
        if let key { keys[keyID] = key }
        return key
    }

    // MARK: Lists

    func list(
        _ query: ListQuery, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> ListEnd {
        let planner = ListPlanner(query, form: form, organization: organization)
        var end = try rows(planner, asOf: query.position?.asOf, into: &out)
        if query.countsExactly {
            end.total = planner.findsNothing ? 0 : try Int(planner.total().reduce(0) { try $0 + count($1) })
        }
        return end
    }

    private func rows(_ planner: ListPlanner, asOf: Timestamp?, into out: inout ByteWriter) throws -> ListEnd {
        let query = planner.query
        var end = ListEnd()
        end.asOf = try asOf ?? mark(of: query, planner.organization)
        if planner.findsNothing { return end }
        if let shape = planner.plainShape {
            let (plan, statement) = try plainWalk(planner, shape)
            var ranks: RankCounter?
            try write(statement, plan, planner, &ranks, &end, &out)
            return end
        }
        let plan = try planner.plan(estimating: self)
        var ranks = RankCounter(query: query, statements: statements)
        for part in plan.parts where !end.hasMore {
            let statement = try statements(part.text)
            try statement.bind(part.values)
            try write(statement, plan, planner, &ranks, &end, &out)
        }
        return end
    }

    /// Writes a bound statement's rows until the page is full.
    private func write(
        _ statement: Statement, _ plan: ListPlan, _ planner: ListPlanner, _ ranks: inout RankCounter?, _ end: inout ListEnd,
        _ out: inout ByteWriter
    ) throws {
        let (query, form) = (planner.query, planner.form)
        defer { statement.reset() }
        let source = RecordSource(statement)
        let most = query.ids == nil ? query.limit : 100
        while try statement.step() {
            if end.count == most {
                end.hasMore = query.ids == nil
                break
            }
            if end.count > 0 { out.append(byte: 0x2C) }
            end.count += 1
            if let dead = plan.tombstoneColumn, source.isNull(0) {
                let tombstone = Self.tombstone(statement, at: dead)
                form.record.writeTombstone(tombstone, to: &out)
                for embed in form.embeds {
                    out.append(embed.key)
                    out.append("null")
                }
                end.last = ListPosition(value: .null, updatedAt: tombstone.updatedAt, asOf: end.asOf)
            } else {
                let rank = try ranks?.rank(source)
                end.hidExternalID = form.record.write(source, rank: rank, to: &out) || end.hidExternalID
                if let column = form.toldColumn, !source.isNull(column) { told.append(source.ulid(column)) }
                for (embed, column) in zip(form.embeds, plan.embedColumns) {
                    end.hidExternalID = Self.write(embed, statement, at: column, into: &out) || end.hidExternalID
                }
                if end.count == most { end.last = position(source, plan, query, end.asOf) }
            }
            out.append(byte: 0x7D)
        }
    }

    /// The statement of a plain walk, bound; kept by its shape, so that no SQL is written for it again.
    private func plainWalk(_ planner: ListPlanner, _ shape: Int) throws -> (ListPlan, Statement) {
        if let (plan, statement) = plain[shape] {
            try statement.bind(planner.plainValues)
            return (plan, statement)
        }
        let plan = try planner.plan(estimating: self)
        let statement = try statements(plan.parts[0].text)
        plain[shape] = (plan, statement)
        try statement.bind(plan.parts[0].values)
        return (plan, statement)
    }

    private static func tombstone(_ statement: Statement, at column: Int) -> Tombstone {
        let row = StatementRow(handle: statement.handle, base: Int32(column))
        return Tombstone(
            id: row.ulid(0), version: row.integer(1), updatedAt: Place.time(row.integer(2)), deletedAt: row.time(3))
    }

    private static func write(
        _ embed: ListForm.Embed, _ statement: Statement, at column: Int, into out: inout ByteWriter
    ) -> Bool {
        out.append(embed.key)
        let row = RecordSource(statement, base: column)
        if row.isNull(0) {
            out.append("null")
            return false
        }
        let hidden = embed.form.write(row, to: &out)
        out.append(byte: 0x7D)
        return hidden
    }

    private func position(_ source: RecordSource, _ plan: ListPlan, _ query: ListQuery, _ asOf: Timestamp) -> ListPosition {
        var value = FieldValue.null
        if let column = plan.sortColumn {
            switch query.sort.field {
            case "score": value = .number(source.row.number(column))
            case "full_name", "title": value = .text(source.row.string(column))
            default: value = .time(source.row.time(column))
            }
        }
        return ListPosition(value: value, updatedAt: source.time(4), asOf: asOf)
    }

    /// Just after the kind's last `updated_at` in this snapshot.
    private func mark(of query: ListQuery, _ organization: OrganizationNumber) throws -> Timestamp {
        let last = try statements("SELECT last FROM clocks WHERE organization = ? AND kind = ?")
            .first([.integer(organization.value), .integer(Int64(query.kind.rawValue))]) { $0.integer(0) }
        let mark = Timestamp(microseconds: last.map { $0 + 1 } ?? Place.epoch)
        return query.updatedBefore.map { min($0, mark) } ?? mark
    }

    // MARK: Single records

    func record(
        _ id: RecordID, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> Lookup {
        let layout = TableLayout.of(id.kind)
        // The bounds keep another organization's row as unknown as none: both are told by the index alone.
        let bounds: [SQLValue] = [
            .ulid(id.ulid), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
        ]
        let change = try statements("SELECT change FROM \(layout.table) WHERE id = ? AND change BETWEEN ? AND ?")
            .first(bounds) { $0.integer(0) }
        guard let change else {
            let dead = try statements("SELECT 1 FROM tombstones WHERE kind = ? AND id = ? AND change BETWEEN ? AND ?")
                .first([.integer(Int64(id.kind.rawValue))] + bounds) { _ in true }
            return dead == nil ? .missing : .deleted
        }
        return try write(layout, change, form, into: &out)
    }

    private func write(_ layout: TableLayout, _ change: Int64, _ form: ListForm, into out: inout ByteWriter) throws -> Lookup {
        var columns = [TableLayout.columns(of: layout.kind, form.record.projection, "t")]
        var width = TableLayout.columnCount(of: layout.kind, form.record.projection)
        var joins = ""
        var places: [Int] = []
        for embed in form.embeds {
            let alias = "e_\(embed.form.kind.singular)"
            columns.append(TableLayout.columns(of: embed.form.kind, embed.form.projection, alias))
            joins += " LEFT JOIN \(embed.form.kind.plural) \(alias) ON \(alias).id = t.\(embed.field)"
            places.append(width)
            width += TableLayout.columnCount(of: embed.form.kind, embed.form.projection)
        }
        let sql = "SELECT \(columns.joined(separator: ", ")) FROM \(layout.table) t\(joins) WHERE t.change = ?"
        let statement = try statements(sql)
        defer { statement.reset() }
        try statement.bind([.integer(change)])
        guard try statement.step() else { return .missing }
        let source = RecordSource(statement)
        var hidden = form.record.write(source, to: &out)
        if let column = form.toldColumn, !source.isNull(column) { told.append(source.ulid(column)) }
        for (embed, place) in zip(form.embeds, places) {
            hidden = Self.write(embed, statement, at: place, into: &out) || hidden
        }
        return .found(hidExternalID: hidden)
    }

    func resume(_ candidate: ULID, of organization: OrganizationNumber) throws -> (lookup: Lookup, file: ResumeFile?) {
        var none = ByteWriter(capacity: 64)
        let form = ListForm(kind: .candidate, personal: false, only: [])
        let lookup = try record(RecordID(kind: .candidate, ulid: candidate), of: organization, form: form, into: &none)
        guard case .found = lookup else { return (lookup, nil) }
        let file = try statements(
            """
            SELECT c.resume_file_name, c.resume_media_type, r.bytes FROM resumes r
            JOIN candidates c ON c.id = r.candidate_id WHERE r.candidate_id = ?
            """
        ).first([.ulid(candidate)]) { row in
            ResumeFile(fileName: row.optionalString(0), mediaType: row.optionalString(1), bytes: row.blob(2))
        }
        return (lookup, file)
    }
}

extension Reader: RowEstimating {
    func count(_ fragment: SQLFragment) throws -> Int64 {
        try statements(fragment.text).first(fragment.values) { $0.integer(0) } ?? 0
    }
}

/// Ranks matches within their job: one more than the number of matches with a better score.
///
/// Counts only what lies between a score and the nearest better one that is known already, so that a page costs at
/// most one pass over the job's better scores.
private struct RankCounter {
    private let statements: StatementCache
    private var known: [ULID: [(score: Double, rank: Int64)]] = [:]

    /// Nil where a list gives no ranks.
    init?(query: ListQuery, statements: StatementCache) {
        let byJob = query.conditions.contains { if case .equals("job_id", _) = $0 { true } else { false } }
        guard query.kind == .match, byJob else { return nil }
        self.statements = statements
    }

    private static let columns: (job: Int, score: Int) = {
        let schema = RecordKind.match.schema
        let base = Projection.heading.count
        return (base + schema.position("job_id"), base + schema.position("score"))
    }()

    mutating func rank(_ row: RecordSource) throws -> Int64 {
        let (job, score) = (row.ulid(Self.columns.job), row.number(Self.columns.score))
        var ranks = known[job] ?? []
        // Best first; the last one that is not worse.
        let index = ranks.firstIndex { $0.score < score } ?? ranks.count
        if index > 0, ranks[index - 1].score == score { return ranks[index - 1].rank }
        let better = index > 0 ? ranks[index - 1] : (score: Double.infinity, rank: 1)
        let between =
            try statements("SELECT count(*) FROM matches WHERE job_id = ? AND score > ? AND score <= ?")
            .first([.ulid(job), .real(score), .real(better.score)]) { $0.integer(0) } ?? 0
        let rank = better.rank + between
        ranks.insert((score, rank), at: index)
        known[job] = ranks
        return rank
    }
}

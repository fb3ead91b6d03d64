import Domain

/// The open transaction of a write: records, their tombstones, index entries, events and deliveries,
/// committed together.
///
/// A change is refused (``InputFaults``) before anything of it is written, so that the transaction can go on; whatever
/// fails after that ends the whole transaction. There is no savepoint for each change: at each, SQLite's full-text index
/// writes out what it has gathered, which made an import eleven times as many pages.
///
/// New rows wait until there are some to write together, or somebody asks for a statement that could miss them.
final class RecordWriter: StoreWriter {
    /// For statements that do not read what may wait.
    let direct: StatementCache
    /// For all others.
    var statements: StatementCache {
        get throws {
            try flush()
            try outbox.flush()
            return direct
        }
    }
    let time: any TimeSource
    let newID: (Timestamp) -> ULID
    let outbox: OutboxWriter
    private var tallies: [Tally] = []
    /// Ids that `external_id`s were found to have.
    var resolved: [Named: ULID] = [:]
    /// Candidates and jobs as they are now, for the events that tell of them briefly.
    var relatives: [ULID: Record] = [:]
    /// New records of one kind that wait.
    private let records = RowBatch()
    private var waitingKind: RecordKind?
    let events = RowBatch()
    /// The best scores of candidates that wait.
    var scores: [ULID: Double] = [:]
    /// What waits for the full-text indices: to the end, for at each statement that writes many rows they write out what
    /// they have gathered.
    private var searches: [(kind: RecordKind, change: Int64, text: [UInt8])] = []
    private var searchBytes = 0
    private(set) var hasWrittenSearches = false { didSet { outbox.hasWrittenSearches = hasWrittenSearches } }
    /// They take some 50 ms; more would put off the work too far for who watches how long a transaction takes.
    private static let mostSearchBytes = 1 << 20

    /// What is counted for an organization: loaded once, and stored at the end.
    final class Tally {
        let organization: OrganizationNumber
        /// The last `updated_at` given, by kind.
        var clocks = [Timestamp?](repeating: nil, count: RecordKind.allCases.count)
        /// The last event's.
        var sequence: Int64?
        var isChanged = false
        /// Whether there is any tombstone of a kind, so that a first import looks for none at every row.
        var hasTombstones = [Bool?](repeating: nil, count: RecordKind.allCases.count)

        init(_ organization: OrganizationNumber) { self.organization = organization }
    }

    init(
        statements: StatementCache, time: any TimeSource, rendering: (any DeliveryRendering)?,
        newID: @escaping (Timestamp) -> ULID
    ) {
        direct = statements
        self.time = time
        self.newID = newID
        outbox = OutboxWriter(statements: statements, time: time, rendering: rendering, newID: newID)
    }

    /// Writes the rows that wait.
    func flush() throws {
        if let kind = waitingKind {
            waitingKind = nil
            let layout = TableLayout.of(kind)
            try records.write(
                together: !hasWrittenSearches, one: { try direct(.insert, of: kind) { layout.insert } },
                all: { try direct(.insertAll, of: kind) { layout.insertAll } })
        }
        if events.count > 0 {
            try events.write(
                together: !hasWrittenSearches, one: { try direct(.event) { Self.insertEvent } },
                all: { try direct(.events) { Self.insertEvents } })
        }
        if !scores.isEmpty { try flushScores() }
    }

    private func flushSearches() throws {
        guard !searches.isEmpty else { return }
        hasWrittenSearches = true
        for (kind, change, text) in searches {
            try SearchIndex.add(text, at: change, layout: TableLayout.of(kind), statements: direct)
        }
        searches = []
        searchBytes = 0
    }

    /// Writes all that waits, the entries of the full-text indices too.
    func settle() throws {
        try flush()
        try outbox.flush()
        try flushSearches()
    }

    /// Stores what the transaction owes and has counted. Called once, before the commit.
    func finish() throws {
        try settle()
        for tally in tallies {
            let organization = SQLValue.integer(tally.organization.value)
            for kind in RecordKind.allCases {
                guard let last = tally.clocks[kind.index] else { continue }
                try direct("INSERT OR REPLACE INTO clocks (organization, kind, last) VALUES (?, ?, ?)")
                    .run([organization, .integer(Int64(kind.rawValue)), SQLValue(last)])
            }
            if let sequence = tally.sequence {
                try direct("UPDATE organizations SET event_sequence = ? WHERE number = ?").run([.integer(sequence), organization])
            }
            if tally.isChanged {
                try direct("UPDATE organizations SET change_counter = change_counter + 1 WHERE number = ?").run([organization])
            }
        }
    }

    func tally(of organization: OrganizationNumber) -> Tally {
        if let tally = tallies.last, tally.organization == organization { return tally }
        let index = tallies.firstIndex { $0.organization == organization }
        // The one that is asked for again and again is the last.
        let tally = index.map { tallies.remove(at: $0) } ?? Tally(organization)
        tallies.append(tally)
        return tally
    }

    // MARK: Changing

    func apply(
        _ input: RecordInput, in organization: Organization, options: ChangeOptions, refusal: () throws -> String?
    ) throws -> ChangeOutcome {
        let stored = try input.externalID.map { try find(.externalID($0), of: input.kind, in: organization.number) }
        return try apply(input, to: stored ?? .missing, in: organization, options, refusal: refusal)
    }

    func apply(
        _ input: RecordInput, to stored: Stored, in organization: Organization, options: ChangeOptions
    ) throws -> ChangeOutcome { try apply(input, to: stored, in: organization, options) { nil } }

    private func apply(
        _ input: RecordInput, to stored: Stored, in organization: Organization, _ options: ChangeOptions,
        refusal: () throws -> String?
    ) throws -> ChangeOutcome {
        switch stored {
        case .living(let existing): try update(existing, by: input, in: organization, options, refusal: refusal)
        case .deleted(let buried): try create(input, reviving: buried, in: organization, options)
        case .missing: try create(input, reviving: nil, in: organization, options)
        }
    }

    func change(
        _ id: RecordID, by input: RecordInput, in organization: Organization, options: ChangeOptions
    ) throws -> ChangeOutcome? {
        guard let change = try place(of: id, in: organization.number), let existing = try load(id.kind, change) else { return nil }
        return try update(existing, by: input, in: organization, options)
    }

    private func create(
        _ given: RecordInput, reviving revived: Buried?, in organization: Organization, _ options: ChangeOptions
    ) throws -> ChangeOutcome {
        let input = try resolve(given, in: organization.number)
        let values = try RecordChange.values(
            of: nil, after: input, mode: options.mode, wasCompleted: wasCompleted(input.kind, revived?.recordID.ulid))
        let layout = TableLayout.of(input.kind)
        let now = try tick(input.kind, organization.number)
        if let revived { try remove(revived, in: organization.number) }
        let record = Record(
            kind: input.kind, id: revived?.recordID.ulid ?? newID(now), externalID: input.externalID,
            version: (revived?.version ?? 0) + 1, createdAt: revived?.createdAt ?? now, updatedAt: now, values: values)
        let key = Place.key(organization.number, now)
        if waitingKind != record.kind { try flush() }
        try append(record, key, layout, organization.number, to: records)
        waitingKind = record.kind
        if records.isFull { try flush() }
        try index(record, at: key, layout)
        if let externalID = record.externalID {
            resolved[Named(organization: organization.number, kind: input.kind, externalID: externalID)] = record.id
        }
        try finishChange(before: nil, after: record, input: input, in: organization, options)
        return .created(record)
    }

    private func update(
        _ existing: Record, by given: RecordInput, in organization: Organization, _ options: ChangeOptions,
        refusal: () throws -> String? = { nil }
    ) throws -> ChangeOutcome {
        let input = try resolve(given, in: organization.number)
        let values = try RecordChange.values(
            of: existing, after: input, mode: options.mode, wasCompleted: wasCompleted(existing.kind, existing.id))
        let externalID = input.externalID ?? existing.externalID
        let keepsName = FieldValue.text(externalID ?? "").isUnchanged(from: .text(existing.externalID ?? ""))
        if keepsName, RecordChange.isUnchanged(existing.values, values), try resumeIsUnchanged(existing, input) {
            return .unchanged(existing)
        }
        if let reason = try refusal() { throw InputFaults([InputFault("", reason)]) }
        if !keepsName, let externalID, try find(kind: input.kind, externalID: externalID, in: organization.number) != nil {
            throw InputFaults([InputFault("/external_id", "another \(input.kind.singular) has it")])
        }
        let layout = TableLayout.of(input.kind)
        var record = existing
        record.values = values
        record.externalID = externalID
        record.version += 1
        record.updatedAt = try tick(input.kind, organization.number)
        let (old, new) = (Place.key(organization.number, existing.updatedAt), Place.key(organization.number, record.updatedAt))
        try unindex(existing, at: old, layout)
        let row = RowBatch()
        try append(record, new, layout, organization.number, to: row)
        row.append(old)
        try flush()
        try row.write(by: direct(.update, of: layout.kind) { layout.update })
        if !keepsName { rename(record, from: existing.externalID, in: organization.number) }
        try index(record, at: new, layout)
        try finishChange(before: existing, after: record, input: input, in: organization, options)
        return .updated(record)
    }

    /// What a record was named no longer names it, in this transaction either.
    private func rename(_ record: Record, from old: String?, in organization: OrganizationNumber) {
        if let old { resolved[Named(organization: organization, kind: record.kind, externalID: old)] = nil }
        guard let new = record.externalID else { return }
        resolved[Named(organization: organization, kind: record.kind, externalID: new)] = record.id
    }

    private func finishChange(
        before: Record?, after: Record, input: RecordInput, in organization: Organization, _ options: ChangeOptions
    ) throws {
        noteChange(in: organization.number)
        if !options.isHistory { remember(after) } else if !relatives.isEmpty { relatives[after.id] = nil }
        if after.kind == .candidate { try keepResume(input.resume, before: before, after: after) }
        if after.kind == .match { try keepBestScore(before: before, after: after) }
        guard !options.isHistory else { return }
        let drafts = EventRules.events(
            before: before, after: after, threshold: organization.matchThreshold, reason: options.reason)
        for draft in drafts { try write(draft, at: after.updatedAt, in: organization) }
    }

    private func append(
        _ record: Record, _ key: Int64, _ layout: TableLayout, _ organization: OrganizationNumber, to rows: RowBatch
    ) throws {
        let applicant =
            record.kind == .application ? try record.reference("candidate_id").flatMap { try change(of: $0, in: organization) } : nil
        rows.begin(columns: layout.columnCount)
        rows.append(key)
        rows.append(organization.value)
        rows.append(record.id)
        rows.append(record.externalID)
        rows.append(record.version)
        rows.append(record.createdAt)
        for value in record.values { rows.append(value) }
        for index in layout.folded {
            if case .text(let text) = record.values[index] { rows.append(folded(text)) } else { rows.append() }
        }
        guard record.kind == .application else { return }
        if let applicant { rows.append(applicant) } else { rows.append() }
    }

    private func change(of candidate: ULID, in organization: OrganizationNumber) throws -> Int64? {
        if let known = relatives[candidate] { return Place.key(organization, known.updatedAt) }
        return try seeing(.candidate)(.applicant) { "SELECT change FROM candidates WHERE id = ?" }
            .first([.ulid(candidate)]) { $0.integer(0) }
    }

    private func index(_ record: Record, at key: Int64, _ layout: TableLayout) throws {
        guard layout.search != nil else { return }
        let text = SearchIndex.text(record)
        searches.append((record.kind, key, text))
        searchBytes += text.count
        if searchBytes >= Self.mostSearchBytes { try flushSearches() }
    }

    /// Takes a record out of the full-text index.
    func unindex(_ record: Record, at key: Int64, _ layout: TableLayout) throws {
        guard layout.search != nil else { return }
        // It may wait to get there.
        try flush()
        try flushSearches()
        hasWrittenSearches = true
        try SearchIndex.remove(record, at: key, layout: layout, statements: direct)
    }

    // MARK: Looking up

    /// For statements that read the records of one kind by their ids or places.
    func seeing(_ kind: RecordKind) throws -> StatementCache {
        if waitingKind == kind { try flush() }
        return direct
    }

    func place(of id: RecordID, in organization: OrganizationNumber) throws -> Int64? {
        let place = try seeing(id.kind)(.place, of: id.kind) {
            "SELECT change FROM \(TableLayout.of(id.kind).table) WHERE id = ? AND change BETWEEN ? AND ?"
        }
        return try place.first([
            .ulid(id.ulid), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
        ]) { $0.integer(0) }
    }

    func load(_ kind: RecordKind, _ change: Int64) throws -> Record? {
        let statement = try seeing(kind)(.load, of: kind) { TableLayout.of(kind).selectByChange }
        return try statement.first([.integer(change)]) { _ in RecordSource(statement).record(kind) }
    }

    func find(kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> Record? {
        // Of those that wait, each has its name among the known ones.
        if waitingKind == kind, resolved[Named(organization: organization, kind: kind, externalID: externalID)] != nil { try flush() }
        let find = try direct(.find, of: kind) {
            "SELECT change FROM \(TableLayout.of(kind).table) WHERE organization = ? AND external_id = ?"
        }
        let change = try find.first([.integer(organization.value), .text(externalID)]) { $0.integer(0) }
        return try change.flatMap { try load(kind, $0) }
    }

    func noteChange(in organization: OrganizationNumber) { tally(of: organization).isChanged = true }

    // MARK: Time

    /// The next `updated_at`: now, or just after the last one given.
    func tick(_ kind: RecordKind, _ organization: OrganizationNumber) throws -> Timestamp {
        let tally = tally(of: organization)
        let last =
            try tally.clocks[kind.index]
            ?? direct("SELECT last FROM clocks WHERE organization = ? AND kind = ?")
            .first([.integer(organization.value), .integer(Int64(kind.rawValue))]) { $0.time(0) }
        let now = max(time.now, Place.earliest)
        let next = max(now, last.map { Timestamp(microseconds: $0.microseconds + 1) } ?? now)
        guard next <= Place.latest else { throw StoreError.unavailable("the clock is past \(Place.latest)") }
        tally.clocks[kind.index] = next
        return next
    }
}

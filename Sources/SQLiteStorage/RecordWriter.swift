import Domain

/// The open transaction of a write: records, their tombstones, index entries, events and deliveries,
/// committed together.
///
/// A change is refused (``InputFaults``) before anything of it is written, so that the transaction can go on; whatever
/// fails after that ends the whole transaction. There is no savepoint for each change: at each, SQLite's full-text index
/// writes out what it has gathered, which made an import eleven times as many pages.
final class RecordWriter: StoreWriter {
    let statements: StatementCache
    let time: any TimeSource
    let newID: (Timestamp) -> ULID
    let outbox: OutboxWriter
    /// The last `updated_at` given, by organization and kind, loaded once and stored at the end.
    private var clocks: [Scope: Timestamp] = [:]
    /// The last event's sequence, likewise.
    var sequences: [OrganizationNumber: Int64] = [:]
    private var changed: Set<OrganizationNumber> = []
    /// Ids that `external_id`s were found to have.
    var resolved: [Named: ULID] = [:]
    /// Whether there is any tombstone, so that a first import looks for none at every row.
    var hasTombstones: [Scope: Bool] = [:]
    /// Candidates and jobs as they are now, for the events that tell of them briefly.
    var relatives: [ULID: Record] = [:]

    /// The records of one kind of an organization.
    struct Scope: Hashable {
        let organization: OrganizationNumber
        let kind: RecordKind
    }

    init(
        statements: StatementCache, time: any TimeSource, rendering: (any DeliveryRendering)?,
        newID: @escaping (Timestamp) -> ULID
    ) {
        self.statements = statements
        self.time = time
        self.newID = newID
        outbox = OutboxWriter(statements: statements, time: time, rendering: rendering, newID: newID)
    }

    /// Stores what the transaction owes and has counted. Called once, before the commit.
    func finish() throws {
        try outbox.flush()
        for (scope, last) in clocks {
            try statements("INSERT OR REPLACE INTO clocks (organization, kind, last) VALUES (?, ?, ?)")
                .run([.integer(scope.organization.value), .integer(Int64(scope.kind.rawValue)), SQLValue(last)])
        }
        for (organization, sequence) in sequences {
            try statements("UPDATE organizations SET event_sequence = ? WHERE number = ?")
                .run([.integer(sequence), .integer(organization.value)])
        }
        for organization in changed {
            try statements("UPDATE organizations SET change_counter = change_counter + 1 WHERE number = ?")
                .run([.integer(organization.value)])
        }
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
        try statements(.insert, of: layout.kind) { layout.insert }.run(row(record, key, layout, organization.number))
        try SearchIndex.add(record, at: key, layout: layout, statements: statements)
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
        try SearchIndex.remove(existing, at: old, layout: layout, statements: statements)
        try statements(layout.update).run(row(record, new, layout, organization.number) + [.integer(old)])
        try SearchIndex.add(record, at: new, layout: layout, statements: statements)
        try finishChange(before: existing, after: record, input: input, in: organization, options)
        return .updated(record)
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

    private func row(_ record: Record, _ key: Int64, _ layout: TableLayout, _ organization: OrganizationNumber) throws -> [SQLValue] {
        var values: [SQLValue] = []
        values.reserveCapacity(7 + record.values.count + layout.folded.count)
        values += [
            .integer(key), .integer(organization.value), .ulid(record.id), SQLValue(record.externalID),
            .integer(record.version), SQLValue(record.createdAt),
        ]
        for value in record.values { values.append(SQLValue(value)) }
        for index in layout.folded {
            if case .text(let text) = record.values[index] { values.append(.text(folded(text))) } else { values.append(.null) }
        }
        if record.kind == .application, let candidate = record.reference("candidate_id") {
            values.append(try change(of: candidate, in: organization).map(SQLValue.integer) ?? .null)
        }
        return values
    }

    private func change(of candidate: ULID, in organization: OrganizationNumber) throws -> Int64? {
        if let known = relatives[candidate] { return Place.key(organization, known.updatedAt) }
        return try statements(.applicant) { "SELECT change FROM candidates WHERE id = ?" }.first([.ulid(candidate)]) { $0.integer(0) }
    }

    // MARK: Looking up

    func place(of id: RecordID, in organization: OrganizationNumber) throws -> Int64? {
        let place = try statements(.place, of: id.kind) {
            "SELECT change FROM \(TableLayout.of(id.kind).table) WHERE id = ? AND change BETWEEN ? AND ?"
        }
        return try place.first([
            .ulid(id.ulid), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
        ]) { $0.integer(0) }
    }

    func load(_ kind: RecordKind, _ change: Int64) throws -> Record? {
        let statement = try statements(.load, of: kind) { TableLayout.of(kind).selectByChange }
        return try statement.first([.integer(change)]) { _ in RecordSource(statement).record(kind) }
    }

    func find(kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> Record? {
        let find = try statements(.find, of: kind) {
            "SELECT change FROM \(TableLayout.of(kind).table) WHERE organization = ? AND external_id = ?"
        }
        let change = try find.first([.integer(organization.value), .text(externalID)]) { $0.integer(0) }
        return try change.flatMap { try load(kind, $0) }
    }

    func noteChange(in organization: OrganizationNumber) { changed.insert(organization) }

    // MARK: Time

    /// The next `updated_at`: now, or just after the last one given.
    func tick(_ kind: RecordKind, _ organization: OrganizationNumber) throws -> Timestamp {
        let scope = Scope(organization: organization, kind: kind)
        let last =
            try clocks[scope]
            ?? statements("SELECT last FROM clocks WHERE organization = ? AND kind = ?")
            .first([.integer(organization.value), .integer(Int64(kind.rawValue))]) { $0.time(0) }
        let now = max(time.now, Place.earliest)
        let next = max(now, last.map { Timestamp(microseconds: $0.microseconds + 1) } ?? now)
        guard next <= Place.latest else { throw StoreError.unavailable("the clock is past \(Place.latest)") }
        clocks[scope] = next
        return next
    }
}

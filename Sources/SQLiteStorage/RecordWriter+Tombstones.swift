import Domain

/// What is left of deleted records, and what is still known of them.
extension RecordWriter {
    /// Leaves a tombstone in the record's stead, a version on.
    func leaveTombstone(of record: Record, at now: Timestamp, in organization: OrganizationNumber, erasing: Bool) throws {
        tally(of: organization).hasTombstones[record.kind.index] = true
        try statements(
            """
            INSERT INTO tombstones (kind, change, id, external_id, version, created_at, deleted_at, erased, candidate_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(Int64(record.kind.rawValue)), .integer(Place.key(organization, now)), .ulid(record.id),
            erasing ? .null : SQLValue(record.externalID), .integer(record.version + 1), SQLValue(record.createdAt),
            SQLValue(now), .integer(erasing ? 1 : 0), record.reference("candidate_id").map(SQLValue.ulid) ?? .null,
        ])
    }

    /// The tombstone that an `external_id` revives.
    func tombstone(of kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> Buried? {
        guard try hasTombstones(of: kind, in: organization) else { return nil }
        return try tombstone(of: kind, is: .text(externalID), in: organization) {
            try direct(.tombstone) { Self.tombstone(where: "external_id") }
        }
    }

    private func hasTombstones(of kind: RecordKind, in organization: OrganizationNumber) throws -> Bool {
        let tally = tally(of: organization)
        if let known = tally.hasTombstones[kind.index] { return known }
        let some =
            try direct("SELECT 1 FROM tombstones WHERE kind = ? AND change BETWEEN ? AND ? LIMIT 1").first([
                .integer(Int64(kind.rawValue)), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
            ]) { _ in true } ?? false
        tally.hasTombstones[kind.index] = some
        return some
    }

    func tombstone(of id: RecordID, in organization: OrganizationNumber) throws -> Buried? {
        try tombstone(of: id.kind, is: .ulid(id.ulid), in: organization) { try statements(Self.tombstone(where: "id")) }
    }

    private static func tombstone(where column: String) -> String {
        """
        SELECT id, version, created_at, change FROM tombstones
        WHERE kind = ? AND \(column) = ? AND change BETWEEN ? AND ?
        """
    }

    private func tombstone(
        of kind: RecordKind, is value: SQLValue, in organization: OrganizationNumber, by statement: () throws -> Statement
    ) throws -> Buried? {
        try statement().first([
            .integer(Int64(kind.rawValue)), value, .integer(Place.key(organization, 0)),
            .integer(Place.key(organization, Place.mask)),
        ]) { row in
            Buried(
                recordID: RecordID(kind: kind, ulid: row.ulid(0)), version: row.integer(1), createdAt: row.time(2),
                deletedAt: Place.time(row.integer(3)))
        }
    }

    func remove(_ buried: Buried, in organization: OrganizationNumber) throws {
        try statements("DELETE FROM tombstones WHERE kind = ? AND change = ?").run([
            .integer(Int64(buried.recordID.kind.rawValue)), .integer(Place.key(organization, buried.deletedAt)),
        ])
    }

    /// Whether an interview was completed at some time and no longer says so itself, see ``Schema/remains``.
    func wasCompleted(_ kind: RecordKind, _ id: ULID?) throws -> Bool {
        guard kind == .interview, let id else { return false }
        return try statements("SELECT 1 FROM once_completed WHERE interview_id = ?").first([.ulid(id)]) { _ in true } ?? false
    }

    /// Takes from the tombstones of a candidate, and of all that was ever deleted of it, what could name them: no later
    /// import revives their ids.
    func eraseTombstones(of candidate: ULID) throws {
        let id = SQLValue.ulid(candidate)
        try statements("UPDATE tombstones SET external_id = NULL, erased = 1 WHERE kind = ? AND id = ?")
            .run([.integer(Int64(RecordKind.candidate.rawValue)), id])
        try statements(
            "DELETE FROM once_completed WHERE interview_id IN (SELECT id FROM tombstones WHERE kind = ? AND candidate_id = ?)"
        ).run([.integer(Int64(RecordKind.interview.rawValue)), id])
        try statements("UPDATE tombstones SET external_id = NULL, erased = 1, candidate_id = NULL WHERE candidate_id = ?").run([id])
    }
}

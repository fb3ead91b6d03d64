import Domain

/// What is left of deleted records, and what is still known of them.
extension RecordWriter {
    struct Buried {
        let id: ULID
        let version: Int64
        let createdAt: Timestamp
        let change: Int64
    }

    /// Leaves a tombstone in the record's stead, a version on.
    func leaveTombstone(of record: Record, at now: Timestamp, in organization: OrganizationNumber, erasing: Bool) throws {
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

    /// The tombstone that the input's `external_id` revives.
    func tombstone(of input: RecordInput, in organization: OrganizationNumber) throws -> Buried? {
        guard let externalID = input.externalID else { return nil }
        return try statements(
            """
            SELECT id, version, created_at, change FROM tombstones
            WHERE kind = ? AND external_id = ? AND change BETWEEN ? AND ?
            """
        ).first([
            .integer(Int64(input.kind.rawValue)), .text(externalID), .integer(Place.key(organization, 0)),
            .integer(Place.key(organization, Place.mask)),
        ]) { Buried(id: $0.ulid(0), version: $0.integer(1), createdAt: $0.time(2), change: $0.integer(3)) }
    }

    func remove(_ buried: Buried, of kind: RecordKind) throws {
        try statements("DELETE FROM tombstones WHERE kind = ? AND change = ?").run([
            .integer(Int64(kind.rawValue)), .integer(buried.change),
        ])
    }

    /// Whether an interview was completed at some time and no longer says so itself, see ``Schema/remains``.
    func wasCompleted(_ kind: RecordKind, _ id: ULID?) throws -> Bool {
        guard kind == .interview, let id else { return false }
        return try statements("SELECT 1 FROM once_completed WHERE interview_id = ?").first([.ulid(id)]) { _ in true } ?? false
    }

    func isBuried(_ id: RecordID, in organization: OrganizationNumber) throws -> Bool {
        try statements("SELECT 1 FROM tombstones WHERE kind = ? AND id = ? AND change BETWEEN ? AND ?")
            .first([
                .integer(Int64(id.kind.rawValue)), .ulid(id.ulid), .integer(Place.key(organization, 0)),
                .integer(Place.key(organization, Place.mask)),
            ]) { _ in true } ?? false
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

import Domain

extension RecordWriter {
    func delete(_ id: RecordID, in organization: Organization, options: ChangeOptions) throws -> Bool {
        guard let change = try place(of: id, in: organization.number), let record = try load(id.kind, change) else { return false }
        try remove(record, in: organization, erasing: false, options)
        return true
    }

    /// Erases a candidate: everything personal leaves the records and the events; a tombstone stays. Nil when unknown.
    ///
    /// The bytes in index segments and free pages go later, see ``Database/scrub(_:)``.
    func erase(_ candidate: ULID, in organization: Organization) throws -> Bool {
        let id = RecordID(kind: .candidate, ulid: candidate)
        if let change = try place(of: id, in: organization.number), let record = try load(.candidate, change) {
            try remove(record, in: organization, erasing: true, ChangeOptions())
        } else if try !eraseTombstone(candidate, in: organization.number) {
            return false
        } else {
            // The calls outlived the deletion.
            try buryDependents(.call, of: id, in: organization, erasing: true)
        }
        try scrubEvents(of: candidate)
        try outbox.erase(candidate)
        noteChange(in: organization.number)
        return true
    }

    private func remove(_ record: Record, in organization: Organization, erasing: Bool, _ options: ChangeOptions) throws {
        for kind in Self.dependents(of: record.kind, erasing: erasing) {
            try buryDependents(kind, of: record.recordID, in: organization, erasing: erasing)
        }
        try bury(record, in: organization, erasing: erasing)
        forgetNames()
        if record.kind == .candidate, !options.isHistory {
            var gone = record
            gone.version += 1
            try write(.deleted(gone), at: tick(.candidate, organization.number), in: organization)
        }
    }

    private func buryDependents(_ kind: RecordKind, of id: RecordID, in organization: Organization, erasing: Bool) throws {
        let changes = try statements("SELECT change FROM \(TableLayout.of(kind).table) WHERE \(id.kind.singular)_id = ?")
            .all([.ulid(id.ulid)]) { $0.integer(0) }
        for change in changes {
            if let dependent = try load(kind, change) { try bury(dependent, in: organization, erasing: erasing) }
        }
    }

    /// What goes with a record, children first.
    private static func dependents(of kind: RecordKind, erasing: Bool) -> [RecordKind] {
        switch kind {
        case .candidate: [.match, .interview, .application] + (erasing ? [.call] : [])
        case .job: [.match, .interview, .application, .broadcast]
        default: []
        }
    }

    /// Takes a record out of its table and leaves a tombstone.
    private func bury(_ record: Record, in organization: Organization, erasing: Bool) throws {
        let layout = TableLayout.of(record.kind)
        let key = Place.key(organization.number, record.updatedAt)
        let now = try tick(record.kind, organization.number)
        try SearchIndex.remove(record, at: key, layout: layout, statements: statements)
        try statements("DELETE FROM \(layout.table) WHERE change = ?").run([.integer(key)])
        try statements(
            """
            INSERT INTO tombstones (kind, change, id, external_id, version, created_at, deleted_at, erased)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(Int64(record.kind.rawValue)), .integer(Place.key(organization.number, now)), .ulid(record.id),
            erasing ? .null : SQLValue(record.externalID), .integer(record.version + 1), SQLValue(record.createdAt),
            SQLValue(now), .integer(erasing ? 1 : 0),
        ])
        if record.kind == .match, let candidate = record.reference("candidate_id") { try recountBestScore(candidate) }
        noteChange(in: organization.number)
    }

    private func eraseTombstone(_ candidate: ULID, in organization: OrganizationNumber) throws -> Bool {
        let found = try statements("SELECT change FROM tombstones WHERE kind = ? AND id = ? AND change BETWEEN ? AND ?")
            .first([
                .integer(Int64(RecordKind.candidate.rawValue)), .ulid(candidate), .integer(Place.key(organization, 0)),
                .integer(Place.key(organization, Place.mask)),
            ]) { $0.integer(0) }
        guard let change = found else { return false }
        try statements("UPDATE tombstones SET external_id = NULL, erased = 1 WHERE kind = ? AND change = ?")
            .run([.integer(Int64(RecordKind.candidate.rawValue)), .integer(change)])
        return true
    }

    /// Events are never edited, except by erasure.
    private func scrubEvents(of candidate: ULID) throws {
        let data = "{\"candidate\":{\"id\":\"\(RecordID(kind: .candidate, ulid: candidate))\"},\"erased\":true}"
        try statements(
            "UPDATE events SET data = ?, masked_data = NULL WHERE candidate_id = ? AND type <> 'candidate.deleted'"
        ).run([.text(data), .ulid(candidate)])
    }
}

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
        } else if try tombstone(of: id, in: organization.number) == nil {
            return false
        }
        // The calls outlive a deletion, and no erasure.
        try buryDependents(.call, of: id, in: organization, erasing: true)
        try eraseTombstones(of: candidate)
        try scrubEvents(of: candidate)
        try outbox.erase(candidate)
        try noteErasure(of: candidate, in: organization.number)
        noteChange(in: organization.number)
        return true
    }

    private func remove(_ record: Record, in organization: Organization, erasing: Bool, _ options: ChangeOptions) throws {
        for kind in Self.dependents(of: record.kind) {
            try buryDependents(kind, of: record.recordID, in: organization, erasing: erasing)
        }
        try bury(record, in: organization, erasing: erasing)
        try forgetNames()
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
    private static func dependents(of kind: RecordKind) -> [RecordKind] {
        switch kind {
        case .candidate: [.match, .interview, .application]
        case .job: [.match, .interview, .application, .broadcast]
        default: []
        }
    }

    /// Takes a record out of its table and leaves a tombstone.
    private func bury(_ record: Record, in organization: Organization, erasing: Bool) throws {
        let layout = TableLayout.of(record.kind)
        let key = Place.key(organization.number, record.updatedAt)
        let now = try tick(record.kind, organization.number)
        try unindex(record, at: key, layout)
        try statements("DELETE FROM \(layout.table) WHERE change = ?").run([.integer(key)])
        relatives[record.id] = nil
        try leaveTombstone(of: record, at: now, in: organization.number, erasing: erasing)
        if record.kind == .match, let candidate = record.reference("candidate_id") { try recountBestScore(candidate) }
        noteChange(in: organization.number)
    }

    /// Events are never edited, except by erasure.
    private func scrubEvents(of candidate: ULID) throws {
        let data = "{\"candidate\":{\"id\":\"\(RecordID(kind: .candidate, ulid: candidate))\"},\"erased\":true}"
        try statements(
            "UPDATE events SET data = ?, masked_data = NULL WHERE candidate_id = ? AND type <> 'candidate.deleted'"
        ).run([.text(data), .ulid(candidate)])
    }
}

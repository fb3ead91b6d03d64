import Domain

extension RecordWriter {
    /// Why a stored event's body can't be made anew.
    struct Forgotten: Error {
        let reason: String
    }

    /// An event as it is stored.
    struct StoredEvent {
        let id: EventID
        let type: EventType
        let place: Int64
        let time: Timestamp
        let subject: RecordID?
        let version: Int64
        let candidate: ULID?
        let job: ULID?
        let data: String
        /// Nil where it is to be made from `data`.
        let masked: String?
    }

    /// Nil when it has expired, or this program does not know its type.
    func storedEvent(at place: Int64) throws -> StoredEvent? {
        try statements(
            """
            SELECT id, type, created_at, subject_kind, subject_id, subject_version, candidate_id, job_id, data, masked_data
            FROM events WHERE place = ?
            """
        ).first([.integer(place)]) { row in
            guard let type = EventType(rawValue: row.string(1)) else { return nil }
            let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: row.integer(3)))
            return StoredEvent(
                id: EventID(row.ulid(0)), type: type, place: place, time: row.time(2),
                subject: kind.map { RecordID(kind: $0, ulid: row.ulid(4)) }, version: row.integer(5), candidate: row.optionalULID(6),
                job: row.optionalULID(7), data: row.string(8), masked: StoredMask(row, 9) == .stored ? row.string(9) : nil)
        } ?? nil
    }

    /// A stored event with its records as they are now, or bare where they are gone and the dialect does not need them.
    ///
    /// - Throws: ``Forgotten`` where it does.
    func recall(_ event: StoredEvent, for dialect: DialectName, in organization: Organization) throws -> EventFacts {
        var subject: Record?
        if let id = event.subject {
            let isTold = event.type != .candidateDeleted
            subject = isTold ? try place(of: id, in: organization.number).flatMap { try load(id.kind, $0) } : nil
            if isTold, subject == nil, try outbox.renderer.needsRecords(dialect) {
                throw Forgotten(reason: "the \(id.kind.singular) that it tells of is gone, and \(dialect.rawValue) needs it")
            }
            subject = subject ?? Record.bare(id, version: event.version, at: event.time)
            subject?.version = event.version
        }
        return EventFacts(
            id: event.id, type: event.type, sequence: Place.low(event.place), createdAt: event.time, organization: organization,
            subject: subject, candidate: event.subject?.kind == .candidate ? nil : try related(.candidate, event.candidate),
            job: event.subject?.kind == .job ? nil : try related(.job, event.job),
            application: try related(.application, subject?.reference("application_id")), data: event.data,
            maskedData: event.masked)
    }
}

import Domain

/// What a change of a record brings with it: events, and what other records show of it.
extension RecordWriter {
    /// Writes an event and a delivery of it for each endpoint that it is owed to.
    func write(_ draft: EventDraft, at time: Timestamp, in organization: Organization) throws {
        let subject = draft.subject
        let candidateID = subject.kind == .candidate ? subject.id : subject.reference("candidate_id")
        let jobID = subject.kind == .job ? subject.id : subject.reference("job_id")
        let candidate = subject.kind == .candidate ? nil : try related(.candidate, candidateID)
        let job = subject.kind == .job ? nil : try related(.job, jobID)
        let data = draft.data(candidate: candidate, job: job)
        let event = try insertEvent(
            NewEvent(
                type: draft.type, time: time, subject: subject, candidate: candidateID, job: jobID, data: data,
                holdsPersonal: draft.holdsPersonal(candidate: candidate, job: job)),
            in: organization)
        let subscribers = try outbox.subscribers(to: draft.type, job: jobID, of: organization.number)
        guard !subscribers.isEmpty else { return }
        let facts = EventFacts(
            id: event.id, type: draft.type, sequence: event.sequence, createdAt: time, organization: organization,
            // What is told of a deleted one is its id alone.
            subject: draft.holdsRecord ? subject : Record.bare(subject.recordID, version: subject.version, at: time),
            candidate: candidate, job: job, application: try related(.application, subject.reference("application_id")),
            data: data)
        try outbox.owe(facts, about: candidateID, to: subscribers)
    }

    /// An event on its way to its row.
    struct NewEvent {
        let type: EventType
        let time: Timestamp
        /// Nil for a test.
        let subject: Record?
        let candidate: ULID?
        let job: ULID?
        let data: String
        let holdsPersonal: Bool
    }

    /// Gives the event its id and its place in the organization's feed.
    func insertEvent(_ event: NewEvent, in organization: Organization) throws -> (id: EventID, sequence: Int64) {
        let tally = tally(of: organization.number)
        let sequence =
            try
            (tally.sequence
            ?? direct("SELECT event_sequence FROM organizations WHERE number = ?")
            .first([.integer(organization.number.value)]) { $0.integer(0) } ?? 0) + 1
        tally.sequence = sequence
        let id = newID(event.time)
        events.begin(columns: Self.eventColumns.count)
        events.append(Place.key(organization.number, sequence))
        events.append(id)
        events.append(event.type.rawValue)
        events.append(event.time)
        if let subject = event.subject {
            events.append(Int64(subject.kind.rawValue))
            events.append(subject.id)
            events.append(subject.version)
        } else {
            for _ in 0..<3 { events.append() }
        }
        events.append(event.candidate)
        events.append(event.job)
        events.append(event.data)
        events.append(event.holdsPersonal ? StoredMask.madeWhenReadText : nil)
        if events.isFull { try flush() }
        noteChange(in: organization.number)
        return (EventID(id), sequence)
    }

    private static let eventColumns = [
        "place", "id", "type", "created_at", "subject_kind", "subject_id", "subject_version", "candidate_id", "job_id", "data",
        "masked_data",
    ]
    static let insertEvent = TableLayout.insert(into: "events", eventColumns)
    static let insertEvents = TableLayout.insertAll(into: "events", eventColumns)

    func related(_ kind: RecordKind, _ id: ULID?) throws -> Record? {
        guard let id else { return nil }
        if let known = relatives[id] { return known }
        let related = try seeing(kind)(.related, of: kind) { "SELECT change FROM \(TableLayout.of(kind).table) WHERE id = ?" }
        let change = try related.first([.ulid(id)]) { $0.integer(0) }
        guard let change, let record = try load(kind, change) else { return nil }
        remember(record)
        return record
    }

    /// Keeps what ``related(_:_:)`` is asked for again and again: some 16 MB at most, for a résumé's text may be long.
    func remember(_ record: Record) {
        guard record.kind == .candidate || record.kind == .job else { return }
        if relatives.count >= 2_000 { relatives.removeAll(keepingCapacity: true) }
        relatives[record.id] = record.textSize <= 8 << 10 ? record : nil
    }

    // MARK: Scores

    /// Keeps each candidate's best score, which the `min_score` filter reads; no visible change of the candidate.
    func keepBestScore(before: Record?, after: Record) throws {
        guard let candidate = after.reference("candidate_id"), case .number(let score) = after["score"] else { return }
        if let old = before?.reference("candidate_id"), old != candidate { try recountBestScore(old) }
        if case .number(let old)? = before?["score"], old > score { return try recountBestScore(candidate) }
        scores[candidate] = max(scores[candidate] ?? score, score)
    }

    func flushScores() throws {
        let rows = RowBatch()
        for (candidate, score) in scores {
            rows.begin(columns: 2)
            rows.append(score)
            rows.append(candidate)
        }
        scores.removeAll(keepingCapacity: true)
        try rows.write(
            together: !hasWrittenSearches,
            one: { try direct(.score) { "UPDATE candidates SET best_score = ?1 WHERE id = ?2 AND ifnull(best_score, -1) < ?1" } },
            all: {
                try direct(.scores) {
                    """
                    UPDATE candidates SET best_score = given.c0 FROM hirewire_rows given
                    WHERE id = given.c1 AND ifnull(best_score, -1) < given.c0
                    """
                }
            })
    }

    func recountBestScore(_ candidate: ULID) throws {
        try statements(
            "UPDATE candidates SET best_score = (SELECT max(score) FROM matches WHERE candidate_id = ?1) WHERE id = ?1"
        ).run([.ulid(candidate)])
    }
}

extension Record {
    /// The bytes of its texts.
    fileprivate var textSize: Int {
        values.reduce(0) { size, value in
            switch value {
            case .text(let text), .json(let text): size + text.utf8.count
            case .list(let texts): texts.reduce(size) { $0 + $1.utf8.count }
            default: size
            }
        }
    }

    /// A record of which no more is known than what names it.
    static func bare(_ id: RecordID, version: Int64, at time: Timestamp) -> Record {
        Record(
            kind: id.kind, id: id.ulid, externalID: nil, version: version, createdAt: time, updatedAt: time,
            values: id.kind.schema.fields.map(\.initial))
    }
}

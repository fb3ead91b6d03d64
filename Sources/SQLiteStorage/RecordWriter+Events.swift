import Domain

/// What a change of a record brings with it: events, and what other records show of it.
extension RecordWriter {
    func write(_ draft: EventDraft, at time: Timestamp, in organization: Organization) throws {
        let subject = draft.subject
        let candidateID = subject.kind == .candidate ? subject.id : subject.reference("candidate_id")
        let jobID = subject.kind == .job ? subject.id : subject.reference("job_id")
        let candidate = subject.kind == .candidate ? nil : try related(.candidate, candidateID)
        let job = subject.kind == .job ? nil : try related(.job, jobID)
        let data = draft.data(candidate: candidate, job: job, personal: true)
        let masked = draft.data(candidate: candidate, job: job, personal: false)
        let sequence =
            try
            (sequences[organization.number]
            ?? statements("SELECT event_sequence FROM organizations WHERE number = ?")
            .first([.integer(organization.number.value)]) { $0.integer(0) } ?? 0) + 1
        sequences[organization.number] = sequence
        try statements(
            """
            INSERT INTO events (place, id, type, created_at, subject_kind, subject_id, subject_version, candidate_id, job_id,
                data, masked_data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(Place.key(organization.number, sequence)), .ulid(newID(time)), .text(draft.type.rawValue),
            SQLValue(time), .integer(Int64(subject.kind.rawValue)), .ulid(subject.id), .integer(subject.version),
            candidateID.map(SQLValue.ulid) ?? .null, jobID.map(SQLValue.ulid) ?? .null, .text(data),
            masked == data ? .null : .text(masked),
        ])
        noteChange(in: organization.number)
    }

    func related(_ kind: RecordKind, _ id: ULID?) throws -> Record? {
        guard let id else { return nil }
        let change = try statements("SELECT change FROM \(TableLayout.of(kind).table) WHERE id = ?").first([.ulid(id)]) { $0.integer(0) }
        return try change.flatMap { try load(kind, $0) }
    }

    // MARK: Scores

    /// Keeps each candidate's best score, which the `min_score` filter reads; no visible change of the candidate.
    func keepBestScore(before: Record?, after: Record) throws {
        guard let candidate = after.reference("candidate_id"), case .number(let score) = after["score"] else { return }
        if let old = before?.reference("candidate_id"), old != candidate { try recountBestScore(old) }
        if case .number(let old)? = before?["score"], old > score { return try recountBestScore(candidate) }
        try statements("UPDATE candidates SET best_score = ?1 WHERE id = ?2 AND ifnull(best_score, -1) < ?1")
            .run([.real(score), .ulid(candidate)])
    }

    func recountBestScore(_ candidate: ULID) throws {
        try statements(
            "UPDATE candidates SET best_score = (SELECT max(score) FROM matches WHERE candidate_id = ?1) WHERE id = ?1"
        ).run([.ulid(candidate)])
    }
}

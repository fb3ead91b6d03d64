import Domain

/// What pushes need beside the changes themselves.
extension RecordWriter: PushWriter {
    func organization(_ number: OrganizationNumber) throws -> Organization? {
        try statements(OrganizationRows.select + " WHERE number = ?").first([.integer(number.value)], OrganizationRows.organization)
    }

    func find(_ name: RecordName, of kind: RecordKind, in organization: OrganizationNumber) throws -> Stored {
        switch name {
        case .id(let id):
            if let change = try place(of: id, in: organization), let record = try load(kind, change) { return .living(record) }
            return try tombstone(of: id, in: organization).map(Stored.deleted) ?? .missing
        case .externalID(let externalID):
            if let record = try find(kind: kind, externalID: externalID, in: organization) { return .living(record) }
            return try tombstone(of: kind, externalID: externalID, in: organization).map(Stored.deleted) ?? .missing
        }
    }

    // MARK: Erasures

    func noteErasure(of candidate: ULID, in organization: OrganizationNumber) throws {
        try statements(
            """
            INSERT INTO erasures (candidate_id, organization, requested_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (candidate_id) DO UPDATE SET requested_at = ?3, done_at = NULL
            """
        ).run([.ulid(candidate), .integer(organization.value), SQLValue(time.now)])
        try statements(
            """
            UPDATE kept_answers SET fingerprint = NULL, headers = '[]', body = x''
            WHERE number IN (SELECT answer FROM kept_answers_candidates WHERE candidate_id = ?)
            """
        ).run([.ulid(candidate)])
    }

    func erasure(of candidate: ULID, in organization: OrganizationNumber) throws -> Erasure? {
        try statements.erasure(of: candidate, in: organization)
    }

    // MARK: Idempotent answers

    func answer(to key: IdempotencyKey) throws -> Repeat {
        try statements("SELECT fingerprint, status, headers, body FROM kept_answers WHERE organization = ? AND name = ?")
            .first([.integer(key.organization.value), .blob(key.name)]) { row in
                if row.isNull(0) { return .erased }
                guard row.blob(0) == key.fingerprint else { return .other }
                let headers = StoredHeaders.read(row.string(2)).map { ($0.name, $0.value) }
                return .answered(KeptAnswer(status: Int(row.integer(1)), headers: headers, body: row.blob(3), candidates: []))
            } ?? .first
    }

    func keep(_ answer: KeptAnswer, for key: IdempotencyKey) throws {
        try statements(
            "INSERT INTO kept_answers (organization, name, fingerprint, status, headers, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).run([
            .integer(key.organization.value), .blob(key.name), .blob(key.fingerprint), .integer(Int64(answer.status)),
            .text(StoredHeaders.text(of: answer.headers.map { ($0.0, $0.1) })), .blob(answer.body), SQLValue(time.now),
        ])
        guard !answer.candidates.isEmpty else { return }
        let number = try statements("SELECT last_insert_rowid()").first { $0.integer(0) } ?? 0
        for candidate in Set(answer.candidates) {
            try statements("INSERT INTO kept_answers_candidates (candidate_id, answer) VALUES (?, ?)")
                .run([.ulid(candidate), .integer(number)])
        }
    }
}

extension Database {
    /// Whether files may still hold bytes of what was erased.
    public func hasPendingErasures() throws -> Bool {
        try snapshot { try $0("SELECT 1 FROM erasures WHERE done_at IS NULL").first { _ in true } ?? false }
    }

    /// Forgets answers kept before `moment`; true when there may be more.
    public func expireAnswers(before moment: Timestamp, batch: Int = 1_000) throws -> Bool {
        let old = "SELECT number FROM kept_answers WHERE created_at < ? ORDER BY created_at LIMIT ?"
        let bound = [SQLValue(moment), .integer(Int64(batch))]
        // Looked for without the lock of a write, which each commit would otherwise wait for in vain.
        let some = try snapshot { try $0(old).first(bound) { _ in true } ?? false }
        guard some else { return false }
        return try transaction { statements in
            try statements("DELETE FROM kept_answers WHERE number IN (\(old))").run(bound)
            return try statements(old).first(bound) { _ in true } ?? false
        }
    }
}

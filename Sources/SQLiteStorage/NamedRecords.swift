import Domain

/// Small look-ups that readers, pushes and the shell make alike.
extension StatementCache {
    /// The id that an `external_id` has, living or deleted. Nil when it is unknown.
    func id(of kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> RecordID? {
        let living = try self("SELECT id FROM \(kind.plural) WHERE organization = ? AND external_id = ?")
            .first([.integer(organization.value), .text(externalID)]) { $0.ulid(0) }
        if let living { return RecordID(kind: kind, ulid: living) }
        let dead = try self("SELECT id FROM tombstones WHERE kind = ? AND external_id = ? AND change >> 51 = ?")
            .first([.integer(Int64(kind.rawValue)), .text(externalID), .integer(organization.value)]) { $0.ulid(0) }
        return dead.map { RecordID(kind: kind, ulid: $0) }
    }

    /// Compared as names are: without regard to ASCII case.
    func organization(named name: String) throws -> Organization? {
        try self(OrganizationRows.select + " WHERE name = ?").first([.text(name)], OrganizationRows.organization)
    }

    func erasure(of candidate: ULID, in organization: OrganizationNumber) throws -> Erasure? {
        try self("SELECT requested_at, done_at FROM erasures WHERE candidate_id = ? AND organization = ?")
            .first([.ulid(candidate), .integer(organization.value)]) {
                Erasure(candidate: candidate, requestedAt: $0.time(0), doneAt: $0.optionalTime(1))
            }
    }
}

extension Reader {
    func takeTold() -> [ULID] {
        defer { told = [] }
        return told
    }

    func id(of kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> RecordID? {
        try statements.id(of: kind, externalID: externalID, in: organization)
    }

    func organization(named name: String) throws -> Organization? { try statements.organization(named: name) }

    func erasure(of candidate: ULID, in organization: OrganizationNumber) throws -> Erasure? {
        try statements.erasure(of: candidate, in: organization)
    }
}

import Domain

extension Database {
    /// Makes interviews abandoned that were started before `moment` and are under way still; of one without a start, the last
    /// change counts. Each is an ordinary change, with its event and deliveries.
    ///
    /// - Returns: how many; at most `batch` at a time, so that the lock is short. Fewer mean that there are no more.
    public func expireInterviews(startedBefore moment: Timestamp, batch: Int = 200) throws -> Int {
        try change { writer in
            let old = try writer.statements(Self.expiredInterviews)
                .all([SQLValue(moment), .integer(Int64(batch))]) { (id: $0.ulid(0), organization: OrganizationNumber($0.integer(1))) }
            guard !old.isEmpty else { return 0 }
            var input = RecordInput(kind: .interview)
            input.values[RecordKind.interview.schema.position("status")] = .text("abandoned")
            let organizations = try writer.statements(OrganizationRows.select).all([], OrganizationRows.organization)
            for (id, number) in old {
                guard let organization = organizations.first(where: { $0.number == number }) else { continue }
                _ = try writer.change(RecordID(kind: .interview, ulid: id), by: input, in: organization, options: ChangeOptions())
            }
            return old.count
        }
    }

    static let expiredInterviews = """
        SELECT id, organization FROM interviews INDEXED BY interviews_under_way
        WHERE status = 'in_progress' AND ifnull(started_at, (change & 2251799813685247) + 1577836800000000) < ?
        ORDER BY ifnull(started_at, (change & 2251799813685247) + 1577836800000000) LIMIT ?
        """
}

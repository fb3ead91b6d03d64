import Domain

extension Reader {
    private static let columns = """
        SELECT e.place, e.id, e.type, e.created_at, e.subject_kind, e.subject_id, e.subject_version, e.data, e.masked_data,
            o.name, e.candidate_id
        FROM events e
        """

    func events(
        _ query: EventQuery, of organization: OrganizationNumber, personal: Bool, into out: inout ByteWriter
    ) throws -> EventEnd {
        var end = EventEnd()
        let state =
            try statements("SELECT event_sequence, events_expired_through FROM organizations WHERE number = ?")
            .first([.integer(organization.value)]) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
        let after = query.after ?? state.1
        guard after >= state.1 else {
            end.expired = true
            return end
        }
        end.lastSequence = state.0
        let page =
            SQLFragment("\(Self.columns) JOIN organizations o ON o.number = e.place >> 51 WHERE ") + tests(query, after, organization)
            + SQLFragment(" ORDER BY e.place LIMIT ?", [.integer(Int64(query.limit + 1))])
        try statements(page.text).forEach(page.values) { row in
            guard end.count < query.limit else {
                end.hasMore = true
                return
            }
            if end.count > 0, query.notation == .json { out.append(byte: 0x2C) }
            if query.notation == .csv { writeCells(row, personal: personal, to: &out) } else { write(row, personal: personal, to: &out) }
            if query.notation == .ndjson { out.append(byte: 0x0A) }
            end.count += 1
            end.lastSequence = Place.low(row.integer(0))
        }
        // What the filters left out is behind the reader too.
        if !end.hasMore { end.lastSequence = state.0 }
        return end
    }

    func count(_ query: EventQuery, of organization: OrganizationNumber) throws -> Int {
        let count = SQLFragment("SELECT count(*) FROM events e WHERE ") + tests(query, query.after ?? 0, organization)
        return try statements(count.text).first(count.values) { Int($0.integer(0)) } ?? 0
    }

    func lastEvent(of organization: OrganizationNumber) throws -> Int64 {
        try statements("SELECT event_sequence FROM organizations WHERE number = ?")
            .first([.integer(organization.value)]) { $0.integer(0) } ?? 0
    }

    private func tests(_ query: EventQuery, _ after: Int64, _ organization: OrganizationNumber) -> SQLFragment {
        let low = Place.key(organization, min(after, Place.mask))
        var tests = [
            SQLFragment("e.place > ? AND e.place <= ?", [.integer(low), .integer(Place.key(organization, Place.mask))])
        ]
        if let after = query.createdAfter { tests.append(SQLFragment("e.created_at >= ?", [SQLValue(after)])) }
        if let before = query.createdBefore { tests.append(SQLFragment("e.created_at < ?", [SQLValue(before)])) }
        func any(_ column: String, _ values: [SQLValue]) {
            if !values.isEmpty {
                tests.append(SQLFragment("e.\(column) IN (\(SQLFragment.marks(values.count)))", values))
            }
        }
        any("type", query.types.map { .text($0.rawValue) })
        any("candidate_id", query.candidates.map(SQLValue.ulid))
        any("job_id", query.jobs.map(SQLValue.ulid))
        return .joined(tests, by: " AND ")
    }

    func event(
        _ id: EventID, of organization: OrganizationNumber, personal: Bool, into out: inout ByteWriter
    ) throws -> Bool {
        let sql = "\(Self.columns) JOIN organizations o ON o.number = e.place >> 51 WHERE e.id = ? AND e.place BETWEEN ? AND ?"
        let bounds: [SQLValue] = [
            .ulid(id.ulid), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
        ]
        let statement = try statements(sql)
        defer { statement.reset() }
        try statement.bind(bounds)
        guard try statement.step() else { return false }
        write(statement.row, personal: personal, to: &out)
        return true
    }

    private func write(_ row: StatementRow, personal: Bool, to out: inout ByteWriter) {
        let mask = StoredMask(row, 8)
        // What others see masked tells of somebody.
        if personal, mask != .none, let candidate = row.optionalULID(10) { told.append(candidate) }
        out.append("{\"id\":")
        out.append(quotedID: row.ulid(1), prefix: "evt_")
        out.append(",\"type\":")
        out.append(quoted: row.text(2))
        out.append(",\"sequence\":")
        out.append(integer: Place.low(row.integer(0)))
        out.append(",\"created_at\":")
        out.append(time: row.time(3))
        out.append(",\"organization\":")
        out.append(quoted: row.text(9))
        out.append(",\"subject\":")
        if let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: row.integer(4))) {
            out.append("{\"kind\":")
            out.append(quoted: kind.singular)
            out.append(",\"id\":")
            out.append(RecordID(kind: kind, ulid: row.ulid(5)))
            out.append(",\"version\":")
            out.append(integer: row.integer(6))
            out.append("}")
        } else {
            out.append("null")
        }
        out.append(",\"data\":")
        writeData(row, personal ? .none : mask, to: &out)
        out.append("}")
    }

    private func writeData(_ row: StatementRow, _ mask: StoredMask, to out: inout ByteWriter) {
        switch mask {
        case .none: out.append(row.text(7))
        case .stored: out.append(row.text(8))
        case .madeWhenRead:
            // A kind that this program does not know: nor does it know what to hide.
            guard let subject = RecordKind(rawValue: UInt8(truncatingIfNeeded: row.integer(4))) else { return out.append("null") }
            EventMask.write(row.text(7), subject: subject, to: &out)
        }
    }

    /// As ``EventQuery/columnNames`` has them.
    private func writeCells(_ row: StatementRow, personal: Bool, to out: inout ByteWriter) {
        let mask = StoredMask(row, 8)
        if personal, mask != .none, let candidate = row.optionalULID(10) { told.append(candidate) }
        out.append("evt_")
        out.append(ulid: row.ulid(1))
        out.append(",")
        out.append(cell: row.text(2))
        out.append(",")
        out.append(integer: Place.low(row.integer(0)))
        out.append(",")
        out.append(plain: row.time(3))
        out.append(",")
        out.append(cell: row.text(9))
        if let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: row.integer(4))) {
            out.append(text: ",\(kind.singular),\(RecordID(kind: kind, ulid: row.ulid(5))),\(row.integer(6)),")
        } else {
            out.append(",,,,")
        }
        var data = ByteWriter(capacity: 1_024)
        writeData(row, personal ? .none : mask, to: &data)
        out.append(cell: data.bytes)
        out.append("\r\n")
    }
}

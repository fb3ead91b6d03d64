import Domain

/// Single records.
extension Reader {
    func record(
        _ id: RecordID, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> Lookup {
        let layout = TableLayout.of(id.kind)
        // The bounds keep another organization's row as unknown as none: both are told by the index alone.
        let bounds: [SQLValue] = [
            .ulid(id.ulid), .integer(Place.key(organization, 0)), .integer(Place.key(organization, Place.mask)),
        ]
        let change = try statements("SELECT change FROM \(layout.table) WHERE id = ? AND change BETWEEN ? AND ?")
            .first(bounds) { $0.integer(0) }
        guard let change else {
            let dead = try statements("SELECT 1 FROM tombstones WHERE kind = ? AND id = ? AND change BETWEEN ? AND ?")
                .first([.integer(Int64(id.kind.rawValue))] + bounds) { _ in true }
            return dead == nil ? .missing : .deleted
        }
        return try write(layout, change, form, into: &out)
    }

    private func write(_ layout: TableLayout, _ change: Int64, _ form: ListForm, into out: inout ByteWriter) throws -> Lookup {
        var columns = [TableLayout.columns(of: layout.kind, form.record.projection, "t")]
        var width = TableLayout.columnCount(of: layout.kind, form.record.projection)
        var joins = ""
        var places: [Int] = []
        for embed in form.embeds {
            let alias = "e_\(embed.form.kind.singular)"
            columns.append(TableLayout.columns(of: embed.form.kind, embed.form.projection, alias))
            joins += " LEFT JOIN \(embed.form.kind.plural) \(alias) ON \(alias).id = t.\(embed.field)"
            places.append(width)
            width += TableLayout.columnCount(of: embed.form.kind, embed.form.projection)
        }
        let sql = "SELECT \(columns.joined(separator: ", ")) FROM \(layout.table) t\(joins) WHERE t.change = ?"
        let statement = try statements(sql)
        defer { statement.reset() }
        try statement.bind([.integer(change)])
        guard try statement.step() else { return .missing }
        let source = RecordSource(statement)
        var hidden: HiddenIDs = form.record.write(source, to: &out) ? .own : []
        if let column = form.toldColumn, !source.isNull(column) { told.append(source.ulid(column)) }
        for (index, place) in places.enumerated() where Self.write(form.embeds[index], statement, at: place, into: &out) {
            hidden.insert(.embedded(index))
        }
        return .found(hidden: hidden)
    }

    func resume(_ candidate: ULID, of organization: OrganizationNumber) throws -> (lookup: Lookup, file: ResumeFile?) {
        var none = ByteWriter(capacity: 64)
        let form = ListForm(kind: .candidate, personal: false, only: [])
        let lookup = try record(RecordID(kind: .candidate, ulid: candidate), of: organization, form: form, into: &none)
        guard case .found = lookup else { return (lookup, nil) }
        let file = try statements(
            """
            SELECT c.resume_file_name, c.resume_media_type, r.bytes FROM resumes r
            JOIN candidates c ON c.id = r.candidate_id WHERE r.candidate_id = ?
            """
        ).first([.ulid(candidate)]) { row in
            ResumeFile(fileName: row.optionalString(0), mediaType: row.optionalString(1), bytes: row.blob(2))
        }
        return (lookup, file)
    }
}

import Domain

/// Lists.
extension Reader {
    func list(
        _ query: ListQuery, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> ListEnd {
        let planner = ListPlanner(query, form: form, organization: organization)
        var end = try rows(planner, asOf: query.position?.asOf, into: &out)
        if query.countsExactly { end.total = try count(planner, afterPosition: false) }
        return end
    }

    func count(_ query: ListQuery, of organization: OrganizationNumber, form: ListForm) throws -> Int {
        try count(ListPlanner(query, form: form, organization: organization), afterPosition: true)
    }

    private func count(_ planner: ListPlanner, afterPosition: Bool) throws -> Int {
        planner.findsNothing ? 0 : try Int(planner.total(afterPosition: afterPosition).reduce(0) { try $0 + count($1) })
    }

    private func rows(_ planner: ListPlanner, asOf: Timestamp?, into out: inout ByteWriter) throws -> ListEnd {
        let query = planner.query
        var end = ListEnd()
        end.asOf = try asOf ?? mark(of: query, planner.organization)
        if planner.findsNothing { return end }
        if let shape = planner.plainShape {
            let (plan, statement) = try plainWalk(planner, shape)
            var ranks: RankCounter?
            try write(statement, plan, planner, &ranks, &end, &out)
            return end
        }
        let plan = try planner.plan(estimating: self)
        var ranks = RankCounter(query: query, statements: statements)
        for part in plan.parts where !end.hasMore {
            let statement = try statements(part.text)
            try statement.bind(part.values)
            try write(statement, plan, planner, &ranks, &end, &out)
        }
        return end
    }

    /// Writes a bound statement's rows until the page is full.
    private func write(
        _ statement: Statement, _ plan: ListPlan, _ planner: ListPlanner, _ ranks: inout RankCounter?, _ end: inout ListEnd,
        _ out: inout ByteWriter
    ) throws {
        let (query, form) = (planner.query, planner.form)
        defer { statement.reset() }
        let source = RecordSource(statement)
        let most = query.ids == nil ? query.limit : 100
        while try statement.step() {
            if end.count == most {
                end.hasMore = query.ids == nil
                break
            }
            if end.count > 0, form.notation == .json { out.append(byte: 0x2C) }
            end.count += 1
            if let dead = plan.tombstoneColumn, source.isNull(0) {
                let tombstone = Self.tombstone(statement, at: dead)
                Self.write(tombstone, form, to: &out)
                end.last = ListPosition(value: .null, updatedAt: tombstone.updatedAt, asOf: end.asOf)
            } else {
                let rank = try ranks?.rank(source)
                end.hidExternalID = Self.write(source, rank, plan, form, statement, to: &out) || end.hidExternalID
                if let column = form.toldColumn, !source.isNull(column) { told.append(source.ulid(column)) }
                if end.count == most { end.last = position(source, plan, query, end.asOf) }
            }
        }
    }

    /// Writes a row. Returns whether an `external_id` was hidden.
    private static func write(
        _ source: RecordSource, _ rank: Int64?, _ plan: ListPlan, _ form: ListForm, _ statement: Statement, to out: inout ByteWriter
    ) -> Bool {
        var hidden: Bool
        if let cells = form.cells {
            hidden = cells.record.write(source, rank: rank, to: &out)
            for (embed, column) in zip(cells.embeds, plan.embedColumns) {
                out.append(byte: 0x2C)
                hidden = embed.write(RecordSource(statement, base: column), to: &out) || hidden
            }
            out.append("\r\n")
            return hidden
        }
        hidden = form.record.write(source, rank: rank, to: &out)
        for (embed, column) in zip(form.embeds, plan.embedColumns) {
            hidden = write(embed, statement, at: column, into: &out) || hidden
        }
        out.append(byte: 0x7D)
        if form.notation == .ndjson { out.append(byte: 0x0A) }
        return hidden
    }

    private static func write(_ tombstone: Tombstone, _ form: ListForm, to out: inout ByteWriter) {
        if let cells = form.cells {
            cells.record.writeTombstone(tombstone, to: &out)
            for embed in cells.embeds {
                out.append(byte: 0x2C)
                embed.writeNothing(to: &out)
            }
            return out.append("\r\n")
        }
        form.record.writeTombstone(tombstone, to: &out)
        for embed in form.embeds {
            out.append(embed.key)
            out.append("null")
        }
        out.append(byte: 0x7D)
        if form.notation == .ndjson { out.append(byte: 0x0A) }
    }

    /// The statement of a plain walk, bound; kept by its shape, so that no SQL is written for it again.
    private func plainWalk(_ planner: ListPlanner, _ shape: Int) throws -> (ListPlan, Statement) {
        if let (plan, statement) = plain[shape] {
            try statement.bind(planner.plainValues)
            return (plan, statement)
        }
        let plan = try planner.plan(estimating: self)
        let statement = try statements(plan.parts[0].text)
        plain[shape] = (plan, statement)
        try statement.bind(plan.parts[0].values)
        return (plan, statement)
    }

    private static func tombstone(_ statement: Statement, at column: Int) -> Tombstone {
        let row = StatementRow(handle: statement.handle, base: Int32(column))
        return Tombstone(
            id: row.ulid(0), version: row.integer(1), updatedAt: Place.time(row.integer(2)), deletedAt: row.time(3))
    }

    static func write(
        _ embed: ListForm.Embed, _ statement: Statement, at column: Int, into out: inout ByteWriter
    ) -> Bool {
        out.append(embed.key)
        let row = RecordSource(statement, base: column)
        if row.isNull(0) {
            out.append("null")
            return false
        }
        let hidden = embed.form.write(row, to: &out)
        out.append(byte: 0x7D)
        return hidden
    }

    private func position(_ source: RecordSource, _ plan: ListPlan, _ query: ListQuery, _ asOf: Timestamp) -> ListPosition {
        var value = FieldValue.null
        if let column = plan.sortColumn {
            switch query.sort.field {
            case "score": value = .number(source.row.number(column))
            case "full_name", "title": value = .text(source.row.string(column))
            default: value = .time(source.row.time(column))
            }
        }
        return ListPosition(value: value, updatedAt: source.time(4), asOf: asOf)
    }

    /// Just after the kind's last `updated_at` in this snapshot.
    private func mark(of query: ListQuery, _ organization: OrganizationNumber) throws -> Timestamp {
        let last = try statements("SELECT last FROM clocks WHERE organization = ? AND kind = ?")
            .first([.integer(organization.value), .integer(Int64(query.kind.rawValue))]) { $0.integer(0) }
        let mark = Timestamp(microseconds: last.map { $0 + 1 } ?? Place.epoch)
        return query.updatedBefore.map { min($0, mark) } ?? mark
    }
}

extension Reader: RowEstimating {
    func count(_ fragment: SQLFragment) throws -> Int64 {
        try statements(fragment.text).first(fragment.values) { $0.integer(0) } ?? 0
    }

    func changes(_ fragment: SQLFragment) throws -> [Int64] {
        try statements(fragment.text).all(fragment.values) { $0.integer(0) }
    }
}

import Domain
import SQLiteSetup

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
            if let rows, planner.isKept {
                try write(rows, planner, shape, &end, &out)
                return end
            }
            let (plan, statement) = try plainWalk(planner, shape)
            try statement.bind(planner.plainValues)
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
                end.hidExternalID = Self.write(source, rank, form, (statement, plan.embedColumns), to: &out) || end.hidExternalID
                tell(of: source, form)
                if end.count == most { end.last = position(source, plan, query, end.asOf) }
            }
        }
    }

    private func tell<Row: RowSource>(of row: Row, _ form: ListForm) {
        if let column = form.toldColumn, !row.isNull(column) { told.append(row.ulid(column)) }
    }

    /// Writes a row, with its related records at these columns. Returns whether an `external_id` was hidden.
    private static func write<Row: RowSource>(
        _ source: Row, _ rank: Int64?, _ form: ListForm, _ related: (statement: Statement, columns: [Int])?, to out: inout ByteWriter
    ) -> Bool {
        var hidden: Bool
        if let cells = form.cells {
            hidden = cells.record.write(source, rank: rank, to: &out)
            if let related {
                for (embed, column) in zip(cells.embeds, related.columns) {
                    out.append(byte: 0x2C)
                    hidden = embed.write(RecordSource(related.statement, base: column), to: &out) || hidden
                }
            }
            out.append("\r\n")
            return hidden
        }
        hidden = form.record.write(source, rank: rank, to: &out)
        if let related {
            for (embed, column) in zip(form.embeds, related.columns) {
                hidden = write(embed, related.statement, at: column, into: &out) || hidden
            }
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

    /// The statement of a plain walk; kept by its shape, so that no SQL is written for it again.
    private func plainWalk(_ planner: ListPlanner, _ shape: Int) throws -> (ListPlan, Statement) {
        if let known = plain[shape] { return known }
        let plan = try planner.plan(estimating: self)
        let statement = try statements(plan.parts[0].text)
        plain[shape] = (plan, statement)
        return (plan, statement)
    }

    // MARK: Rows that are kept

    /// Writes a page from the rows that are kept, and from the file what is missing; that is kept from then on.
    private func write(
        _ rows: RowCache, _ planner: ListPlanner, _ shape: Int, _ end: inout ListEnd, _ out: inout ByteWriter
    ) throws {
        let (kind, limit) = (planner.query.kind, planner.query.limit)
        let counter = try changeCounter(of: planner.organization)
        if planner.form.toldColumn != nil { told.reserveCapacity(limit) }
        var (place, high) = planner.bounds(positioned: true)
        var next = rows.next(after: place, of: kind, counter: counter)
        walk: while true {
            switch next {
            case .row(let link):
                if link.change >= high { return }
                if end.count == limit { return end.hasMore = true }
                guard let (following, position) = write(rows, link, planner, counter, &end, &out) else { break walk }
                if position != link.position {
                    rows.note(RowCache.Link(change: link.change, position: position), after: place, of: kind, counter: counter)
                }
                (place, next) = (link.change, following)
            case .changed:
                // Only keys are read. The rows that are still there are under them.
                let keys = try statements("SELECT change FROM \(kind.plural) WHERE change > ? AND change < ? ORDER BY change LIMIT ?")
                    .all([.integer(place), .integer(high), .integer(Int64(limit - end.count + 1))]) { $0.integer(0) }
                for change in keys {
                    let link = RowCache.Link(change: change)
                    if end.count < limit, let (_, position) = write(rows, link, planner, counter, &end, &out) {
                        rows.note(RowCache.Link(change: change, position: position), after: place, of: kind, counter: counter)
                        place = change
                        continue
                    }
                    rows.note(link, after: place, of: kind, counter: counter)
                    if end.count == limit { return end.hasMore = true }
                    break walk
                }
                return
            case .unknown: break walk
            }
        }
        let statement = try plainWalk(planner, shape).1
        try statement.bind([.integer(place), .integer(high), .integer(Int64(limit - end.count + 1))])
        try write(statement, from: place, keeping: rows, planner, counter, &end, &out)
    }

    /// Writes one row that is kept, and tells what comes after it and where it lies; nil when it is not kept.
    private func write(
        _ rows: RowCache, _ link: RowCache.Link, _ planner: ListPlanner, _ counter: Int64, _ end: inout ListEnd,
        _ out: inout ByteWriter
    ) -> (RowCache.Next, Int)? {
        rows.visit(link, of: planner.query.kind, counter: counter) { write($0, at: link.change, planner, &end, &out) }
    }

    private func write<Row: RowSource>(
        _ row: Row, at change: Int64, _ planner: ListPlanner, _ end: inout ListEnd, _ out: inout ByteWriter
    ) {
        let form = planner.form
        if end.count > 0, form.notation == .json { out.append(byte: 0x2C) }
        end.count += 1
        end.hidExternalID = Self.write(row, nil, form, nil, to: &out) || end.hidExternalID
        tell(of: row, form)
        if end.count == planner.query.limit {
            end.last = ListPosition(value: .null, updatedAt: Place.time(change), asOf: end.asOf)
        }
    }

    /// Writes a bound statement's rows until the page is full, and keeps them.
    private func write(
        _ statement: Statement, from place: Int64, keeping rows: RowCache, _ planner: ListPlanner, _ counter: Int64,
        _ end: inout ListEnd, _ out: inout ByteWriter
    ) throws {
        let kind = planner.query.kind
        let columns = TableLayout.columnCount(of: kind, .list)
        defer { statement.reset() }
        let source = RecordSource(statement)
        var place = place
        while try statement.step() {
            let change = source.integer(Self.changeColumn)
            var link = RowCache.Link(change: change)
            if end.count < planner.query.limit {
                link.position = withUnsafeTemporaryAllocation(byteCount: RowCache.longestRow + PackedRow.slack, alignment: 8) { packed in
                    guard let start = packed.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
                    let count = hirewire_pack(statement.handle, Int32(columns), start, RowCache.longestRow)
                    guard count > 0 else { return 0 }
                    write(PackedRow(start, columns: columns), at: change, planner, &end, &out)
                    return rows.keep(UnsafeRawBufferPointer(start: start, count: count), columns: columns, at: change, of: kind)
                }
                if link.position == 0 { write(source, at: change, planner, &end, &out) }
                rows.note(link, after: place, of: kind, counter: counter)
                place = change
            } else {
                rows.note(link, after: place, of: kind, counter: counter)
                end.hasMore = true
                break
            }
        }
    }

    /// Of every projection but the brief one.
    private static let changeColumn = 4

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

import Domain

/// A page of a list while it is written.
struct ListPage {
    let planner: ListPlanner
    var end = ListEnd()
    var ranks: RankCounter?
    /// Of the rows that were written, where somebody asks.
    var keys: [Int64]?

    init(_ planner: ListPlanner) { self.planner = planner }

    var query: ListQuery { planner.query }
    var form: ListForm { planner.form }
    var isFull: Bool { end.count == (query.ids == nil ? query.limit : 100) }
}

/// Lists.
extension Reader {
    func list(
        _ query: ListQuery, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> ListEnd {
        let planner = ListPlanner(query, form: form, organization: organization)
        var end = try page(planner, asOf: query.position?.asOf, into: &out)
        if query.countsExactly { end.total = try count(planner, afterPosition: false) }
        return end
    }

    func count(_ query: ListQuery, of organization: OrganizationNumber, form: ListForm) throws -> Int {
        try count(ListPlanner(query, form: form, organization: organization), afterPosition: true)
    }

    private func count(_ planner: ListPlanner, afterPosition: Bool) throws -> Int {
        planner.findsNothing ? 0 : try Int(planner.total(afterPosition: afterPosition).reduce(0) { try $0 + count($1) })
    }

    private func page(_ planner: ListPlanner, asOf: Timestamp?, into out: inout ByteWriter) throws -> ListEnd {
        var page = ListPage(planner)
        page.end.asOf = try asOf ?? mark(of: page.query, planner.organization)
        if planner.findsNothing { return page.end }
        if let shape = planner.plainShape {
            if let rows, planner.isKept {
                try walk(rows, &page, shape, into: &out)
            } else {
                let (plan, statement) = try plainWalk(planner, shape)
                try statement.bind(planner.plainValues)
                try fill(&page, statement, plan, into: &out)
            }
            return page.end
        }
        page.ranks = RankCounter(query: page.query, statements: statements)
        if let found, let question = planner.question {
            try fill(&page, found, question, into: &out)
        } else {
            try fill(&page, planner, into: &out)
        }
        return page.end
    }

    /// Writes a list's rows until the page is full.
    func fill(_ page: inout ListPage, _ planner: ListPlanner, into out: inout ByteWriter) throws {
        let plan = try planner.plan(estimating: self)
        for part in plan.parts where !page.end.hasMore {
            let statement = try statements(part.text)
            try statement.bind(part.values)
            try fill(&page, statement, plan, into: &out)
        }
    }

    /// Writes a bound statement's rows until the page is full.
    func fill(_ page: inout ListPage, _ statement: Statement, _ plan: ListPlan, into out: inout ByteWriter) throws {
        let form = page.form
        defer { statement.reset() }
        let source = RecordSource(statement)
        while try statement.step() {
            if page.isFull {
                page.end.hasMore = page.query.ids == nil
                break
            }
            if page.end.count > 0, form.notation == .json { out.append(byte: 0x2C) }
            page.end.count += 1
            if let dead = plan.tombstoneColumn, source.isNull(0) {
                let tombstone = Self.tombstone(statement, at: dead)
                Self.write(tombstone, form, to: &out)
                page.end.last = ListPosition(value: .null, updatedAt: tombstone.updatedAt, asOf: page.end.asOf)
            } else {
                let rank = try page.ranks?.rank(source)
                page.end.hidden.formUnion(Self.write(source, rank, form, (statement, plan.embedColumns), to: &out))
                tell(of: source, form)
                page.keys?.append(source.integer(Self.changeColumn))
                if page.isFull { page.end.last = position(source, plan, page.query, page.end.asOf) }
            }
        }
    }

    /// Of every projection but the brief one.
    static let changeColumn = 4

    func tell<Row: RowSource>(of row: Row, _ form: ListForm) {
        if let column = form.toldColumn, !row.isNull(column) { told.append(row.ulid(column)) }
    }

    /// Writes a row, with its related records at these columns. Returns what was hidden.
    static func write<Row: RowSource>(
        _ source: Row, _ rank: Int64?, _ form: ListForm, _ related: (statement: Statement, columns: [Int])?, to out: inout ByteWriter
    ) -> HiddenIDs {
        var hidden: HiddenIDs = []
        if let cells = form.cells {
            if cells.record.write(source, rank: rank, to: &out) { hidden = .own }
            if let related {
                for (index, column) in related.columns.enumerated() {
                    out.append(byte: 0x2C)
                    let row = RecordSource(related.statement, base: column)
                    if cells.embeds[index].write(row, to: &out) { hidden.insert(.embedded(index)) }
                }
            }
            out.append("\r\n")
            return hidden
        }
        if form.record.write(source, rank: rank, to: &out) { hidden = .own }
        if let related {
            for (index, column) in related.columns.enumerated()
            where write(form.embeds[index], related.statement, at: column, into: &out) { hidden.insert(.embedded(index)) }
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
    func plainWalk(_ planner: ListPlanner, _ shape: Int) throws -> (ListPlan, Statement) {
        if let known = plain[shape] { return known }
        let plan = try planner.plan(estimating: self)
        let statement = try statements(plan.parts[0].text)
        plain[shape] = (plan, statement)
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
        let mark = try mark(of: query.kind, organization)
        return query.updatedBefore.map { min($0, mark) } ?? mark
    }

    func mark(of kind: RecordKind, _ organization: OrganizationNumber) throws -> Timestamp {
        let last = try statements("SELECT last FROM clocks WHERE organization = ? AND kind = ?")
            .first([.integer(organization.value), .integer(Int64(kind.rawValue))]) { $0.integer(0) }
        return Timestamp(microseconds: last.map { $0 + 1 } ?? Place.epoch)
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

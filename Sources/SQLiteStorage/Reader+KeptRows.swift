import Domain
import SQLiteSetup

/// Plain walks through rows that are kept from one request to another.
extension Reader {
    /// Writes a page from the rows that are kept, and from the file what is missing; that is kept from then on.
    func walk(_ rows: RowCache, _ page: inout ListPage, _ shape: Int, into out: inout ByteWriter) throws {
        let (kind, limit) = (page.query.kind, page.query.limit)
        let counter = try changeCounter(of: page.planner.organization)
        if page.form.toldColumn != nil { told.reserveCapacity(limit) }
        var (place, high) = page.planner.bounds(positioned: true)
        var next = rows.next(after: place, of: kind, counter: counter)
        walk: while true {
            switch next {
            case .row(let link):
                if link.change >= high { return }
                if page.end.count == limit { return page.end.hasMore = true }
                guard let (following, position) = write(rows, link, &page, counter, to: &out) else { break walk }
                if position != link.position {
                    rows.note(RowCache.Link(change: link.change, position: position), after: place, of: kind, counter: counter)
                }
                (place, next) = (link.change, following)
            case .changed:
                // Only keys are read. The rows that are still there are under them.
                let keys = try statements("SELECT change FROM \(kind.plural) WHERE change > ? AND change < ? ORDER BY change LIMIT ?")
                    .all([.integer(place), .integer(high), .integer(Int64(limit - page.end.count + 1))]) { $0.integer(0) }
                for change in keys {
                    let link = RowCache.Link(change: change)
                    if page.end.count < limit, let (_, position) = write(rows, link, &page, counter, to: &out) {
                        rows.note(RowCache.Link(change: change, position: position), after: place, of: kind, counter: counter)
                        place = change
                        continue
                    }
                    rows.note(link, after: place, of: kind, counter: counter)
                    if page.end.count == limit { return page.end.hasMore = true }
                    break walk
                }
                return
            case .unknown: break walk
            }
        }
        let statement = try plainWalk(page.planner, shape).1
        try statement.bind([.integer(place), .integer(high), .integer(Int64(limit - page.end.count + 1))])
        try fill(&page, statement, after: place, keeping: rows, counter, into: &out)
    }

    /// Writes a bound statement's rows until the page is full, and keeps them.
    private func fill(
        _ page: inout ListPage, _ statement: Statement, after place: Int64, keeping rows: RowCache, _ counter: Int64,
        into out: inout ByteWriter
    ) throws {
        let kind = page.query.kind
        let columns = TableLayout.columnCount(of: kind, .list)
        defer { statement.reset() }
        let source = RecordSource(statement)
        var place = place
        while try statement.step() {
            let change = source.integer(Self.changeColumn)
            var link = RowCache.Link(change: change)
            if page.end.count < page.query.limit {
                link.position = withUnsafeTemporaryAllocation(byteCount: RowCache.longestRow + PackedRow.slack, alignment: 8) { packed in
                    guard let start = packed.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
                    let count = hirewire_pack(statement.handle, Int32(columns), start, RowCache.longestRow)
                    guard count > 0 else { return 0 }
                    write(PackedRow(start, columns: columns), at: change, &page, to: &out)
                    return rows.keep(UnsafeRawBufferPointer(start: start, count: count), columns: columns, at: change, of: kind)
                }
                if link.position == 0 { write(source, at: change, &page, to: &out) }
                rows.note(link, after: place, of: kind, counter: counter)
                place = change
            } else {
                rows.note(link, after: place, of: kind, counter: counter)
                page.end.hasMore = true
                break
            }
        }
    }

    /// Writes one row that is kept, and tells what comes after it and where it lies; nil when it is not kept.
    private func write(
        _ rows: RowCache, _ link: RowCache.Link, _ page: inout ListPage, _ counter: Int64, to out: inout ByteWriter
    ) -> (RowCache.Next, Int)? {
        rows.visit(link, of: page.query.kind, counter: counter) { write($0, at: link.change, &page, to: &out) }
    }

    private func write<Row: RowSource>(_ row: Row, at change: Int64, _ page: inout ListPage, to out: inout ByteWriter) {
        let form = page.form
        if page.end.count > 0, form.notation == .json { out.append(byte: 0x2C) }
        page.end.count += 1
        page.end.hidden.formUnion(Self.write(row, nil, form, nil, to: &out))
        tell(of: row, form)
        if page.end.count == page.query.limit {
            page.end.last = ListPosition(value: .null, updatedAt: Place.time(change), asOf: page.end.asOf)
        }
    }
}

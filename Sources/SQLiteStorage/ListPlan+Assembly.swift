import Domain

/// From streams to statements.
extension ListPlanner {
    func assemble(_ parts: [[ListStream]]) throws -> ListPlan {
        let sorted = !query.sort.isByChange
        var width = TableLayout.columnCount(of: query.kind, .list)
        var selected = Selection(list: [TableLayout.columns(of: query.kind, .list, "t")], joins: "")
        var embedColumns: [Int] = []
        for embed in form.embeds {
            let alias = "e_\(embed.form.kind.singular)"
            selected.list.append(TableLayout.columns(of: embed.form.kind, embed.form.projection, alias))
            selected.joins += " LEFT JOIN \(embed.form.kind.plural) \(alias) ON \(alias).id = t.\(embed.field)"
            embedColumns.append(width)
            width += TableLayout.columnCount(of: embed.form.kind, embed.form.projection)
        }
        var tombstoneColumn: Int?
        if query.includeDeleted {
            selected.list.append("d.id, d.version, d.change, d.deleted_at")
            selected.joins += " LEFT JOIN tombstones d ON d.kind = \(query.kind.rawValue) AND d.change = k.change"
            tombstoneColumn = width
            width += 4
        }
        return ListPlan(
            parts: parts.map { part($0, selected) }, sortColumn: sorted ? width : nil, tombstoneColumn: tombstoneColumn,
            embedColumns: embedColumns)
    }

    private struct Selection {
        var list: [String]
        var joins: String
    }

    /// The rows of some streams, in the order of the list.
    private func part(_ streams: [ListStream], _ selected: Selection) -> SQLFragment {
        let sorted = !query.sort.isByChange
        let direct = streams.count == 1 && streams[0].isOrdered && !streams[0].isDistinct && !query.includeDeleted
        let sort = sorted ? [direct ? ListSortExpression.column(query.sort.field) : "k.s"] : []
        let list = (selected.list + sort).joined(separator: ", ")
        if direct { return render(streams[0], columns: list, joins: selected.joins) }
        let join = query.includeDeleted ? "LEFT JOIN" : "CROSS JOIN"
        return SQLFragment("SELECT \(list) FROM (") + merged(streams) + ") k \(join) \(layout.table) t ON t.change = k.change"
            + "\(selected.joins) ORDER BY \(sorted ? "k.s\(order), " : "")k.change\(order)"
    }

    func render(_ stream: ListStream, columns: String, joins: String = "") -> SQLFragment {
        let sort = query.sort.isByChange || stream.isLevel ? "" : "\(ListSortExpression.column(query.sort.field))\(order), "
        return SQLFragment("SELECT \(columns) FROM \(stream.source)\(joins) WHERE ") + .joined(stream.tests, by: " AND ")
            + SQLFragment(" ORDER BY \(sort)\(stream.change)\(order) LIMIT ?", [limit])
    }

    /// The keys of the page: one stream's, or several that SQLite merges.
    private func merged(_ streams: [ListStream]) -> SQLFragment {
        let sort = query.sort.isByChange ? "" : ", \(ListSortExpression.column(query.sort.field)) AS s"
        var keys = streams.map { stream in
            render(stream, columns: "\(stream.isDistinct ? "DISTINCT " : "")\(stream.change) AS change\(sort)")
        }
        if query.includeDeleted { keys.append(tombstoneKeys) }
        if keys.count == 1 { return keys[0] }
        // Of several jobs' applicants one may be in two streams.
        let union = streams.contains(where: \.isDistinct) ? " UNION " : " UNION ALL "
        return .joined(keys.map { SQLFragment("SELECT * FROM (") + $0 + ")" }, by: union)
            + SQLFragment(" ORDER BY \(sort.isEmpty ? "" : "s\(order), ")change\(order) LIMIT ?", [limit])
    }

    /// Deleted records, whatever the content filters.
    private func tombstones(positioned: Bool) -> SQLFragment {
        let all = SQLFragment("FROM tombstones t WHERE t.kind = \(query.kind.rawValue) AND ") + inBounds(positioned: positioned)
        return query.ids.map { all + " AND " + isOneOf($0) } ?? all
    }

    private var tombstoneKeys: SQLFragment {
        SQLFragment("SELECT t.change AS change ") + tombstones(positioned: true)
            + SQLFragment(" ORDER BY t.change\(order) LIMIT ?", [limit])
    }

    // MARK: The total

    /// Counts that add up to how many records the walk has: the whole of it, or what comes after the position.
    func total(afterPosition positioned: Bool = false) -> [SQLFragment] {
        var all = tests(except: terms.firstIndex { $0.rank == .applied }) + [inBounds(positioned: positioned)]
        for case .appliedTo(let jobs) in query.conditions {
            // Looked up once, and not for each record.
            all.append(
                SQLFragment(
                    """
                    t.change IN (SELECT a.candidate_change FROM applications a INDEXED BY applications_applicants
                    WHERE a.job_id IN (\(SQLFragment.marks(jobs.count))))
                    """, jobs.map(SQLValue.ulid)))
        }
        if positioned, !query.sort.isByChange, let (same, later) = position() {
            all.append(SQLFragment("((") + same + ") OR " + later + ")")
        }
        var source = "\(layout.table) t"
        if let match, query.ids == nil {
            all.append(SQLFragment("t.change IN (SELECT rowid FROM \(match.index) WHERE \(match.index) MATCH ?)", [match.expression]))
        } else if terms.isEmpty, query.ids == nil {
            // The narrowest index that has every row of the organization.
            source += " INDEXED BY \(layout.table)_created_at"
            all.append(inOrganization)
        } else {
            all += matchTests
        }
        var counts = [SQLFragment("SELECT count(*) FROM \(source) WHERE ") + .joined(all, by: " AND ")]
        if query.includeDeleted { counts.append(SQLFragment("SELECT count(*) ") + tombstones(positioned: positioned)) }
        return counts
    }
}

import Dispatch
import Domain

/// Lists that were asked for before: what was found then, by key, and what came since.
extension Reader {
    /// So many rows that came since are sorted. A search backwards can't begin in the middle of the index: it would read
    /// all of it to find that nothing came.
    private static let mostSorted: Int64 = 2_000

    func fill(_ page: inout ListPage, _ found: FoundKeys, _ question: [UInt8], into out: inout ByteWriter) throws {
        let planner = page.planner
        let start = DispatchTime.now().uptimeNanoseconds
        let counter = try changeCounter(of: planner.organization)
        let bounds = planner.bounds(positioned: true)
        // No key of this snapshot is there or later.
        let top = min(bounds.high, Place.key(planner.organization, try mark(of: planner.query.kind, planner.organization)))
        page.keys = []
        var known: FoundKeys.Look?
        if let look = found.look(for: question, counter: counter), try isOfUse(look, planner, bounds.low, top) { known = look }
        if let known {
            try fill(&page, known, bounds.low, top, into: &out)
        } else {
            try fill(&page, planner, into: &out)
        }
        guard known != nil || DispatchTime.now().uptimeNanoseconds - start >= found.worth, let keys = page.keys else { return }
        var look = FoundKeys.Look(counter: counter, low: bounds.low, high: top, keys: keys)
        if planner.query.sort.descending {
            if page.end.hasMore, let last = keys.last { look.low = last - 1 }
            look.keys.reverse()
        } else if page.end.hasMore, let last = keys.last {
            look.high = last + 1
        }
        if look.high - look.low > 1 { found.note(look, for: question) }
    }

    private func isOfUse(_ look: FoundKeys.Look, _ planner: ListPlanner, _ low: Int64, _ top: Int64) throws -> Bool {
        guard planner.query.sort.descending else { return look.low <= low && low < look.high }
        guard low < look.high, look.low < top else { return false }
        if look.high >= top { return true }
        let since = SQLFragment(
            "SELECT count(*) FROM (SELECT 1 FROM \(planner.layout.table) WHERE change >= ? AND change < ? LIMIT \(Self.mostSorted + 1))",
            [.integer(look.high), .integer(top)])
        return try count(since) <= Self.mostSorted
    }

    /// Writes what was found between two keys, and what the look had not seen of that.
    private func fill(_ page: inout ListPage, _ known: FoundKeys.Look, _ low: Int64, _ top: Int64, into out: inout ByteWriter) throws {
        let planner = page.planner
        let keys = known.keys.filter { $0 > low && $0 < top }
        let since = planner.within(max(low, known.high - 1), top, isSorted: planner.query.sort.descending)
        if planner.query.sort.descending {
            if known.high < top { try fill(&page, since, into: &out) }
            try fill(&page, keys.reversed(), into: &out)
            if known.low > low, !page.end.hasMore { try fill(&page, planner.within(low, known.low + 1), into: &out) }
        } else {
            try fill(&page, keys, into: &out)
            if known.high < top, !page.end.hasMore { try fill(&page, since, into: &out) }
        }
    }

    /// Writes the rows that are still under these keys, until the page is full.
    private func fill(_ page: inout ListPage, _ keys: [Int64], into out: inout ByteWriter) throws {
        if keys.isEmpty || page.end.hasMore { return }
        let plan = try page.planner.rowByKey()
        let statement = try statements(plan.parts[0].text)
        try statement.bind(plan.parts[0].values)
        for key in keys where !page.end.hasMore {
            try statement.bind(.integer(key), at: 1)
            try fill(&page, statement, plan, into: &out)
        }
    }
}

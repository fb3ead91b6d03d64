import Domain

/// Makes one of the many parts that a full-text index has after an import: a search then reads a list for each word, and not
/// one for each word and part. FTS5 itself merges parts of like size only, and only while somebody writes.
///
/// It goes on in steps of some milliseconds while nobody else writes; the words of nearly every row take a longer one. An
/// index is merged when a third of it lies outside its largest part: after an import, and then when much has been written anew.
public final class SearchMerging {
    private let database: Database
    /// So long nobody has written before a step.
    private let quiet: Duration
    private let longest: Duration
    private var changes: Int64 = -1
    private var quietSince = ContinuousClock.now
    /// What was merged, or needed no merging, at ``changes``.
    private var done: Set<String> = []
    /// The index whose merging has begun.
    private var begun: String?

    /// Of one step, for which a writer waits.
    private static let leaves = 32
    private static let smallest = 64

    public init(_ database: Database, quiet: Duration = .seconds(2), longest: Duration = .milliseconds(20)) {
        self.database = database
        self.quiet = quiet
        self.longest = longest
    }

    /// Does steps for ``longest``, where there are any to do. True when there are more.
    public func step() throws -> Bool {
        let now = try database.snapshot { try $0("SELECT sum(change_counter) FROM organizations").first { $0.integer(0) } ?? 0 }
        if now != changes {
            (changes, quietSince, done) = (now, .now, [])
            return false
        }
        guard .now - quietSince >= quiet else { return false }
        for layout in TableLayout.all where layout.search.map({ !done.contains($0) }) ?? false {
            guard let search = layout.search else { continue }
            var begins = false
            if begun != search {
                let state = try database.snapshot { try (SearchIndex.levels(search, $0), Self.isScattered(search, $0)) }
                if state.0 >= SearchIndex.mostLevels {
                    try database.transaction { try SearchIndex.renewIfDeep(layout, statements: $0) }
                } else if state.1, state.0 < SearchIndex.mostLevels / 2 {
                    begun = search
                    begins = true
                }
            }
            let start = ContinuousClock.now
            while begun == search {
                let hasMore: Bool
                do {
                    hasMore = try database.transaction { try SearchIndex.merge(search, leaves: Self.leaves, begins: begins, $0) }
                } catch {
                    // What could not begin begins the next time.
                    if begins { begun = nil }
                    throw error
                }
                begins = false
                if !hasMore { begun = nil } else if .now - start >= longest { return true }
            }
            done.insert(search)
        }
        return false
    }

    private static func isScattered(_ search: String, _ statements: StatementCache) throws -> Bool {
        let parts = try statements("SELECT count(*) FROM \(search)_idx GROUP BY segid").all { $0.integer(0) }
        let all = parts.reduce(0, +)
        return parts.count > 1 && all >= smallest && (all - (parts.max() ?? 0)) * 3 >= all
    }
}

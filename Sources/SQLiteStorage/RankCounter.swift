import Domain

/// Ranks matches within their job: one more than the number of matches with a better score.
///
/// The job's scores are counted from the index, best first and only as far as the page's rows go: one statement a job and
/// at most one pass over its better scores. A page further on begins with a count of what is better than its first row.
struct RankCounter {
    private let connection: OpaquePointer
    private let isFirstPage: Bool
    private var jobs: [ULID: JobRanks] = [:]

    /// Nil where a list gives no ranks.
    init?(query: ListQuery, statements: StatementCache) {
        let byJob = query.conditions.contains { if case .equals("job_id", _) = $0 { true } else { false } }
        guard query.kind == .match, byJob else { return nil }
        connection = statements.connection
        // Where the best come first, a page further on has none of the better scores.
        isFirstPage = query.position == nil || query.sort != ListSort(field: "score", descending: true)
    }

    private static let columns: (job: Int, score: Int) = {
        let schema = RecordKind.match.schema
        let base = Projection.heading.count
        return (base + schema.position("job_id"), base + schema.position("score"))
    }()

    mutating func rank(_ row: RecordSource) throws -> Int64 {
        let (job, score) = (row.ulid(Self.columns.job), row.number(Self.columns.score))
        if let ranks = jobs[job] { return try ranks.rank(of: score) }
        let ranks = try JobRanks(job, connection, from: isFirstPage ? .infinity : score)
        jobs[job] = ranks
        return try ranks.rank(of: score)
    }
}

/// A job's scores, best first, each with its rank; read on when a lower one is asked for.
private final class JobRanks {
    private let statement: Statement
    private var known: [(score: Double, rank: Int64)] = []
    /// The matches that were counted.
    private var counted: Int64 = 0

    /// - Parameter highest: no better score is asked for.
    init(_ job: ULID, _ connection: OpaquePointer, from highest: Double) throws {
        statement = try Statement(
            connection,
            """
            SELECT score, count(*), (SELECT count(*) FROM matches WHERE job_id = ?1 AND score > ?2)
            FROM matches WHERE job_id = ?1 AND score <= ?2 GROUP BY score ORDER BY score DESC
            """)
        try statement.bind([.ulid(job), .real(highest)])
    }

    func rank(of score: Double) throws -> Int64 {
        while known.last.map({ $0.score > score }) ?? true, try statement.step() {
            if known.isEmpty { counted = statement.row.integer(2) }
            known.append((statement.row.number(0), counted + 1))
            counted += statement.row.integer(1)
        }
        // Best first: the first one that is not better.
        var (low, high) = (0, known.count)
        while low < high {
            let middle = (low + high) / 2
            if known[middle].score > score { low = middle + 1 } else { high = middle }
        }
        return low < known.count ? known[low].rank : counted + 1
    }
}

import Domain

/// Ranks matches within their job: one more than the number of matches with a better score.
///
/// Counts only what lies between a score and the nearest better one that is known already, so that a page costs at
/// most one pass over the job's better scores.
struct RankCounter {
    private let statements: StatementCache
    private var known: [ULID: [(score: Double, rank: Int64)]] = [:]

    /// Nil where a list gives no ranks.
    init?(query: ListQuery, statements: StatementCache) {
        let byJob = query.conditions.contains { if case .equals("job_id", _) = $0 { true } else { false } }
        guard query.kind == .match, byJob else { return nil }
        self.statements = statements
    }

    private static let columns: (job: Int, score: Int) = {
        let schema = RecordKind.match.schema
        let base = Projection.heading.count
        return (base + schema.position("job_id"), base + schema.position("score"))
    }()

    mutating func rank(_ row: RecordSource) throws -> Int64 {
        let (job, score) = (row.ulid(Self.columns.job), row.number(Self.columns.score))
        var ranks = known[job] ?? []
        // Best first; the last one that is not worse.
        let index = ranks.firstIndex { $0.score < score } ?? ranks.count
        if index > 0, ranks[index - 1].score == score { return ranks[index - 1].rank }
        let better = index > 0 ? ranks[index - 1] : (score: Double.infinity, rank: 1)
        let between =
            try statements("SELECT count(*) FROM matches WHERE job_id = ? AND score > ? AND score <= ?")
            .first([.ulid(job), .real(score), .real(better.score)]) { $0.integer(0) } ?? 0
        let rank = better.rank + between
        ranks.insert((score, rank), at: index)
        known[job] = ranks
        return rank
    }
}

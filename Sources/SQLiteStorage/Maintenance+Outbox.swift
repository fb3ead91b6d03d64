import Domain

extension Maintenance {
    /// What foreign keys and the tables' own checks can't know, or would not have seen happen.
    static func outboxProblems(_ statements: StatementCache) throws -> [String] {
        let dialects = DialectName.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        let questions = [
            ("deliveries have no endpoint", "deliveries WHERE endpoint NOT IN (SELECT number FROM endpoints)"),
            (
                "deliveries have lost their body",
                "deliveries d WHERE body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bodies WHERE number = d.body AND event = d.event)"
            ),
            ("pending deliveries have no body", "deliveries WHERE status = \(DeliveryStatus.pending.code) AND body IS NULL"),
            ("bodies have no delivery", "bodies b WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE event = b.event AND body = b.number)"),
            ("attempts have no delivery", "attempts WHERE delivery NOT IN (SELECT number FROM deliveries)"),
            (
                "deliveries are another organization's than their endpoint",
                "deliveries d JOIN endpoints e ON e.number = d.endpoint WHERE d.event >> \(Place.bits) <> e.organization"
            ),
            ("endpoints speak a dialect that this hirewire does not know", "endpoints WHERE dialect NOT IN (\(dialects))"),
        ]
        return try questions.compactMap { problem, rows in
            let count = try statements("SELECT count(*) FROM \(rows)").first { $0.integer(0) } ?? 0
            return count > 0 ? "\(count) \(problem)" : nil
        }
    }
}

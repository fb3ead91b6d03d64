extension Schema {
    /// Checks that list the words of a column say them one by one: for `IN` with more than two, SQLite fills a table of its
    /// own and throws it away again at each row that is written, a seventh of what a new candidate costs.
    ///
    /// The text of a check may be changed in place, for it says nothing of how rows are stored ("Making Other Kinds Of
    /// Table Schema Changes" in SQLite's documentation of ALTER TABLE).
    static let words = """
        PRAGMA writable_schema = ON;
        \(oneByOne("status", of: "candidates", ["new", "screening", "interviewing", "offer", "hired", "rejected", "withdrawn"]))
        \(oneByOne("status", of: "jobs", ["draft", "open", "paused", "closed", "filled"]))
        \(oneByOne("salary_interval", of: "jobs", ["year", "month", "week", "day", "hour"]))
        \(oneByOne("status", of: "interviews", ["scheduled", "in_progress", "completed", "abandoned", "cancelled", "no_show"]))
        PRAGMA writable_schema = RESET;
        """

    private static func oneByOne(_ column: String, of table: String, _ words: [String]) -> String {
        let listed = "\(column) IN (\(words.map { "'\($0)'" }.joined(separator: ", ")))"
        let single = words.map { "\(column) = '\($0)'" }.joined(separator: " OR ")
        func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        return
            "UPDATE sqlite_schema SET sql = replace(sql, \(quoted(listed)), \(quoted(single))) WHERE type = 'table' AND name = '\(table)';"
    }
}

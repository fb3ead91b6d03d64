import Domain
import GRDBSQLite

/// The full-text index of a kind: its rows carry the records' `change`, so what it finds comes in the change order and
/// an organization is a range of it.
///
/// It holds no text of its own (`content=''`), so that a row is taken out by giving its old texts again.
enum SearchIndex {
    /// The expression for a user's words: FTS5's strings, joined by AND. Nil when there is no word to find.
    static func expression(_ query: SearchQuery) -> String? {
        if query.terms.isEmpty { return nil }
        return query.terms.map { quoted($0.text) + ($0.isPrefix ? " *" : "") }.joined(separator: " AND ")
    }

    /// The expression that finds candidates whose skills contain the words of each skill. Nil when some skill has none.
    static func expression(skills: [String]) -> String? {
        let queries = skills.map { SearchQuery("\"" + folded($0).filter { $0 != "\"" } + "\"") }
        guard queries.allSatisfy({ !$0.terms.isEmpty }) else { return nil }
        return queries.flatMap(\.terms).map { "skills : " + quoted($0.text) }.joined(separator: " AND ")
    }

    /// Restricts an expression to what a key without `read:pii` may search.
    static func open(_ expression: String) -> String { "{words skills} : (\(expression))" }

    private static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// The texts of a record: for every key, its skills, and for keys with `read:pii`.
    static func texts(_ record: Record) -> [SQLValue] {
        switch record.kind {
        case .candidate:
            [
                join(record, nameFields(record) + ["headline", "location", "source"]),
                list(record["skills"]),
                join(record, ["email", "phone", "external_user_id", "resume.text"]),
            ]
        case .job:
            [
                join(record, ["title", "department", "location", "employment_type", "description"]),
                list(record["required_skills"]), .null,
            ]
        default: []
        }
    }

    /// The first and the last name stand in most full names already.
    private static func nameFields(_ record: Record) -> [String] {
        guard let full = record.text("full_name"), let first = record.text("first_name"), let last = record.text("last_name"),
            full.utf8.starts(with: first.utf8), full.utf8.count == first.utf8.count + last.utf8.count + 1
        else { return ["full_name", "first_name", "last_name"] }
        return ["full_name"]
    }

    /// A word of its own between two texts, so that no phrase spans them: of Unicode's private use, which the tokenizer
    /// takes for a letter and nobody searches for.
    private static let stop = " \u{E000} "

    /// Field by field.
    private static func join(_ record: Record, _ fields: [String]) -> SQLValue {
        let texts = fields.compactMap(record.text)
        return texts.isEmpty ? .null : .text(texts.joined(separator: stop))
    }

    private static func list(_ value: FieldValue) -> SQLValue {
        guard case .list(let list) = value, !list.isEmpty else { return .null }
        return .text(folded(list.joined(separator: stop)))
    }

    static func add(_ record: Record, at change: Int64, layout: TableLayout, statements: StatementCache) throws {
        guard let search = layout.search else { return }
        try statements("INSERT INTO \(search) (rowid, words, skills, personal) VALUES (?, ?, ?, ?)")
            .run([.integer(change)] + texts(record))
    }

    static func remove(_ record: Record, at change: Int64, layout: TableLayout, statements: StatementCache) throws {
        guard let search = layout.search else { return }
        try statements("INSERT INTO \(search) (\(search), rowid, words, skills, personal) VALUES ('delete', ?, ?, ?, ?)")
            .run([.integer(change)] + texts(record))
    }
}

import Domain
import GRDBSQLite

/// The full-text index of a kind: its rows carry the records' `change`, so what it finds comes in the change order and
/// an organization is a range of it.
///
/// It holds no text of its own (`content=''`), so that a row is taken out by giving its old texts again. One column has
/// three sorts of words, told apart by scalars of Unicode's private use, which the tokenizer takes for letters and no
/// query may hold:
/// - the words that every key may search, as they are;
/// - the words of personal fields, each after ``mark``: who may not read them does not ask for them, and finds out
///   nothing by how long an answer takes;
/// - each skill of a candidate as a whole, as one scalar of plane 15 (see ``token(ofSkill:)``): the words of one skill may
///   stand in many others.
enum SearchIndex {
    /// The expression for a user's words: FTS5's strings, joined by AND. Nil when there is no word to find.
    ///
    /// - Parameter personal: searches the personal fields too.
    static func expression(_ query: SearchQuery, personal: Bool) -> String? {
        if query.terms.isEmpty { return nil }
        return query.terms.map { term in
            let texts = personal ? [term.text, marked(term.text)] : [term.text]
            return "(" + texts.map { quoted($0) + (term.isPrefix ? " *" : "") }.joined(separator: " OR ") + ")"
        }.joined(separator: " AND ")
    }

    /// The expression that finds candidates with all of the skills, and now and then one with another in its place: the
    /// row is asked too.
    static func expression(skills: [String]) -> String {
        skills.map { quoted(String(token(ofSkill: folded($0)))) }.joined(separator: " AND ")
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// The text of a record, in UTF-8.
    static func text(_ record: Record) -> [UInt8] {
        var out = TextBuilder()
        switch record.kind {
        case .candidate: candidate(record.values, &out)
        case .job: job(record.values, &out)
        default: break
        }
        return out.bytes
    }

    private static func candidate(_ values: [FieldValue], _ out: inout TextBuilder) {
        let at = CandidateFields.positions
        let (full, first, last) = (values[at.full], values[at.first], values[at.last])
        out.append(full)
        // The first and the last name stand in most full names already.
        if !isFull(full, first, last) {
            out.append(first)
            out.append(last)
        }
        for position in at.open { out.append(values[position]) }
        if case .list(let skills) = values[at.skills] {
            for skill in skills { out.append(skill) }
            for skill in skills { out.append(token(ofSkill: folded(skill))) }
        }
        for position in at.personal { out.appendMarked(values[position]) }
    }

    private static func isFull(_ full: FieldValue, _ first: FieldValue, _ last: FieldValue) -> Bool {
        guard case .text(let full) = full, case .text(let first) = first, case .text(let last) = last else { return false }
        return full.utf8.count == first.utf8.count + last.utf8.count + 1 && full.utf8.starts(with: first.utf8)
            && full.utf8.suffix(last.utf8.count).elementsEqual(last.utf8)
    }

    private static func job(_ values: [FieldValue], _ out: inout TextBuilder) {
        for position in JobFields.positions { out.append(values[position]) }
        if case .list(let skills) = values[JobFields.skills] {
            for skill in skills { out.append(skill) }
        }
    }

    private enum CandidateFields {
        static let positions: (full: Int, first: Int, last: Int, open: [Int], skills: Int, personal: [Int]) = {
            let schema = RecordKind.candidate.schema
            return (
                schema.position("full_name"), schema.position("first_name"), schema.position("last_name"),
                ["headline", "location", "source"].map(schema.position), schema.position("skills"),
                ["email", "phone", "external_user_id", "resume.text"].map(schema.position)
            )
        }()
    }

    private enum JobFields {
        static let positions = ["title", "department", "location", "employment_type", "description"]
            .map(RecordKind.job.schema.position)
        static let skills = RecordKind.job.schema.position("required_skills")
    }

    /// What each word of a personal text begins with.
    private static let mark: Unicode.Scalar = "\u{E003}"

    /// The texts of a record in UTF-8, a word of its own between them, so that no phrase spans two.
    private struct TextBuilder {
        var bytes: [UInt8] = []
        private static let stop = Array(" \u{E000} ".utf8)
        private static let mark = Array(String(SearchIndex.mark).utf8)

        init() { bytes.reserveCapacity(512) }

        private mutating func separate() {
            if !bytes.isEmpty { bytes.append(contentsOf: Self.stop) }
        }

        mutating func append(_ value: FieldValue) {
            if case .text(let text) = value { append(text) }
        }

        mutating func append(_ text: String) {
            separate()
            bytes.append(contentsOf: text.utf8)
        }

        mutating func append(_ scalar: Unicode.Scalar) {
            separate()
            bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
        }

        mutating func appendMarked(_ value: FieldValue) {
            guard case .text(var text) = value else { return }
            separate()
            let isASCII = text.withUTF8 { utf8 in
                guard utf8.allSatisfy({ $0 < 0x80 }) else { return false }
                var inWord = false
                for byte in utf8 {
                    let isLetter = Unicode.Scalar(byte).isSearchable
                    if isLetter, !inWord { bytes.append(contentsOf: Self.mark) }
                    inWord = isLetter
                    bytes.append(byte)
                }
                return true
            }
            if !isASCII { bytes.append(contentsOf: SearchIndex.marked(text).utf8) }
        }
    }

    /// The text with the mark before each of its words.
    static func marked(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        var inWord = false
        for scalar in text.unicodeScalars {
            // A combining mark is no word of its own and ends none.
            let isCombining = (0x300...0x36F).contains(scalar.value)
            let isLetter = scalar.isSearchable
            if isLetter, !inWord { out.append(mark) }
            inWord = isLetter || (inWord && isCombining)
            out.append(scalar)
        }
        return String(out)
    }

    /// One of 65,533 scalars of the private use of plane 15: the folded skill's FNV-1a hash. A word of one scalar has no
    /// entries in the index's prefixes.
    static func token(ofSkill skill: String) -> Unicode.Scalar {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in skill.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Unicode.Scalar(0xF0000 + UInt32(truncatingIfNeeded: (hash ^ hash >> 32) % 65_533)) ?? mark
    }

    /// - Parameter text: what ``text(_:)`` makes of the record.
    static func add(_ text: [UInt8], at change: Int64, layout: TableLayout, statements: StatementCache) throws {
        guard let search = layout.search else { return }
        try statements(.index, of: layout.kind) { "INSERT INTO \(search) (rowid, text) VALUES (?, ?)" }
            .run([.integer(change), .utf8(text)])
    }

    static func remove(_ record: Record, at change: Int64, layout: TableLayout, statements: StatementCache) throws {
        guard let search = layout.search else { return }
        try statements("INSERT INTO \(search) (\(search), rowid, text) VALUES ('delete', ?, ?)")
            .run([.integer(change), .utf8(text(record))])
    }

    /// FTS5 keeps an index's parts in levels, and each merging of all parts into one adds two that never go away. At 2,000
    /// it takes the index for damaged, up to SQLite 3.40 at least: before that the index is made anew.
    static let mostLevels: Int64 = 1_000
    static let limit: Int64 = 2_000

    /// - Returns: the levels of an index, from its structure record: a cookie of four bytes, then their number as a varint
    ///   (SQLite's fts5_index.c, "Structure Records").
    static func levels(_ search: String, _ statements: StatementCache) throws -> Int64 {
        let record = try statements("SELECT block FROM \(search)_data WHERE id = 10").first { $0.blob(0) } ?? []
        var levels: Int64 = 0
        for byte in record.dropFirst(4).prefix(8) {
            levels = levels << 7 | Int64(byte & 0x7F)
            if byte < 0x80 { break }
        }
        return levels
    }

    /// One step of the merging of all parts that an index has into one, however large they are: it writes some `leaves` of
    /// 4,050 bytes.
    ///
    /// - Parameter begins: the first step. It takes in all parts and adds levels; the later ones go on with those parts, and
    ///   leave what others write meanwhile alone. To begin at each step would add levels for as long as there are writes.
    /// - Returns: false when there was nothing left to merge.
    static func merge(_ search: String, leaves: Int, begins: Bool, _ statements: StatementCache) throws -> Bool {
        let before = sqlite3_total_changes64(statements.connection)
        // A negative rank means all parts.
        try statements("INSERT INTO \(search) (\(search), rank) VALUES ('merge', ?)").run([.integer(Int64(begins ? -leaves : leaves))])
        // FTS5: fewer than two changes mean that there is nothing left to merge.
        return sqlite3_total_changes64(statements.connection) - before >= 2
    }

    /// Makes an index anew where its levels come to an end.
    static func renewIfDeep(_ layout: TableLayout, statements: StatementCache) throws {
        guard let search = layout.search, try levels(search, statements) >= mostLevels else { return }
        try statements("INSERT INTO \(search) (\(search)) VALUES ('delete-all')").run()
        try rebuild(layout, statements: statements)
    }

    /// Fills an empty index from the records' table.
    static func rebuild(_ layout: TableLayout, statements: StatementCache) throws {
        let columns = TableLayout.columns(of: layout.kind, .detail, "t")
        let all = try statements("SELECT \(columns), t.change FROM \(layout.table) t")
        let change = TableLayout.columnCount(of: layout.kind, .detail)
        try all.forEach { row in
            let text = text(RecordSource(all).record(layout.kind))
            try add(text, at: row.integer(change), layout: layout, statements: statements)
        }
    }
}

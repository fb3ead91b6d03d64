import Domain
import Foundation

/// Where a kind of record lies: its table, columns and statements, derived once from the kind's schema.
final class TableLayout: Sendable {
    let kind: RecordKind
    let table: String
    /// The columns after `change, organization, id, external_id, version, created_at`.
    let fieldColumns: [String]
    /// The schema's indices of the fields that have a folded copy.
    let folded: [Int]
    /// The full-text index, where the kind has one.
    let search: String?

    let insert: String
    /// The same for all rows of a ``RowBatch``.
    let insertAll: String
    /// With the row's old place behind its columns.
    let update: String
    /// How many there are.
    let columnCount: Int
    /// Everything of a record, by `change`.
    let selectByChange: String

    static func of(_ kind: RecordKind) -> TableLayout { all[kind.index] }

    static let all = RecordKind.allCases.map(TableLayout.init)

    private init(_ kind: RecordKind) {
        let schema = kind.schema
        let fieldColumns = schema.fields.map(\.column)
        let folded = schema.fields.indices.filter { schema.fields[$0].folded }
        let table = kind.plural
        let extra = folded.map { schema.fields[$0].column + "_folded" } + (kind == .application ? ["candidate_change"] : [])
        let columns = ["change", "organization", "id", "external_id", "version", "created_at"] + fieldColumns + extra
        self.kind = kind
        self.table = table
        self.fieldColumns = fieldColumns
        self.folded = folded
        search = kind == .candidate || kind == .job ? table + "_search" : nil
        columnCount = columns.count
        insert = Self.insert(into: table, columns)
        insertAll = Self.insertAll(into: table, columns)
        let sets = columns.enumerated().filter { !["organization", "id", "created_at"].contains($0.element) }
            .map { "\($0.element) = ?\($0.offset + 1)" }
        // The old place comes last: the row is found by it and moves to the new one.
        update = "UPDATE \(table) SET \(sets.joined(separator: ", ")) WHERE change = ?\(columns.count + 1)"
        selectByChange = "SELECT \(Self.columns(of: kind, .detail, "t")) FROM \(table) t WHERE t.change = ?"
    }

    static func insert(into table: String, _ columns: [String]) -> String {
        "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(SQLFragment.marks(columns.count)))"
    }

    static func insertAll(into table: String, _ columns: [String]) -> String {
        let given = columns.indices.map { "c\($0)" }.joined(separator: ", ")
        return "INSERT INTO \(table) (\(columns.joined(separator: ", "))) SELECT \(given) FROM hirewire_rows"
    }

    /// The columns of a projection, in its order, of the table under that alias.
    static func columns(of kind: RecordKind, _ projection: Projection, _ alias: String) -> String {
        let schema = kind.schema
        let heading = projection == .brief ? ["id", "external_id"] : ["id", "external_id", "version", "created_at", "change"]
        let names = heading + projection.fields(of: kind).map { schema.fields[$0].column }
        return names.map { "\(alias).\($0)" }.joined(separator: ", ")
    }

    static func columnCount(of kind: RecordKind, _ projection: Projection) -> Int {
        (projection == .brief ? 2 : Projection.heading.count) + projection.fields(of: kind).count
    }
}

/// A record's row: its columns are a projection's, `updated_at` lying in the key.
struct RecordSource: RowSource {
    let row: StatementRow

    @inline(__always) init(_ statement: Statement, base: Int = 0) {
        row = StatementRow(handle: statement.handle, base: Int32(base))
    }

    @inline(__always) func isNull(_ column: Int) -> Bool { row.isNull(column) }
    @inline(__always) func text(_ column: Int) -> UnsafeBufferPointer<UInt8> { row.text(column) }
    @inline(__always) func knownText(_ column: Int) -> KnownText? { row.knownText(column) }
    @inline(__always) func integer(_ column: Int) -> Int64 { row.integer(column) }
    @inline(__always) func number(_ column: Int) -> Double { row.number(column) }
    @inline(__always) func ulid(_ column: Int) -> ULID { row.ulid(column) }
    @inline(__always) func time(_ column: Int) -> Timestamp { Self.time(row.integer(column), at: column) }

    /// The time that a column's value stands for: column 4 is the key; a brief form has no times.
    @inline(__always)
    static func time(_ value: Int64, at column: Int) -> Timestamp {
        column == 4 ? Place.time(value) : Timestamp(microseconds: value)
    }

    /// The whole record, from a row of the `detail` projection.
    func record(_ kind: RecordKind) -> Record {
        let schema = kind.schema
        var values: [FieldValue] = []
        values.reserveCapacity(schema.fields.count)
        for (index, field) in schema.fields.enumerated() {
            values.append(value(of: field, at: Projection.heading.count + index))
        }
        return Record(
            kind: kind, id: ulid(0), externalID: row.optionalString(1), version: integer(2), createdAt: row.time(3),
            updatedAt: time(4), values: values)
    }

    private func value(of field: Field, at column: Int) -> FieldValue {
        guard !isNull(column) else { return .null }
        switch field.form {
        case .text, .choice: return .text(row.string(column))
        case .integer: return .integer(integer(column))
        case .number: return .number(number(column))
        case .time: return .time(row.time(column))
        case .object, .array, .json: return .json(row.string(column))
        case .reference: return .reference(ulid(column))
        case .list:
            guard let value = try? JSONParser.parse(text(column)), case .array(let elements) = value else { return .null }
            return .list(elements.compactMap { if case .string(let text) = $0 { text } else { nil } })
        }
    }
}

/// Texts that are equal without regard to case, in Unicode's sense, fold to the same bytes.
///
/// Source: the Unicode Standard, 3.13 (canonical caseless matching): NFD, case folding, NFC. Folding goes by way of the
/// capitals, which joins ß with ss and the two lower-case sigmas; small letters first, or the capital ẞ would stay.
func folded(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
    return text.decomposedStringWithCanonicalMapping.lowercased().uppercased().lowercased().precomposedStringWithCanonicalMapping
}

import Domain
import GRDBSQLite
import SQLiteSetup

/// What SQLite answered when it did not do as asked. The text names no value of any row.
public struct SQLiteFailure: Error, CustomStringConvertible {
    public let code: Int32
    public let message: String
    public var description: String { "SQLite \(code): \(message)" }

    init(_ connection: OpaquePointer?, code: Int32) {
        self.code = code
        message = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(code))
    }

    var isBusy: Bool { code & 0xFF == SQLITE_BUSY || code & 0xFF == SQLITE_LOCKED }
    var isDamage: Bool { code & 0xFF == SQLITE_CORRUPT || code & 0xFF == SQLITE_NOTADB }
    var isConstraint: Bool { code & 0xFF == SQLITE_CONSTRAINT }
}

/// Tells SQLite to copy a bound value.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

/// A prepared statement, stepped directly. Kept and used again; belongs to one connection and one thread at a time.
final class Statement {
    let handle: OpaquePointer
    private let connection: OpaquePointer

    init(_ connection: OpaquePointer, _ sql: String) throws {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteFailure(connection, code: code) }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) throws {
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
    }

    func bind(_ value: SQLValue, at index: Int32) throws {
        let code: Int32
        switch value {
        case .null: code = sqlite3_bind_null(handle, index)
        case .integer(let integer): code = sqlite3_bind_int64(handle, index, integer)
        case .real(let real): code = sqlite3_bind_double(handle, index, real)
        case .text(var text): code = text.withUTF8 { bind(text: $0, at: index) }
        case .utf8(let bytes): code = bytes.withUnsafeBufferPointer { bind(text: $0, at: index) }
        case .blob(let bytes):
            code = bytes.withUnsafeBytes {
                guard let start = $0.baseAddress else { return sqlite3_bind_zeroblob(handle, index, 0) }
                return sqlite3_bind_blob(handle, index, start, Int32($0.count), transient)
            }
        case .ulid(let ulid):
            let words = (ulid.high.bigEndian, ulid.low.bigEndian)
            code = withUnsafeBytes(of: words) { sqlite3_bind_blob(handle, index, $0.baseAddress, 16, transient) }
        }
        guard code == SQLITE_OK else { throw SQLiteFailure(connection, code: code) }
    }

    private func bind(text: UnsafeBufferPointer<UInt8>, at index: Int32) -> Int32 {
        // An empty text has no address, which SQLite would take for NULL.
        guard let start = text.baseAddress else { return sqlite3_bind_text(handle, index, "", 0, transient) }
        return start.withMemoryRebound(to: CChar.self, capacity: text.count) {
            sqlite3_bind_text(handle, index, $0, Int32(text.count), transient)
        }
    }

    /// True while there is a row.
    @inline(__always)
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        // Taken before the reset, which would set it anew.
        let failure = SQLiteFailure(connection, code: sqlite3_extended_errcode(connection))
        sqlite3_reset(handle)
        throw failure
    }

    @inline(__always)
    func reset() { sqlite3_reset(handle) }

    /// Runs to the end; for statements without rows.
    func run(_ values: [SQLValue] = []) throws {
        defer { reset() }
        try bind(values)
        while try step() {}
    }

    /// Runs to the end with values that stay where they are until then.
    func run(_ values: UnsafeBufferPointer<hirewire_cell>) throws {
        defer { reset() }
        for index in values.indices {
            let code = hirewire_bind(handle, Int32(index + 1), values.baseAddress.map { $0 + index })
            guard code == SQLITE_OK else { throw SQLiteFailure(connection, code: code) }
        }
        while try step() {}
    }

    /// The first row, read by `body`; nil when there is none.
    func first<Result>(_ values: [SQLValue] = [], _ body: (StatementRow) throws -> Result) throws -> Result? {
        defer { reset() }
        try bind(values)
        return try step() ? body(row) : nil
    }

    func forEach(_ values: [SQLValue] = [], _ body: (StatementRow) throws -> Void) throws {
        defer { reset() }
        try bind(values)
        while try step() { try body(row) }
    }

    func all<Result>(_ values: [SQLValue] = [], _ body: (StatementRow) throws -> Result) throws -> [Result] {
        var results: [Result] = []
        try forEach(values) { results.append(try body($0)) }
        return results
    }

    var row: StatementRow { StatementRow(handle: handle, base: 0) }
}

enum SQLValue: Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    /// A text in UTF-8.
    case utf8([UInt8])
    case ulid(ULID)

    init(_ value: FieldValue) {
        switch value {
        case .null: self = .null
        case .text(let text), .json(let text): self = .text(text)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .real(number)
        case .time(let time): self = .integer(time.microseconds)
        case .list(let list): self = .text(JSONValue.array(list.map(JSONValue.string)).text)
        case .reference(let ulid): self = .ulid(ulid)
        }
    }

    init(_ text: String?) { self = text.map(SQLValue.text) ?? .null }
    init(_ time: Timestamp?) { self = time.map { .integer($0.microseconds) } ?? .null }
}

/// The row under a statement, its columns counted from `base`. Valid until the next step.
struct StatementRow: RowSource {
    let handle: OpaquePointer
    let base: Int32

    @inline(__always)
    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(handle, base &+ Int32(truncatingIfNeeded: column)) == SQLITE_NULL
    }

    @inline(__always)
    func text(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        knownText(column)?.bytes ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    func knownText(_ column: Int) -> KnownText? {
        // The column is looked for once. A value of a row is for the thread that steps, as all of a statement is.
        let value = sqlite3_column_value(handle, base &+ Int32(truncatingIfNeeded: column))
        guard let start = sqlite3_value_text(value) else { return nil }
        return KnownText(bytes: UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(value))))
    }

    @inline(__always)
    func integer(_ column: Int) -> Int64 {
        sqlite3_column_int64(handle, base &+ Int32(truncatingIfNeeded: column))
    }

    @inline(__always)
    func number(_ column: Int) -> Double {
        sqlite3_column_double(handle, base &+ Int32(truncatingIfNeeded: column))
    }

    @inline(__always)
    func ulid(_ column: Int) -> ULID {
        let index = base &+ Int32(truncatingIfNeeded: column)
        guard let start = sqlite3_column_blob(handle, index), sqlite3_column_bytes(handle, index) == 16 else {
            return ULID(high: 0, low: 0)
        }
        return ULID(
            high: UInt64(bigEndian: start.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    @inline(__always)
    func time(_ column: Int) -> Timestamp { Timestamp(microseconds: integer(column)) }

    func string(_ column: Int) -> String { String(decoding: text(column), as: UTF8.self) }
    func optionalString(_ column: Int) -> String? { isNull(column) ? nil : string(column) }
    func optionalTime(_ column: Int) -> Timestamp? { isNull(column) ? nil : time(column) }
    func optionalULID(_ column: Int) -> ULID? { isNull(column) ? nil : ulid(column) }

    func blob(_ column: Int) -> [UInt8] {
        let index = base &+ Int32(truncatingIfNeeded: column)
        let start = sqlite3_column_blob(handle, index)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index))))
    }
}

/// The statements of one connection, by their text; the oldest unused ones give way.
final class StatementCache {
    let connection: OpaquePointer
    private var statements: [String: Statement] = [:]
    private var order: [String] = []
    private var kept: [Statement?] = []
    private let capacity: Int

    init(_ connection: OpaquePointer, capacity: Int = 256) {
        self.connection = connection
        self.capacity = capacity
    }

    func callAsFunction(_ sql: String) throws -> Statement {
        if let statement = statements[sql] { return statement }
        if statements.count >= capacity { statements[order.removeFirst()] = nil }
        let statement = try Statement(connection, sql)
        statements[sql] = statement
        order.append(sql)
        return statement
    }

    /// What each record needs that is written: found by the kind and the work, for to hash a long text takes longer than some
    /// of these statements do.
    enum Work: Int, CaseIterable {
        case find, place, related, load, named, tombstone, insert, insertAll, update, index, applicant, score, scores, event, events,
            body, bodies, delivery, deliveries
    }

    /// - Parameter kind: nil for what is the same for all kinds.
    func callAsFunction(_ work: Work, of kind: RecordKind? = nil, _ sql: () -> String) throws -> Statement {
        let slot = Int(kind?.rawValue ?? 0) * Work.allCases.count + work.rawValue
        if slot < kept.count, let statement = kept[slot] { return statement }
        while kept.count <= slot { kept.append(nil) }
        let statement = try Statement(connection, sql())
        kept[slot] = statement
        return statement
    }

    func removeAll() {
        statements = [:]
        order = []
        kept = []
    }
}

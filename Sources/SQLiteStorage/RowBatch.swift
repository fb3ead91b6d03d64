import Domain
import SQLiteSetup

/// Rows on their way into one table. Many are written by one statement, `INSERT … SELECT` from `hirewire_rows`, whose
/// cursors stay open from row to row: it takes two thirds of the time that a statement for each takes.
final class RowBatch {
    private var cells: [hirewire_cell] = []
    /// Texts and blobs, one after the other; a cell says where its own begins until the rows are written.
    private var bytes = ByteWriter(capacity: 4_096)
    /// Of the last row to begin.
    private var columns = 0
    private(set) var count = 0

    /// What is written one by one: one statement for a few rows takes longer, for SQLite then keeps what it changes.
    private static let few = 8
    private let most: Int
    private static let mostBytes = 1 << 20

    /// - Parameter most: so many rows are enough to gain by; more would put off the work too far for who watches how long a
    ///   transaction takes.
    init(most: Int = 256) { self.most = most }

    var isFull: Bool { count >= most || bytes.count >= Self.mostBytes }

    /// Begins a row, which so many values follow.
    func begin(columns: Int) {
        self.columns = columns
        count += 1
    }

    func append() { cells.append(hirewire_cell(bits: 0, length: 0, type: SQLITE_NULL)) }

    func append(_ integer: Int64) { cells.append(hirewire_cell(bits: integer, length: 0, type: SQLITE_INTEGER)) }

    func append(_ real: Double) {
        cells.append(hirewire_cell(bits: Int64(bitPattern: real.bitPattern), length: 0, type: SQLITE_FLOAT))
    }

    func append(_ time: Timestamp) { append(time.microseconds) }

    func append(_ text: String) {
        let start = bytes.count
        bytes.append(text: text)
        cells.append(hirewire_cell(bits: Int64(start), length: Int32(bytes.count - start), type: SQLITE_TEXT))
    }

    func append(_ ulid: ULID) {
        let start = bytes.count
        withUnsafeBytes(of: (ulid.high.bigEndian, ulid.low.bigEndian)) { bytes.append($0.assumingMemoryBound(to: UInt8.self)) }
        cells.append(hirewire_cell(bits: Int64(start), length: 16, type: SQLITE_BLOB))
    }

    func append(blob: [UInt8]) {
        let start = bytes.count
        bytes.append(blob)
        cells.append(hirewire_cell(bits: Int64(start), length: Int32(blob.count), type: SQLITE_BLOB))
    }

    func append(_ integer: Int64?) {
        if let integer { append(integer) } else { append() }
    }

    func append(_ text: String?) {
        if let text { append(text) } else { append() }
    }

    func append(_ ulid: ULID?) {
        if let ulid { append(ulid) } else { append() }
    }

    func append(_ value: FieldValue) {
        switch value {
        case .null: append()
        case .text(let text), .json(let text): append(text)
        case .integer(let integer): append(integer)
        case .number(let number): append(number)
        case .time(let time): append(time)
        case .list(let list):
            let start = bytes.count
            JSONValue.array(list.map(JSONValue.string)).write(to: &bytes)
            cells.append(hirewire_cell(bits: Int64(start), length: Int32(bytes.count - start), type: SQLITE_TEXT))
        case .reference(let ulid): append(ulid)
        }
    }

    /// Writes the rows and forgets them.
    ///
    /// - Parameters:
    ///   - one: the statement for one row, its parameters the columns; what it has beside them is bound.
    ///   - all: the statement for all that `hirewire_rows` holds.
    ///   - together: whether it may be used.
    func write(together: Bool = true, one: () throws -> Statement, all: () throws -> Statement) throws {
        defer { removeAll() }
        guard count > 0, let start = bytes.bytes.baseAddress else { return }
        for index in cells.indices where cells[index].type == SQLITE_TEXT || cells[index].type == SQLITE_BLOB {
            cells[index].bits += Int64(Int(bitPattern: start))
        }
        try cells.withUnsafeBufferPointer { cells in
            if together, count >= Self.few {
                hirewire_rows_give(cells.baseAddress, Int64(count), Int32(columns))
                defer { hirewire_rows_give(nil, 0, 0) }
                return try all().run()
            }
            let statement = try one()
            // Longer than `columns` where a row goes by other values too.
            let length = cells.count / count
            for row in 0..<count {
                try statement.run(UnsafeBufferPointer(rebasing: cells[(row * length)..<((row + 1) * length)]))
            }
        }
    }

    /// Writes one row, which may have values beside its columns.
    func write(by statement: Statement) throws { try write(together: false, one: { statement }, all: { statement }) }

    private func removeAll() {
        cells.removeAll(keepingCapacity: true)
        bytes.reset()
        count = 0
    }
}

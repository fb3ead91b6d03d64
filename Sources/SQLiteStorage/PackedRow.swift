import Domain
import SQLiteSetup

/// A row as `hirewire_pack` leaves it. Valid for as long as its bytes stay where they are.
struct PackedRow: RowSource {
    /// How far behind a row's bytes may be read, whatever is there.
    static let slack = 8

    private let ends: UnsafeRawPointer
    private let values: UnsafeRawPointer

    @inline(__always) init(_ start: UnsafeRawPointer, columns: Int) {
        ends = start
        values = start + columns &* MemoryLayout<UInt16>.size
    }

    private struct Value {
        let type: Int
        let start: UnsafeRawPointer
        let count: Int
    }

    @inline(__always)
    private func value(_ column: Int) -> Value {
        let word = word(column)
        let start = column == 0 ? 0 : self.word(column &- 1) & HIREWIRE_PACKED_MOST
        return Value(type: word &>> HIREWIRE_PACKED_TYPE_SHIFT, start: values + start, count: word & HIREWIRE_PACKED_MOST &- start)
    }

    @inline(__always)
    private func word(_ column: Int) -> Int { Int(ends.loadUnaligned(fromByteOffset: column &* 2, as: UInt16.self)) }

    @inline(__always)
    func isNull(_ column: Int) -> Bool { word(column) &>> HIREWIRE_PACKED_TYPE_SHIFT == HIREWIRE_PACKED_NULL }

    @inline(__always)
    func text(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        knownText(column)?.bytes ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    func knownText(_ column: Int) -> KnownText? {
        let value = value(column)
        guard value.type >= HIREWIRE_PACKED_BYTES else { return nil }
        return KnownText(
            bytes: UnsafeBufferPointer(start: value.start.assumingMemoryBound(to: UInt8.self), count: value.count),
            isClean: value.type == HIREWIRE_PACKED_CLEAN)
    }

    @inline(__always)
    func integer(_ column: Int) -> Int64 {
        let value = value(column)
        guard value.type == HIREWIRE_PACKED_INTEGER else { return 0 }
        let word = value.start.loadUnaligned(as: Int64.self)
        return value.count == 8 ? word : word & ((1 &<< (8 &* Int64(value.count))) &- 1)
    }

    @inline(__always)
    func number(_ column: Int) -> Double {
        let value = value(column)
        return value.type == HIREWIRE_PACKED_REAL ? value.start.loadUnaligned(as: Double.self) : Double(integer(column))
    }

    @inline(__always)
    func ulid(_ column: Int) -> ULID {
        let value = value(column)
        guard value.count == 16 else { return ULID(high: 0, low: 0) }
        return ULID(
            high: UInt64(bigEndian: value.start.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: value.start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    @inline(__always)
    func time(_ column: Int) -> Timestamp { RecordSource.time(integer(column), at: column) }
}

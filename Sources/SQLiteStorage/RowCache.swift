import Domain
import Foundation
import SQLiteSetup
import Synchronization

/// Rows that were read not long ago, packed, in memory of a fixed size: a page that is made of them asks SQLite for
/// nothing, or only for its rows' keys.
///
/// **It can't be stale.** A row's key is its place in the change order (``Schema``), and a row that is written moves to a
/// new one: what lies under a key is the same for ever. Which key comes next does change; it is kept with the
/// organization's change counter, and is known only to a reader whose snapshot has the same.
///
/// What is kept is the row and not its JSON: keys that may read personal data and keys that may not share it, and so do
/// all notations. The oldest rows give way to the newest.
final class RowCache: Sendable {
    /// Longer rows are not kept: a few of them would push out all others.
    static let longestRow = 8_192

    /// A row that comes next: its key, and where it was when that was noted; 0 for not known.
    struct Link {
        let change: Int64
        var position = 0
    }

    /// What is known of the row after one.
    enum Next {
        case row(Link)
        /// It was known to a snapshot of another change counter: it may be kept under whatever its key is now.
        case changed
        case unknown
    }

    private final class Shard: Sendable {
        let ring: Mutex<RowRing>
        init(bytes: Int) { ring = Mutex(RowRing(bytes: bytes)) }
    }

    /// Many, so that two threads seldom meet.
    private let shards: [Shard]

    /// - Parameter shards: of 2 MB each, and a sixteenth more to find rows by. It is taken from the system as it fills. By
    ///   default enough for a hundred thousand candidates.
    init(shards count: Int = 20) { shards = (0..<count).map { _ in Shard(bytes: 2 << 20) } }

    /// Rows of the same millisecond lie together: an import's neighbours are found in one place.
    @inline(__always)
    private func ring(of change: Int64) -> Shard {
        let spread = UInt64(bitPattern: change >> 10) &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(spread.multipliedFullWidth(by: UInt64(shards.count)).high)]
    }

    /// What comes after a row that is kept.
    func next(after change: Int64, of kind: RecordKind, counter: Int64) -> Next {
        ring(of: change).ring.withLock { ring in ring.find(change, kind.rawValue)?.next(counter) ?? .unknown }
    }

    /// Notes what comes after a row, where that is kept.
    func note(_ next: Link, after change: Int64, of kind: RecordKind, counter: Int64) {
        ring(of: change).ring.withLock { ring in ring.find(change, kind.rawValue)?.note(next, counter) }
    }

    /// Reads a row under the lock of its neighbours; nil when it is not kept.
    func visit(_ link: Link, of kind: RecordKind, counter: Int64, _ body: (PackedRow) -> Void) -> (next: Next, position: Int)? {
        ring(of: link.change).ring.withLock { ring in
            guard let row = ring.row(link, kind.rawValue) else { return nil }
            if case .row(let next) = row.next(counter) { ring.prefetch(next) }
            body(PackedRow(row.packed, columns: row.columns))
            return (row.next(counter), ring.position(of: row))
        }
    }

    /// Leaves nothing of what was kept.
    func forget() {
        for shard in shards { shard.ring.withLock { $0.clear() } }
    }

    /// Keeps a row. What comes after it is not known yet.
    ///
    /// - Returns: where it lies; 0 where it is too long.
    func keep(_ packed: UnsafeRawBufferPointer, columns: Int, at change: Int64, of kind: RecordKind) -> Int {
        if packed.count > Self.longestRow { return 0 }
        return ring(of: change).ring.withLock { ring in
            if let row = ring.find(change, kind.rawValue) { return ring.position(of: row) }
            return ring.append(packed, columns: columns, change, kind.rawValue)
        }
    }
}

/// A kept row: its heading, and behind it what was packed.
private struct KeptRow {
    static let heading = 32
    private static let (changeAt, linkAt, linkPositionAt, factsAt) = (0, 8, 16, 24)

    let start: UnsafeMutableRawPointer

    @inline(__always) var change: Int64 { start.load(fromByteOffset: Self.changeAt, as: Int64.self) }
    /// The link's counter above the row's kind and the number of its columns.
    @inline(__always) private var facts: UInt64 { start.load(fromByteOffset: Self.factsAt, as: UInt64.self) }
    @inline(__always) var kind: UInt8 { UInt8(truncatingIfNeeded: facts &>> 8) }
    @inline(__always) var columns: Int { Int(facts & 0xFF) }
    @inline(__always) var packed: UnsafeRawPointer { UnsafeRawPointer(start + Self.heading) }

    @inline(__always)
    func next(_ counter: Int64) -> RowCache.Next {
        let change = start.load(fromByteOffset: Self.linkAt, as: Int64.self)
        // No row has the key 0: an organization's number is at least 1.
        if change == 0 { return .unknown }
        guard facts &>> 16 == UInt64(counter) else { return .changed }
        return .row(RowCache.Link(change: change, position: start.load(fromByteOffset: Self.linkPositionAt, as: Int.self)))
    }

    @inline(__always)
    func note(_ next: RowCache.Link, _ counter: Int64) {
        start.storeBytes(of: next.change, toByteOffset: Self.linkAt, as: Int64.self)
        start.storeBytes(of: next.position, toByteOffset: Self.linkPositionAt, as: Int.self)
        // 48 bits count a thousand changes a second for nine thousand years.
        start.storeBytes(of: UInt64(counter) &<< 16 | facts & 0xFFFF, toByteOffset: Self.factsAt, as: UInt64.self)
    }

    func write(_ packed: UnsafeRawBufferPointer, columns: Int, _ change: Int64, _ kind: UInt8) {
        start.storeBytes(of: change, toByteOffset: Self.changeAt, as: Int64.self)
        start.storeBytes(of: 0, toByteOffset: Self.linkAt, as: Int64.self)
        start.storeBytes(of: UInt64(kind) << 8 | UInt64(columns), toByteOffset: Self.factsAt, as: UInt64.self)
        UnsafeMutableRawBufferPointer(start: start + Self.heading, count: packed.count).copyMemory(from: packed)
    }
}

/// Rows one behind the other in a ring of bytes, and a table to find them by.
///
/// Positions only grow, in units of 8 bytes; where one lies is its remainder. So whether a row was written over since is
/// a comparison, and nothing has to be taken out of the table.
///
/// `@unchecked`, for it holds addresses: it alone has them, it can't be copied, it is private to this file, and the only
/// place that it lies in is a `Mutex`. No address leaves the lock: ``RowCache/visit(_:of:counter:_:)`` lends a row to a
/// closure that returns before.
private struct RowRing: ~Copyable, @unchecked Sendable {
    private static let unit = 8
    /// Places in a set, of which a row may take any.
    private static let ways = 4
    private static let positionBits: UInt64 = 44

    private let memory: UnsafeMutableRawPointer
    private let units: Int
    /// Each a row's position below and a part of its hash above; 0 for none.
    private let table: UnsafeMutablePointer<UInt64>
    private let sets: Int
    /// Where the next row goes. The first turn of the ring is left out: no position is 0.
    private var head: Int

    init(bytes: Int) {
        precondition(bytes >= 1 << 14 && bytes & (bytes - 1) == 0)
        units = bytes / Self.unit
        head = units
        // One place for every 128 bytes: rows take twice as much and more.
        sets = bytes / 128 / Self.ways
        // Both are empty pages of the system's until they are written. Asked for once, at the start, before anything is
        // answered; where there is no memory, each of Swift's own allocations ends the process too.
        guard let memory = malloc(bytes + PackedRow.slack), let table = calloc(sets * Self.ways, MemoryLayout<UInt64>.stride) else {
            fatalError("no memory for the cache of rows")
        }
        self.memory = memory
        self.table = table.bindMemory(to: UInt64.self, capacity: sets * Self.ways)
    }

    deinit {
        free(memory)
        free(table)
    }

    @inline(__always)
    private static func hash(_ change: Int64, _ kind: UInt8) -> UInt64 {
        let mixed = (UInt64(bitPattern: change) ^ (UInt64(kind) << 56)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 29)
    }

    @inline(__always)
    private func row(at position: Int) -> KeptRow { KeptRow(start: memory + (position & (units &- 1)) &* Self.unit) }

    /// Where a row that was just found lies.
    @inline(__always)
    func position(of row: KeptRow) -> Int {
        let turn = head & (units &- 1)
        let place = (row.start - UnsafeMutableRawPointer(memory)) / Self.unit
        return head &- turn &+ place &- (place < turn ? 0 : units)
    }

    /// The row that a link leads to, or where it lies now.
    @inline(__always)
    func row(_ link: RowCache.Link, _ kind: UInt8) -> KeptRow? {
        if link.position >= head &- units, link.position < head {
            let row = row(at: link.position)
            if row.change == link.change, row.kind == kind { return row }
        }
        return find(link.change, kind)
    }

    /// A row takes a while to come from memory: about as long as the one before takes to be written out.
    @inline(__always)
    func prefetch(_ link: RowCache.Link) {
        // The link may lead to another ring; then this is for nothing, and does no harm.
        if link.position >= head &- units, link.position < head { hirewire_prefetch(row(at: link.position).start, 384) }
    }

    @inline(__always)
    func find(_ change: Int64, _ kind: UInt8) -> KeptRow? {
        let hash = Self.hash(change, kind)
        let first = Int(truncatingIfNeeded: hash) & (sets &- 1) &* Self.ways
        let tag = hash &>> Self.positionBits
        for place in first..<first &+ Self.ways where table[place] &>> Self.positionBits == tag {
            let position = Self.position(table[place])
            guard position >= head &- units else { continue }
            let row = row(at: position)
            if row.change == change, row.kind == kind { return row }
        }
        return nil
    }

    @inline(__always)
    private static func position(_ place: UInt64) -> Int { Int(truncatingIfNeeded: place & (1 << positionBits &- 1)) }

    mutating func clear() {
        // No more than was written, or all of it would be taken from the system.
        memset(memory, 0, min(head - units, units) * Self.unit)
        memset(table, 0, sets * Self.ways * MemoryLayout<UInt64>.stride)
        head = units
    }

    mutating func append(_ packed: UnsafeRawBufferPointer, columns: Int, _ change: Int64, _ kind: UInt8) -> Int {
        let taken = (KeptRow.heading + packed.count + Self.unit - 1) / Self.unit
        let left = units - head & (units - 1)
        // A row lies in one piece.
        if taken > left { head += left }
        // After 2⁴⁷ bytes.
        if head >> Self.positionBits != 0 { clear() }
        row(at: head).write(packed, columns: columns, change, kind)
        let hash = Self.hash(change, kind)
        let first = Int(truncatingIfNeeded: hash) & (sets - 1) * Self.ways
        var oldest = first
        for place in first..<first + Self.ways where Self.position(table[place]) < Self.position(table[oldest]) { oldest = place }
        table[oldest] = (hash >> Self.positionBits) << Self.positionBits | UInt64(head)
        defer { head += taken }
        return head
    }
}

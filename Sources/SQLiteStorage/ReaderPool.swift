import Dispatch
import Domain
import Foundation
import GRDBSQLite
import Synchronization

/// A reader moves between threads but is with one at a time, and a lock hands it over: of the pool's idle ones, of the
/// snapshot that has it.
private struct Lent: @unchecked Sendable {
    let reader: Reader
}

/// Read-only connections, lent to one caller at a time and kept for the thread's next.
public final class ReaderPool: ReadStore {
    private let path: String
    private let identity: FileIdentity?
    private let idle = ThreadShards<[Lent]> { [] }
    private let signal: CommitSignal
    private let rows = RowCache()
    private let found: FoundKeys
    private let lastMark = Mutex<(mark: CommitSignal.Mark, count: Int64)>((CommitSignal.Mark(), 0))
    private let nanoseconds = Atomic<Int64>(0)
    private let calls = Atomic<Int64>(0)
    private let damage = Damage()
    /// Nanoseconds.
    private static let pingInterval: UInt64 = 1_000_000_000
    private let lastPing = Mutex<(due: UInt64, result: Result<Void, any Error>)>((0, .success(())))

    /// A reader that stays keeps the index of the write-ahead log in its place.
    private let anchor: Lent

    public convenience init(path: String) throws { try self.init(path: path, found: FoundKeys()) }

    init(path: String, found: FoundKeys) throws {
        self.path = path
        self.found = found
        identity = FileIdentity(path)
        let first = try Reader(path: path)
        anchor = Lent(reader: first)
        signal = first.signal
    }

    /// Ends what idle readers keep open and does not need to be; to be called some ten times a second.
    ///
    /// - Parameter all: ends all of it, for a checkpoint that waits.
    public func rest(all: Bool = false) {
        idle.forEach { shard in
            for lent in shard { if all { lent.reader.end() } else { lent.reader.rest() } }
        }
    }

    /// Leaves nothing of what was kept from one request to another: for what was erased.
    public func forget() {
        rows.forget()
        found.forget()
    }

    public func hold() throws -> any HeldSnapshot { try Snapshot(path: path, signal: signal, damage: damage) }

    public func read<Result>(_ body: (any StoreReader) throws -> Result) throws -> Result {
        try damage.translating {
            let lent = try idle.withLock({ $0.popLast() }) ?? Lent(reader: Reader(path: path, signal: signal, rows: rows, found: found))
            try lent.reader.begin()
            let start = DispatchTime.now().uptimeNanoseconds
            defer {
                nanoseconds.wrappingAdd(Int64(DispatchTime.now().uptimeNanoseconds - start), ordering: .relaxed)
                calls.wrappingAdd(1, ordering: .relaxed)
                lent.reader.pause()
                idle.withLock { $0.append(lent) }
            }
            do {
                return try body(lent.reader)
            } catch let failure as SQLiteFailure {
                lent.reader.end()
                throw failure
            }
        }
    }

    public var commitMark: Int64 {
        let mark = signal.mark
        return lastMark.withLock { last in
            if last.mark != mark { last = (mark, last.count + 1) }
            return last.count
        }
    }

    /// Prometheus text: how often and how long a reader was lent.
    public var metrics: String {
        """
        # HELP hirewire_database_read_seconds_total Time that requests had a database reader.
        # TYPE hirewire_database_read_seconds_total counter
        hirewire_database_read_seconds_total \(Double(nanoseconds.load(ordering: .relaxed)) / 1e9)
        # HELP hirewire_database_reads_total Times that a request had a database reader.
        # TYPE hirewire_database_reads_total counter
        hirewire_database_reads_total \(calls.load(ordering: .relaxed))

        """
    }

    /// Reads from the file itself, and not what was read before: once a second at most, for that costs as much as twenty
    /// pages, and who asks needs no key.
    ///
    /// - Throws: ``StoreError``, also when the file has gone or another is in its place, which is seen at once.
    public func ping() throws {
        guard FileIdentity(path) == identity else { throw StoreError.unavailable("the database file is gone or replaced") }
        if damage.isFound.load(ordering: .relaxed) { throw StoreError.damaged("the database file is damaged") }
        let now = DispatchTime.now().uptimeNanoseconds
        let isDue = lastPing.withLock { last in
            let isDue = now >= last.due
            if isDue { last.due = now + Self.pingInterval }
            return isDue
        }
        if isDue {
            let result = Result {
                try damage.translating {
                    let fresh = try Reader(path: path, signal: signal)
                    _ = try fresh.statements("SELECT count(*) FROM organizations").first { $0.integer(0) }
                }
            }
            lastPing.withLock { $0.result = result }
        }
        try lastPing.withLock(\.result).get()
    }
}

/// A reader in one long transaction.
private final class Snapshot: HeldSnapshot {
    private let lent: Lent
    private let turn = NSLock()
    private let signal: CommitSignal
    private let damage: Damage

    init(path: String, signal: CommitSignal, damage: Damage) throws {
        self.signal = signal
        self.damage = damage
        lent = try damage.translating {
            let reader = try Reader(path: path, signal: signal)
            try reader.begin()
            // The transaction has its snapshot from its first look at the file.
            _ = try reader.statements("SELECT key_counter FROM store").first { $0.integer(0) }
            return Lent(reader: reader)
        }
    }

    func read<Result>(_ body: (any StoreReader) throws -> Result) throws -> Result {
        try turn.withLock {
            lent.reader.proceed()
            return try damage.translating { try body(lent.reader) }
        }
    }

    var journal: Int { Int(signal.mark.frames) * CommitSignal.bytesOfFrame }
}

/// Whether any reader has met a page that can't be right.
private final class Damage: Sendable {
    let isFound = Atomic<Bool>(false)

    /// Runs `body`, and tells of SQLite's failures as the store's.
    func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as SQLiteFailure {
            if failure.isDamage { isFound.store(true, ordering: .relaxed) }
            throw StoreError(failure)
        }
    }
}

extension StoreError {
    init(_ failure: SQLiteFailure) {
        self =
            failure.isDamage
            ? .damaged(failure.description) : failure.isBusy ? .busy(failure.description) : .unavailable(failure.description)
    }
}

/// Which file a path leads to.
struct FileIdentity: Equatable {
    let device: UInt64
    let number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }
}

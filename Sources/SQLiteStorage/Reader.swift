import Dispatch
import Domain
import GRDBSQLite
import SQLiteSetup

/// A read-only connection that steps its own statements: the hot path of every request.
///
/// Each call, from ``begin()`` to ``pause()``, reads one snapshot. The transaction stays open from one call to the next
/// for as long as nobody has committed: to begin and end one takes system calls under a lock that all connections of the
/// process share, which halved the pages of two event loops.
///
/// Used by one thread at a time, which ``ReaderPool`` sees to.
final class Reader: StoreReader {
    let connection: OpaquePointer
    let statements: StatementCache
    let signal: CommitSignal
    /// What was committed when the open transaction began; nil when none is open.
    private var snapshot: CommitSignal.Mark?
    /// When it began.
    private var began: UInt64 = 0
    /// A call was made since ``rest()`` last looked.
    private var isInUse = false
    /// What was committed when `counters` and `keys` were read.
    private var seen: CommitSignal.Mark?
    private var storedIdentity: UInt64?
    private var keyCounter: Int64 = -1
    private var counters: [OrganizationNumber: Int64] = [:]
    private var keys: [String: APIKey] = [:]
    private let patience = Patience()
    /// Whose personal data was written.
    var told: [ULID] = []
    /// Where rows are kept from one request to another; nil for a reader that walks through everything once.
    let rows: RowCache?
    /// What lists found that look long; nil for the same reader.
    let found: FoundKeys?
    /// The statements of plain walks, by ``ListPlanner/plainShape``.
    var plain: [Int: (ListPlan, Statement)] = [:]

    /// When the call under way has to be done; SQLite asks every few thousand steps.
    private final class Patience {
        /// Longer than any query of the contract needs.
        static let nanoseconds: UInt64 = 10_000_000_000
        var deadline = UInt64.max
    }

    /// A further call in the open transaction begins.
    func proceed() {
        patience.deadline = DispatchTime.now().uptimeNanoseconds + Patience.nanoseconds
        if !told.isEmpty { told = [] }
    }

    /// A call begins, of one snapshot: the last one's if that is still what is there.
    func begin() throws {
        proceed()
        let now = DispatchTime.now().uptimeNanoseconds
        isInUse = true
        // Taken before anything is read: what is read may be newer, never older.
        let mark = signal.mark
        guard mark != snapshot || now - began > Self.longestTransaction else { return }
        end()
        try statements("BEGIN").run()
        // Counted anew: what this transaction sees may be newer than the mark.
        seen = nil
        snapshot = mark
        began = now
    }

    /// A call ends. With a long journal the transaction does too, so that a checkpoint finds a moment without readers
    /// and the journal can begin anew.
    func pause() {
        if let snapshot, snapshot.frames > Self.shortJournal { end() }
    }

    /// Ends a transaction that is behind or unused: it would keep the journal from being cut. Called some ten times a
    /// second between calls.
    func rest() {
        if !isInUse || snapshot != signal.mark { end() }
        isInUse = false
    }

    /// Ends the transaction, in whatever state it is.
    func end() {
        guard snapshot != nil else { return }
        snapshot = nil
        // A failed COMMIT of a read leaves nothing behind but the transaction itself.
        do { try statements("COMMIT").run() } catch { sqlite3_exec(connection, "ROLLBACK", nil, nil, nil) }
    }

    /// Nanoseconds. A transaction that began after a checkpoint reads the file alone and leaves the journal free to be cut;
    /// one from before it would keep it for as long as requests come and nothing changes.
    private static let longestTransaction: UInt64 = 100_000_000
    /// Frames, of a page each: half of what starts a checkpoint.
    private static let shortJournal: UInt32 = 2_000

    /// - Parameter signal: the database's, where somebody has it already.
    init(path: String, signal known: CommitSignal? = nil, rows: RowCache? = nil, found: FoundKeys? = nil) throws {
        self.rows = rows
        self.found = found
        connection = try Self.open(path, flags: SQLITE_OPEN_READONLY)
        statements = StatementCache(connection)
        // The first read opens the index that the signal looks at.
        try Statement(connection, "SELECT identity FROM store").run()
        signal = try known ?? CommitSignal(path: path)
        for pragma in ["cache_size = -2048", "mmap_size = 0", "temp_store = MEMORY", "query_only = 1"] {
            try statements("PRAGMA \(pragma)").run()
        }
        try SkillFunction.register(on: connection)
        // `patience` lives as long as the connection that it is registered with.
        sqlite3_progress_handler(
            connection, 20_000,
            { context in
                guard let context else { return 0 }
                let patience = Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue()
                return DispatchTime.now().uptimeNanoseconds > patience.deadline ? 1 : 0
            }, Unmanaged.passUnretained(patience).toOpaque())
    }

    deinit {
        end()
        statements.removeAll()
        sqlite3_close_v2(connection)
    }

    /// Done once, before the first connection of the process.
    static let setup: Int32 = hirewire_sqlite_setup()

    static func open(_ path: String, flags: Int32) throws -> OpaquePointer {
        _ = setup
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            let failure = SQLiteFailure(handle, code: code)
            sqlite3_close_v2(handle)
            throw failure
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5_000)
        return handle
    }

    /// Drops what was remembered when somebody has committed since.
    private func refresh() throws {
        guard let mark = snapshot, mark != seen else { return }
        seen = mark
        counters.removeAll(keepingCapacity: true)
        let counter = try statements("SELECT key_counter FROM store").first { $0.integer(0) } ?? 0
        if counter != keyCounter || keys.count > 10_000 {
            keys.removeAll(keepingCapacity: true)
            keyCounter = counter
        }
    }

    var identity: UInt64 {
        get throws {
            if let storedIdentity { return storedIdentity }
            let identity = try statements("SELECT identity FROM store").first { UInt64(bitPattern: $0.integer(0)) } ?? 0
            storedIdentity = identity
            return identity
        }
    }

    func changeCounter(of organization: OrganizationNumber) throws -> Int64 {
        try refresh()
        if let counter = counters[organization] { return counter }
        let counter =
            try statements("SELECT change_counter FROM organizations WHERE number = ?")
            .first([.integer(organization.value)]) { $0.integer(0) } ?? 0
        counters[organization] = counter
        return counter
    }

    func key(_ keyID: String) throws -> APIKey? {
        try refresh()
        if let key = keys[keyID] { return key }
        let key = try statements(KeyRows.select + " WHERE k.key_id = ?").first([.text(keyID)], KeyRows.key)
        if let key { keys[keyID] = key }
        return key
    }

    func usage(of keyID: String) throws -> KeyUsage? {
        try statements("SELECT usage_count, last_used_at FROM api_keys WHERE key_id = ? AND last_used_at IS NOT NULL")
            .first([.text(keyID)]) { KeyUsage(count: $0.integer(0), lastUsedAt: $0.time(1)) }
    }
}

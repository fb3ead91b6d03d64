import Domain
import HTTPSupport
import NIOCore
import NIOPosix
import Scheduling
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What bounds an export.
public struct ExportLimits: Sendable {
    /// Seconds; a longer one is cut, and goes on from its cursor.
    public var seconds = 600
    /// Bytes in the journal, which can't be cut while a snapshot is held: past so many, exports are.
    public var journal = 1 << 30
    /// At once, of all keys together.
    public var most = 16
    public init() {}
}

/// A walk through a list, page by page.
protocol Walk: Sendable {
    /// How many rows are to come.
    func count(_ reader: any StoreReader) throws -> Int
    /// Writes the next page's rows.
    mutating func writePage(_ reader: any StoreReader, to out: inout ByteWriter) throws -> (rows: Int, isLast: Bool)
    /// The cursor of what is to come; nil before the first page.
    var cursor: String? { get }
    /// Where to go on from later, once a page was written: a header.
    var mark: (String, String) { get }
    var columnNames: [String] { get }
    /// The fields that are hidden, or may be in some rows; nil for a reader from whom none is.
    var masked: [String]? { get }
}

/// Every row of a list from one snapshot, made while it is sent.
///
/// It is a walk in pages, as a client would make it, but all in one read transaction: so every filter and sort is as
/// good in an export as in a page, its memory is a page's, and where it is cut there is a cursor to go on from.
final class Export: BodySource {
    /// A piece of the body: some 256 KB of candidates.
    static let piece = 400
    private static let tokens = 10
    /// How often the key is looked at again: what is revoked stops within a second.
    private static let oversight = TimeAmount.milliseconds(500)

    /// Ten tokens, or the whole bucket where that is smaller.
    static func tenths(limit: Int) -> Int { min(tokens, limit) * 10 }

    private struct State {
        var walk: any Walk
        let gzip: Gzip.Stream?
        /// When the key was last found to be good.
        var checked = NIODeadline.now()
        /// Nil once it is over.
        var snapshot: (any HeldSnapshot)?
    }

    private let call: Call
    private let core: PublicCore
    private let deadline: NIODeadline
    /// The journal's size at the start.
    private let journal: Int
    private let state: Mutex<State>
    /// Beside the state, whose lock an event loop should not wait for.
    private let made = Atomic<Int>(0)

    var rows: Int { made.load(ordering: .relaxed) }

    /// - Throws: ``Problem`` when there is too much to do.
    init(_ call: Call, _ walk: any Walk, _ core: PublicCore) throws {
        self.call = call
        self.core = core
        deadline = .now() + .seconds(Int64(core.configuration.exports.seconds))
        let snapshot = try core.store.hold()
        journal = snapshot.journal
        guard journal < core.configuration.exports.journal else {
            throw Problem(.unavailable, "Other exports have to end first.", headers: [("Retry-After", "10")])
        }
        let gzip = call.reply.acceptsGzip ? Gzip.Stream() : nil
        state = Mutex(State(walk: walk, gzip: gzip, snapshot: snapshot))
    }

    deinit { state.withLock { release(&$0) } }

    /// Head and first piece.
    func begin() throws -> Answer {
        try state.withLock { state in
            guard let snapshot = state.snapshot else { throw StoreError.unavailable("the export is over") }
            let total = try snapshot.read(state.walk.count)
            let piece = try piece(&state, isFirst: true)
            var answer = call.reply.rows(
                piece.bytes, call.notation, isCompressed: state.gzip != nil, mark: state.walk.mark, total: total,
                masked: state.walk.masked, link: nil)
            let name = call.target.segments.last ?? "export"
            answer.headers.append(("Content-Disposition", "attachment; filename=\"\(name).\(call.notation.rawValue)\""))
            answer.route += " export"
            // Who asks for the head alone gets no export, and may ask for one at once.
            let isHead = call.request.method == .HEAD
            if !isHead { answer.export = ExportNote(rows: rows) }
            if !piece.isLast { answer.rest = self }
            if isHead || piece.isLast { release(&state) }
            return answer
        }
    }

    func next(_ done: @escaping @Sendable (BodyPiece) -> Void) {
        ExportThreads.run {
            // Memory stays flat however slowly the audit is stored; nobody waits longer than this for a disk that is full.
            for _ in 0..<20 where self.core.audit.isFull { usleep(10_000) }
            done(
                self.state.withLock { state in
                    guard state.snapshot != nil else { return .cut(ByteBuffer(), reason: "cancelled") }
                    do {
                        if let reason = try self.exhausted(&state) { return self.cut(&state, reason) }
                        let piece = try self.piece(&state, isFirst: false)
                        guard piece.isLast else { return .more(piece.bytes) }
                        self.release(&state)
                        return .last(piece.bytes)
                    } catch { return self.cut(&state, "the database can't be reached", cause: ": \(error)") }
                })
        }
    }

    func cancel() {
        // Perhaps a piece is being made: no event loop waits for it.
        ExportThreads.run { self.state.withLock { self.release(&$0) } }
    }

    private func release(_ state: inout State) {
        guard state.snapshot != nil else { return }
        state.snapshot = nil
        call.turn?.end()
    }

    /// Why it can't go on; nil when it can.
    private func exhausted(_ state: inout State) throws -> String? {
        let limits = core.configuration.exports
        if NIODeadline.now() - state.checked >= Self.oversight {
            let key = try core.store.read { try $0.key(call.key.keyID) }
            if !call.key.isGood(as: key, at: core.time.now) { return "the key is good no longer" }
            state.checked = .now()
        }
        if core.endsExports { return "the server is shutting down" }
        if NIODeadline.now() > deadline { return "it took longer than \(limits.seconds) s" }
        if let now = state.snapshot?.journal, now > limits.journal, now > journal { return "too much was changed meanwhile" }
        return nil
    }

    private func piece(_ state: inout State, isFirst: Bool) throws -> (bytes: ByteBuffer, isLast: Bool) {
        guard let snapshot = state.snapshot else { throw StoreError.unavailable("the export is over") }
        return try core.scratch.use { out in
            if isFirst { call.write(columnNames: state.walk.columnNames, to: &out) }
            let isLast = try snapshot.read { reader in
                let page = try state.walk.writePage(reader, to: &out)
                core.note(reader.takeTold(), call)
                made.wrappingAdd(page.rows, ordering: .relaxed)
                return page.isLast
            }
            return (pack(&state, out.bytes, isLast ? .finish : .none), isLast)
        }
    }

    private func pack(_ state: inout State, _ bytes: UnsafeBufferPointer<UInt8>, _ flush: Gzip.Stream.Flush) -> ByteBuffer {
        guard let gzip = state.gzip else { return ByteBuffer(bytes: bytes) }
        var packed = ByteBuffer()
        gzip.compress(UnsafeRawBufferPointer(bytes), flush, into: &packed)
        return packed
    }

    /// The last line says why, and where to go on; that the body has no end says it to those who read no lines. The cause is
    /// for the log alone.
    private func cut(_ state: inout State, _ reason: String, cause: String = "") -> BodyPiece {
        let next = state.walk.cursor.map(call.next)
        let problem = Problem(.exportCut, "The export ends before its last row: \(reason). Go on from 'next'.")
        var out = ByteWriter(capacity: 1_024)
        if call.notation == .ndjson {
            problem.write(requestID: call.reply.requestID, to: &out)
            out.truncate(to: out.count - 1)
            out.append(",\"next\":")
            out.append(optional: next?.link)
            out.append(",\"next_cursor\":")
            out.append(optional: next?.cursor)
            out.append("}\n")
        } else {
            for (index, cell) in ["#export_cut", problem.detail, next?.link ?? "", next?.cursor ?? ""].enumerated() {
                if index > 0 { out.append(",") }
                var cell = cell
                cell.withUTF8 { out.append(cell: $0) }
            }
            out.append("\r\n")
        }
        let bytes = pack(&state, out.bytes, .sync)
        release(&state)
        return .cut(bytes, reason: reason + cause)
    }
}

/// Which keys have an export under way.
final class ExportTurns: Sendable {
    private let keys = Mutex<Set<String>>([])

    var count: Int { keys.withLock(\.count) }

    /// - Throws: ``Problem`` when the key has one, or there are too many.
    func begin(_ keyID: String, most: Int) throws -> ExportTurn {
        try keys.withLock { keys in
            if keys.contains(keyID) {
                throw Problem(
                    .rateLimited, "An export of this key is under way; one at a time.", headers: [("Retry-After", "10")])
            }
            guard keys.count < most else {
                throw Problem(.unavailable, "\(most) exports are under way already.", headers: [("Retry-After", "10")])
            }
            keys.insert(keyID)
        }
        return ExportTurn(keyID, of: self)
    }

    fileprivate func end(_ keyID: String) { keys.withLock { _ = $0.remove(keyID) } }
}

/// A key's export under way: until it is ended, or let go with its last reference.
final class ExportTurn: Sendable {
    private let keyID: String
    private let turns: ExportTurns
    private let isOver = Atomic<Bool>(false)

    fileprivate init(_ keyID: String, of turns: ExportTurns) {
        self.keyID = keyID
        self.turns = turns
    }

    deinit { end() }

    func end() {
        if !isOver.exchange(true, ordering: .acquiringAndReleasing) { turns.end(keyID) }
    }
}

/// Two threads that stand back for those that answer pages.
private enum ExportThreads {
    static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    static func run(_ body: @escaping @Sendable () -> Void) {
        pool.submit { _ in
            hirewire_let_others_go_first()
            body()
        }
    }
}

extension PublicCore {
    /// Exports under way, for the metrics.
    public var exportsUnderWay: Int { exports.count }

    func export(_ call: Call, _ walk: some Walk) -> Outcome {
        .later { done in
            ExportThreads.run {
                do { done(try Export(call, walk, self).begin()) } catch {
                    call.turn?.end()
                    done(call.reply.failure(error))
                }
            }
        }
    }
}

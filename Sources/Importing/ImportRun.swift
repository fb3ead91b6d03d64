import Dispatch
import Domain
import Synchronization

/// What an import came to.
public struct ImportSummary: Sendable {
    public var created = 0
    public var updated = 0
    public var unchanged = 0
    public var rejected = 0
    /// Of the created ones, those without an `external_id`: the same file would create them again.
    public var unnamed = 0
    /// Ended before the file did, after a whole batch.
    public var wasStopped = false
    /// What ended it before the file did, after whole batches.
    public var failure: (any Error)?
    public init() {}
    public var rows: Int { created + updated + unchanged + rejected }
}

/// A row that was not taken.
public struct Rejection: Sendable {
    public let line: Int
    public let reason: String
    public let raw: [UInt8]
}

/// Takes a file's rows into the store, batch by batch: each a transaction, whole or not at all.
///
/// One thread reads and parses while another writes; between them wait a few hundred rows, so memory stays flat.
public struct ImportRun {
    public struct Options: Sendable {
        public var isHistory = false
        /// Everything is tried and nothing kept.
        public var isDryRun = false
        public init() {}
    }

    /// How long a batch may hold the write lock, in nanoseconds.
    static let longestBatch: UInt64 = 100_000_000
    /// Rows that are parsed ahead, in chunks: small ones, for a request that meets the reading thread on its processor may
    /// wait until that has filled one.
    static let chunk = 32
    static let chunksAhead = 64
    /// How many of them are taken before the reading thread goes on: waking it for each one costs more than to read it.
    static let chunksToWake = 8

    private let reader: RecordReader
    private let store: any WriteStore
    private let seen: any SeenRows
    private let organization: Organization
    private let options: Options

    public init(
        _ reader: RecordReader, into store: any WriteStore, seen: any SeenRows, organization: Organization, options: Options
    ) {
        self.reader = reader
        self.store = store
        self.seen = seen
        self.organization = organization
        self.options = options
    }

    /// Ends a dry run's transaction.
    private struct DryRun: Error {}

    /// - Parameters:
    ///   - isStopped: asked between batches; true ends the import there.
    ///   - progress: called after each batch.
    ///   - reject: called for each row that was not taken, once its batch is committed.
    /// - Returns: what was stored, also where the file or the store fails: see ``ImportSummary/failure``.
    public func run(
        isStopped: @escaping @Sendable () -> Bool, progress: (ImportSummary, Int) -> Void, reject: (Rejection) throws -> Void
    ) -> ImportSummary {
        let queue = ChunkQueue(limit: Self.chunksAhead)
        queue.start(reader, chunk: Self.chunk)
        defer { queue.cancel() }
        var summary = ImportSummary()
        var rest: ArraySlice<ParsedRow> = []
        do {
            while !isStopped() {
                if rest.isEmpty {
                    guard let next = try queue.next(isStopped: isStopped) else { break }
                    rest = next[...]
                }
                let batch = try commit(&rest, from: queue)
                summary.created += batch.summary.created
                summary.updated += batch.summary.updated
                summary.unchanged += batch.summary.unchanged
                summary.rejected += batch.summary.rejected
                summary.unnamed += batch.summary.unnamed
                for rejection in batch.rejections { try reject(rejection) }
                progress(summary, queue.bytesRead)
            }
            summary.wasStopped = !rest.isEmpty || !queue.isAtEnd
        } catch { summary.failure = error }
        return summary
    }

    private struct Batch {
        var summary = ImportSummary()
        var rejections: [Rejection] = []
        /// In a dry run, the records that its transaction has of this file.
        var tried: Set<ExactText> = []
    }

    private func commit(_ rows: inout ArraySlice<ParsedRow>, from queue: ChunkQueue) throws -> Batch {
        var batch = Batch()
        var rest = rows
        do {
            try store.write { writer in
                let start = DispatchTime.now().uptimeNanoseconds
                while true {
                    while let row = rest.popFirst() {
                        try take(row, writer, &batch)
                        if DispatchTime.now().uptimeNanoseconds - start > Self.longestBatch { break }
                    }
                    // Never waits for the file while it holds the lock.
                    guard rest.isEmpty, DispatchTime.now().uptimeNanoseconds - start < Self.longestBatch,
                        let more = queue.nextIfReady()
                    else { break }
                    rest = more[...]
                }
                if options.isDryRun {
                    try writer.settle()
                    throw DryRun()
                }
            }
        } catch is DryRun {}
        rows = rest
        return batch
    }

    private func take(_ row: ParsedRow, _ writer: any StoreWriter, _ batch: inout Batch) throws {
        switch row.row {
        case .rejected(let line, let reason, let raw):
            batch.summary.rejected += 1
            batch.rejections.append(Rejection(line: line, reason: reason, raw: raw))
        case .record(let input, let line):
            var change = ChangeOptions()
            change.isHistory = options.isHistory
            do {
                if options.isDryRun { try restore(input, writer, &batch) }
                let outcome = try writer.apply(input, in: organization, options: change) {
                    guard let externalID = input.externalID, let first = try seen.line(of: externalID) else { return nil }
                    return "line \(line) gives the external_id '\(externalID.prefix(80))' again, and differs from line \(first)"
                }
                switch outcome {
                case .created:
                    batch.summary.created += 1
                    if input.externalID == nil { batch.summary.unnamed += 1 }
                case .updated: batch.summary.updated += 1
                case .unchanged: batch.summary.unchanged += 1
                }
                // Whatever fails later ends the import, so it is no matter that the batch is not committed yet.
                if let externalID = input.externalID { try seen.remember(externalID, line: line, of: input) }
            } catch let faults as InputFaults {
                batch.summary.rejected += 1
                let place = row.place.map { $0 + ": " } ?? ""
                batch.rejections.append(Rejection(line: line, reason: place + faults.description, raw: row.raw))
            }
        }
    }

    /// In a dry run a record that an earlier batch had, and that was taken back with it, is there again first.
    private func restore(_ input: RecordInput, _ writer: any StoreWriter, _ batch: inout Batch) throws {
        guard let externalID = input.externalID, batch.tried.insert(ExactText(externalID)).inserted,
            let first = try seen.first(of: externalID)
        else { return }
        var change = ChangeOptions()
        change.isHistory = true
        _ = try writer.apply(first, in: organization, options: change)
    }
}

/// A row and, for a record that the store may refuse, the bytes to show, and which of the row's records it is.
struct ParsedRow: Sendable {
    let row: ImportedRow
    let raw: [UInt8]
    let place: String?
}

/// Parsed rows on their way from the reading thread to the writing one.
final class ChunkQueue: Sendable {
    private struct State {
        var chunks: [[ParsedRow]] = []
        var failure: (any Error)?
        var isDone = false
        var isCancelled = false
        /// The reading thread waits until there is room.
        var isFull = false
        var bytesRead = 0
    }

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let room = DispatchSemaphore(value: 0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var bytesRead: Int { state.withLock { $0.bytesRead } }

    /// Reads on a thread of its own until the end, an error or ``cancel()``.
    func start(_ reader: RecordReader, chunk: Int) {
        let source = Handed(reader: reader)
        DispatchQueue(label: "hirewire.import").async { [self] in
            fill(from: source.reader, chunk: chunk)
        }
    }

    /// The reader is used by the reading thread alone from here on.
    private struct Handed: @unchecked Sendable {
        let reader: RecordReader
    }

    private func fill(from reader: RecordReader, chunk: Int) {
        var rows: [ParsedRow] = []
        do {
            while let row = try reader.next() {
                rows.append(ParsedRow(row: row, raw: reader.excerpt, place: reader.place))
                if rows.count == chunk {
                    guard hand(&rows, reader.bytesRead) else { return }
                }
            }
            _ = hand(&rows, reader.bytesRead)
            state.withLock { $0.isDone = true }
        } catch {
            _ = hand(&rows, reader.bytesRead)
            state.withLock {
                $0.failure = error
                $0.isDone = true
            }
        }
        filled.signal()
    }

    private func hand(_ rows: inout [ParsedRow], _ bytes: Int) -> Bool {
        let (isFull, isCancelled) = state.withLock { state in
            if !rows.isEmpty { state.chunks.append(rows) }
            state.bytesRead = bytes
            state.isFull = state.chunks.count >= limit
            return (state.isFull, state.isCancelled)
        }
        filled.signal()
        rows = []
        if isCancelled { return false }
        guard isFull else { return true }
        room.wait()
        return !state.withLock(\.isCancelled)
    }

    /// All rows were given out.
    var isAtEnd: Bool { state.withLock { $0.isDone && $0.chunks.isEmpty && $0.failure == nil } }

    /// The next rows; nil at the end, or when told to stop. Waits for them.
    ///
    /// - Throws: what ended the reading, once all rows before it were given out.
    func next(isStopped: () -> Bool) throws -> [ParsedRow]? {
        while !isStopped() {
            if let chunk = nextIfReady() { return chunk }
            let (isAtEnd, failure) = state.withLock { ($0.isDone && $0.chunks.isEmpty, $0.failure) }
            if isAtEnd, let failure { throw failure }
            if isAtEnd { return nil }
            // A pipe may give nothing for long.
            _ = filled.wait(timeout: .now() + 0.1)
        }
        return nil
    }

    /// The next rows if they are parsed already.
    func nextIfReady() -> [ParsedRow]? {
        let (chunk, hasRoom) = state.withLock { state in
            let chunk = state.chunks.isEmpty ? nil : state.chunks.removeFirst()
            let hasRoom = state.isFull && state.chunks.count <= max(0, limit - ImportRun.chunksToWake)
            if hasRoom { state.isFull = false }
            return (chunk, hasRoom)
        }
        if hasRoom { room.signal() }
        return chunk
    }

    func cancel() {
        let isFull = state.withLock { state in
            state.isCancelled = true
            state.chunks = []
            defer { state.isFull = false }
            return state.isFull
        }
        if isFull { room.signal() }
    }
}

import Dispatch
import Domain
import Synchronization

/// Commits for many callers at once: whoever comes while a transaction is under way shares the next one, so that a
/// disk's one write acknowledges them all (group commit).
///
/// A caller whose part fails before it has written anything is told so, and the others go on. Where a part fails half-way,
/// the transaction ends with nothing done and the parts run again, each alone: no caller pays for another's fault.
public final class CommitQueue: PushStore {
    /// Parts in one transaction: the lock that others wait for is short.
    static let mostTogether = 64
    /// Waiting parts; past them callers are turned away, for they would wait for seconds.
    static let mostWaiting = 2_048

    private let database: Database
    private let queue = DispatchQueue(label: "hirewire.commits")
    private let waiting = Mutex<[Part]>([])

    /// One caller's part.
    private struct Part: Sendable {
        let isAlone: Bool
        /// Runs it; all that it throws but a ``Refusal`` ends the whole transaction.
        let run: @Sendable (RecordWriter) throws -> Void
        /// Told once, after the commit or its failure.
        let finish: @Sendable ((any Error)?) -> Void
    }

    public init(_ database: Database) { self.database = database }

    public func commit<Result: Sendable>(
        _ body: @escaping @Sendable (any PushWriter) throws -> Result
    ) async throws -> Result { try await submit(isAlone: false, body) }

    public func commitAlone<Result: Sendable>(
        _ body: @escaping @Sendable (any PushWriter) throws -> Result
    ) async throws -> Result { try await submit(isAlone: true, body) }

    private func submit<Result: Sendable>(
        isAlone: Bool, _ body: @escaping @Sendable (any PushWriter) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = Mutex<Result?>(nil)
            let part = Part(
                isAlone: isAlone,
                run: { writer in
                    let result = try body(writer)
                    outcome.withLock { $0 = result }
                },
                finish: { error in
                    if let error { return continuation.resume(throwing: error) }
                    guard let result = outcome.withLock({ $0 }) else {
                        return continuation.resume(throwing: StoreError.unavailable("a write without a result"))
                    }
                    continuation.resume(returning: result)
                })
            let isTaken = waiting.withLock { waiting in
                guard waiting.count < Self.mostWaiting else { return false }
                waiting.append(part)
                return true
            }
            guard isTaken else { return continuation.resume(throwing: StoreError.busy("too many writes wait")) }
            queue.async { self.commitSome() }
        }
    }

    /// Commits the parts that wait, as far as they go into one transaction. Called once for each part; the later calls find
    /// their parts done.
    private func commitSome() {
        let parts = waiting.withLock { waiting in
            guard let first = waiting.first else { return [Part]() }
            let together = first.isAlone ? 1 : waiting.prefix(Self.mostTogether).prefix { !$0.isAlone }.count
            defer { waiting.removeFirst(together) }
            return Array(waiting.prefix(together))
        }
        guard !parts.isEmpty else { return }
        do {
            let refusals = try run(parts)
            for (part, refusal) in zip(parts, refusals) { part.finish(refusal) }
        } catch is BrokenPart where parts.count > 1 {
            for part in parts { runAlone(part) }
        } catch let broken as BrokenPart {
            parts[0].finish(broken.cause)
        } catch {
            // The transaction could not begin or not commit: nothing of it is there.
            for part in parts { part.finish(error) }
        }
    }

    private func runAlone(_ part: Part) {
        do {
            part.finish(try run([part])[0])
        } catch let broken as BrokenPart {
            part.finish(broken.cause)
        } catch {
            part.finish(error)
        }
    }

    /// A part failed that may have written.
    private struct BrokenPart: Error {
        let cause: any Error
    }

    /// Returns what each part was refused for, nil where it was done.
    private func run(_ parts: [Part]) throws -> [(any Error)?] {
        try database.change { writer in
            try parts.map { part in
                do {
                    try part.run(writer)
                    // What goes wrong with its rows is its own fault.
                    try writer.settle()
                    return nil
                } catch let refusal as any Refusal where !part.isAlone {
                    return refusal
                } catch {
                    throw BrokenPart(cause: database.storeError(error))
                }
            }
        }
    }
}

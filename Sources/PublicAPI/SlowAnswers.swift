import Domain
import NIOCore
import NIOPosix
import Synchronization

/// Answers that take longer than an event loop should stand still: made on a few threads of their own, the keys in turn, so
/// that nobody waits for all that another key has asked. A key has half of the threads at most, and an organization all but
/// one: what takes seconds holds up its own organization alone.
final class SlowAnswers: Sendable {
    /// Who asks; nil for whoever has no key.
    struct Owner: Hashable, Sendable {
        let organization: OrganizationNumber?
        let keyID: String?
    }

    typealias Work = @Sendable () -> Void

    /// Past so many of a key, and of all, more are turned away: they would wait for seconds.
    static let longestOfKey = 128
    static let longest = 1_024

    private struct State {
        var waiting: [Owner: [Work]] = [:]
        /// Those with something that waits.
        var turns: [Owner] = []
        var running: [Owner: Int] = [:]
        var runningOf: [OrganizationNumber?: Int] = [:]
        var busy = 0
        /// Waiting and running.
        var all = 0
    }

    private let state = Mutex(State())
    private let pool: NIOThreadPool
    private let threads: Int

    /// - Parameter threads: of the pool.
    init(on pool: NIOThreadPool, threads: Int) {
        self.pool = pool
        self.threads = threads
    }

    /// One thread more than processors, so that one is left to others where an organization has its most.
    static let threadCount = System.coreCount + 1

    static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: threadCount)
        pool.start()
        return pool
    }()

    /// - Returns: false where too much waits already.
    func submit(_ owner: Owner, _ work: @escaping Work) -> Bool {
        let isTaken = state.withLock { state in
            let own = (state.waiting[owner]?.count ?? 0) + (state.running[owner] ?? 0)
            guard state.all < Self.longest, own < Self.longestOfKey else { return false }
            state.all += 1
            if state.waiting[owner, default: []].isEmpty { state.turns.append(owner) }
            state.waiting[owner, default: []].append(work)
            return true
        }
        startNext()
        return isTaken
    }

    private func startNext() {
        while let (owner, work) = state.withLock({ take(from: &$0) }) {
            pool.submit { [self] _ in
                work()
                state.withLock { finish(owner, &$0) }
                startNext()
            }
        }
    }

    private func take(from state: inout State) -> (Owner, Work)? {
        guard state.busy < threads else { return nil }
        let turn = state.turns.firstIndex {
            state.running[$0] ?? 0 < max(1, threads / 2) && state.runningOf[$0.organization] ?? 0 < max(1, threads - 1)
        }
        guard let turn else { return nil }
        let owner = state.turns.remove(at: turn)
        guard let work = state.waiting[owner]?.removeFirst() else { return nil }
        if state.waiting[owner]?.isEmpty ?? true { state.waiting[owner] = nil } else { state.turns.append(owner) }
        state.busy += 1
        state.running[owner, default: 0] += 1
        state.runningOf[owner.organization, default: 0] += 1
        return (owner, work)
    }

    private func finish(_ owner: Owner, _ state: inout State) {
        state.busy -= 1
        state.all -= 1
        // Nothing stays of keys that are not asking.
        state.running[owner] = state.running[owner].flatMap { $0 > 1 ? $0 - 1 : nil }
        state.runningOf[owner.organization] = (state.runningOf[owner.organization] ?? nil).flatMap { $0 > 1 ? $0 - 1 : nil }
    }
}

import Addresses

/// Which look-up may run next: a value without threads, told the time, in nanoseconds.
///
/// A look-up holds a thread until the system gives up, which can be half a minute. So a name has one look-up in flight
/// however many wait for it, and names are let onto the threads by what is known of them: those that took long last
/// time get at most half of the threads, those and the unknown ones together three quarters, and the rest stays for
/// names that were quick.
struct LookupQueue {
    typealias Answer = Result<[IPAddress], ResolutionError>
    typealias Waiter = @Sendable (Answer) -> Void

    private enum Standing: Int { case quick, unknown, slow }

    private struct Known {
        var answer: Answer
        var until: UInt64
        var wasSlow: Bool
    }

    private struct Lookup {
        var waiters: [Waiter]
        let standing: Standing
        /// Nil while it waits for a thread.
        var began: UInt64?
    }

    enum Admission {
        case known(Answer)
        /// The waiter is called later. A thread is to be started for the name, if there is one.
        case waits(start: String?)
        case busy
    }

    private let limits: SystemResolver.Limits
    private var known: [String: Known] = [:]
    private var lookups: [String: Lookup] = [:]
    private var queue: [String] = []
    private var running = [0, 0, 0]

    init(limits: SystemResolver.Limits) {
        self.limits = limits
    }

    mutating func admit(_ name: String, now: UInt64, waiter: @escaping Waiter) -> Admission {
        if let known = known[name], known.until > now { return .known(known.answer) }
        if let lookup = lookups[name] {
            guard lookup.waiters.count < limits.waitersOfAName else { return .busy }
            lookups[name]?.waiters.append(waiter)
            return .waits(start: nil)
        }
        guard queue.count < limits.queue else { return .busy }
        let standing: Standing = known[name].map { $0.wasSlow ? .slow : .quick } ?? .unknown
        lookups[name] = Lookup(waiters: [waiter], standing: standing)
        queue.append(name)
        return .waits(start: next(now: now))
    }

    /// Keeps the answer. Returns who waited, and the name that the thread goes on with.
    mutating func finish(_ name: String, _ answer: Answer, now: UInt64) -> (waiters: [Waiter], next: String?) {
        guard let lookup = lookups.removeValue(forKey: name) else { return ([], nil) }
        running[lookup.standing.rawValue] -= 1
        let took = now - (lookup.began ?? now)
        let life = (try? answer.get()) == nil ? limits.negativeLife : limits.positiveLife
        makeRoom(now)
        known[name] = Known(answer: answer, until: now + life.wholeNanoseconds, wasSlow: took > limits.slow.wholeNanoseconds)
        return (lookup.waiters, next(now: now))
    }

    private mutating func next(now: UInt64) -> String? {
        guard let index = queue.firstIndex(where: mayStart) else { return nil }
        let name = queue.remove(at: index)
        lookups[name]?.began = now
        if let standing = lookups[name]?.standing { running[standing.rawValue] += 1 }
        return name
    }

    private func mayStart(_ name: String) -> Bool {
        let (slow, unknown) = (running[Standing.slow.rawValue], running[Standing.unknown.rawValue])
        let all = slow + unknown + running[Standing.quick.rawValue]
        guard all < limits.threads, let standing = lookups[name]?.standing else { return false }
        switch standing {
        case .quick: return true
        case .unknown: return slow + unknown < max(1, limits.threads * 3 / 4)
        case .slow: return slow < max(1, limits.threads / 2) && slow + unknown < max(1, limits.threads * 3 / 4)
        }
    }

    private mutating func makeRoom(_ now: UInt64) {
        guard known.count >= limits.knownNames else { return }
        known = known.filter { $0.value.until > now }
        if known.count >= limits.knownNames { known.removeAll() }
    }
}

extension Duration {
    /// Nanoseconds, 0 for what is negative.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

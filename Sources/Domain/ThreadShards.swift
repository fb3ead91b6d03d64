import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// State in shards, one for (nearly) each thread, so that threads that answer requests side by side hardly ever wait for
/// each other. What belongs together is put together by whoever reads all shards.
///
/// A lock that two event loops share costs them a sleep and a wake each time they meet: measured at two thirds of all
/// system calls under load.
public final class ThreadShards<State: Sendable>: Sendable {
    private final class Shard: Sendable {
        let state: Mutex<State>
        init(_ state: State) { self.state = Mutex(state) }
    }

    private let shards: [Shard]

    public init(_ make: () -> State) { shards = (0..<16).map { _ in Shard(make()) } }

    /// The calling thread's shard.
    @inline(__always)
    public func withLock<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        // The address of a thread's own block, spread over the shards.
        let thread = UInt(bitPattern: pthread_self().hashValueOfThread)
        let index = Int(truncatingIfNeeded: (thread &* 0x9E37_79B9_7F4A_7C15) >> 60)
        return try shards[index].state.withLock { try body(&$0) }
    }

    /// Every shard, one after the other.
    public func forEach(_ body: (inout State) throws -> Void) rethrows {
        for shard in shards { try shard.state.withLock { try body(&$0) } }
    }
}

extension pthread_t {
    #if canImport(Darwin)
        fileprivate var hashValueOfThread: Int { Int(bitPattern: self) }
    #else
        fileprivate var hashValueOfThread: Int { Int(bitPattern: UInt(self)) }
    #endif
}

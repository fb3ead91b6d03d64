import Domain
import Synchronization

/// What a limiter decided.
public struct LimitDecision: Sendable, Equatable {
    public let isAllowed: Bool
    /// Whole tokens left.
    public let remaining: Int
    /// Seconds until one more token is there, at least 1.
    public let secondsToNext: Int
    public let capacity: Int
}

/// One token bucket as a value: time in, decision out.
///
/// It is kept as time rather than tokens: a full bucket holds one minute, a token of a limit of n costs 60/n s. So
/// nothing is lost to rounding, however often it is asked. (The algorithm is GCRA, ITU-T I.371, seen from the other end.)
public struct TokenBucket: Sendable {
    /// A full bucket, in nanoseconds.
    public static let full: Int64 = 60_000_000_000

    private var credit: Int64 = full
    private var last: Int64
    /// The limit that `credit` was counted for.
    private var limit: Int

    /// - Parameter now: monotonic nanoseconds.
    public init(limit: Int, now: Int64) {
        self.limit = limit
        last = now
    }

    /// Takes `tenths` tenths of a token if they are there.
    public mutating func take(tenths: Int, limit: Int, now: Int64) -> LimitDecision {
        self.limit = limit
        // A clock that stands still or goes back refills nothing.
        credit = min(Self.full, credit + max(0, now - last))
        last = max(last, now)
        let token = Self.full / Int64(limit)
        let cost = Self.full * Int64(tenths) / (Int64(limit) * 10)
        let allowed = credit >= cost
        if allowed { credit -= cost }
        // Refused: until this very request could go. Allowed: until one more token is there than now.
        let missing = allowed ? token - credit % token : cost - credit
        let seconds = max(1, Int((missing + 999_999_999) / 1_000_000_000))
        return LimitDecision(
            isAllowed: allowed, remaining: Int(credit / token), secondsToNext: seconds, capacity: limit)
    }

    /// Full again, so that forgetting it changes nothing.
    public func isFull(at now: Int64) -> Bool { credit + max(0, now - last) >= Self.full }
}

/// The buckets of all keys (or of all client addresses), in shards that each have a lock of their own.
public final class TokenBuckets: Sendable {
    /// Past so many in a shard, full buckets are forgotten; if none is, the shard is emptied.
    private static let most = 4_096
    private let shards: [Shard]

    private final class Shard: Sendable {
        let buckets = Mutex<[String: TokenBucket]>([:])
    }

    public init() { shards = (0..<16).map { _ in Shard() } }

    /// - Parameters:
    ///   - tenths: the cost in tenths of a token.
    ///   - limit: tokens a minute, and the size of the bucket.
    ///   - now: monotonic nanoseconds.
    public func take(_ name: String, tenths: Int, limit: Int, now: Int64) -> LimitDecision {
        shard(of: name).buckets.withLock { buckets in
            if let index = buckets.index(forKey: name) {
                return buckets.values[index].take(tenths: tenths, limit: limit, now: now)
            }
            if buckets.count >= Self.most { Self.forget(&buckets, now) }
            var bucket = TokenBucket(limit: limit, now: now)
            let decision = bucket.take(tenths: tenths, limit: limit, now: now)
            buckets[name] = bucket
            return decision
        }
    }

    private func shard(of name: String) -> Shard {
        var hash: UInt32 = 2_166_136_261
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return shards[Int(hash >> 28)]
    }

    private static func forget(_ buckets: inout [String: TokenBucket], _ now: Int64) {
        buckets = buckets.filter { !$0.value.isFull(at: now) }
        if buckets.count >= most { buckets = [:] }
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import RateLimiting

@Suite("The token bucket: exact, whatever the clock does")
struct TokenBucketTests {
    private static let second: Int64 = 1_000_000_000

    @Test("Of 1,000 takes at once exactly the bucket passes, and another key feels nothing", arguments: [1, 7, 100, 999])
    func concurrent(limit: Int) {
        let buckets = TokenBuckets()
        let passed = Atomic<Int>(0)
        let others = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 1_000) { turn in
            if buckets.take("key", tenths: 10, limit: limit, now: 5).isAllowed { passed.wrappingAdd(1, ordering: .relaxed) }
            if turn % 20 == 0, buckets.take("other", tenths: 10, limit: 100, now: 5).isAllowed { others.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(passed.load(ordering: .relaxed) == limit && others.load(ordering: .relaxed) == 50)
        // What refilled since passes, and no more.
        let later = 5 + TokenBucket.full / 2
        #expect((0..<1_000).filter { _ in buckets.take("key", tenths: 10, limit: limit, now: later).isAllowed }.count == limit / 2)
    }

    @Test("A full bucket lets exactly its limit through, told what is left each time", arguments: [1, 3, 7, 60, 100, 101, 6_000])
    func burst(limit: Int) {
        var bucket = TokenBucket(limit: limit, now: 0)
        for left in stride(from: limit - 1, through: 0, by: -1) {
            let decision = bucket.take(tenths: 10, limit: limit, now: 0)
            if !decision.isAllowed || decision.remaining != left || decision.capacity != limit {
                Issue.record("\(decision) with \(left) left")
            }
        }
        #expect(!bucket.take(tenths: 10, limit: limit, now: 0).isAllowed)
        #expect(!bucket.isFull(at: TokenBucket.full - 1_000_000) && bucket.isFull(at: TokenBucket.full))
    }

    @Test("An unchanged answer costs a tenth, and a refused request nothing")
    func tenths() {
        var bucket = TokenBucket(limit: 100, now: 0)
        #expect((0..<2_000).filter { _ in bucket.take(tenths: 1, limit: 100, now: 0).isAllowed }.count == 1_000)
        for _ in 0..<10_000 { _ = bucket.take(tenths: 10, limit: 100, now: 0) }
        #expect(bucket.take(tenths: 10, limit: 100, now: 600_000_000).isAllowed, "refusals took nothing of what came")
        #expect(!bucket.take(tenths: 1, limit: 100, now: 600_000_000).isAllowed)
    }

    @Test("Over a long time as many pass as the limit says, however often it is asked", arguments: [5, 7, 100, 997])
    func rate(limit: Int) {
        var random = SeededGenerator("rate of \(limit)")
        var bucket = TokenBucket(limit: limit, now: 0)
        var now: Int64 = 0
        var passed = 0
        let minutes: Int64 = 10
        while now < TokenBucket.full * minutes {
            if bucket.take(tenths: 10, limit: limit, now: now).isAllowed { passed += 1 }
            now += Int64.random(in: 1...max(TokenBucket.full / Int64(limit) / 4, 2), using: &random)
        }
        #expect(passed <= limit * Int(minutes + 1) && passed >= limit * Int(minutes + 1) - 1)
    }

    @Test("Retry-After is never too early, and never a whole second too late")
    func retryAfter() {
        var random = SeededGenerator("retry after")
        var (refused, waited) = (0, 0)
        for _ in 0..<400 {
            let limit = [1, 2, 7, 20, 60, 100, 997, 100_000].randomElement(using: &random)!
            var bucket = TokenBucket(limit: limit, now: 0)
            var now = Int64.random(in: 0...Self.second * 1_000, using: &random)
            for _ in 0..<300 {
                let tenths = [1, 10, 10, 10].randomElement(using: &random)!
                let decision = bucket.take(tenths: tenths, limit: limit, now: now)
                if !decision.isAllowed {
                    refused += 1
                    var (exactly, earlier) = (bucket, bucket)
                    let wait = Int64(decision.secondsToNext) * Self.second
                    if !exactly.take(tenths: tenths, limit: limit, now: now + wait).isAllowed { Issue.record("\(decision) is too early") }
                    if decision.secondsToNext > 1 {
                        waited += 1
                        if earlier.take(tenths: tenths, limit: limit, now: now + wait - Self.second).isAllowed {
                            Issue.record("\(decision) is too late")
                        }
                    }
                } else if decision.remaining < limit {
                    var later = bucket
                    let wait = Int64(decision.secondsToNext) * Self.second
                    let then = later.take(tenths: 0, limit: limit, now: now + wait)
                    if then.remaining <= decision.remaining { Issue.record("after \(decision) no token more") }
                }
                if Bool.random(using: &random) { now += Int64.random(in: 0...TokenBucket.full / Int64(limit), using: &random) }
            }
        }
        #expect(refused > 1_000 && waited > 100)
    }

    @Test("A clock that goes back refills nothing, and takes nothing away")
    func backwards() {
        var bucket = TokenBucket(limit: 10, now: 100 * Self.second)
        for _ in 0..<10 { #expect(bucket.take(tenths: 10, limit: 10, now: 100 * Self.second).isAllowed) }
        for now in [99 * Self.second, 0, -Self.second, 100 * Self.second] {
            #expect(!bucket.take(tenths: 10, limit: 10, now: now).isAllowed)
        }
        #expect(!bucket.take(tenths: 10, limit: 10, now: 106 * Self.second - 1).isAllowed)
        #expect(bucket.take(tenths: 10, limit: 10, now: 106 * Self.second).isAllowed)
        #expect(!bucket.take(tenths: 10, limit: 10, now: 106 * Self.second).isAllowed)
    }

    @Test("Time that was away long fills the bucket, not more")
    func overflow() {
        var bucket = TokenBucket(limit: 5, now: 0)
        _ = bucket.take(tenths: 10, limit: 5, now: 0)
        let far = Int64.max / 2
        #expect((0..<50).filter { _ in bucket.take(tenths: 10, limit: 5, now: far).isAllowed }.count == 5)
    }

    @Test("A changed limit holds at once, the share that is left stays")
    func changedLimit() {
        var bucket = TokenBucket(limit: 100, now: 0)
        for _ in 0..<50 { _ = bucket.take(tenths: 10, limit: 100, now: 0) }
        #expect((0..<50).filter { _ in bucket.take(tenths: 10, limit: 10, now: 0).isAllowed }.count == 5)
    }

    @Test("Very many names are forgotten only where that changes nothing for a name that has just been used up")
    func forgetting() {
        let buckets = TokenBuckets()
        for index in 0..<60_000 { #expect(buckets.take("name \(index)", tenths: 10, limit: 2, now: Int64(index) * Self.second).isAllowed) }
        let now = 60_000 * Self.second
        #expect((0..<10).filter { _ in buckets.take("mine", tenths: 10, limit: 2, now: now).isAllowed }.count == 2)
        for index in 0..<2_000 { _ = buckets.take("more \(index)", tenths: 10, limit: 2, now: now) }
        #expect(!buckets.take("mine", tenths: 10, limit: 2, now: now).isAllowed)
    }
}

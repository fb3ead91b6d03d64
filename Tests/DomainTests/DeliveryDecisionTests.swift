import TestSupport
import Testing

@testable import Domain

/// Always the same: 1 is the least chance (0 would be drawn again for ever), `.max` the most.
private struct FixedGenerator: RandomNumberGenerator {
    let value: UInt64
    mutating func next() -> UInt64 { value }
}

private let start = Timestamp(year: 2026, month: 1, day: 1)
private let day: Int64 = 86_400_000
private let hours = DeliveryPolicy(
    delays: [30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000], attempts: 7, deadline: 15_000)

extension DeliveryPolicy {
    fileprivate func decide(
        _ outcome: AttemptOutcome, attempt: Int = 1, at time: Timestamp = start, failingSince: Timestamp? = nil,
        chance: UInt64 = 1
    ) -> DeliveryDecision {
        var random = FixedGenerator(value: chance)
        return decision(after: outcome, attempt: attempt, endedAt: time, failingSince: failingSince, using: &random)
    }

    /// Milliseconds to the next attempt.
    fileprivate func wait(_ outcome: AttemptOutcome, attempt: Int = 1, chance: UInt64 = 1) -> Int64? {
        guard case .retry(let time) = decide(outcome, attempt: attempt, chance: chance).next else { return nil }
        return time.milliseconds(since: start)
    }
}

@Suite("What follows from an attempt")
struct DeliveryDecisionTests {
    private func answered(_ status: Int, _ retryAfter: String? = nil) -> AttemptOutcome {
        .answered(status: status, retryAfter: retryAfter)
    }

    @Test("A whole schedule, in virtual time: each delay counts from the attempt's end, and after the last it has failed")
    func schedule() {
        var now = start
        var waits: [Int64] = []
        for attempt in 1...7 {
            // Each attempt takes its whole deadline.
            now = now.adding(milliseconds: hours.deadline)
            guard case .retry(let next) = hours.decide(.timedOut, attempt: attempt, at: now).next else { break }
            waits.append(next.milliseconds(since: now))
            now = next
        }
        #expect(waits == hours.delays)
        #expect(hours.decide(.timedOut, attempt: 7).next == .failed)
    }

    @Test("Fewer attempts end the schedule early; for more the last delay holds")
    func attempts() {
        var policy = hours
        policy.attempts = 5
        #expect(policy.wait(answered(500), attempt: 4) == 3_600_000 && policy.decide(answered(500), attempt: 5).next == .failed)
        policy.attempts = 9
        #expect(policy.wait(answered(500), attempt: 8) == day && policy.decide(answered(500), attempt: 9).next == .failed)
    }

    @Test("One attempt is one attempt; more without any delay wait half a minute")
    func withoutDelays() {
        var policy = DeliveryPolicy(delays: [], attempts: 1, deadline: 30_000)
        #expect(policy.decide(.failed("refused")).next == .failed)
        policy.attempts = 2
        #expect(policy.wait(.failed("refused")) == 30_000)
    }

    @Test("Chance adds up to a fifth to delays of 30 seconds and more, and nothing to shorter ones")
    func jitter() throws {
        for (index, delay) in hours.delays.enumerated() {
            let most = try #require(hours.wait(answered(500), attempt: index + 1, chance: .max))
            #expect(most == delay + delay / 5)
        }
        var random = SeededGenerator("jitter")
        for _ in 0..<1_000 {
            let decision = hours.decision(after: .timedOut, attempt: 2, endedAt: start, failingSince: nil, using: &random)
            guard case .retry(let time) = decision.next else {
                Issue.record("no retry")
                return
            }
            #expect((120_000...144_000).contains(time.milliseconds(since: start)))
        }
        let short = DeliveryPolicy(delays: [0, 1_000, 29_999], attempts: 4, deadline: 10_000)
        #expect((1...3).map { short.wait(.timedOut, attempt: $0, chance: .max) } == [0, 1_000, 29_999])
    }

    @Test("Success is what the dialect says it is; redirects are failures")
    func success() {
        let few = DeliveryPolicy(delays: [0], attempts: 2, deadline: 1, successes: [200...202, 204...204])
        for status in [200, 201, 202, 204] { #expect(few.decide(answered(status)).next == .succeeded) }
        for status in [100, 203, 206, 301, 302, 307, 400, 404, 500, 599] {
            let decision = few.decide(answered(status))
            #expect(decision.next == .retry(at: start) && decision.error != nil && decision.disables == nil)
        }
        #expect(hours.decide(answered(203)).next == .succeeded && hours.decide(answered(299)).error == nil)
        #expect(hours.decide(answered(302)).error == "answered 302; redirects are not followed")
        #expect(hours.decide(.timedOut).error == "no answer within 15000 ms")
    }

    @Test("Retry-After makes the wait on 429 and 503 longer, up to the longest delay, and never shorter")
    func retryAfter() {
        #expect(hours.wait(answered(429, "300")) == 300_000)
        #expect(hours.wait(answered(503, "Thu, 01 Jan 2026 00:10:00 GMT")) == 600_000)
        #expect(hours.wait(answered(503, "5")) == 30_000, "the schedule is not made shorter")
        #expect(hours.wait(answered(503, "5"), chance: .max) == 36_000)
        #expect(hours.wait(answered(429, "999999999999999999999999")) == day, "at most the longest delay")
        #expect(hours.wait(answered(503, "Fri, 01 Jan 2100 00:00:00 GMT")) == day)
        #expect(hours.wait(answered(500, "300")) == 30_000, "other answers do not ask")
        #expect(hours.wait(answered(429, "soon")) == 30_000 && hours.wait(answered(429, "-1")) == 30_000)
        #expect(hours.decide(answered(429, "300"), attempt: 7).next == .failed)
        let short = DeliveryPolicy(delays: [1_000, 2_000], attempts: 3, deadline: 10_000)
        #expect(short.wait(answered(429, "60")) == 2_000)
    }

    @Test("410 disables the endpoint, and the delivery waits for it to be enabled")
    func gone() {
        let decision = hours.decide(answered(410))
        #expect(decision.disables == "it answered 410 Gone" && decision.next == .retry(at: start.adding(milliseconds: 30_000)))
        #expect(hours.decide(answered(404)).disables == nil)
    }

    @Test("What can't be built is parked, and says nothing of the endpoint")
    func parked() {
        let decision = hours.decide(.unsendable("no key"), at: start.adding(milliseconds: 6 * day), failingSince: start)
        #expect(decision.next == .parked(reason: "no key") && decision.error == "no key" && decision.disables == nil)
    }

    @Test("Days of nothing but failures: a warning after three, disabled after five, and a success ends it")
    func health() {
        func decide(after milliseconds: Int64, _ outcome: AttemptOutcome = .timedOut) -> DeliveryDecision {
            hours.decide(outcome, at: start.adding(milliseconds: milliseconds), failingSince: start)
        }
        #expect(hours.decide(.timedOut).health == .failing && hours.decide(.timedOut).disables == nil, "the first failure")
        #expect(decide(after: 3 * day - 1).health == .failing)
        #expect(decide(after: 3 * day).health == .warned && decide(after: 3 * day).disables == nil)
        #expect(decide(after: 5 * day - 1).health == .warned)
        let last = decide(after: 5 * day)
        #expect(last.health == .hopeless && last.disables == "nothing but failures since 2026-01-01T00:00:00.000000Z")
        #expect(last.next != .succeeded)
        let success = decide(after: 6 * day, answered(200))
        #expect(success.health == .healthy && success.disables == nil)
        #expect(EndpointHealth(failingSince: nil, now: start) == .healthy)
        #expect(EndpointHealth(failingSince: start, now: start.adding(milliseconds: -day)) == .failing, "a clock that was set back")
    }

    @Test("A clock that was set back holds no delivery for longer than its longest delay and a fifth")
    func clamp() {
        let stored = start.adding(milliseconds: 400 * day)
        #expect(hours.clamped(stored, now: start) == start.adding(milliseconds: day + day / 5))
        let near = start.adding(milliseconds: 20_000)
        #expect(hours.clamped(near, now: start) == near, "what the rules allow is left alone")
        let longest = start.adding(milliseconds: hours.wait(.timedOut, attempt: 6, chance: .max) ?? 0)
        #expect(hours.clamped(longest, now: start) == longest)
        let past = start.adding(milliseconds: -day)
        #expect(hours.clamped(past, now: start) == past)
    }

    @Test("Sums of time stay within the years that can be written")
    func sums() {
        #expect(start.adding(milliseconds: .max) == .latest && start.adding(milliseconds: .min) == .earliest)
        #expect(Timestamp.latest.adding(milliseconds: 1) == .latest)
        #expect(start.milliseconds(since: start.adding(milliseconds: 1)) == -1)
    }

    @Test("An endpoint's own schedule, attempts and deadline go before the dialect's")
    func ownPolicy() {
        var endpoint = Endpoint(
            id: EndpointID(ULID(high: 1, low: 1)), organization: OrganizationNumber(1), url: "https://example.com/",
            dialect: .standard, createdAt: start)
        #expect(hours.adjusted(to: endpoint) == hours)
        endpoint.schedule = [1_000]
        endpoint.attempts = 3
        endpoint.timeout = 2_000
        let policy = hours.adjusted(to: endpoint)
        #expect(policy.delays == [1_000] && policy.attempts == 3 && policy.deadline == 2_000)
    }
}

@Suite("Retry-After and the dates of HTTP")
struct RetryAfterTests {
    @Test(
        "All three forms of a date are read",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994",
        ])
    func dates(text: String) {
        #expect(HTTPDate.read(text, now: start)?.description == "1994-11-06T08:49:37.000000Z")
    }

    @Test("A year of two digits is at most 50 years ahead")
    func shortYears() {
        #expect(HTTPDate.read("Friday, 01-Jan-76 00:00:00 GMT", now: start)?.description.prefix(4) == "2076")
        #expect(HTTPDate.read("Friday, 01-Jan-77 00:00:00 GMT", now: start)?.description.prefix(4) == "1977")
    }

    @Test(
        "What is no date is none",
        arguments: [
            "", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 199 08:49:37 GMT", "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994 08:49:37.5 GMT",
        ])
    func noDates(text: String) { #expect(HTTPDate.read(text, now: start) == nil) }

    @Test("Seconds, with space around them, and dates in the past")
    func seconds() {
        #expect(RetryAfter.milliseconds("120", now: start) == 120_000 && RetryAfter.milliseconds(" \t0 ", now: start) == 0)
        #expect(RetryAfter.milliseconds("Sun, 06 Nov 1994 08:49:37 GMT", now: start) == 0)
        #expect(RetryAfter.milliseconds("9223372036854775807", now: start) == .max)
        for text in ["", " ", "1.5", "+5", "-5", "1e3", "five", "1 2"] { #expect(RetryAfter.milliseconds(text, now: start) == nil) }
    }
}

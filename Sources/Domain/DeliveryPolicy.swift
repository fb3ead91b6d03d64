/// How often and for how long a delivery is tried. Times are milliseconds.
public struct DeliveryPolicy: Equatable, Sendable {
    /// Between attempts; the last holds for further ones.
    public var delays: [Int64]
    /// In all, the first included.
    public var attempts: Int
    /// For one attempt: name resolution, connecting, TLS, headers and body together.
    public var deadline: Int64
    /// The status codes that are a success.
    public var successes: [ClosedRange<Int>]

    /// Between attempts where more than one was asked for and no delay is known.
    public static let delayWithoutSchedule: Int64 = 30_000
    /// Delays from here on get chance added, up to a fifth of themselves.
    public static let shortestJittered: Int64 = 30_000

    public init(delays: [Int64], attempts: Int, deadline: Int64, successes: [ClosedRange<Int>] = [200...299]) {
        self.delays = delays
        self.attempts = attempts
        self.deadline = deadline
        self.successes = successes
    }

    /// With what the endpoint has set for itself.
    public func adjusted(to endpoint: Endpoint) -> DeliveryPolicy {
        var policy = self
        policy.delays = endpoint.schedule ?? delays
        policy.attempts = max(endpoint.attempts ?? attempts, 1)
        policy.deadline = endpoint.timeout ?? deadline
        return policy
    }

    public func isSuccess(_ status: Int) -> Bool { successes.contains { $0.contains(status) } }

    /// From the end of the attempt of that number (1 is the first) to the next; nil when it was the last.
    public func delay(after attempt: Int) -> Int64? {
        guard attempt < attempts else { return nil }
        guard let last = delays.last else { return Self.delayWithoutSchedule }
        return delays.indices.contains(attempt - 1) ? delays[attempt - 1] : last
    }

    /// How far a `Retry-After` may put off the next attempt.
    public var longestDelay: Int64 { delays.max() ?? Self.delayWithoutSchedule }

    /// When a pending delivery is due that the store says is due at `stored`.
    ///
    /// `stored` was computed from the end of an attempt by the wall clock of that moment, and the wall clock may have
    /// jumped since:
    /// - **Forward**: every delivery that waits is due at once and goes out through the slots of a ``DispatchPlan``, so
    ///   there is no storm. Each loses one delay at most, for the next one is computed from the end of that attempt.
    /// - **Back**: `stored` may be further away than any rule allows. No delay is over the longest and its fifth of
    ///   chance, so the delivery is due after that time from now at the latest.
    ///
    /// As `now` goes on, so does the bound: call this once, when `stored` is first seen after a start or a jump, and keep
    /// the answer.
    public func clamped(_ stored: Timestamp, now: Timestamp) -> Timestamp {
        min(stored, now.adding(milliseconds: longestDelay + longestDelay / 5))
    }
}

extension Timestamp {
    /// Stays within the years that RFC 3339 can write.
    public func adding(milliseconds: Int64) -> Timestamp {
        let (product, overflows) = milliseconds.multipliedReportingOverflow(by: 1_000)
        let (sum, carries) = microseconds.addingReportingOverflow(product)
        guard !overflows, !carries else { return milliseconds < 0 ? .earliest : .latest }
        return min(max(Timestamp(microseconds: sum), .earliest), .latest)
    }

    /// Whole milliseconds, rounded down.
    public func milliseconds(since start: Timestamp) -> Int64 {
        let (difference, overflows) = microseconds.subtractingReportingOverflow(start.microseconds)
        return overflows ? (self < start ? .min : .max) : Self.floorDivide(difference, 1_000).0
    }
}

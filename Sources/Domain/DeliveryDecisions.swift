/// How one attempt ended.
public enum AttemptOutcome: Equatable, Sendable {
    /// - Parameter retryAfter: the response's `Retry-After`, as it came.
    case answered(status: Int, retryAfter: String?)
    /// The deadline passed.
    case timedOut
    /// No response, for this reason.
    case failed(String)
    /// It could not be built or signed, for this reason; nothing was sent.
    case unsendable(String)
}

/// What follows from an attempt, for its delivery and for its endpoint.
public struct DeliveryDecision: Equatable, Sendable {
    public let next: DeliveryNext
    /// Why the attempt is no success; nil for a success.
    public let error: String?
    /// Why the endpoint is disabled by it; nil when it is not.
    public let disables: String?
    /// Whether the endpoint is to be warned of.
    public let health: EndpointHealth
}

/// For how long an endpoint has had nothing but failures.
public enum EndpointHealth: Equatable, Sendable {
    case healthy
    case failing
    /// Disabled before long: said in the log and on its page.
    case warned
    /// Failing for so long that it is disabled at the next failure.
    case hopeless

    /// Milliseconds.
    public static let warnsAfter: Int64 = 3 * 86_400_000
    public static let disablesAfter: Int64 = 5 * 86_400_000

    public init(failingSince: Timestamp?, now: Timestamp) {
        guard let failingSince else {
            self = .healthy
            return
        }
        switch now.milliseconds(since: failingSince) {
        case Self.disablesAfter...: self = .hopeless
        case Self.warnsAfter...: self = .warned
        default: self = .failing
        }
    }
}

extension DeliveryPolicy {
    /// Decides what follows from an attempt. Times are the wall clock's.
    ///
    /// - Parameters:
    ///   - attempt: its number in its round; 1 is the first.
    ///   - endedAt: what the next attempt is counted from.
    ///   - failingSince: as the endpoint had it before this attempt.
    ///   - random: for the chance that is added to long delays.
    public func decision(
        after outcome: AttemptOutcome, attempt: Int, endedAt: Timestamp, failingSince: Timestamp?,
        using random: inout some RandomNumberGenerator
    ) -> DeliveryDecision {
        if case .unsendable(let reason) = outcome {
            return DeliveryDecision(
                next: .parked(reason: reason), error: reason, disables: nil,
                health: EndpointHealth(failingSince: failingSince, now: endedAt))
        }
        guard let error = error(of: outcome) else {
            return DeliveryDecision(next: .succeeded, error: nil, disables: nil, health: .healthy)
        }
        let since = failingSince ?? endedAt
        let health = EndpointHealth(failingSince: since, now: endedAt)
        var disables: String?
        if case .answered(410, _) = outcome {
            disables = "it answered 410 Gone"
        } else if health == .hopeless {
            disables = "nothing but failures since \(since)"
        }
        let next =
            wait(after: outcome, attempt: attempt, endedAt: endedAt, using: &random)
            .map { DeliveryNext.retry(at: endedAt.adding(milliseconds: $0)) } ?? .failed
        return DeliveryDecision(next: next, error: error, disables: disables, health: health)
    }

    private func error(of outcome: AttemptOutcome) -> String? {
        switch outcome {
        case .answered(let status, _):
            if isSuccess(status) { return nil }
            return (300...399).contains(status) ? "answered \(status); redirects are not followed" : "answered \(status)"
        case .timedOut: return "no answer within \(deadline) ms"
        case .failed(let reason), .unsendable(let reason): return reason
        }
    }

    /// Milliseconds to the next attempt; nil when there is none. A `Retry-After` on 429 and 503 makes it longer, up to
    /// ``longestDelay``, and never shorter.
    private func wait(
        after outcome: AttemptOutcome, attempt: Int, endedAt: Timestamp, using random: inout some RandomNumberGenerator
    ) -> Int64? {
        guard var wait = delay(after: attempt) else { return nil }
        if wait >= Self.shortestJittered { wait += Int64.random(in: 0...wait / 5, using: &random) }
        if case .answered(let status, let field?) = outcome, status == 429 || status == 503,
            let asked = RetryAfter.milliseconds(field, now: endedAt)
        {
            wait = max(wait, min(asked, longestDelay))
        }
        return wait
    }
}

import Domain
import OutboundHTTP

/// What a request that is over came to: what is recorded of it, and what is told.
struct Judgement {
    let record: AttemptRecord
    let observation: AttemptObservation
    let decision: DeliveryDecision

    /// Nil for a request that the shutdown has ended: it says nothing of the receiver, and its delivery stays pending.
    ///
    /// - Parameter startedAt: by the clock as it is set now.
    init?(
        of item: Dispatcher.Finished, startedAt: Timestamp, for target: DispatchTarget, using random: inout some RandomNumberGenerator
    ) {
        var attempt = Attempt(startedAt: startedAt, duration: 0, requestHeaders: item.headers)
        let outcome: AttemptOutcome
        var code: String?
        switch item.result {
        case .success(let response):
            attempt.keep(response)
            let retryAfter = response.headers.first { $0.name.lowercased() == "retry-after" }?.value
            outcome = .answered(status: response.status, retryAfter: retryAfter)
        case .failure(let failure):
            if failure.reason == .cancelled { return nil }
            if let partial = failure.partial { attempt.keep(partial) }
            attempt.duration = failure.duration
            code = failure.reason.code
            outcome = .failed("\(failure.reason)")
        case nil:
            code = "unsendable"
            outcome = .unsendable(item.fault ?? "it could not be built")
        }
        decision = target.policy.decision(
            after: outcome, attempt: item.delivery.attempts + 1,
            endedAt: Timestamp(microseconds: startedAt.microseconds + attempt.duration), failingSince: target.endpoint.failingSince,
            using: &random)
        attempt.error = decision.error
        record = AttemptRecord(
            delivery: item.delivery.number, endpoint: item.delivery.endpoint, attempt: attempt, next: decision.next,
            disables: decision.disables)
        observation = AttemptObservation(
            endpoint: target.endpoint.id, dialect: target.endpoint.dialect, delivery: item.delivery.id, type: item.delivery.type,
            attempt: item.delivery.attempts + 1, outcome: decision.next.outcome, status: attempt.responseStatus, code: code,
            duration: attempt.duration)
    }
}

extension DeliveryNext {
    fileprivate var outcome: AttemptObservation.Outcome {
        switch self {
        case .succeeded: .succeeded
        case .retry: .retried
        case .failed: .failed
        case .parked: .parked
        }
    }
}

extension Attempt {
    fileprivate mutating func keep(_ response: OutboundResponse) {
        responseStatus = response.status
        responseHeaders = response.headers
        responseBody = response.body
        isCut = response.isCut
        duration = response.duration
    }
}

import Domain
import Foundation
import OutboundHTTP
import Synchronization

/// Sends what the outbox owes.
///
/// One thread of its own claims, signs and records; requests run on event loops. It looks at the store when somebody has
/// committed, when a delivery's time has come, and once a second. A claim writes nothing: what is in flight is known here
/// alone and is pending in the store until its attempt is recorded, together with others, in one transaction. So after a
/// crash only what was in flight repeats.
public final class Dispatcher: Sendable {
    public struct Options: Sendable {
        /// Hirewire's, for the `User-Agent`.
        public var version = "0"
        public var limits = DispatchPlan.Limits()
        /// How often to look whether somebody has committed, in milliseconds.
        public var interval = 5
        public init() {}
    }

    private let store: any OutboxStore
    private let client: OutboundClient
    private let secrets: SecretBox
    private let observer: any DeliveryObserving
    private let options: Options
    private let time: any TimeSource
    private let commitMark: @Sendable () -> Int64
    private let shared = Mutex(Shared())
    private let wake = Alarm()

    /// What the event loops and the owner share with the thread.
    private struct Shared {
        var finished: [Finished] = []
        var isStopping = false
        var isCancelled = false
        var isDone = false
        var inFlight = 0
        var problem: String?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// A request that is over.
    struct Finished: Sendable {
        let delivery: DueDelivery
        let startedAt: Timestamp
        let headers: [HeaderField]
        /// Nil where nothing could be sent.
        let result: Result<OutboundResponse, OutboundFailure>?
        let fault: String?
    }

    /// - Parameters:
    ///   - commitMark: counts the commits of all processes; cheap, for it is asked some hundred times a second.
    public init(
        store: any OutboxStore, client: OutboundClient, secrets: SecretBox, observer: any DeliveryObserving, options: Options,
        time: any TimeSource, commitMark: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.client = client
        self.secrets = secrets
        self.observer = observer
        self.options = options
        self.time = time
        self.commitMark = commitMark
    }

    /// Requests under way.
    public var inFlight: Int { shared.withLock { $0.inFlight } }
    /// Why attempts can't be recorded, while they can't: nothing new is sent then.
    public var problem: String? { shared.withLock { $0.problem } }

    /// Begins to send, on a thread of its own.
    public func start() {
        let thread = Thread { [self] in
            let round = DispatchRound(self, store: store, secrets: secrets, observer: observer, time: time, options: options)
            run(round)
        }
        thread.name = "hirewire.dispatch"
        thread.start()
    }

    /// Claims nothing more, and returns when all that is in flight is over and recorded.
    public func stop() async {
        await withCheckedContinuation { continuation in
            let isDone = shared.withLock { state in
                state.isStopping = true
                if !state.isDone { state.waiters.append(continuation) }
                return state.isDone
            }
            wake.ring()
            if isDone { continuation.resume() }
        }
    }

    /// Ends what is in flight too; it stays pending.
    public func cancel() {
        shared.withLock {
            $0.isStopping = true
            $0.isCancelled = true
        }
        wake.ring()
    }

    private func run(_ round: DispatchRound) {
        var mark: Int64?
        while true {
            let (finished, isStopping, isCancelled) = shared.withLock { state in
                defer { state.finished.removeAll(keepingCapacity: true) }
                return (state.finished, state.isStopping, state.isCancelled)
            }
            round.take(finished, isCancelled: isCancelled)
            let now = commitMark()
            round.look(changed: now != mark)
            mark = now
            if !isStopping { round.claim() }
            let (count, problem) = (round.inFlight, round.problem)
            let isIdle = shared.withLock { state in
                state.inFlight = count
                state.problem = problem
                return state.finished.isEmpty
            }
            if isStopping, isIdle, count == 0 || (isCancelled && round.isEmptied) { break }
            if isIdle { wake.wait(milliseconds: round.pause ?? options.interval) }
        }
        let waiters = shared.withLock { state in
            state.isDone = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Sends; the answer comes back through the thread's next round.
    func send(_ post: OutboundPost, _ delivery: DueDelivery, _ startedAt: Timestamp, _ headers: [HeaderField]) -> OutboundCancellation {
        client.send(post) { [self] result in
            finish(Finished(delivery: delivery, startedAt: startedAt, headers: headers, result: result, fault: nil))
        }
    }

    func finish(_ finished: Finished) {
        let isFirst = shared.withLock { state in
            state.finished.append(finished)
            return state.finished.count == 1
        }
        if isFirst { wake.ring() }
    }
}

/// What is told of deliveries: one call for each attempt and each turn of an endpoint, none with a URL, a body or a secret.
public protocol DeliveryObserving: Sendable {
    func attempted(_ attempt: AttemptObservation)
    /// Days of nothing but failures: it is disabled before long.
    func warned(_ endpoint: EndpointID, failingSince: Timestamp)
    func disabled(_ endpoint: EndpointID, reason: String)
    /// Attempts could not be recorded; nothing is sent until they are.
    func stalled(_ cause: String)
    func recovered()
}

/// One attempt, for the log and the metrics.
public struct AttemptObservation: Sendable {
    public enum Outcome: String, CaseIterable, Sendable {
        case succeeded, retried, failed, parked
    }

    public let endpoint: EndpointID
    public let dialect: DialectName
    public let delivery: DeliveryID
    public let type: EventType
    public let attempt: Int
    public let outcome: Outcome
    public let status: Int?
    /// A stable word; nil for a success and for an answer.
    public let code: String?
    /// Microseconds.
    public let duration: Int64
}

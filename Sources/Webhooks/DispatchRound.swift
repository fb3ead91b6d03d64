import Dispatch
import Domain
import OutboundHTTP

/// What the dispatcher's thread knows and does, round by round. Used by that thread alone.
final class DispatchRound {
    private let dispatcher: Dispatcher
    private let store: any OutboxStore
    private let secrets: SecretBox
    private let observer: any DeliveryObserving
    private let time: any TimeSource
    private let options: Dispatcher.Options

    private var plan: DispatchPlan
    private var targets: [Int64: DispatchTarget] = [:]
    /// What was sent and is not recorded yet, by endpoint.
    private var held: [Int64: [Int64: Flight]] = [:]
    /// Over, and not recorded yet.
    private var unrecorded: [Dispatcher.Finished] = []
    private var clock: ClockWatch
    /// What this round goes by: a time that ``keepTime()`` has looked at. A clock that is set in the middle of a round makes
    /// nothing due before what waits is put right.
    private var now: Timestamp
    private var nextDue: Timestamp?
    private var lastLook = UInt64(0)
    private var lastLoad = UInt64(0)
    /// How long that took, in nanoseconds.
    private var loading = UInt64(0)
    private var isStale = true
    private var random = SystemRandomNumberGenerator()
    private var failures = 0
    private(set) var problem: String?

    init(
        _ dispatcher: Dispatcher, store: any OutboxStore, secrets: SecretBox, observer: any DeliveryObserving, time: any TimeSource,
        options: Dispatcher.Options
    ) {
        self.dispatcher = dispatcher
        self.store = store
        self.secrets = secrets
        self.observer = observer
        self.time = time
        self.options = options
        plan = DispatchPlan(limits: options.limits)
        now = time.now
        clock = ClockWatch(wall: now, monotonic: Self.monotonic)
    }

    private struct Flight {
        /// By the monotonic clock.
        let startedAt: UInt64
        /// Nil for what could not be sent.
        var cancellation: OutboundCancellation?
    }

    /// Milliseconds.
    private static var monotonic: UInt64 { DispatchTime.now().uptimeNanoseconds / 1_000_000 }

    var inFlight: Int { plan.inFlight }
    /// Nothing is left but what can't be recorded.
    var isEmptied: Bool { plan.inFlight == unrecorded.count }
    /// How long to wait before the next round, where the store has refused; nil for the ordinary time.
    var pause: Int? { problem == nil ? nil : min(5_000, 100 << min(failures, 6)) }

    // MARK: Recording

    /// Records what is over and frees its slots. What can't be recorded keeps its slot, so that nothing is sent again
    /// and again to be forgotten.
    func take(_ finished: [Dispatcher.Finished], isCancelled: Bool) {
        if isCancelled { cancelAll() }
        unrecorded += finished
        guard keepTime(), !unrecorded.isEmpty else { return }
        let judgements = unrecorded.compactMap(judge)
        do {
            if !judgements.isEmpty { try store.record(judgements.map(\.record)) }
        } catch {
            return stall(error)
        }
        recover()
        for item in unrecorded { release(item) }
        unrecorded.removeAll(keepingCapacity: true)
        for judgement in judgements { tell(judgement) }
    }

    /// Looks whether the wall clock was set, and says so to the store before anything is recorded by the new time.
    ///
    /// - Returns: false when that could not be said.
    private func keepTime() -> Bool {
        now = time.now
        clock.look(wall: now, monotonic: Self.monotonic)
        guard let jump = clock.jump else { return true }
        do {
            try store.clockMoved(by: jump.by, from: jump.from)
            clock.forget()
            // Since when the endpoints fail has moved too.
            try load(clock.monotonic)
            return true
        } catch {
            stall(error)
            return false
        }
    }

    private func cancelAll() {
        for flights in held.values { for flight in flights.values { flight.cancellation?.cancel() } }
    }

    private func judge(_ item: Dispatcher.Finished) -> Judgement? {
        guard let target = targets[item.delivery.endpoint] else { return nil }
        let flight = held[item.delivery.endpoint]?[item.delivery.number]
        let startedAt = flight.map { clock.today(item.startedAt, monotonic: $0.startedAt) } ?? item.startedAt
        return Judgement(of: item, startedAt: startedAt, for: target, using: &random)
    }

    private func release(_ item: Dispatcher.Finished) {
        let endpoint = item.delivery.endpoint
        held[endpoint]?[item.delivery.number] = nil
        if held[endpoint]?.isEmpty == true { held[endpoint] = nil }
        var result = DispatchPlan.Result.failed
        if case .success(let response)? = item.result, targets[endpoint]?.policy.isSuccess(response.status) == true { result = .succeeded }
        if case .failure(let failure)? = item.result, failure.isTimeout { result = .timedOut }
        plan.finish(endpoint, result)
    }

    private func tell(_ judgement: Judgement) {
        let (endpoint, observation, decision) = (judgement.record.endpoint, judgement.observation, judgement.decision)
        observer.attempted(observation)
        guard var target = targets[endpoint] else { return }
        switch observation.outcome {
        case .succeeded:
            target.endpoint.failingSince = nil
            target.wasWarned = false
        case .parked: break
        case .retried, .failed:
            let since = target.endpoint.failingSince ?? time.now
            target.endpoint.failingSince = since
            if decision.health == .warned, !target.wasWarned {
                target.wasWarned = true
                observer.warned(observation.endpoint, failingSince: since)
            }
        }
        targets[endpoint] = target
        guard let reason = decision.disables else { return }
        plan.remove(endpoint)
        isStale = true
        observer.disabled(observation.endpoint, reason: reason)
    }

    private func stall(_ error: any Error) {
        failures += 1
        problem = "\(error)"
        if failures == 1 { observer.stalled("\(error)") }
    }

    private func recover() {
        guard problem != nil else { return }
        problem = nil
        failures = 0
        observer.recovered()
    }

    // MARK: Looking

    /// Learns who has work: when somebody has committed, when a delivery's time has come, and once a second.
    func look(changed: Bool) {
        if changed { isStale = true }
        // Recording took its time, and what was committed meanwhile is due.
        guard keepTime() else { return }
        let tick = Self.monotonic
        do {
            let isDue = nextDue.map { $0 <= now } ?? false
            guard changed || isDue || problem != nil || tick - lastLook >= 1_000 || lastLook == 0 else { return }
            // Endpoints change seldom, and the dispatcher's own commits are most of what is committed: to look after each
            // takes a twentieth of the time at most, and a change of few endpoints counts for what is committed next.
            if isStale, tick - lastLoad >= min(200, loading / 50_000) || lastLoad == 0 { try load(tick) }
            var work = try store.work(now: now)
            if work.endpoints.contains(where: { targets[$0] == nil }) {
                try load(tick)
                work = try store.work(now: now)
            }
            for endpoint in work.endpoints where targets[endpoint] != nil { plan.add(endpoint) }
            nextDue = work.next
            lastLook = tick
            // Whether it can be written too, the next record tells.
            if unrecorded.isEmpty, clock.jump == nil { recover() }
        } catch {
            lastLook = tick
            stall(error)
        }
    }

    private func load(_ tick: UInt64) throws {
        let isFirst = lastLoad == 0
        let begin = DispatchTime.now().uptimeNanoseconds
        var fresh: [Int64: DispatchTarget] = [:]
        for endpoint in try store.endpoints() {
            var target = DispatchTarget(endpoint, secrets)
            target.wasWarned = targets[endpoint.number]?.wasWarned ?? false
            fresh[endpoint.number] = target
            guard case .active = endpoint.state else {
                plan.remove(endpoint.number)
                continue
            }
            // It may have been dead when the service last stopped.
            if isFirst, endpoint.failingSince != nil { plan.suspect(endpoint.number) }
            if isFirst {
                let latest = now.adding(milliseconds: target.policy.longestDelay + target.policy.longestDelay / 5)
                try store.bringForward(of: endpoint.number, to: latest)
            }
        }
        for (number, target) in targets where fresh[number] == nil {
            plan.remove(number)
            // What is in flight to it still ends.
            if held[number] != nil { fresh[number] = target }
        }
        targets = fresh
        lastLoad = max(tick, 1)
        loading = DispatchTime.now().uptimeNanoseconds - begin
        isStale = false
    }

    // MARK: Claiming

    /// Sends as much as the limits allow.
    func claim() {
        guard problem == nil else { return }
        var ready: [Int64: ArraySlice<DueDelivery>] = [:]
        while let endpoint = plan.next() {
            do {
                var waiting = ready[endpoint] ?? []
                if waiting.isEmpty { waiting = try fetch(endpoint) }
                guard let delivery = waiting.popFirst() else {
                    plan.runDry(endpoint)
                    continue
                }
                ready[endpoint] = waiting
                send(delivery)
            } catch {
                plan.runDry(endpoint)
                return stall(error)
            }
        }
    }

    private func fetch(_ endpoint: Int64) throws -> ArraySlice<DueDelivery> {
        guard let target = targets[endpoint], case .active = target.endpoint.state else { return [] }
        let flights = Set((held[endpoint] ?? [:]).keys)
        let found = try store.due(of: endpoint, now: now, limit: options.limits.endpoint, except: flights)
        // Nothing is signed with a secret that was replaced before it was claimed.
        if let first = found.first, first.secret != target.endpoint.secret { try load(Self.monotonic) }
        return found[...]
    }

    private func send(_ delivery: DueDelivery) {
        let now = time.now
        guard let target = targets[delivery.endpoint] else { return }
        var flight = Flight(startedAt: Self.monotonic, cancellation: nil)
        do {
            let message = DeliveryMessage(delivery, sentAt: now)
            let headers = target.dialect.headers(for: message, keys: try target.keys.get(), version: options.version)
            let post = OutboundPost(
                url: try target.url.get(), headers: headers, body: delivery.body, endpoint: delivery.endpoint,
                timeout: .milliseconds(target.policy.deadline))
            flight.cancellation = dispatcher.send(post, delivery, now, headers)
        } catch {
            dispatcher.finish(
                Dispatcher.Finished(delivery: delivery, startedAt: now, headers: [], result: nil, fault: "\(error)"))
        }
        held[delivery.endpoint, default: [:]][delivery.number] = flight
    }
}

import Domain
import Logging
import OutboundHTTP
import SQLiteStorage
import ServiceLifecycle
import Synchronization
import Webhooks

/// Sends webhooks until the shutdown, and then finishes what is in flight.
struct Deliveries: Service {
    let dispatcher: Dispatcher
    let metrics: DeliveryMetrics
    let outbox: SQLiteOutbox
    /// Where endpoints are changed while this runs, with the same key.
    let desk: WebhookDesk
    private let time: any TimeSource
    private let database: String

    /// - Throws: ``SettingProblem`` where the secrets' key or the certificates can't be used.
    init(
        _ settings: ServeSettings, _ database: Database, _ readers: ReaderPool, logger: Logger, time: any TimeSource,
        environment: [String: String]
    ) throws {
        self.time = time
        self.database = settings.database
        metrics = DeliveryMetrics(logger: logger)
        outbox = try SQLiteOutbox(database)
        let box: SecretBox
        do {
            box = try SecretBox(
                variable: environment[SecretBox.variable], database: settings.database, holdsSecrets: try database.hasSecrets())
        } catch let fault as SecretBoxFault { throw SettingProblem("\(fault)") }
        if let fault = box.fault(in: try database.endpoints()) {
            logger.error("webhook secrets can't be opened: deliveries that they should sign are parked", metadata: ["cause": "\(fault)"])
        }
        let addresses = AddressGuard(exceptions: settings.webhookExceptions)
        desk = WebhookDesk(database, reach: .init(addresses: addresses, allowsHTTP: settings.webhookAllowHTTP)) { box }
        let client: OutboundClient
        do {
            client = try OutboundClient(
                addresses: addresses, allowHTTP: settings.webhookAllowHTTP,
                extraRoots: settings.webhookCertificates)
        } catch { throw SettingProblem("--webhook-ca can't be used: \(error)") }
        var options = Dispatcher.Options()
        options.version = HirewireServer.version
        dispatcher = Dispatcher(
            store: outbox, client: client, secrets: box, observer: metrics, options: options, time: time,
            commitMark: { readers.commitMark })
    }

    func run() async throws {
        dispatcher.start()
        let dispatcher = dispatcher
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await gracefulShutdown()
            // The group cancels what has not ended within the grace period.
            await withTaskCancellationHandler {
                await dispatcher.stop()
            } onCancel: {
                dispatcher.cancel()
            }
        } onCancelOrGracefulShutdown: {
        }
    }

    /// Why changes or attempts can't be stored, while they can't.
    var problem: String? {
        if dispatcher.problem != nil { return "webhook attempts can't be recorded" }
        return DiskSpace.isFull(at: database) ? "the disk is full" : nil
    }

    /// Prometheus text: what was tried, and what is owed.
    var text: String {
        var out = metrics.text
        func gauge(_ name: String, _ help: String, _ value: String) {
            out += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
        }
        gauge("hirewire_webhook_in_flight", "Requests under way.", String(dispatcher.inFlight))
        let now = time.now
        guard let state = try? outbox.outboxState(now: now) else { return out }
        gauge(
            "hirewire_webhook_pending", "Deliveries to enabled endpoints that wait for their first or next attempt.", String(state.pending))
        gauge("hirewire_webhook_held", "Deliveries held for disabled endpoints.", String(state.held))
        let age = state.oldestDue.map { Double(max(0, now.microseconds - $0.microseconds)) / 1e6 } ?? 0
        gauge("hirewire_webhook_oldest_due_seconds", "For how long the oldest due delivery has been due.", String(age))
        gauge("hirewire_webhook_endpoints_disabled", "Disabled endpoints.", String(state.disabledEndpoints))
        return out
    }
}

/// Logs and counts attempts. A line has ids and numbers: no URL, no body, no secret.
final class DeliveryMetrics: DeliveryObserving {
    private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private struct Label: Hashable {
        let dialect: DialectName
        let outcome: AttemptObservation.Outcome
    }

    private struct State {
        var counts: [Label: Int] = [:]
        var buckets = [Int](repeating: 0, count: bounds.count)
        var sum = 0.0
        var count = 0
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) { self.logger = logger }

    func attempted(_ attempt: AttemptObservation) {
        let seconds = Double(attempt.duration) / 1e6
        state.withLock { state in
            state.counts[Label(dialect: attempt.dialect, outcome: attempt.outcome), default: 0] += 1
            state.sum += seconds
            state.count += 1
            if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { state.buckets[bucket] += 1 }
        }
        var metadata: Logger.Metadata = [
            "endpoint": "\(attempt.endpoint)", "delivery": "\(attempt.delivery)", "type": "\(attempt.type.rawValue)",
            "attempt": "\(attempt.attempt)", "outcome": "\(attempt.outcome.rawValue)", "microseconds": "\(attempt.duration)",
        ]
        if let status = attempt.status { metadata["status"] = "\(status)" }
        if let code = attempt.code { metadata["error"] = "\(code)" }
        logger.info("webhook attempt", metadata: metadata)
    }

    func warned(_ endpoint: EndpointID, failingSince: Timestamp) {
        logger.warning(
            "webhook endpoint has had nothing but failures for days and will be disabled",
            metadata: ["endpoint": "\(endpoint)", "failing_since": "\(failingSince)"])
    }

    func disabled(_ endpoint: EndpointID, reason: String) {
        logger.warning("webhook endpoint is disabled", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
    }

    func stalled(_ cause: String) {
        logger.error("webhook attempts can't be recorded; nothing is sent until they can", metadata: ["cause": "\(cause)"])
    }

    func recovered() { logger.notice("webhook attempts are recorded again") }

    /// Attempts since the start, by outcome.
    var totals: [ActivityLabel: Int64] {
        state.withLock { $0.counts }.reduce(into: [:]) {
            $0[ActivityLabel(.attempt, $1.key.outcome.rawValue), default: 0] += Int64($1.value)
        }
    }

    var text: String {
        let state = state.withLock { $0 }
        var out =
            "# HELP hirewire_webhook_attempts_total Attempts by dialect and outcome.\n# TYPE hirewire_webhook_attempts_total counter\n"
        for dialect in DialectName.allCases {
            for outcome in AttemptObservation.Outcome.allCases {
                let count = state.counts[Label(dialect: dialect, outcome: outcome)] ?? 0
                out += "hirewire_webhook_attempts_total{dialect=\"\(dialect.rawValue)\",outcome=\"\(outcome.rawValue)\"} \(count)\n"
            }
        }
        out += "# HELP hirewire_webhook_attempt_duration_seconds From the call to the end of the answer.\n"
        out += "# TYPE hirewire_webhook_attempt_duration_seconds histogram\n"
        var sum = 0
        for (bound, count) in zip(Self.bounds, state.buckets) {
            sum += count
            out += "hirewire_webhook_attempt_duration_seconds_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        out += "hirewire_webhook_attempt_duration_seconds_bucket{le=\"+Inf\"} \(state.count)\n"
        return out
            + "hirewire_webhook_attempt_duration_seconds_sum \(state.sum)\nhirewire_webhook_attempt_duration_seconds_count \(state.count)\n"
    }
}

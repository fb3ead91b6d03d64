import Domain
import Synchronization

/// Sees every answered request: the log and the metrics stand behind it.
public protocol AccessObserving: Sendable {
    func finished(_ record: AccessRecord)
}

/// What was done to keys, endpoints, organizations, sessions or a person's data, by whom, for the log. It holds ids alone.
public struct OperatorAction: Sendable {
    /// What was done: `key.create`.
    public let name: String
    /// `operator token`, `session 3f9a…`, or `key` and its public id.
    public let actor: String
    /// The typed id of the organization; nil where it is none's.
    public let organization: String?
    /// The id of what it was done to.
    public let subject: String?
    public let client: ClientAddress
    public let requestID: String

    public init(name: String, actor: String, organization: String?, subject: String?, client: ClientAddress, requestID: String) {
        self.name = name
        self.actor = actor
        self.organization = organization
        self.subject = subject
        self.client = client
        self.requestID = requestID
    }
}

/// Sees every such action once it is done.
public protocol ActionObserving: Sendable {
    func did(_ action: OperatorAction)
}

/// Counts what each key was used for until somebody stores it, so that no request waits for that.
public final class UsageCounter: Sendable {
    private let shards = ThreadShards<[String: KeyUsage]> { [:] }

    public init() {}

    public func count(_ keyID: String, at time: Timestamp) {
        shards.withLock { counts in
            if let index = counts.index(forKey: keyID) {
                counts.values[index].count += 1
                counts.values[index].lastUsedAt = time
            } else {
                counts[keyID] = KeyUsage(count: 1, lastUsedAt: time)
            }
        }
    }

    /// What was counted since the last time.
    public func take() -> [String: KeyUsage] {
        var all: [String: KeyUsage] = [:]
        shards.forEach { counts in
            all.merge(counts, uniquingKeysWith: Self.sum)
            counts = [:]
        }
        return all
    }

    /// Gives back what could not be stored.
    public func putBack(_ usage: [String: KeyUsage]) {
        shards.withLock { $0.merge(usage, uniquingKeysWith: Self.sum) }
    }

    private static func sum(_ left: KeyUsage, _ right: KeyUsage) -> KeyUsage {
        KeyUsage(count: left.count + right.count, lastUsedAt: max(left.lastUsedAt, right.lastUsedAt))
    }
}

/// Durations and counts by route and status, as Prometheus reads them.
public final class RequestMetrics: Sendable {
    /// Upper bounds in seconds.
    public static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    private struct Series: Sendable {
        var count = 0
        var sum = 0.0
        var buckets = [Int](repeating: 0, count: bounds.count)

        func joined(with other: Series) -> Series {
            var both = self
            both.count += other.count
            both.sum += other.sum
            for index in both.buckets.indices { both.buckets[index] += other.buckets[index] }
            return both
        }

        mutating func add(_ seconds: Double, _ bucket: Int?) {
            count += 1
            sum += seconds
            if let bucket { buckets[bucket] += 1 }
        }
    }

    private struct Label: Hashable {
        let route: String
        let status: Int
    }

    private let series = ThreadShards<[Label: Series]> { [:] }
    public init() {}

    public func record(route: String, status: Int, nanoseconds: Int64) {
        let seconds = Double(nanoseconds) / 1e9
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        series.withLock { all in
            let label = Label(route: route, status: status)
            if let index = all.index(forKey: label) {
                all.values[index].add(seconds, bucket)
            } else {
                var series = Series()
                series.add(seconds, bucket)
                all[label] = series
            }
        }
    }

    /// Requests since the start, by status.
    public var totals: [ActivityLabel: Int64] {
        var totals: [ActivityLabel: Int64] = [:]
        series.forEach { shard in
            for (label, series) in shard { totals[ActivityLabel(.request, String(label.status)), default: 0] += Int64(series.count) }
        }
        return totals
    }

    /// The text exposition format, version 0.0.4.
    public var text: String {
        var merged: [Label: Series] = [:]
        series.forEach { merged.merge($0) { $0.joined(with: $1) } }
        let all = merged.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        var out = "# HELP hirewire_http_requests_total Answered requests.\n# TYPE hirewire_http_requests_total counter\n"
        for (label, series) in all {
            out += "hirewire_http_requests_total{route=\"\(label.route)\",status=\"\(label.status)\"} \(series.count)\n"
        }
        out += "# HELP hirewire_http_request_duration_seconds From the head read to the answer written.\n"
        out += "# TYPE hirewire_http_request_duration_seconds histogram\n"
        for (label, series) in all {
            let labels = "route=\"\(label.route)\",status=\"\(label.status)\""
            var sum = 0
            for (bound, count) in zip(Self.bounds, series.buckets) {
                sum += count
                out += "hirewire_http_request_duration_seconds_bucket{\(labels),le=\"\(bound)\"} \(sum)\n"
            }
            out += "hirewire_http_request_duration_seconds_bucket{\(labels),le=\"+Inf\"} \(series.count)\n"
            out += "hirewire_http_request_duration_seconds_sum{\(labels)} \(series.sum)\n"
            out += "hirewire_http_request_duration_seconds_count{\(labels)} \(series.count)\n"
        }
        let refused = all.filter { $0.key.status == 429 }.reduce(0) { $0 + $1.value.count }
        out += "# HELP hirewire_limiter_refusals_total Requests answered 429.\n# TYPE hirewire_limiter_refusals_total counter\n"
        return out + "hirewire_limiter_refusals_total \(refused)\n"
    }
}

/// Exports that are over, as Prometheus reads them.
public final class ExportMetrics: Sendable {
    private let state = Mutex<(counts: [ExportNote.Outcome: Int], rows: Int)>(([:], 0))
    public init() {}

    public func record(_ export: ExportNote) {
        state.withLock { state in
            state.counts[export.outcome, default: 0] += 1
            state.rows += export.rows
        }
    }

    /// - Parameter underWay: how many are not over yet.
    public func text(underWay: Int) -> String {
        let state = state.withLock { $0 }
        var out = """
            # HELP hirewire_exports_under_way Exports under way.
            # TYPE hirewire_exports_under_way gauge
            hirewire_exports_under_way \(underWay)
            # HELP hirewire_export_rows_total Rows of the exports that are over.
            # TYPE hirewire_export_rows_total counter
            hirewire_export_rows_total \(state.rows)
            # HELP hirewire_exports_total Exports that are over, by what became of them.
            # TYPE hirewire_exports_total counter

            """
        for outcome in ExportNote.Outcome.allCases {
            out += "hirewire_exports_total{outcome=\"\(outcome.rawValue)\"} \(state.counts[outcome] ?? 0)\n"
        }
        return out
    }
}

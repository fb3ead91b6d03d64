import Domain
import Synchronization

/// Sees every answered request: the log and the metrics stand behind it.
public protocol AccessObserving: Sendable {
    func finished(_ record: AccessRecord)
}

/// Counts what each key was used for until somebody stores it, so that no request waits for that.
public final class UsageCounter: Sendable {
    private let shards: [Shard]

    private final class Shard: Sendable {
        let counts = Mutex<[String: KeyUsage]>([:])
    }

    public init() { shards = (0..<8).map { _ in Shard() } }

    public func count(_ keyID: String, at time: Timestamp) {
        let shard = shards[Int(keyID.utf8.first ?? 0) & 7]
        shard.counts.withLock { counts in
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
        shards.reduce(into: [:]) { all, shard in
            let counts = shard.counts.withLock { counts in
                defer { counts = [:] }
                return counts
            }
            all.merge(counts) { first, _ in first }
        }
    }

    /// Gives back what could not be stored.
    public func putBack(_ usage: [String: KeyUsage]) {
        for (keyID, usage) in usage {
            shards[Int(keyID.utf8.first ?? 0) & 7].counts.withLock { counts in
                counts[keyID, default: KeyUsage(count: 0, lastUsedAt: usage.lastUsedAt)].count += usage.count
            }
        }
    }
}

/// Durations and counts by route and status, as Prometheus reads them.
public final class RequestMetrics: Sendable {
    /// Upper bounds in seconds.
    public static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    private struct Series {
        var count = 0
        var sum = 0.0
        var buckets = [Int](repeating: 0, count: bounds.count)
    }

    private struct Label: Hashable {
        let route: String
        let status: Int
    }

    private let series = Mutex<[Label: Series]>([:])
    public init() {}

    public func record(route: String, status: Int, nanoseconds: Int64) {
        let seconds = Double(nanoseconds) / 1e9
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        series.withLock { all in
            let label = Label(route: route, status: status)
            all[label, default: Series()].count += 1
            all[label, default: Series()].sum += seconds
            if let bucket { all[label, default: Series()].buckets[bucket] += 1 }
        }
    }

    /// The text exposition format, version 0.0.4.
    public var text: String {
        let all = series.withLock { $0 }.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
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

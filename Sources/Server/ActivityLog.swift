import Domain
import Logging

/// Adds up by the minute what is counted anyway, so that the counts outlive the process: the totals since the start, of which
/// the difference to the last ones is stored. No request does anything for it.
actor ActivityLog {
    private let store: any ActivityStore
    private let totals: @Sendable () -> [ActivityLabel: Int64]
    private let logger: Logger
    private var stored: [ActivityLabel: Int64] = [:]

    init(_ store: any ActivityStore, logger: Logger, totals: @escaping @Sendable () -> [ActivityLabel: Int64]) {
        self.store = store
        self.logger = logger
        self.totals = totals
    }

    func flush() {
        let now = totals()
        let new = now.reduce(into: [ActivityLabel: Int64]()) { new, total in
            let count = total.value - (stored[total.key] ?? 0)
            if count > 0 { new[total.key] = count }
        }
        guard !new.isEmpty else { return }
        do {
            try store.add(activity: new)
            stored = now
        } catch {
            // What was not stored is part of the next difference.
            logger.warning("activity could not be stored yet", metadata: ["cause": "\(error)"])
        }
    }
}

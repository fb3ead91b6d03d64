import Domain
import HTTPSupport
import Logging
import PublicAPI
import SQLiteStorage
import ServiceLifecycle

/// What goes on beside the requests: usage to the store, waiting readers, old events, the indices of words, the log.
struct Upkeep: Service {
    let database: Database
    let readers: ReaderPool
    let outbox: SQLiteOutbox
    let usage: UsageCounter
    let audit: ReadAudit
    let activity: ActivityLog
    let waiters: EventWaiters
    let output: LogOutput
    let logger: Logger
    let settings: ServeSettings
    let ages: Ages

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await watch() }
                group.addTask { await store() }
                group.addTask { await every(seconds: 60, expireEvents, "old events could not be removed yet") }
                group.addTask { await every(seconds: 60, expireAnswers, "old answers to pushes could not be removed yet") }
                group.addTask { await every(seconds: 1, scrub, "what was erased could not be scrubbed from the files yet") }
                group.addTask {
                    let merging = SearchMerging(database)
                    await every(seconds: 1, merging.step, "the indices of words could not be merged yet")
                }
                group.addTask { await every(seconds: 60, expireReads, "old reads could not be removed yet") }
                group.addTask { await every(seconds: 60, expireDeliveries, "old deliveries could not be removed yet") }
                if let expiry = settings.interviewExpiry {
                    group.addTask {
                        await every(
                            seconds: min(60, max(1, expiry / 10)), { try expireInterviews(expiry) }, "interviews could not be expired yet")
                    }
                }
            }
        } onCancelOrGracefulShutdown: {
        }
        storeUsage()
        storeReads()
        await activity.flush()
        output.flush()
    }

    /// Looks twenty times a second whether somebody has committed.
    private func watch() async {
        var mark = readers.commitMark
        var tick = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            try? await Task.sleep(for: .milliseconds(50))
            let now = readers.commitMark
            waiters.look(changed: now != mark)
            mark = now
            tick += 1
            if tick % 2 == 0 {
                readers.rest()
                output.flush()
            }
        }
    }

    private func store() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let next = ContinuousClock.now + .seconds(2)
            while ContinuousClock.now < next, !Task.isCancelled, !Task.isShuttingDownGracefully {
                try? await Task.sleep(for: .milliseconds(50))
                // Otherwise they would be gathered by the million.
                if audit.isLarge { storeReads() }
            }
            storeUsage()
            storeReads()
            await activity.flush()
        }
    }

    /// What can't be stored is tried again with what comes after it.
    private func storeReads() {
        let reads = audit.take()
        do {
            try database.record(reads: reads)
        } catch {
            audit.putBack(reads)
            logger.warning("who read what could not be stored yet", metadata: ["cause": "\(error)"])
        }
    }

    private func storeUsage() {
        let counted = usage.take()
        guard !counted.isEmpty else { return }
        do {
            try database.record(usage: counted)
        } catch {
            usage.putBack(counted)
            logger.warning("key usage could not be stored yet", metadata: ["cause": "\(error)"])
        }
    }

    /// Runs a part again and again while it says that there is more, and then after a while.
    private func every(seconds: Int, _ part: () throws -> Bool, _ failure: Logger.Message) async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                while try part(), !Task.isShuttingDownGracefully { try? await Task.sleep(for: .milliseconds(50)) }
            } catch {
                logger.warning(failure, metadata: ["cause": "\(error)"])
            }
            for _ in 0..<seconds * 10 where !Task.isShuttingDownGracefully && !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func expireEvents() throws -> Bool { try database.expireEvents(before: ages.moment(ago: settings.eventRetention)) > 0 }
    /// A repeat of a push finds its answer for 24 hours.
    private func expireAnswers() throws -> Bool { try database.expireAnswers(before: ages.moment(ago: 86_400)) }
    private func expireReads() throws -> Bool { try database.expireReads(before: ages.moment(ago: settings.auditRetention)) }
    private func scrub() throws -> Bool {
        if try database.hasPendingErasures() {
            try database.scrub()
            // Nobody reads what was before the erasure any more.
            readers.forget()
        }
        return false
    }
    private func expireDeliveries() throws -> Bool { try outbox.expireDeliveries(before: ages.moment(ago: settings.webhookRetention)) }
    private func expireInterviews(_ expiry: Int) throws -> Bool {
        try database.expireInterviews(startedBefore: ages.moment(ago: expiry)) > 0
    }
}

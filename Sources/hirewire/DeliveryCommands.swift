import ArgumentParser
import Domain
import Foundation
import SQLiteStorage
import Webhooks

extension WebhookCommands {
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test to one endpoint.",
            discussion: """
                For example: hirewire webhooks test ep_01J… --wait

                The dialect says what a test is: the event `webhook.test`, or a sample
                result. `serve` sends it.
                """)
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID
        @Flag(help: "Wait for the first attempt and say what came of it; the exit code is 1 unless it succeeded.") var wait = false

        func run() throws {
            let database = try common.open()
            let endpoint = try WebhookCommands.find(id, in: database)
            let outbox = try SQLiteOutbox(database)
            guard let delivery = try database.createTest(for: id), var detail = try outbox.delivery(delivery) else {
                throw WebhookCommands.missing(id)
            }
            if wait, !detail.summary.isHeld {
                let time = Dialect.of(endpoint.dialect).policy.adjusted(to: endpoint).deadline + 2_000
                detail = try Self.firstAttempt(of: detail, within: time, outbox)
            }
            if common.isJSON {
                DeliveryText(summary: detail.summary).show(json: true)
            } else {
                tell(detail.summary)
            }
            if detail.summary.status == .parked || (wait && detail.summary.status != .succeeded) { throw ExitCode(1) }
        }

        private static func firstAttempt(of detail: DeliveryDetail, within milliseconds: Int64, _ outbox: SQLiteOutbox) throws
            -> DeliveryDetail
        {
            let deadline = ContinuousClock.now + .milliseconds(milliseconds)
            var detail = detail
            while detail.summary.status == .pending, detail.attempts.isEmpty, ContinuousClock.now < deadline {
                Thread.sleep(forTimeInterval: 0.1)
                detail = try outbox.delivery(detail.summary.id) ?? detail
            }
            return detail
        }

        private func tell(_ summary: DeliverySummary) {
            let (id, answer) = (summary.id, summary.lastStatus.map { " with \($0)" } ?? "")
            switch summary.status {
            case .succeeded: print("\(id) arrived, and was answered\(answer)")
            case .parked: print("\(id) can't be sent: \(summary.reason ?? "")")
            case .pending where summary.isHeld:
                print("\(id) is held: the endpoint is disabled; `hirewire webhooks enable \(summary.endpoint)` lets it go")
            case .pending where summary.attempts == 0:
                print(wait ? "\(id) is not sent yet; is `hirewire serve` running?" : "\(id) is on its way as soon as `serve` runs")
            default: print("\(id) did not arrive: \(Terminal.plain(summary.lastError ?? "answered\(answer)"))")
            }
            print("What became of it: hirewire webhooks delivery \(id)")
        }
    }

    struct Deliveries: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List deliveries, the newest first.",
            discussion: """
                For example:
                  hirewire webhooks deliveries --status failed,parked --since 24h

                `hirewire webhooks delivery dlv_…` shows one of them with all that was
                sent and answered.
                """)
        @OptionGroup var common: Common
        @OptionGroup var place: OfOrganization
        @Option(help: ArgumentHelp("Only this endpoint's.", valueName: "id")) var endpoint: EndpointID?
        @Option(
            help:
                "Only these, between commas: pending, succeeded, failed, parked, erased; or held: pending ones of a disabled endpoint.",
            completion: .list(State.allCases.map(\.rawValue)))
        var status: String?
        @Option(help: "Only of these event types, between commas.", completion: .eventTypes) var type: String?
        @Option(help: "Only of events from this time on: RFC 3339, or how long ago, such as 6h.") var since: String?
        @Option(help: "Only of events before this time.") var until: String?
        @Option(help: "At most so many.") var limit = 50
        @Option(help: ArgumentHelp("Go on after this one, the last of the list before.", valueName: "id")) var before: DeliveryID?

        /// A delivery's status, and what is shown in its place while its endpoint is disabled.
        private enum State: String, CaseIterable { case pending, held, succeeded, failed, parked, erased }

        func run() throws {
            guard limit >= 1 else { throw ValidationError("--limit is 1 or more") }
            var query = DeliveryQuery()
            let states: [State] = try Words.list(status, option: "--status")
            query.statuses = states.compactMap { DeliveryStatus(rawValue: $0.rawValue) }
            query.withHeld = states.contains(.held)
            query.types = try Words.list(type, option: "--type")
            query.since = try Words.moment(since, option: "--since")
            query.until = try Words.moment(until, option: "--until")
            query.endpoint = endpoint
            query.before = before
            let database = try common.open()
            query.organization = try place.find(in: database)?.number
            if let endpoint { _ = try WebhookCommands.find(endpoint, in: database) }
            let (rows, hasMore) = try read(query, SQLiteOutbox(database))
            if common.isJSON { return rows.forEach { DeliveryText(summary: $0).show(json: true) } }
            Output.table([DeliveryText.heading] + rows.map { DeliveryText(summary: $0).row })
            if hasMore, let last = rows.last { Terminal.note("there are older ones: the same command with --before \(last.id)") }
        }

        private func read(_ query: DeliveryQuery, _ outbox: SQLiteOutbox) throws -> (rows: [DeliverySummary], hasMore: Bool) {
            var (query, rows, hasMore) = (query, [DeliverySummary](), true)
            while hasMore, rows.count < limit {
                query.limit = min(limit - rows.count, 1_000)
                let page = try outbox.deliveries(query)
                rows += page.rows
                hasMore = page.hasMore
                query.last = page.rows.last ?? query.last
            }
            return (rows, hasMore)
        }
    }

    struct Delivery: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one delivery: its body, and each attempt with headers and answer.",
            discussion: "For example: hirewire webhooks delivery dlv_01J…")
        @OptionGroup var common: Common
        @Argument(help: "The delivery's id, dlv_…: see `webhooks deliveries`.") var id: DeliveryID

        func run() throws {
            guard let detail = try SQLiteOutbox(common.open()).delivery(id) else { throw WebhookCommands.missing(id) }
            DeliveryDetailText(detail: detail).show(json: common.isJSON)
        }
    }

    struct Redeliver: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one delivery again, whatever became of it: the same id and body.",
            discussion: "For example: hirewire webhooks redeliver dlv_01J…")
        @OptionGroup var common: Common
        @Argument(help: "The delivery's id, dlv_…: see `webhooks deliveries`.") var id: DeliveryID

        func run() throws {
            guard let summary = try SQLiteOutbox(common.open()).redeliver(id) else { throw WebhookCommands.missing(id) }
            if common.isJSON {
                DeliveryText(summary: summary).show(json: true)
            } else if summary.status == .parked {
                print("\(id) can't be sent: \(Terminal.plain(summary.reason ?? ""))")
            } else if summary.isHeld {
                print("\(id) is held until `hirewire webhooks enable \(summary.endpoint)`")
            } else {
                print("\(id) goes out again; `hirewire webhooks delivery \(id)` shows what comes of it")
            }
            if summary.status == .parked { throw ExitCode(1) }
        }
    }
}

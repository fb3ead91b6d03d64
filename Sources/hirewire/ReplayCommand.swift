import ArgumentParser
import Domain
import Foundation
import SQLiteStorage

extension WebhookCommands {
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send an endpoint again what it was owed in a range of time.",
            discussion: """
                For example, after an outage:
                  hirewire webhooks replay ep_01J… --since 2026-01-31T09:00:00Z
                  hirewire webhooks replay ep_01J… --status failed

                Deliveries keep their ids and bodies, and are tried as new ones are.
                Without --status, what the endpoint subscribes to now and was not owed
                then is delivered too. Ctrl-C stops between two parts, and shows the
                command that goes on from there.
                """)
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID
        @Option(help: "Events from this time on: RFC 3339, or how long ago, such as 6h; the oldest kept unless given.") var since: String?
        @Option(help: "Events before this time; now unless given.") var until: String?
        @Option(
            help: "Only deliveries in this state: failed, succeeded, parked, pending.",
            completion: .list(["failed", "succeeded", "parked", "pending"])) var status: String?
        @Option(help: ArgumentHelp("Goes on where an interrupted replay stopped, which printed this.", valueName: "place")) var resume:
            String?

        func run() throws {
            let statuses: [DeliveryStatus] = try Words.list(status, option: "--status")
            guard statuses.count <= 1 else { throw ValidationError("--status takes one state") }
            guard statuses.first != .erased else { throw ValidationError("--status erased: what was erased is not there to be sent") }
            let request = ReplayRequest(
                endpoint: id, since: try Words.moment(since, option: "--since"), until: try Words.moment(until, option: "--until"),
                status: statuses.first)
            if let since = request.since, let until = request.until, since >= until { throw ValidationError("--since is before --until") }
            let cursor = try resume.map { text in
                guard let cursor = ReplayCursor(text) else { throw ValidationError("--resume is what an interrupted replay printed") }
                return cursor
            }
            let database = try common.open()
            let endpoint = try WebhookCommands.find(id, in: database)
            let total = try replay(request, from: cursor, SQLiteOutbox(database))
            report(total, request, isHeld: endpoint.state != .active)
            if total.cursor != nil { throw ExitCode(130) }
        }

        /// The parts together; with a cursor when it was stopped before the end.
        private func replay(_ request: ReplayRequest, from start: ReplayCursor?, _ outbox: SQLiteOutbox) throws -> ReplayPart {
            let (interrupt, line) = (Interrupt(), ProgressLine())
            defer { line.finish() }
            var total = ReplayPart()
            total.cursor = start
            repeat {
                let part = try outbox.replay(request, from: total.cursor)
                total.restarted += part.restarted
                total.added += part.added
                total.parked += part.parked
                total.erased += part.erased
                total.cursor = part.cursor
                line.show("\(total.restarted + total.added) deliveries go out again")
            } while total.cursor != nil && !interrupt.hasHappened()
            return total
        }

        private func report(_ total: ReplayPart, _ request: ReplayRequest, isHeld: Bool) {
            if common.isJSON {
                return Output.json([
                    .init("endpoint_id", .string(id.description)), .init("restarted", .number(String(total.restarted))),
                    .init("added", .number(String(total.added))), .init("parked", .number(String(total.parked))),
                    .init("erased", .number(String(total.erased))), .init("stopped", .bool(total.cursor != nil)),
                    .init("resume", total.cursor.map { .string($0.description) } ?? .null),
                ])
            }
            print("\(total.restarted) sent again, \(total.added) sent for the first time, of these \(total.parked) can't be made")
            if total.erased > 0 { print("left out, as their candidate was erased: \(total.erased)") }
            if isHeld { print("The endpoint is disabled: they are held until `hirewire webhooks enable \(id)`") }
            guard let cursor = total.cursor else { return }
            print("stopped before the end; to go on:\n  \(continuation(of: request, from: cursor))")
        }

        /// The command that does the rest, with times that no longer depend on when it is typed.
        private func continuation(of request: ReplayRequest, from cursor: ReplayCursor) -> String {
            let options = [
                ("--since", request.since?.description), ("--until", request.until?.description), ("--status", request.status?.rawValue),
                ("--database", common.database), ("--resume", cursor.description),
            ]
            let words = options.flatMap { name, value in value.map { [name, Words.quoted($0)] } ?? [] }
            return (["hirewire webhooks replay", id.description] + words).joined(separator: " ")
        }
    }
}

/// A line that is written over itself, on a terminal; nothing elsewhere.
final class ProgressLine {
    private let isTerminal = isatty(2) == 1

    func show(_ text: String) {
        if isTerminal { Stream.write("\r\u{1B}[K\(text)", to: 2) }
    }

    func finish() { show("") }
}

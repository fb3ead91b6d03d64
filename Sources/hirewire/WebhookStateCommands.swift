import ArgumentParser
import Domain
import SQLiteStorage
import Webhooks

extension WebhookCommands {
    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enable an endpoint; what was held goes out.", discussion: "For example: hirewire webhooks enable ep_01J…")
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID

        func run() throws {
            let database = try common.open()
            guard let endpoint = try database.setEndpoint(id, .active) else { throw WebhookCommands.missing(id) }
            let waiting = try SQLiteOutbox(database).waiting()[id] ?? 0
            if common.isJSON { return EndpointText(endpoint: endpoint, waiting: waiting).show(json: true) }
            print("enabled \(id)\(waiting > 0 ? "; waiting deliveries: \(waiting)" : "")")
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable an endpoint; deliveries are held for it until it is enabled.",
            discussion: "For example: hirewire webhooks disable ep_01J…")
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID

        func run() throws {
            let database = try common.open()
            let state = Endpoint.State.disabled(reason: "disabled by the operator", at: database.now)
            guard let endpoint = try database.setEndpoint(id, state) else { throw WebhookCommands.missing(id) }
            let waiting = try SQLiteOutbox(database).waiting()[id] ?? 0
            if common.isJSON { return EndpointText(endpoint: endpoint, waiting: waiting).show(json: true) }
            print("disabled \(id); its deliveries are held until `hirewire webhooks enable \(id)`")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an endpoint for good, its secret and deliveries with it.",
            discussion: """
                For example: hirewire webhooks remove ep_01J…
                To stop for a while use `disable`: then nothing is lost.
                """)
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID

        func run() throws {
            let database = try common.open()
            let waiting = try SQLiteOutbox(database).waiting()[id] ?? 0
            guard try database.removeEndpoint(id) else { throw WebhookCommands.missing(id) }
            if common.isJSON {
                return Output.json([.init("removed", .string(id.description)), .init("waiting", .number(String(waiting)))])
            }
            print("removed \(id)\(waiting > 0 ? "; deliveries that were never made: \(waiting)" : "")")
        }
    }

    struct RotateSecret: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an endpoint a new signing secret, shown this once.",
            discussion: """
                For example: hirewire webhooks rotate-secret ep_01J… --overlap 48h

                During the overlap `standard` sends the signatures of both secrets.
                The verifiers of the other dialects read one signature: there the old
                secret signs until the overlap ends, then the new one.

                `tenzo` may have no secret; --none takes it away.
                """)
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID
        @Option(help: "How long the old secret counts, 0s to 7d (default: 24h for `standard`, 0s for others).") var overlap: String?
        @Option(help: "The new secret, made unless given; - reads it from standard input.") var secret: String?
        @Flag(help: "Have no secret from now on: deliveries are not signed. Where the dialect allows that.") var none = false

        func run() throws {
            let wanted = try overlap.map { try Words.milliseconds($0, option: "--overlap") }
            guard wanted ?? 0 <= Endpoint.longestOverlap else { throw ValidationError("--overlap is 0s to 7d") }
            guard !none || secret == nil else { throw ValidationError("give --secret or --none, not both") }
            let given = try EndpointSecrets.read(secret)
            let wish = none ? SecretWish.none : given.map(SecretWish.given) ?? .made
            let database = try common.open()
            let changed = try EndpointSecrets.asUsage(none ? "--none" : "--secret") {
                try EndpointSecrets.desk(of: database).rotateSecret(of: id, to: wish, overlap: wanted)
            }
            guard let changed else { throw WebhookCommands.missing(id) }
            show(changed.endpoint, secret: changed.secret, wasMade: given == nil)
        }

        private func show(_ endpoint: Endpoint, secret: String?, wasMade: Bool) {
            let until = endpoint.previous?.until
            if common.isJSON {
                return Output.json([
                    .init("id", .string(id.description)), .init("secret", secret.map(JSONValue.string) ?? .null),
                    .init("previous_secret_until", Output.time(until)),
                ])
            }
            if let secret, wasMade {
                print("The new signing secret of \(id) is shown this once; store it now:\n  \(secret)\n")
            } else {
                print(secret == nil ? "\(id) has no secret: its deliveries are not signed." : "\(id) has the given secret.")
            }
            switch until {
            case nil: print("The old secret signs no more.")
            case let until? where secret == nil: print("The old secret signs until \(until).")
            case let until? where endpoint.dialect == .standard: print("Until \(until) deliveries carry the signatures of both secrets.")
            case let until?: print("The old secret signs until \(until), then the new one.")
            }
        }
    }
}

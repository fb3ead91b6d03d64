import ArgumentParser
import Domain
import SQLiteStorage
import Server
import Webhooks

struct WebhookCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks",
        abstract: "Tell other systems what changes: endpoints, their deliveries, and what became of them.",
        discussion: """
            hirewire webhooks add --url https://example.com/hooks
            hirewire webhooks test ep_…                    sends a test
            hirewire webhooks deliveries --status failed   what did not arrive
            hirewire webhooks replay ep_… --since 6h       sends it again

            `serve` sends the deliveries; changes made here count within a second.
            `hirewire listen` is a receiver to try things out with.
            """,
        subcommands: [
            Add.self, Edit.self, List.self, Show.self, Enable.self, Disable.self, Remove.self, RotateSecret.self, Test.self,
            Deliveries.self, Delivery.self, Redeliver.self, Replay.self,
        ])

    static func missing(_ id: EndpointID) -> Failure { Failure("there is no \(id); `hirewire webhooks list` shows the endpoints") }

    static func missing(_ id: DeliveryID) -> Failure {
        Failure("there is no \(id), or no longer; `hirewire webhooks deliveries` shows the deliveries")
    }

    static func find(_ id: EndpointID, in database: Database) throws -> Endpoint {
        guard let endpoint = try database.endpoint(id) else { throw missing(id) }
        return endpoint
    }
}

/// The organization to look into; all of them unless given.
struct OfOrganization: ParsableArguments {
    @Option(help: ArgumentHelp("Only this organization's; all of them unless given.", valueName: "name"))
    var organization: String?

    func find(in database: Database) throws -> Organization? {
        try organization.map { try InOrganization.find($0, in: database) }
    }
}

extension WebhookCommands {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an endpoint. Its secret is shown this once.",
            discussion: """
                For example:
                  hirewire webhooks add --url https://example.com/hooks \\
                      --events candidate.created,interview.completed --attempts 5
                  hirewire webhooks add --url https://example.com/hooks \\
                      --dialect rejento --secret - < secret.txt

                The dialect is how deliveries look and are signed. `standard` is the
                Standard Webhooks specification; the others are those of the services
                whose names they have. Every attempt and its answer is kept: see
                `hirewire webhooks deliveries`.
                """)
        @OptionGroup var common: Common
        @OptionGroup var place: InOrganization
        @Option(help: ArgumentHelp("Where deliveries go: https://…", valueName: "url")) var url: String
        @Option(help: "How deliveries look on the wire.") var dialect = DialectName.standard
        @OptionGroup var options: EndpointOptions
        @Option(
            help: """
                The signing secret; - reads it from standard input, and so from no shell's history. Unless given one is made, but \
                for `tenzo`, whose deliveries may go unsigned.
                """)
        var secret: String?
        @Flag(help: "Send personal data too. Only `standard` asks; the other dialects carry what their payload has.") var includePii = false

        func run() throws {
            var endpoint = Endpoint(
                id: EndpointID(ULID(high: 0, low: 0)), organization: OrganizationNumber(0), url: try EndpointURL.read(url),
                dialect: dialect, includesPersonal: includePii, createdAt: SystemTime().now)
            let given = try EndpointSecrets.read(secret)
            let database = try common.open(create: true)
            let organization = try place.find(in: database)
            try options.apply(to: &endpoint, in: organization, database)
            try EndpointOptions.check(endpoint)
            endpoint.organization = organization.number
            let added = try EndpointSecrets.asUsage { try EndpointSecrets.desk(of: database).add(endpoint, secret: given) }
            show(added.endpoint, secret: added.secret, wasMade: given == nil)
        }

        private func show(_ endpoint: Endpoint, secret: String?, wasMade: Bool) {
            let text = EndpointText(endpoint: endpoint)
            if common.isJSON {
                let (id, others) = (text.members.prefix(1), text.members.dropFirst())
                return Output.json(id + [.init("secret", secret.map(JSONValue.string) ?? .null)] + others)
            }
            Output.table(text.lines)
            if let secret, wasMade { print("\nThe signing secret is shown this once; store it now:\n  \(secret)") }
            print("\nTry it: hirewire webhooks test \(endpoint.id)")
        }
    }

    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an endpoint: its URL, events, schedule and so on.",
            discussion: """
                For example:
                  hirewire webhooks edit ep_01J… --events all --timeout default

                What is not named stays as it is. What is owed already keeps its body.
                For another secret see `rotate-secret`; for another dialect add
                another endpoint.
                """)
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID
        @Option(help: ArgumentHelp("Where deliveries go: https://…", valueName: "url")) var url: String?
        @OptionGroup var options: EndpointOptions
        @Flag(inversion: .prefixedNo, help: "Send personal data too; for `standard`.") var includePii: Bool?

        func run() throws {
            guard !options.isEmpty || url != nil || includePii != nil else {
                throw ValidationError("say what to change, such as --url or --events; `hirewire webhooks edit --help` has all")
            }
            let url = try url.map(EndpointURL.read)
            let database = try common.open()
            var wanted = try WebhookCommands.find(id, in: database)
            if let includePii {
                guard wanted.dialect == .standard || includePii else {
                    throw ValidationError("the dialect \(wanted.dialect.rawValue) always carries what its payload has")
                }
                wanted.includesPersonal = includePii
            }
            guard let organization = try database.organization(named: wanted.organizationName) else { throw WebhookCommands.missing(id) }
            wanted.url = url ?? wanted.url
            try options.apply(to: &wanted, in: organization, database)
            try EndpointOptions.check(wanted)
            guard let edited = try database.editEndpoint(id, { $0 = wanted }) else { throw WebhookCommands.missing(id) }
            EndpointText(endpoint: edited).show(json: common.isJSON)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the endpoints, and how many deliveries wait for each.",
            discussion: """
                For example, those that fail:
                  hirewire webhooks list --json | jq 'select(.failing_since) | .id'
                """)
        @OptionGroup var common: Common
        @OptionGroup var place: OfOrganization

        func run() throws {
            let database = try common.open()
            let endpoints = try database.endpoints(of: place.find(in: database)?.number)
            let waiting = try SQLiteOutbox(database).waiting()
            let texts = endpoints.map { EndpointText(endpoint: $0, waiting: waiting[$0.id] ?? 0) }
            if common.isJSON { return texts.forEach { $0.show(json: true) } }
            Output.table([EndpointText.heading] + texts.map(\.row))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one endpoint with all its settings.", discussion: "For example: hirewire webhooks show ep_01J…")
        @OptionGroup var common: Common
        @Argument(help: "The endpoint's id, ep_…: see `webhooks list`.") var id: EndpointID

        func run() throws {
            let database = try common.open()
            let endpoint = try WebhookCommands.find(id, in: database)
            EndpointText(endpoint: endpoint, waiting: try SQLiteOutbox(database).waiting()[id] ?? 0).show(json: common.isJSON)
        }
    }
}

import ArgumentParser
import Domain
import SQLiteStorage

struct Organizations: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, edit or list organizations: tenants, between which nothing crosses.",
        discussion: """
            For example:
              hirewire organizations add acme --display-name "Acme Ltd"
              hirewire organizations edit acme --match-threshold 80
              hirewire organizations edit acme --webhooks off --max-keys 5

            With the first `edit`, matches raise candidate.matched from a score of 80 on;
            with the second, what is owed to its endpoints is held until it is on again.
            """,
        subcommands: [Add.self, Edit.self, List.self])

    /// What may be said of an organization.
    struct Details: ParsableArguments {
        @Option(help: "The company's name as webhooks give it; empty for none.") var displayName: String?
        @Option(help: "From which score on a match raises candidate.matched, 0 to 100 (70 unless set).") var matchThreshold: Double?
        @Option(help: "Where your people look at results, given in webhooks; empty for none.") var dashboardUrl: String?

        @Option(help: "Its plan: whether its keys are answered, on or off.") var api: Switch?
        @Option(help: "Its plan: whether its endpoints are sent to, on or off; off, what they are owed is held.") var webhooks: Switch?
        @Option(help: "Its plan: requests a minute of a key made without a limit of its own (100 unless set).") var rateLimit: Int?
        @Option(help: "Its plan: how many active keys it may have, or none for no limit.") var maxKeys: Most?
        @Option(help: "Its plan: how many endpoints it may have, or none for no limit.") var maxEndpoints: Most?

        enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

        /// A number, or the word `none`.
        struct Most: ExpressibleByArgument {
            let value: Int?
            init?(argument: String) {
                value = Int(argument)
                if value == nil, argument != "none" { return nil }
            }
        }

        var isEmpty: Bool {
            displayName == nil && matchThreshold == nil && dashboardUrl == nil && api == nil && webhooks == nil && rateLimit == nil
                && maxKeys == nil && maxEndpoints == nil
        }

        func apply(to organization: inout Organization) {
            if let displayName { organization.displayName = displayName.isEmpty ? nil : displayName }
            if let matchThreshold { organization.matchThreshold = matchThreshold }
            if let dashboardUrl { organization.dashboardURL = dashboardUrl.isEmpty ? nil : dashboardUrl }
            if let api { organization.plan.hasAPI = api == .on }
            if let webhooks { organization.plan.hasWebhooks = webhooks == .on }
            if let rateLimit { organization.plan.rateLimit = rateLimit }
            if let maxKeys { organization.plan.mostKeys = maxKeys.value }
            if let maxEndpoints { organization.plan.mostEndpoints = maxEndpoints.value }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add an organization.")
        @OptionGroup var common: Common
        @OptionGroup var details: Details
        @Argument(help: "Its name, unique in the database.") var name: String

        func run() throws {
            let organization = try common.open(create: true).addOrganization(name: name, details.apply)
            Organizations.show([organization], json: common.isJSON)
        }
    }

    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change what is said of an organization; it counts from the next change on.")
        @OptionGroup var common: Common
        @OptionGroup var details: Details
        @Argument(help: "Its name.") var name: String

        func run() throws {
            guard !details.isEmpty else {
                throw ValidationError("say what to change, for example --display-name or --match-threshold; see --help")
            }
            guard let organization = try common.open().editOrganization(named: name, details.apply) else {
                throw Failure("there is no organization '\(name)'; `hirewire organizations list` shows them")
            }
            Organizations.show([organization], json: common.isJSON)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the organizations.")
        @OptionGroup var common: Common

        func run() throws { Organizations.show(try common.open().organizations(), json: common.isJSON) }
    }

    private static func words(of plan: Plan) -> String {
        var words = ["api \(plan.hasAPI ? "on" : "off")", "webhooks \(plan.hasWebhooks ? "on" : "off")", "\(plan.rateLimit)/min"]
        if let most = plan.mostKeys { words.append("\(most) keys") }
        if let most = plan.mostEndpoints { words.append("\(most) endpoints") }
        return words.joined(separator: ", ")
    }

    static func show(_ organizations: [Organization], json: Bool) {
        guard json else {
            let rows = organizations.map {
                [
                    $0.name, "org_" + $0.id.text, $0.displayName ?? "-", String($0.matchThreshold), $0.dashboardURL ?? "-",
                    words(of: $0.plan), $0.createdAt.description,
                ]
            }
            return Output.table([["NAME", "ID", "DISPLAY NAME", "MATCH THRESHOLD", "DASHBOARD", "PLAN", "CREATED"]] + rows)
        }
        for organization in organizations {
            Output.json(organization.members)
        }
    }
}

import ArgumentParser
import Domain
import SQLiteStorage

struct Organizations: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, edit or list organizations: tenants, between which nothing crosses.",
        discussion: """
            hirewire organizations add acme --display-name "Acme Ltd"
            hirewire organizations edit acme --match-threshold 80      candidate.matched from a score of 80 on
            """,
        subcommands: [Add.self, Edit.self, List.self])

    /// What may be said of an organization.
    struct Details: ParsableArguments {
        @Option(help: "The company's name as webhooks give it; empty for none.") var displayName: String?
        @Option(help: "From which score on a match raises candidate.matched, 0 to 100 (70 unless set).") var matchThreshold: Double?
        @Option(help: "Where your people look at results, given in webhooks; empty for none.") var dashboardUrl: String?

        var isEmpty: Bool { displayName == nil && matchThreshold == nil && dashboardUrl == nil }

        func apply(to organization: inout Organization) {
            if let displayName { organization.displayName = displayName.isEmpty ? nil : displayName }
            if let matchThreshold { organization.matchThreshold = matchThreshold }
            if let dashboardUrl { organization.dashboardURL = dashboardUrl.isEmpty ? nil : dashboardUrl }
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
                throw ValidationError("say what to change: --display-name, --match-threshold or --dashboard-url")
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

    static func show(_ organizations: [Organization], json: Bool) {
        guard json else {
            let rows = organizations.map {
                [
                    $0.name, "org_" + $0.id.text, $0.displayName ?? "-", String($0.matchThreshold), $0.dashboardURL ?? "-",
                    $0.createdAt.description,
                ]
            }
            return Output.table([["NAME", "ID", "DISPLAY NAME", "MATCH THRESHOLD", "DASHBOARD", "CREATED"]] + rows)
        }
        for organization in organizations {
            Output.json([
                .init("id", .string("org_" + organization.id.text)), .init("name", .string(organization.name)),
                .init("display_name", organization.displayName.map(JSONValue.string) ?? .null),
                .init("match_threshold", .number(String(organization.matchThreshold))),
                .init("dashboard_url", organization.dashboardURL.map(JSONValue.string) ?? .null),
                .init("created_at", Output.time(organization.createdAt)),
            ])
        }
    }
}

import Foundation
import Testing

/// `webhooks add`, `edit`, `list`, `show`, `enable`, `disable`, `remove`.
@Suite struct EndpointCommandTests {
    private let shell: Shell

    init() throws { shell = try Shell() }

    @Test func anEndpointIsAddedShownAndListed() throws {
        // when
        let made = try shell.json(
            "webhooks", "add", "--url", "https://example.com/hook?token=t", "--events", "interview.completed,interview.scheduled", "--job",
            "j1", "--schedule", "1s,2m,6h", "--attempts", "4", "--timeout", "5s", "--include-pii")
        let id = try #require(made["id"].string)

        // then
        #expect(id.hasPrefix("ep_") && made["secret"].string?.hasPrefix("whsec_") == true)
        #expect(made["dialect"].string == "standard" && made["organization"].string == "default")
        #expect(made["events"].array?.compactMap(\.string) == ["interview.completed", "interview.scheduled"])
        #expect(made["schedule"].array?.compactMap(\.string) == ["1s", "2m", "6h"])
        #expect(made["attempts"].int == 4 && made["timeout"].string == "5s" && made["include_pii"].bool == true)
        #expect(made["job_id"].string?.hasPrefix("job_") == true && made["state"].string == "active")
        let shown = try shell.json("webhooks", "show", id)
        #expect(shown.keys == made.keys.subtracting(["secret"]).union(["waiting"]))
        #expect(shown["url"].string == "https://example.com/hook?token=t" && shown["waiting"].int == 0)
        #expect(try shell.lines("webhooks", "list").map { $0["id"].string } == [id])
        let table = try shell.run("webhooks", "list").output
        #expect(table.contains("https://example.com/hook?…") && !table.contains("token"))
    }

    @Test func whatIsNotSaidIsTheDialects() throws {
        // when
        let made = try shell.json("webhooks", "add", "--url", "https://example.com/", "--dialect", "kendo", "--secret", "a given one")

        // then
        #expect(made["secret"].string == "a given one" && made["all_events"].bool == true)
        #expect(made["events"].array?.compactMap(\.string) == ["ai.training.completed", "call.uploaded"])
        #expect(made["schedule"].array?.compactMap(\.string) == ["1s", "2s"] && made["attempts"].int == 3)
        let unsigned = try shell.json("webhooks", "add", "--url", "https://example.com/", "--dialect", "tenzo")
        #expect(unsigned["secret"].isNull && unsigned["signed"].bool == false)
    }

    @Test(arguments: [
        ["--url", "ftp://example.com/"], ["--url", "https://user:word@example.com/"], ["--url", "https://example.com/#part"], [],
        ["--url", "https://example.com/", "--events", "candidate.create"], ["--url", "https://example.com/", "--events", "webhook.test"],
        ["--url", "https://example.com/", "--events", "call.uploaded", "--dialect", "tenzo"],
        ["--url", "https://example.com/", "--dialect", "stantard"], ["--url", "https://example.com/", "--attempts", "0"],
        ["--url", "https://example.com/", "--attempts", "many"], ["--url", "https://example.com/", "--timeout", "5"],
        ["--url", "https://example.com/", "--timeout", "1h"], ["--url", "https://example.com/", "--schedule", "1s,,2s"],
        ["--url", "https://example.com/", "--schedule", "31d"], ["--url", "https://example.com/", "--secret", "short"],
        ["--url", "https://example.com/", "--dialect", "talentsprout", "--secret", "whsec_x"],
        ["--url", "https://example.com/", "--events", "candidate.created", "--job", "j1"],
    ])
    func badUsageIsRefusedAndStoresNothing(options: [String]) throws {
        let finished = try shell.run(["webhooks", "add"] + options)
        #expect(finished.exitCode == 2 && finished.output.isEmpty && finished.errors.contains("hirewire webhooks add --help"))
        #expect(try shell.lines("webhooks", "list").isEmpty)
    }

    @Test func aMistypedEventIsSuggestedRightly() throws {
        let finished = try shell.run("webhooks", "add", "--url", "https://example.com/", "--events", "candidate.create")
        #expect(finished.errors.contains("did you mean 'candidate.created'?"))
    }

    @Test(arguments: [
        ("http://example.com/", "--webhook-allow-http"), ("https://10.0.0.1/", "--webhook-allow-cidr 10.0.0.1/32"),
        ("http://127.0.0.1:9000/", "--webhook-allow-http --webhook-allow-cidr 127.0.0.0/8"),
    ])
    func whatServeWouldRefuseIsStoredWithAWarning(url: String, flags: String) throws {
        let finished = try shell.run("webhooks", "add", "--url", url, "--json")
        #expect(finished.exitCode == 0 && finished.errors.contains(flags))
        #expect(try finished.lines.count == 1)
        #expect(try shell.run("webhooks", "add", "--url", "https://example.com/").errors.isEmpty)
    }

    @Test func editingChangesWhatIsNamedAndNothingElse() throws {
        // given
        let id = try shell.makeEndpoint("--attempts", "2", "--timeout", "9s", "--include-pii").id

        // when
        let edited = try shell.json(
            "webhooks", "edit", id, "--url", "https://example.org/", "--events", "job.status_changed", "--timeout", "default",
            "--no-include-pii")

        // then
        #expect(edited["url"].string == "https://example.org/" && edited["all_events"].bool == false)
        #expect(edited["attempts"].int == 2 && edited["timeout"].string == "15s" && edited["include_pii"].bool == false)
        #expect(try shell.json("webhooks", "edit", id, "--events", "all")["all_events"].bool == true)
        #expect(try shell.run("webhooks", "edit", id).exitCode == 2)
        #expect(try shell.run("webhooks", "edit", id, "--dialect", "kendo").exitCode == 2)
        #expect(try shell.run("webhooks", "edit", id, "--job", "unknown").exitCode == 1)
        let other = try shell.makeEndpoint("--dialect", "kendo").id
        #expect(try shell.run("webhooks", "edit", other, "--no-include-pii").exitCode == 2)
    }

    @Test func aDisabledEndpointHoldsItsDeliveriesUntilItIsEnabled() throws {
        // given
        let id = try shell.makeEndpoint("--events", "candidate.created").id

        // when
        let disabled = try shell.json("webhooks", "disable", id)
        try shell.makeCandidates(1...3)

        // then
        #expect(disabled["state"].string == "disabled" && disabled["disabled_reason"].string != nil)
        #expect(try shell.json("webhooks", "show", id)["waiting"].int == 3)
        #expect(try shell.lines("webhooks", "deliveries").allSatisfy { $0["held"].bool == true && $0["next_attempt_at"].isNull })
        #expect(try shell.run("webhooks", "deliveries").output.contains("held"))

        // when
        let enabled = try shell.json("webhooks", "enable", id)

        // then
        #expect(enabled["state"].string == "active" && enabled["waiting"].int == 3)
        #expect(try shell.lines("webhooks", "deliveries").allSatisfy { $0["held"].bool == false })
    }

    @Test func aRemovedEndpointIsGoneWithItsDeliveries() throws {
        // given
        let id = try shell.makeEndpoint().id
        try shell.makeCandidates(1...2)

        // when
        let removed = try shell.json("webhooks", "remove", id)

        // then
        #expect(removed["removed"].string == id && removed["waiting"].int == 2)
        #expect(try shell.lines("webhooks", "list").isEmpty && shell.lines("webhooks", "deliveries").isEmpty)
        for command in ["show", "enable", "disable", "remove", "test", "rotate-secret", "replay"] {
            let finished = try shell.run("webhooks", command, id)
            #expect(finished.exitCode == 1 && finished.errors.contains("there is no \(id)"), "\(command)")
            #expect(try shell.run("webhooks", command, "nonsense").exitCode == 2)
        }
        #expect(try shell.json("check")["healthy"].bool == true)
    }

    @Test func organizationsDoNotSeeEachOthersEndpoints() throws {
        // given
        _ = try shell.run("organizations", "add", "other")
        let own = try shell.makeEndpoint().id
        let theirs = try shell.makeEndpoint("--organization", "other").id

        // when
        try shell.makeCandidates(1...1)

        // then
        #expect(try shell.lines("webhooks", "list", "--organization", "other").map { $0["id"].string } == [theirs])
        #expect(try shell.lines("webhooks", "list").count == 2)
        #expect(try shell.lines("webhooks", "deliveries").map { $0["endpoint_id"].string } == [own])
        #expect(try shell.lines("webhooks", "deliveries", "--organization", "other").isEmpty)
        #expect(try shell.run("webhooks", "list", "--organization", "othre").errors.contains("did you mean 'other'?"))
    }

    @Test func everyCommandTeachesWithAnExample() throws {
        let commands = [
            "add", "edit", "list", "show", "enable", "disable", "remove", "rotate-secret", "test", "deliveries", "delivery", "redeliver",
            "replay",
        ].map { ["webhooks", $0] }
        for command in commands + [["events"], ["listen"]] {
            let help = try Program.run(command + ["--help"])
            #expect(help.exitCode == 0 && help.output.contains("For example"), "\(command)")
            #expect(help.output.contains("--json"), "\(command)")
            #expect(!help.output.split(separator: "\n").contains { $0.count > 80 && !$0.hasPrefix("USAGE") }, "\(command)")
        }
    }
}

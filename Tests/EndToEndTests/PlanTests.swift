import Foundation
import Testing

/// What an organization's plan allows, changed while the server runs.
@Suite struct PlanTests {
    private let folder: Folder
    private let server: Server

    init() throws {
        folder = try Folder()
        server = try Server(folder("plans.db"))
    }

    private func refusal(_ arguments: String...) throws -> String {
        let finished = try Program.run(arguments + ["--database", server.database])
        #expect(finished.exitCode == 1)
        return finished.errors
    }

    @Test func withoutTheAPIAKeyIsRefusedWithinASecondAndAnswersAgainAfterwards() throws {
        // given
        let key = try server.makeKey("--scope", "read", "--scope", "ingest")
        #expect(try server.get("/api/v1/jobs", key: key.token).status == 200)

        // when
        let edited = try server.command("organizations", "edit", "default", "--api", "off")

        // then
        #expect(edited["plan"]["api"].bool == false)
        #expect(try poll(seconds: 1) { try server.get("/api/v1/jobs", key: key.token).status == 403 })
        let refused = try server.get("/api/v1/jobs", key: key.token)
        #expect(refused.code == "not_in_plan")
        #expect(try server.get("/api/v1/key", key: key.token).status == 200)
        let push = try Connection(server.operatorPort)
        push.send(Server.request("GET", "/operator/v1/jobs/j1", key: key.token))
        #expect(try push.receive().code == "not_in_plan")
        try server.command("organizations", "edit", "default", "--api", "on")
        #expect(try poll(seconds: 1) { try server.get("/api/v1/jobs", key: key.token).status == 200 })
    }

    @Test func anotherOrganizationsPlanIsItsOwn() throws {
        try server.command("organizations", "add", "other", "--api", "off")
        let (mine, theirs) = (try server.makeKey(), try server.makeKey("--organization", "other"))
        #expect(try server.get("/api/v1/jobs", key: mine.token).status == 200)
        #expect(try server.get("/api/v1/jobs", key: theirs.token).code == "not_in_plan")
    }

    @Test func keysAndEndpointsAreCounted() throws {
        try server.command("organizations", "edit", "default", "--max-keys", "1", "--max-endpoints", "1", "--rate-limit", "7")
        let key = try server.command("keys", "create", "--name", "one")
        #expect(key["rate_limit"].int == 7)
        #expect(try refusal("keys", "create", "--name", "two").contains("room for 1 key,"))
        let url = "https://example.com/hook"
        try server.command("webhooks", "add", "--url", url)
        #expect(try refusal("webhooks", "add", "--url", url).contains("room for 1 endpoint,"))
        // A revoked key makes room.
        try server.command("keys", "revoke", try #require(key["key_id"].string))
        try server.command("keys", "create", "--name", "two")
        try server.command("organizations", "edit", "default", "--max-endpoints", "none")
        try server.command("webhooks", "add", "--url", url)
    }

    @Test func withoutWebhooksWhatIsOwedIsHeldAndGoesOutAfterwards() throws {
        // given
        let receiver = try Receiver(folder)
        let sender = try Server(folder("held.db"), ["--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"])
        let kept = try sender.command("webhooks", "add", "--url", receiver.url("/kept"), "--events", "candidate.created")
        let paused = try sender.command("webhooks", "add", "--url", receiver.url("/paused"), "--events", "candidate.created")
        try sender.command("webhooks", "disable", try #require(paused["id"].string))

        // when
        try sender.command("organizations", "edit", "default", "--webhooks", "off")
        try folder.write("{\"external_id\":\"c1\",\"full_name\":\"Ada\"}\n", to: "one.ndjson")
        try sender.command("import", "candidates", folder("one.ndjson"))

        // then
        #expect(!receiver.receives(1, at: "/kept", seconds: 1.5))
        let enabled = try Program.run(["webhooks", "enable", kept["id"].string ?? "", "--database", sender.database])
        #expect(enabled.exitCode == 1 && enabled.errors.contains("no webhooks"))
        // What is off is refused by every door, and not only held.
        let (endpoint, delivery) = (kept["id"].string ?? "", try sender.command("webhooks", "deliveries")["id"].string ?? "")
        for words in [["test", endpoint], ["replay", endpoint], ["redeliver", delivery]] {
            let refused = try Program.run(["webhooks"] + words + ["--database", sender.database])
            #expect(refused.exitCode == 1 && refused.errors.contains("no webhooks"), "\(words): \(refused.errors)")
        }
        let visitor = try OperatorVisitor.signedIn(sender)
        for path in ["/webhooks/\(endpoint)/test", "/webhooks/\(endpoint)/replay", "/deliveries/\(delivery)/redeliver"] {
            let refused = try visitor.post(path)
            #expect(refused.status == 403 && refused.text.contains("<h1>Not in the plan</h1>"), "\(path)")
        }
        let api = Pusher(sender, key: Key(token: try OperatorVisitor.newToken(sender), id: "-"))
        let tested = try api.post("/webhooks/\(endpoint)/test", "{}")
        #expect(tested.status == 403 && tested.code == "not_in_plan")
        try sender.command("organizations", "edit", "default", "--webhooks", "on")
        #expect(receiver.receives(1, at: "/kept"))
        #expect(!receiver.receives(1, at: "/paused", seconds: 1))
    }
}

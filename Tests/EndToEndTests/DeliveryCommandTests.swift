import Foundation
import Testing

/// `webhooks test`, `deliveries`, `delivery`, `redeliver`, `replay`: what is owed, with nobody there to send it.
@Suite struct DeliveryCommandTests {
    private let shell: Shell

    init() throws { shell = try Shell() }

    @Test func everyWriteOfTheShellOwesItsDeliveries() throws {
        // given
        let id = try shell.makeEndpoint().id

        // when
        try shell.makeCandidates(1...1)
        _ = try shell.json("set", "candidate", "c1", "status=screening")
        _ = try shell.json("delete", "candidate", "c1")

        // then
        let owed = try shell.lines("webhooks", "deliveries", "--endpoint", id)
        #expect(owed.map { $0["type"].string } == ["candidate.deleted", "candidate.status_changed", "candidate.created"])
        #expect(owed.allSatisfy { $0["status"].string == "pending" && $0["attempts"].int == 0 && $0["next_attempt_at"].string != nil })
    }

    @Test func aDeliveryIsShownWithItsBody() throws {
        // given
        _ = try shell.makeEndpoint()
        try shell.makeCandidates(1...1)
        let id = try #require(try shell.lines("webhooks", "deliveries").first?["id"].string)

        // when
        let shown = try shell.json("webhooks", "delivery", id)

        // then
        #expect(
            shown.keys == [
                "id", "endpoint_id", "event_id", "type", "status", "held", "created_at", "attempts", "next_attempt_at", "finished_at",
                "reason", "last_status", "last_error", "body", "attempt_log",
            ])
        let body = try JSON(Array(try #require(shown["body"].string).utf8))
        #expect(body["id"].string == shown["event_id"].string && body["data"]["candidate"]["full_name"].string == "Ada 1")
        #expect(body["data"]["candidate"]["email"].isNull)
        #expect(shown["attempt_log"].array?.isEmpty == true)
        #expect(try shell.run("webhooks", "delivery", id).output.contains("Ada 1"))
        #expect(try shell.run("webhooks", "delivery", "dlv_01ARZ3NDEKTSV4RRFFQ69G5FAV").exitCode == 1)
    }

    @Test func deliveriesAreFilteredAndPaged() throws {
        // given
        let (first, second) = (
            try shell.makeEndpoint("--events", "candidate.created"), try shell.makeEndpoint("--events", "job.status_changed")
        )
        try shell.makeCandidates(1...5)
        _ = try shell.json("set", "job", "j1", "status=closed")
        func count(_ options: String...) throws -> Int { try shell.lines(["webhooks", "deliveries"] + options).count }

        // then
        #expect(try count() == 6)
        #expect(try count("--endpoint", first.id) == 5 && count("--endpoint", second.id) == 1)
        #expect(try count("--type", "job.status_changed,candidate.matched") == 1)
        #expect(try count("--status", "pending") == 6 && count("--status", "failed,parked") == 0)
        #expect(try count("--since", "1h") == 6 && count("--until", "1h") == 0 && count("--since", "2100-01-01T00:00:00Z") == 0)

        // when
        let page = try shell.lines("webhooks", "deliveries", "--limit", "4").compactMap { $0["id"].string }
        let rest = try shell.lines("webhooks", "deliveries", "--limit", "4", "--before", try #require(page.last)).compactMap {
            $0["id"].string
        }

        // then
        #expect(page.count == 4 && rest.count == 2 && Set(page + rest).count == 6)
        #expect(try shell.run("webhooks", "deliveries", "--limit", "4").errors.contains("--before \(page[3])"))
        for wrong in [["--status", "faild"], ["--type", "x"], ["--since", "then"], ["--limit", "0"], ["--endpoint", "x"]] {
            #expect(try shell.run(["webhooks", "deliveries"] + wrong).exitCode == 2)
        }
        #expect(try shell.run("webhooks", "deliveries", "--endpoint", "ep_01ARZ3NDEKTSV4RRFFQ69G5FAV").exitCode == 1)
    }

    @Test func whatIsHeldForADisabledEndpointIsNamedSo() throws {
        // given
        let (held, other) = (try shell.makeEndpoint(), try shell.makeEndpoint())
        _ = try shell.json("webhooks", "disable", held.id)
        try shell.makeCandidates(1...3)

        // then
        let rows = try shell.lines("webhooks", "deliveries", "--status", "held")
        #expect(rows.count == 3 && rows.allSatisfy { $0["endpoint_id"].string == held.id && $0["held"].bool == true })
        #expect(try shell.lines("webhooks", "deliveries", "--status", "held", "--endpoint", other.id).isEmpty)
        #expect(try shell.lines("webhooks", "deliveries", "--status", "failed,held").count == 3)
        #expect(try shell.lines("webhooks", "deliveries", "--status", "pending").count == 6)
        #expect(try shell.run("webhooks", "deliveries", "--status", "held").output.contains(" held "))

        // when
        _ = try shell.json("webhooks", "enable", held.id)

        // then
        #expect(try shell.lines("webhooks", "deliveries", "--status", "held").isEmpty)
    }

    @Test(arguments: ["standard", "rejento", "tenzo", "talentsprout", "kendo"])
    func aTestGoesToItsEndpointAlone(dialect: String) throws {
        // given
        let id = try shell.makeEndpoint("--dialect", dialect).id
        _ = try shell.makeEndpoint()

        // when
        let test = try shell.json("webhooks", "test", id)

        // then
        #expect(test["type"].string == "webhook.test" && test["endpoint_id"].string == id && test["status"].string == "pending")
        #expect(try shell.lines("webhooks", "deliveries").count == 1)
        let text = try shell.run("webhooks", "test", id).output
        #expect(text.contains("hirewire webhooks delivery dlv_"))
    }

    @Test func waitingForATestEndsWhenItsTimeIsOver() throws {
        // given
        let id = try shell.makeEndpoint("--timeout", "1s").id

        // when
        let finished = try shell.run("webhooks", "test", id, "--wait")

        // then
        #expect(finished.exitCode == 1 && finished.output.contains("is `hirewire serve` running?"))
    }

    @Test func aReplayOwesWhatTheEndpointWasNeverOwed() throws {
        // given
        try shell.makeCandidates(1...600)
        let id = try shell.makeEndpoint("--events", "candidate.created").id

        // when
        let replayed = try shell.json("webhooks", "replay", id)

        // then
        #expect(replayed["added"].int == 600 && replayed["restarted"].int == 0 && replayed["parked"].int == 0)
        #expect(replayed["stopped"].bool == false && replayed["resume"].isNull)
        #expect(try shell.json("webhooks", "show", id)["waiting"].int == 600)
        #expect(try shell.json("webhooks", "replay", id, "--since", "2100-01-01")["added"].int == 0)
        #expect(try shell.json("webhooks", "replay", id, "--status", "failed")["restarted"].int == 0)
        for wrong in [["--status", "failed,parked"], ["--status", "erased"], ["--since", "1h", "--until", "2h"], ["--resume", "x"]] {
            #expect(try shell.run(["webhooks", "replay", id] + wrong).exitCode == 2)
        }
    }

    @Test func anInterruptedReplayGoesOnWhereItStopped() throws {
        // given
        try shell.makeCandidates(1...3_000)
        let id = try shell.makeEndpoint("--events", "candidate.created").id
        let process = try ChildProcess(Program.path, ["webhooks", "replay", id, "--database", shell.database])
        #expect(try poll(seconds: 20) { try shell.json("webhooks", "show", id)["waiting"].int ?? 0 > 0 })

        // when
        process.signal(SIGINT)
        let code = try process.wait()

        // then
        let waiting = try #require(try shell.json("webhooks", "show", id)["waiting"].int)
        guard code == 130 else {
            #expect(code == 0 && waiting == 3_000, "it was done before it could be interrupted")
            return
        }
        #expect(waiting % 250 == 0 && waiting < 3_000)

        // when
        let line = try #require(process.output.split(separator: "\n").last { $0.contains("--resume") })
        let words = line.split(separator: " ").map(String.init)
        let finished = try Program.run(Array(words.dropFirst()))

        // then
        #expect(words.first == "hirewire" && finished.exitCode == 0)
        #expect(try shell.json("webhooks", "show", id)["waiting"].int == 3_000)
    }

    @Test func aDeliveryIsSentAgainOrHeld() throws {
        // given
        let endpoint = try shell.makeEndpoint("--events", "candidate.created").id
        try shell.makeCandidates(1...1)
        let id = try #require(try shell.lines("webhooks", "deliveries").first?["id"].string)

        // then
        #expect(try shell.json("webhooks", "redeliver", id)["status"].string == "pending")
        _ = try shell.json("webhooks", "disable", endpoint)
        #expect(try shell.run("webhooks", "redeliver", id).output.contains("held"))
        #expect(try shell.run("webhooks", "redeliver", "dlv_01ARZ3NDEKTSV4RRFFQ69G5FAV").exitCode == 1)
        #expect(try shell.run("webhooks", "redeliver", "x").exitCode == 2)
    }
}

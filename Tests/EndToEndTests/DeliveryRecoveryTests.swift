import Foundation
import Testing

/// Damaged rows, disabled endpoints, and what is sent once more.
@Suite struct DeliveryRecoveryTests {
    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        sender = try Sender(folder)
    }

    /// Changes the database behind the program's back, with no constraint in the way.
    private func damage(_ statements: String...) throws {
        let script =
            "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.executescript('PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON;'+sys.argv[2])\nc.commit()"
        let done = try Finished(ChildProcess("python3", ["-c", script, sender.database, statements.joined(separator: ";")]))
        try #require(done.exitCode == 0, "\(done.errors)")
    }

    @Test func damagedRowsAreParkedWithTheirReasonsAndTheirNeighboursDelivered() throws {
        // given: an endpoint that is owed much, and one whose secret can't be read
        let neighbours = 10_000
        let subscriber = try sender.subscribe(receiver, "/all")
        sender.server.stop()
        try sender.makeCandidates(0..<neighbours - 297)
        let mute = try sender.subscribe(receiver, "/mute")
        try sender.makeCandidates(0..<300, prefix: "both")
        let of = "endpoint = (SELECT min(endpoint) FROM deliveries) ORDER BY number LIMIT 1 OFFSET"
        try damage(
            "UPDATE deliveries SET type = 99 WHERE number = (SELECT number FROM deliveries WHERE \(of) 70)",
            "UPDATE deliveries SET id = x'00' WHERE number = (SELECT number FROM deliveries WHERE \(of) 5000)",
            "UPDATE endpoints SET secret = x'0102' WHERE number = (SELECT max(number) FROM endpoints)",
            "DELETE FROM bodies WHERE number = (SELECT body FROM deliveries WHERE \(of) \(neighbours - 100))")

        // when
        try sender.restart()

        // then
        #expect(receiver.receives(neighbours, at: subscriber.path, seconds: 120))
        #expect(try poll(seconds: 30, every: 0.3) { try sender.metric("hirewire_webhook_pending") == 0 })
        let parked = try reasons(subscriber)
        #expect(parked.count == 3, "\(parked)")
        for word in ["event type is unknown", "id is damaged", "body is missing"] {
            #expect(parked.contains { $0.contains(word) }, "\(word): \(parked)")
        }
        let hits = receiver.hits(at: subscriber.path)
        #expect(hits.count == neighbours && Set(hits.map(\.event)).count == neighbours)
        #expect(try reasons(mute).count == 300)
        #expect(try reasons(mute).filter { $0.contains("can't be opened with this key") }.count == 299, "and one without its body")
        #expect(receiver.hits(at: mute.path).isEmpty)

        // when: the secret is mended, and what was lost is asked for again
        try sender.command("webhooks", "rotate-secret", mute.id)
        try sender.command("webhooks", "replay", mute.id, "--status", "parked")

        // then: the lost body is made again from its event
        #expect(receiver.receives(300, at: mute.path))
        let known = Dictionary(grouping: hits, by: \.event).mapValues { $0.first?.body }
        for hit in receiver.hits(at: mute.path) { #expect(known[hit.event] == nil || known[hit.event] == hit.body) }
    }

    /// Why deliveries are parked.
    private func reasons(_ subscriber: Subscriber) throws -> [String] {
        try sender.deliveries(subscriber, status: "parked").compactMap { $0["reason"].string }
    }

    @Test func whatADisabledEndpointIsOwedGoesOutWhenItIsEnabledBesideTheOthers() throws {
        // given
        let held = 10_000
        let (subscriber, neighbour) = (try sender.subscribe(receiver, "/held"), try sender.subscribe(receiver, "/neighbour"))
        try receiver.order(subscriber.path, ["do": "answer", "delay": 0.005])
        try sender.command("webhooks", "disable", subscriber.id)
        try sender.makeCandidates(0..<held)
        #expect(receiver.receives(held, at: neighbour.path, seconds: 120))
        #expect(receiver.hits(at: subscriber.path).isEmpty)
        #expect(try sender.command("webhooks", "show", subscriber.id).first?["waiting"].int == held)

        // when
        try sender.command("webhooks", "enable", subscriber.id)
        #expect(receiver.receives(1, at: subscriber.path))
        try sender.makeCandidates(0..<5, prefix: "new")

        // then
        #expect(receiver.receives(held + 5, at: neighbour.path))
        #expect(receiver.receives(held + 5, at: subscriber.path, seconds: 180))
        let (hits, news) = (receiver.hits(at: subscriber.path), receiver.hits(at: neighbour.path).suffix(5))
        #expect(hits.count == held + 5 && Set(hits.map(\.event)).count == held + 5)
        let (last, end) = (try #require(news.map(\.at).max()), try #require(hits.map(\.at).max()))
        #expect(last < end, "the neighbour did not wait for the rest")
    }

    @Test(arguments: ["standard", "rejento"])
    func whatIsSentAgainHasTheSameIdAndBytes(dialect: String) throws {
        // given
        let subscriber = try sender.subscribe(
            receiver, "/again", "--dialect", dialect, "--events", "candidate.created", "--attempts", "1")
        let header = dialect == "standard" ? "webhook-id" : "x-rejento-delivery-id"
        try receiver.order(subscriber.path, ["do": "answer", "status": 500])
        try sender.makeCandidates(0..<20)
        #expect(try sender.settles(subscriber))
        #expect(try sender.deliveries(subscriber, status: "failed").count == 20)
        let page = try Program.run(["webhooks", "show", subscriber.id, "--database", sender.database]).output
        #expect(page.contains("disabled after") && page.contains("unless one succeeds"), "\(page)")
        try receiver.order(subscriber.path, ["do": "answer"])
        let one = try #require(try sender.deliveries(subscriber).last?["id"].string)

        // when
        try sender.command("webhooks", "redeliver", one)
        #expect(receiver.receives(21, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        let replayed = try sender.command("webhooks", "replay", subscriber.id, "--since", "1h")

        // then
        #expect(replayed.first?["restarted"].int == 20 && replayed.first?["added"].int == 0, "\(replayed)")
        #expect(receiver.receives(41, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        let groups = Dictionary(grouping: receiver.hits(at: subscriber.path)) { $0.headers[header] ?? "" }
        #expect(groups.count == 20)
        for (id, hits) in groups { #expect(Set(hits.map(\.body)).count == 1 && (2...3).contains(hits.count), "\(id)") }
        #expect(groups.values.filter { $0.count == 3 }.count == 1)
        #expect(try sender.deliveries(subscriber).allSatisfy { $0["status"].string == "succeeded" })
    }
}

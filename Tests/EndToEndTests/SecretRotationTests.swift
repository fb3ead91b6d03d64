import Foundation
import Testing

/// A secret that is changed while deliveries go on.
@Suite struct SecretRotationTests {
    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        sender = try Sender(folder)
    }

    /// Goes on until it is told to stop, in the same process that waits: an import is another process and takes a while.
    private func load(_ parts: Range<Int>) throws {
        for part in parts { try sender.makeCandidates((part * 10)..<((part + 1) * 10)) }
    }

    @Test(arguments: [false, true])
    func noDeliveryIsRejectedWhileTheReceiverChangesItsSecretInMidWindow(restarts: Bool) throws {
        // given: a receiver that answers 401 to what its secret does not verify; a second attempt would come at once
        let subscriber = try sender.subscribe(receiver, "/hook", "--events", "candidate.created", "--schedule", "0s")
        try receiver.check(subscriber.path, dialect: "standard", secret: subscriber.secret)
        let changes = try sender.load("candidates", (0..<1_000).map { Sender.candidate("long\($0)") })

        // when
        try load(0..<3)
        let rotated = try #require(try sender.command("webhooks", "rotate-secret", subscriber.id, "--overlap", "1h").first)
        let fresh = try #require(rotated["secret"].string)
        #expect(fresh != subscriber.secret)
        try load(3..<6)
        if restarts { try sender.restart() }
        try load(6..<8)
        try receiver.check(subscriber.path, dialect: "standard", secret: fresh)
        try load(8..<10)
        if restarts { try sender.restart(SIGKILL) }
        try load(10..<12)

        // then
        #expect(try Finished(changes).exitCode == 0)
        #expect(receiver.receives(1_120, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        let hits = receiver.hits(at: subscriber.path)
        #expect(Set(hits.map(\.event)).count == 1_120)
        let refused = hits.filter { $0.verdicts["python"]?["accepted"] != true }
        #expect(refused.isEmpty, "\(refused.count) of \(hits.count) refused")
        let signatures = hits.map { ($0.headers["webhook-signature"] ?? "").split(separator: " ").count }
        #expect(signatures.first == 1 && signatures.last == 2, "both secrets sign in the overlap")
        #expect(try sender.deliveries(subscriber).allSatisfy { $0["status"].string == "succeeded" })
    }

    @Test func afterTheOverlapTheNewSecretSignsAlone() throws {
        // given
        let subscriber = try sender.subscribe(receiver, "/hook", "--events", "candidate.created")
        let rotated = try #require(try sender.command("webhooks", "rotate-secret", subscriber.id, "--overlap", "1s").first)
        Thread.sleep(forTimeInterval: 1.5)
        try receiver.check(subscriber.path, dialect: "standard", secret: #require(rotated["secret"].string))

        // when
        try sender.makeCandidates(0..<3)

        // then
        #expect(receiver.receives(3, at: subscriber.path))
        for hit in receiver.hits(at: subscriber.path) {
            #expect(hit.verdicts["python"]?["accepted"] == true && hit.headers["webhook-signature"]?.contains(" ") == false)
        }
    }

    @Test func withoutAnOverlapTheOldSecretSignsNothingAfterTheRotation() throws {
        // given: a queue that takes a while
        let subscriber = try sender.subscribe(
            receiver, "/hook", "--dialect", "rejento", "--events", "candidate.created", "--schedule", "0s", "--attempts", "9")
        try receiver.order(subscriber.path, ["do": "answer", "delay": 0.01])
        let changes = try sender.load("candidates", (0..<1_500).map { Sender.candidate("c\($0)") })
        #expect(receiver.receives(100, at: subscriber.path))

        // when
        let rotated = try #require(try sender.command("webhooks", "rotate-secret", subscriber.id).first)
        // What was under way arrives first.
        Thread.sleep(forTimeInterval: 1)
        try receiver.check(subscriber.path, dialect: "rejento", secret: #require(rotated["secret"].string))

        // then
        #expect(try Finished(changes).exitCode == 0)
        #expect(try sender.settles(subscriber, seconds: 60))
        let hits = receiver.hits(at: subscriber.path)
        let (judged, refused) = (hits.filter { !$0.verdicts.isEmpty }, hits.filter { $0.verdicts["python"]?["accepted"] == false })
        #expect(judged.count > 400 && refused.isEmpty, "of \(hits.count) \(judged.count) judged, \(refused.count) refused")
        #expect(try sender.deliveries(subscriber).allSatisfy { $0["status"].string == "succeeded" })
    }
}

import Foundation
import Testing

/// What is in flight when `serve` is told to stop.
@Suite struct DeliveryShutdownTests {
    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
    }

    @Test func aShutdownWaitsForWhatIsInFlightAndRecordsIt() throws {
        // given
        let sender = try Sender(folder)
        try receiver.order("/slow", ["do": "answer", "delay": 5])
        let subscriber = try sender.subscribe(receiver, "/slow")
        try sender.makeCandidates(0..<10)
        #expect(receiver.receives(4, at: subscriber.path))

        // when
        let code = sender.server.stop(SIGTERM)

        // then: what was in flight is recorded, and nothing more was begun
        #expect(code == 0)
        let done = try sender.deliveries(subscriber, status: "succeeded")
        #expect(done.count == receiver.hits(at: subscriber.path).count && done.count >= 4 && done.count <= 8, "\(done.count)")
        #expect(try sender.deliveries(subscriber, status: "pending").allSatisfy { $0["attempts"].int == 0 })

        // when
        try receiver.order("/slow", ["do": "answer"])
        try sender.restart()

        // then
        #expect(receiver.receives(10, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        let hits = receiver.hits(at: subscriber.path)
        #expect(hits.count == 10 && Set(hits.map(\.event)).count == 10, "each came once")
    }

    @Test func whatHangsEndsWithTheGracePeriodAndGoesOutAgainAsItWas() throws {
        // given
        let sender = try Sender(folder, Sender.local, ["--shutdown-grace", "2s"])
        try receiver.order("/hang", ["do": "hang"])
        let subscriber = try sender.subscribe(receiver, "/hang", "--timeout", "10m")
        try sender.makeCandidates(0..<2)
        #expect(receiver.receives(2, at: subscriber.path))
        let start = ContinuousClock.now

        // when
        sender.server.stop(SIGTERM)

        // then
        #expect(sender.server.process.exitCode != nil)
        #expect(ContinuousClock.now - start < .seconds(20))
        let cut = try sender.deliveries(subscriber)
        #expect(cut.count == 2 && cut.allSatisfy { $0["status"].string == "pending" && $0["attempts"].int == 0 }, "\(cut)")

        // when
        try receiver.order("/hang", ["do": "answer"])
        try sender.restart()

        // then
        #expect(receiver.receives(4, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        for (_, hits) in Dictionary(grouping: receiver.hits(at: subscriber.path), by: \.event) {
            #expect(hits.count == 2 && Set(hits.map(\.body)).count == 1)
        }
        #expect(try sender.deliveries(subscriber).allSatisfy { $0["status"].string == "succeeded" && $0["attempts"].int == 1 })
    }
}

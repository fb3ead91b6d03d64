import Foundation
import Testing

/// Slow and dead endpoints beside healthy ones.
@Suite struct IsolationTests {
    private static let endpoints = 50
    private static let sick = 10
    private static let changes = 20

    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
    }

    /// Makes changes one after the other, and measures.
    ///
    /// - Returns: from each commit to each arrival at a healthy endpoint, in milliseconds, sorted.
    private func run(_ name: String, sick: Int) throws -> [Double] {
        let sender = try Sender(folder, Sender.local, database: folder("\(name).db"))
        var healthy: [Subscriber] = []
        for number in 0..<Self.endpoints {
            let path = "/\(name)/\(number)"
            if number >= sick {
                healthy.append(try sender.subscribe(receiver, path))
            } else if number % 2 == 0 {
                try receiver.order(path, ["do": "hang"])
                _ = try sender.subscribe(receiver, path, "--timeout", "3s", "--schedule", "1s")
            } else {
                // nobody listens there
                _ = try sender.subscribe("http://127.0.0.1:1\(path)", path, ["--schedule", "1s"])
            }
        }
        for number in 0..<Self.changes {
            try sender.makeCandidates(number..<(number + 1))
            Thread.sleep(forTimeInterval: 0.05)
        }
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var delays: [Double] = []
        for subscriber in healthy {
            #expect(receiver.receives(Self.changes, at: subscriber.path, seconds: 15), "\(name): \(subscriber.path)")
            for hit in receiver.hits(at: subscriber.path) {
                let created = try format.parse(#require(try hit.json["created_at"].string))
                delays.append((hit.at - created.timeIntervalSince1970) * 1_000)
            }
        }
        #expect(delays.count == healthy.count * Self.changes, "each change once")
        return delays.sorted()
    }

    @Test func healthyEndpointsGetEverythingPromptlyWhileOthersHangOrAreDead() throws {
        // when
        let alone = try run("alone", sick: 0)
        let beside = try run("beside", sick: Self.sick)

        // then
        let (reference, measured) = (alone[alone.count * 95 / 100], beside[beside.count * 95 / 100])
        print(
            "p95 from commit to arrival: \(Int(reference)) ms with all healthy, \(Int(measured)) ms beside \(Self.sick) hanging or dead, ratio \((measured / reference * 100).rounded() / 100)"
        )
        // A hanging one would cost whoever waited for it 3 s.
        #expect(measured < reference + 2_000)
    }
}

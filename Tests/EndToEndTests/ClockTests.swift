import Addresses
import Domain
import Foundation
import OutboundHTTP
import SQLiteStorage
import Synchronization
import Testing
import Webhooks

/// The dispatcher while somebody sets the wall clock.
@Suite struct ClockTests {
    /// The machine's clock, and what somebody has set it off by.
    private final class SetClock: TimeSource {
        private let offset = Mutex<Int64>(0)
        var now: Timestamp { Timestamp(microseconds: SystemTime().now.microseconds + offset.withLock { $0 }) }
        func move(seconds: Int64) { offset.withLock { $0 += seconds * 1_000_000 } }
    }

    /// Remembers which endpoints were disabled.
    private final class Observer: DeliveryObserving {
        let disabled = Mutex<[String]>([])
        func attempted(_ attempt: AttemptObservation) {}
        func warned(_ endpoint: EndpointID, failingSince: Timestamp) {}
        func disabled(_ endpoint: EndpointID, reason: String) { disabled.withLock { $0.append("\(endpoint): \(reason)") } }
        func stalled(_ cause: String) {}
        func recovered() {}
    }

    private let folder: Folder
    private let receiver: Receiver
    private let clock = SetClock()
    private let observer = Observer()
    private let database: Database
    private let dispatcher: Dispatcher

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        let path = folder("clock.db")
        database = try Database(path: path, time: clock, rendering: DialectRendering())
        let readers = try ReaderPool(path: path)
        let client = try OutboundClient(addresses: AddressGuard(exceptions: [AddressRange("127.0.0.0/8")]), allowHTTP: true)
        dispatcher = Dispatcher(
            store: try SQLiteOutbox(database), client: client,
            secrets: try SecretBox(variable: nil, database: path, holdsSecrets: false), observer: observer, options: .init(), time: clock,
            commitMark: { readers.commitMark })
    }

    private func subscribe(_ path: String, _ options: String...) throws {
        let made = try Program.run(
            ["webhooks", "add", "--url", receiver.url(path), "--events", "candidate.created", "--database", database.path] + options)
        try #require(made.exitCode == 0, "\(made.errors)")
    }

    private func makeCandidates(_ count: Int) throws {
        let organization = try #require(try database.organization(named: "default"))
        for _ in 0..<count {
            let input = try RecordInput(kind: .candidate, json: .object([.init("full_name", .string("Ada"))]))
            _ = try database.write { try $0.apply(input, in: organization, options: ChangeOptions()) }
        }
    }

    private func counts(_ paths: String...) -> [Int] { paths.map { receiver.hits(at: $0).count } }

    @Test(arguments: [3_600, -3_600, 86_400, -86_400, 6 * 86_400] as [Int64])
    func nothingStormsStarvesOrExpiresWhenTheClockIsSet(seconds: Int64) async throws {
        // given: one that waits for its next attempt, one whose attempts are far apart, one with a queue, one that takes its time
        try receiver.order("/soon", ["do": "answer", "status": 500])
        try receiver.order("/late", ["do": "answer", "status": 500])
        try receiver.order("/queue", ["do": "answer", "delay": 1])
        try receiver.order("/flight", ["do": "answer", "delay": 0.5, "status": 500])
        try subscribe("/soon", "--schedule", "4s,10m")
        try subscribe("/late", "--schedule", "50m")
        try subscribe("/queue")
        try subscribe("/flight", "--schedule", "1s,10m")
        try subscribe("/good")
        dispatcher.start()
        try makeCandidates(1)
        #expect(receiver.receives(1, at: "/soon") && receiver.receives(1, at: "/late") && receiver.receives(1, at: "/flight"))
        let begin = try #require(receiver.hits(at: "/soon").first?.at)
        try makeCandidates(16)
        #expect(receiver.receives(17, at: "/good"))
        #expect(receiver.hits(at: "/queue").count < 17, "some wait still")

        // when: while an attempt is under way too
        clock.move(seconds: seconds)
        try makeCandidates(1)

        // then: nothing starves
        #expect(receiver.receives(18, at: "/good"), "new changes go out")
        #expect(receiver.receives(18, at: "/queue"), "and what was due stays due: \(counts("/queue"))")
        #expect(receiver.receives(36, at: "/soon"), "second attempts come when they should: \(counts("/soon"))")
        #expect(receiver.receives(36, at: "/flight", seconds: 60), "also of what was under way: \(counts("/flight"))")
        // nothing storms or comes early
        let events = Dictionary(grouping: receiver.hits(at: "/soon"), by: \.event)
        for (_, hits) in events { #expect(hits.count == 2 && hits[1].at - hits[0].at > 3.9, "\(hits.map { $0.at - begin })") }
        #expect(counts("/soon", "/late", "/queue", "/good", "/flight") == [36, 18, 18, 18, 36])
        #expect(observer.disabled.withLock { $0 }.isEmpty, "\(observer.disabled.withLock { $0 })")
        await dispatcher.stop()
    }
}

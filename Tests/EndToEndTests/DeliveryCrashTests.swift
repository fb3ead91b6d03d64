import Foundation
import Testing

/// `kill -9` of `serve` while it delivers and others change the data.
@Suite struct DeliveryCrashTests {
    private static let endpoints = 20
    /// How often it is killed; `HIREWIRE_TEST_ROUNDS` sets another number.
    private static let rounds = ProcessInfo.processInfo.environment["HIREWIRE_TEST_ROUNDS"].flatMap { Int($0) } ?? 20

    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        sender = try Sender(folder)
    }

    /// What is recorded as delivered: the deliveries' ids.
    private func succeeded() throws -> Set<String> {
        Set(try sender.deliveries(["--status", "succeeded"]).compactMap { $0["id"].string })
    }

    /// The receivers' requests by delivery: the dialect names it in a header.
    private func arrivals() -> [String: [Receiver.Hit]] {
        Dictionary(grouping: receiver.hits) { $0.headers["x-rejento-delivery-id"] ?? "" }
    }

    private func candidates(_ hits: [Receiver.Hit]) throws -> Set<String> {
        Set(try hits.compactMap { try $0.json["data"]["candidate"]["external_id"].string })
    }

    @Test func whatWasAcknowledgedArrivesEverywhereAndOnlyWhatWasInFlightArrivesTwice() throws {
        // given: receivers of differing speed
        var subscribers: [Subscriber] = []
        for number in 0..<Self.endpoints {
            let path = "/\(number)"
            try receiver.order(path, ["do": "answer", "delay": Double(number % 5) * 0.01])
            subscribers.append(
                try sender.subscribe(receiver, path, "--dialect", "rejento", "--events", "candidate.created", "--schedule", "1s"))
        }
        var acknowledged = Set<String>()
        var refused = Set<String>()

        // when
        for round in 0..<Self.rounds {
            let names = (0..<12).map { "r\(round)-\($0)" }
            let changes = try sender.load("candidates", names.map(Sender.candidate))
            // a row that the store refuses, among them
            let dud = "dud\(round)"
            let bad = try sender.load("candidates", [#"{"external_id":"\#(dud)","full_name":"Dud","status":"nonsense"}"#])
            Thread.sleep(forTimeInterval: .random(in: 0.0...0.35))
            sender.server.stop(SIGKILL)
            let finished = try Finished(changes)
            try #require(try finished.exitCode == 0 && finished.lines.first?["created"].int == names.count, "\(finished.errors)")
            acknowledged.formUnion(names)
            #expect(try bad.wait() == 1)
            refused.insert(dud)
            try checkRestart()
        }

        // then
        for subscriber in subscribers {
            #expect(try sender.settles(subscriber))
            let arrived = try candidates(receiver.hits(at: subscriber.path))
            #expect(arrived == acknowledged, "missing \(acknowledged.subtracting(arrived)), invented \(arrived.subtracting(acknowledged))")
            #expect(arrived.isDisjoint(with: refused))
        }
        let arrivals = arrivals()
        #expect(arrivals.count == acknowledged.count * Self.endpoints)
        for (id, hits) in arrivals { #expect(Set(hits.map(\.body)).count == 1 && Set(hits.map(\.path)).count == 1, "\(id)") }
        let repeated = arrivals.values.reduce(0) { $0 + $1.count - 1 }
        print("kill points: \(Self.rounds), deliveries: \(arrivals.count), of these sent again: \(repeated)")
        #expect(repeated <= Self.rounds * 64, "no more than are in flight at once")
    }

    /// Starts it again. What is recorded as delivered must not come again, neither now nor later; that is seen at the end of
    /// the next round too, for its own record has it still.
    private func checkRestart() throws {
        let before = arrivals().mapValues(\.count)
        let recorded = try succeeded()
        #expect(recorded.isSubset(of: before.keys), "nothing is recorded that did not arrive")
        try sender.restart(SIGKILL)
        #expect(try poll(seconds: 60, every: 0.3) { try sender.deliveries(["--status", "pending"]).isEmpty })
        let after = arrivals().mapValues(\.count)
        for id in recorded { #expect(after[id] == before[id], "\(id) was recorded as delivered and came again") }
    }

    @Test func aChangeThatWasNotCommittedSendsNothing() throws {
        // given
        let subscriber = try sender.subscribe(receiver, "/all", "--events", "candidate.created")
        let rows = (0..<6_000).map { Sender.candidate("c\($0)") }

        // when: an import is killed in the middle
        let changes = try sender.load("candidates", rows)
        #expect(receiver.receives(1, at: subscriber.path))
        changes.signal(SIGKILL)
        try changes.wait()

        // then: the receiver has what the database has
        #expect(try sender.settles(subscriber, seconds: 120))
        let stored = try #require(try sender.command("check").first?["records"]["candidates"].int)
        let hits = receiver.hits(at: subscriber.path)
        #expect(try candidates(hits).count == stored && Set(hits.map(\.event)).count == hits.count && stored > 0)
    }
}

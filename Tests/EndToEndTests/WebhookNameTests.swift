import Foundation
import Testing

/// What names may do to `serve`: its system's resolver is the test's own, so a name can have any address, and another one
/// a moment later.
@Suite(.enabled(if: OwnNetwork.isPossible, "no network of its own can be made on this machine"))
struct WebhookNameTests {
    private let folder: Folder
    private let network: OwnNetwork
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        network = try OwnNetwork(folder)
        receiver = try Receiver(folder, in: network)
        // No exception: only what is public may be connected to.
        sender = try Sender(folder, ["--webhook-allow-http"], in: network)
    }

    private func subscribe(_ name: String, _ options: String...) throws -> Subscriber {
        try sender.subscribe(receiver.url("/\(name)", host: name), "/\(name)", ["--attempts", "1"] + options)
    }

    private func errors(_ subscriber: Subscriber) throws -> [String] {
        try sender.deliveries(subscriber, status: "failed").compactMap { $0["last_error"].string }
    }

    /// No byte, not even a connection, reached an address that is not public.
    private func expectOnlyPublicConnections() {
        #expect(Set(receiver.connectionsByListener.keys).isSubset(of: ["public"]), "\(receiver.connectionsByListener)")
    }

    @Test func aNameThatTurnsFromAPublicAddressToThisMachineReachesNothingThere() throws {
        // given: of two that will turn, one receiver keeps its connections and one does not
        let address = [OwnNetwork.publicAddress]
        for name in ["steady.test", "turning.test", "kept.test"] { try network.set(name, address) }
        let steady = try subscribe("steady.test")
        let (turning, kept) = (try subscribe("turning.test"), try subscribe("kept.test"))
        try receiver.order(turning.path, ["do": "answer", "headers": ["Connection": "close"]])
        try sender.makeCandidates(0..<10)
        for subscriber in [steady, turning, kept] { #expect(receiver.receives(10, at: subscriber.path), "\(subscriber.path)") }

        // when: longer than an answer is used again
        for name in ["turning.test", "kept.test"] { try network.set(name, ["127.0.0.1"]) }
        Thread.sleep(forTimeInterval: 11)
        try sender.makeCandidates(10..<40)

        // then
        #expect(receiver.receives(40, at: steady.path))
        for subscriber in [steady, turning, kept] { #expect(try sender.settles(subscriber)) }
        #expect(receiver.hits(at: turning.path).count == 10)
        let errors = try self.errors(turning)
        #expect(errors.count == 30 && errors.allSatisfy { $0.contains("turning.test is 127.0.0.1, which is not public") }, "\(Set(errors))")
        let hits = receiver.hits(at: kept.path).count
        print("of 30 to a name that turned, on kept connections to its public address: \(hits - 10)")
        #expect(try self.errors(kept).count == 40 - hits)
        expectOnlyPublicConnections()
    }

    @Test func aNameWithAPublicAddressAndThisMachinesReachesNeither() throws {
        // given
        let address = OwnNetwork.publicAddress
        let names = [
            "first.test": [address, "127.0.0.1"], "last.test": ["127.0.0.1", address], "mapped.test": [address, "::ffff:127.0.0.1"],
            "six.test": [address, "::1"], "link.test": [address, "169.254.169.254"], "inside.test": ["10.0.0.1"],
        ]
        for (name, addresses) in names { try network.set(name, addresses) }
        try network.set("steady.test", [address])
        let (subscribers, steady) = (try names.keys.sorted().map { try subscribe($0) }, try subscribe("steady.test"))

        // when
        try sender.makeCandidates(0..<5)

        // then
        #expect(receiver.receives(5, at: steady.path))
        for subscriber in subscribers {
            #expect(try sender.settles(subscriber))
            let errors = try self.errors(subscriber)
            #expect(errors.count == 5 && errors.allSatisfy { $0.contains("refused address") }, "\(subscriber.path): \(Set(errors))")
            #expect(receiver.hits(at: subscriber.path).isEmpty)
        }
        expectOnlyPublicConnections()
    }

    /// Makes changes one after the other.
    ///
    /// - Returns: from each commit to its arrival, in milliseconds, sorted.
    private func delays(at subscriber: Subscriber, changes: Range<Int>) throws -> [Double] {
        for number in changes {
            try sender.makeCandidates(number..<(number + 1))
            Thread.sleep(forTimeInterval: 0.05)
        }
        #expect(receiver.receives(changes.upperBound, at: subscriber.path))
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try receiver.hits(at: subscriber.path)[changes].map { hit in
            let created = try format.parse(#require(try hit.json["created_at"].string))
            return (hit.at - created.timeIntervalSince1970) * 1_000
        }.sorted()
    }

    @Test func namesWhoseLookUpHangsCostTheOthersNothing() throws {
        // given: more of them than there are threads for look-ups
        try network.set("steady.test", [OwnNetwork.publicAddress])
        let steady = try subscribe("steady.test")
        let alone = try delays(at: steady, changes: 0..<30)
        var hanging: [Subscriber] = []
        for number in 0..<12 {
            try network.set("hanging\(number).test", nil)
            hanging.append(try subscribe("hanging\(number).test", "--timeout", "2s"))
        }

        // when: for longer than the answer for the good name is used again
        let beside = try delays(at: steady, changes: 30..<180)

        // then
        let (reference, measured) = (alone[alone.count * 95 / 100], beside[beside.count * 95 / 100])
        print("p95 from commit to arrival: \(Int(reference)) ms, beside \(hanging.count) hanging look-ups \(Int(measured)) ms")
        #expect(measured < reference + 1_000)
        let errors = try hanging.flatMap { try self.errors($0) }
        #expect(!errors.isEmpty && errors.allSatisfy { $0.contains("name") }, "\(Set(errors))")
        print("\(errors.count) ended: \(Set(errors))")
        #expect(hanging.allSatisfy { receiver.hits(at: $0.path).isEmpty })
        expectOnlyPublicConnections()
    }
}

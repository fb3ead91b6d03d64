import Foundation
import Testing

/// Where webhooks may not go unless `serve` is told so.
@Suite struct WebhookAddressTests {
    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
    }

    /// This machine in many notations, and the listener that would hear it: one that counts whoever connects, TLS or not.
    private static let hosts = [
        ("127.0.0.1", "http"), ("localhost", "http"), ("127.1", "http"), ("2130706433", "http"), ("0x7f000001", "http"),
        ("0177.0.0.1", "http"), ("[::ffff:127.0.0.1]", "http"), ("[::1]", "http6"), ("0.0.0.0", "http"), ("127.0.0.1.", "http"),
    ]

    /// - Returns: of each host, why it is not reached; nil where no such endpoint can be made.
    private func reasons(_ sender: Sender, scheme: String) throws -> [String: String?] {
        var subscribers: [(String, Subscriber?)] = []
        for (host, listener) in Self.hosts {
            let url = "\(scheme)://\(host):\(receiver.ports[listener] ?? 1)/"
            let made = try sender.run(["webhooks", "add", "--url", url, "--attempts", "1", "--timeout", "2s"])
            #expect(made.exitCode == 0 || made.errors.contains("--url"), "\(url): \(made.errors)")
            let id = try made.lines.first?["id"].string
            subscribers.append((host, id.map { Subscriber(id: $0, secret: "", path: "/") }))
        }
        try sender.makeCandidates(0..<2)
        var reasons: [String: String?] = [:]
        for (host, subscriber) in subscribers {
            guard let subscriber else {
                reasons[host] = .some(nil)
                continue
            }
            #expect(try sender.settles(subscriber), "\(host)")
            let made = try sender.lastDelivery(subscriber)
            #expect(made["status"].string == "failed", "\(host): \(made)")
            reasons[host] = made["attempt_log"][0]["error"].string
        }
        return reasons
    }

    @Test func nothingIsSentToThisMachineInAnyNotationAndTheAttemptSaysWhy() throws {
        // given
        let sender = try Sender(folder, [])

        // when
        let reasons = try reasons(sender, scheme: "https")

        // then
        print("reasons: \(reasons.map { "\($0): \($1 ?? "no such endpoint")" }.sorted().joined(separator: "; "))")
        #expect(reasons.count == Self.hosts.count)
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            #expect(reasons[host]??.contains("not public") == true, "\(host): \(reasons[host] ?? nil ?? "none")")
        }
        for case (let host, let reason?) in reasons { #expect(reason.contains("refused address"), "\(host): \(reason)") }
        #expect(receiver.connections == 0 && receiver.hits.isEmpty)
    }

    @Test func whatIsAllowedByNameIsReached() throws {
        // given: the same listener, so that the silence of the other tests says something
        let sender = try Sender(folder)
        let subscriber = try sender.subscribe(receiver.url("/", host: "localhost"), "/", ["--attempts", "1"])

        // when
        try sender.makeCandidates(0..<1)

        // then
        #expect(receiver.receives(1, at: subscriber.path) && receiver.connections == 1)
    }

    @Test func plainHTTPIsNotSpokenUnlessAllowed() throws {
        // given: the addresses are allowed, http is not
        let sender = try Sender(folder, ["--webhook-allow-cidr", "127.0.0.0/8"])

        // when
        let reasons = try reasons(sender, scheme: "http")

        // then
        for case (let host, let reason?) in reasons { #expect(reason.contains("--webhook-allow-http"), "\(host): \(reason)") }
        #expect(reasons["127.0.0.1"] != nil && receiver.connections == 0)
    }

    @Test func aPrivateAddressStaysRefusedWhereOnlyThisMachineIsAllowed() throws {
        // given
        let sender = try Sender(folder)
        let subscriber = try sender.subscribe("http://169.254.169.254/latest/meta-data", "/", ["--attempts", "1"])

        // when
        try sender.makeCandidates(0..<1)

        // then
        #expect(try sender.settles(subscriber))
        let error = try sender.lastDelivery(subscriber)["attempt_log"][0]["error"].string
        #expect(error?.contains("refused address") == true, "\(error ?? "none")")
    }
}

import Foundation
import Testing

/// Receivers that do what no receiver should: each attempt ends, says why, and costs little.
@Suite struct HostileReceiverTests {
    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        let certificates = try Certificates(folder)
        receiver = try Receiver(folder, certificates: certificates)
        sender = try Sender(folder, Sender.local, ["--webhook-ca", certificates.authority])
    }

    /// What a receiver does, and what the attempt says then.
    private struct Case {
        let name: String
        var order: [String: Any] = ["do": "answer"]
        var listener = "http"
        /// Part of the error; nil where the answer is a success.
        let error: String?
        var status: Int?
        var isCut = false
        /// It ends at its deadline alone.
        var timesOut: Bool { error?.hasPrefix("timed out") == true }
    }

    private var cases: [Case] {
        func answer(_ status: Int, _ headers: [String: String] = [:]) -> [String: Any] {
            ["do": "answer", "status": status, "headers": headers]
        }
        return [
            Case(name: "hang", order: ["do": "hang"], error: "timed out while waiting for the response's head"),
            Case(name: "slow", order: ["do": "answer", "delay": 20], error: "timed out while waiting for the response's head"),
            Case(name: "drip", order: ["do": "drip"], error: "timed out while reading the response's body", status: 200),
            Case(name: "endless-body", order: ["do": "endless body"], error: nil, status: 200, isCut: true),
            Case(name: "bomb", order: ["do": "bomb"], error: nil, status: 200, isCut: true),
            Case(name: "endless-head", order: ["do": "endless head"], error: "response head too large"),
            Case(name: "close", order: ["do": "close"], error: "connection closed early while reading the response's body", status: 200),
            Case(
                name: "itself", order: answer(302, ["Location": receiver.url("/itself")]), error: "redirects are not followed", status: 302),
            Case(
                name: "private", order: answer(307, ["Location": "http://10.0.0.1/"]), error: "redirects are not followed", status: 307),
            Case(name: "error", order: answer(500), error: "answered 500", status: 500),
            Case(name: "expired", listener: "expired", error: "TLS certificate has expired"),
            Case(name: "other", listener: "other", error: "TLS certificate is for another host"),
            Case(name: "untrusted", listener: "untrusted", error: "TLS certificate is not trusted"),
        ]
    }

    @Test func everyHostileReceiverIsOverAtTheDeadlineWithAReasonAndCostsNoMemory() throws {
        // given: a good one has shown what the server needs anyway
        let good = try sender.subscribe(receiver, "/good", "--events", "candidate.created")
        try sender.makeCandidates(0..<50, prefix: "before")
        #expect(receiver.receives(50, at: good.path))
        let before = try #require(try sender.metric("process_resident_memory_bytes"))
        var subscribers: [Subscriber] = []
        for item in cases {
            try receiver.order("/\(item.name)", item.order)
            let timeout = item.timesOut ? "1s" : "10s"
            subscribers.append(
                try sender.subscribe(
                    receiver, "/\(item.name)", via: item.listener, "--events", "candidate.created", "--timeout", timeout, "--attempts", "1")
            )
        }

        // when: several to each
        try sender.makeCandidates(0..<8)

        // then
        for (item, subscriber) in zip(cases, subscribers) {
            #expect(try sender.settles(subscriber), "\(item.name)")
            let made = try sender.lastDelivery(subscriber)
            #expect(made["status"].string == (item.error == nil ? "succeeded" : "failed"), "\(item.name): \(made)")
            let attempt = made["attempt_log"][0]
            #expect(made["attempt_log"].array?.count == 1, "\(item.name)")
            #expect(attempt["error"].string?.contains(item.error ?? "?") ?? (item.error == nil), "\(item.name): \(attempt["error"])")
            #expect(attempt["response_status"].int == item.status, "\(item.name): \(attempt["response_status"])")
            #expect(attempt["response_cut"].bool == item.isCut, "\(item.name)")
            #expect((attempt["response_body"].string ?? "").utf8.count <= 3 * 16_384, "\(item.name): bytes that are no UTF-8 are three")
            let took = try #require(attempt["duration_ms"].double)
            #expect(took < (item.timesOut ? 3_000 : 12_000), "\(item.name): \(took) ms")
        }
        #expect(receiver.hits(at: "/itself").count == 8, "a redirect is not followed")
        let after = try #require(try sender.metric("process_resident_memory_bytes"))
        print("memory: \(Int(before) / 1_000_000) MB before, \(Int(after) / 1_000_000) MB after hostile receivers")
        #expect(after - before < 10_000_000, "memory grew by \(Int(after - before)) bytes")
        #expect(receiver.receives(58, at: good.path))
    }

    @Test func anEndpointThatSaysThatItIsGoneIsDisabledAndKeepsWhatItIsOwed() throws {
        // given
        try receiver.order("/gone", ["do": "answer", "status": 410])
        let subscriber = try sender.subscribe(receiver, "/gone", "--events", "candidate.created")

        // when
        try sender.makeCandidates(0..<1)
        let isDisabled = try poll(seconds: 20, every: 0.1) {
            try sender.command("webhooks", "show", subscriber.id).first?["state"].string == "disabled"
        }
        try sender.makeCandidates(1..<4)

        // then
        #expect(isDisabled)
        let shown = try #require(try sender.command("webhooks", "show", subscriber.id).first)
        #expect(shown["disabled_reason"].string?.contains("410") == true, "\(shown)")
        #expect(shown["waiting"].int == 4)
        #expect(try sender.deliveries(subscriber).allSatisfy { $0["held"].bool == true })
        #expect(receiver.hits(at: subscriber.path).count == 1)
    }

    @Test func aReceiverThatAsksForAYearWaitsForTheLongestDelayOfItsSchedule() throws {
        // given
        for status in [429, 503] {
            try receiver.order("/busy\(status)", ["do": "answer", "status": status, "headers": ["Retry-After": "31536000"]])
        }
        let minutes = try sender.subscribe(receiver, "/busy429", "--schedule", "1s,10m", "--events", "candidate.created")
        let seconds = try sender.subscribe(receiver, "/busy503", "--schedule", "1s,2s", "--attempts", "3", "--events", "candidate.created")
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

        // when
        try sender.makeCandidates(0..<1)

        // then
        #expect(receiver.receives(1, at: minutes.path))
        var made = try sender.lastDelivery(minutes)
        #expect(
            try poll(seconds: 20, every: 0.1) {
                made = try sender.lastDelivery(minutes)
                return made["attempts"].int == 1
            })
        let next = try format.parse(#require(made["next_attempt_at"].string))
        let wait = next.timeIntervalSince(try format.parse(#require(made["attempt_log"][0]["started_at"].string)))
        #expect(wait > 590 && wait < 610, "\(wait) s")
        // and one that is patient for two seconds is asked again then
        #expect(receiver.receives(3, at: seconds.path))
        #expect(try sender.settles(seconds))
        #expect(try sender.lastDelivery(seconds)["status"].string == "failed")
    }
}

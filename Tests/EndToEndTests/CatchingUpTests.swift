import Foundation
import Testing

/// A subscriber that was down, and reads the feed from where it stopped.
@Suite struct CatchingUpTests {
    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        sender = try Sender(folder)
    }

    /// What a subscriber knows from events alone: of each subject the newest, and all events by sequence.
    private struct Copy {
        var subjects: [String: (version: Int, text: String)] = [:]
        var events: [Int: String] = [:]

        mutating func take(_ event: [String: Any]) throws {
            guard let sequence = event["sequence"] as? Int, let subject = event["subject"] as? [String: Any],
                let id = subject["id"] as? String, let version = subject["version"] as? Int
            else { throw Trouble("no event: \(event)") }
            var event = event
            // The webhook's own name for created_at, by the specification.
            event["timestamp"] = nil
            let text = { String(decoding: try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys), as: UTF8.self) }
            let whole = try text(event)
            if let known = events[sequence], known != whole { throw Trouble("two events are number \(sequence)") }
            events[sequence] = whole
            let state = (event["type"] as? String) == "candidate.deleted" ? "deleted" : try text(event["data"] ?? [:])
            // Later in the feed wins where one change raised two events.
            if version >= subjects[id]?.version ?? 0 { subjects[id] = (version, state) }
        }

        /// The last event before which none is missing.
        var last: Int { (1...).first { events[$0] == nil }.map { $0 - 1 } ?? 0 }

        mutating func take(_ hits: [Receiver.Hit]) throws {
            let bodies = try hits.map { try JSONSerialization.jsonObject(with: Data($0.body)) as? [String: Any] ?? [:] }
            for body in bodies.sorted(by: { ($0["sequence"] as? Int ?? 0) < ($1["sequence"] as? Int ?? 0) }) { try take(body) }
        }
    }

    private func change(_ round: Int) throws {
        try sender.importAll("jobs", [#"{"external_id":"j\#(round)","title":"Baker \#(round)"}"#])
        try sender.importAll(
            "candidates", (0..<8).map { #"{"external_id":"c\#(round)-\#($0)","full_name":"Ada","email":"ada\#($0)@example.com"}"# })
        try sender.importAll(
            "candidates", (0..<4).map { #"{"external_id":"c\#(round)-\#($0)","status":"interviewing"}"# })
        try sender.importAll(
            "interviews", [#"{"external_id":"i\#(round)","candidate_external_id":"c\#(round)-1","job_external_id":"j\#(round)"}"#])
        try sender.command("set", "interview", "i\(round)", "status=completed")
        try sender.command("set", "job", "j\(round)", "status=closed")
        try sender.command("delete", "candidate", "c\(round)-7")
    }

    @Test(arguments: [false, true])
    func aSubscriberThatWasDownAndReadsTheFeedHasWhatOneHasThatGotEverything(personal: Bool) throws {
        // given: one is always there, the other not always
        let options = ["--attempts", "1"] + (personal ? ["--include-pii"] : [])
        let steady = try sender.subscribe(receiver.url("/steady"), "/steady", options)
        let absent = try sender.subscribe(receiver.url("/absent"), "/absent", options)
        try change(1)
        #expect(try sender.settles(absent))
        try receiver.order(absent.path, ["do": "answer", "status": 503])
        try change(2)
        #expect(try sender.settles(absent))
        try receiver.order(absent.path, ["do": "answer"])
        try change(3)
        #expect(try sender.settles(absent))
        #expect(try sender.settles(steady))

        // when
        var (full, gaps) = (Copy(), Copy())
        try full.take(receiver.hits(at: steady.path))
        let arrived = Set(try sender.deliveries(absent, status: "succeeded").compactMap { $0["event_id"].string })
        try gaps.take(receiver.hits(at: absent.path).filter { arrived.contains($0.event) })
        let missing = full.events.count - gaps.events.count
        let key = try sender.server.makeKey("--scope", personal ? "read:pii" : "read")
        var next: String? = "/api/v1/events?limit=7&after=\(gaps.last)"
        while let target = next {
            let answer = try sender.server.get(target, key: key.token)
            let page = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any], "\(answer.text)")
            for event in try #require(page["data"] as? [[String: Any]], "\(answer.text)") { try gaps.take(event) }
            let link = (page["next"] as? String).flatMap { URLComponents(string: $0) }
            next = link.map { $0.percentEncodedPath + "?" + ($0.percentEncodedQuery ?? "") }
        }

        // then
        #expect(missing > 10, "it was down for some")
        #expect(full.events.count == full.last && gaps.events == full.events)
        #expect(gaps.subjects.mapValues(\.text) == full.subjects.mapValues(\.text))
        let last = try sender.command("events").last?["sequence"].int
        #expect(full.last == last)
    }
}

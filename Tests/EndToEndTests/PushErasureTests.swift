import Foundation
import Testing

/// The right to be forgotten, down to the bytes of the files.
@Suite struct PushErasureTests {
    private static let words = [
        "Quuxine", "quuxine@one.example", "+1 555 0199", "transcriptword", "resumeword", "summaryword", "byteword", "ext-quux",
    ]
    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender
    private let subscriber: Subscriber

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        sender = try Sender(folder, Sender.local, ["--access-log", "on", "--log-level", "debug"])
        // Its answers are recorded with the attempts.
        try receiver.order("/hook", ["do": "echo"])
        subscriber = try sender.subscribe(receiver, "/hook", "--include-pii")
    }

    /// A person with a bit of everything, deliveries and kept answers.
    private func fill(_ pusher: Pusher) throws -> String {
        let answer = try pusher.put(
            "/candidates/ext-quux",
            #"{"full_name":"Quuxine Erased","email":"quuxine@one.example","phone":"+1 555 0199","custom":{"note":"Quuxine"},"resume":{"text":"resumeword"}}"#,
            "Idempotency-Key: quuxine@one.example")
        let id = try #require(try answer.json["id"].string, "\(answer.text)")
        let document = Array("%PDF-1.7 byteword ".utf8) + [UInt8](repeating: 0x61, count: 200_000) + Array("byteword".utf8)
        #expect(
            try pusher.send(
                "PUT", "/candidates/\(id)/resume?file_name=Quuxine.pdf", document, type: "application/pdf", ["Idempotency-Key: r"]
            ).status == 200)
        _ = try pusher.stored("/candidates/other", #"{"full_name":"Staying Other"}"#)
        _ = try pusher.stored("/jobs/j", #"{"title":"Baker"}"#)
        _ = try pusher.stored("/applications/ext-quux-a", #"{"candidate_external_id":"ext-quux","job_external_id":"j"}"#)
        _ = try pusher.stored(
            "/matches/ext-quux-m", #"{"candidate_external_id":"ext-quux","job_external_id":"j","score":99,"reasons":["Quuxine"]}"#)
        _ = try pusher.stored(
            "/calls/ext-quux-k",
            #"{"candidate_id":"\#(id)","summary":"summaryword","transcript":"transcriptword","status":"completed","ai_score":3}"#)
        _ = try pusher.stored("/interviews/ext-quux-i", #"{"application_external_id":"ext-quux-a","title":"With Quuxine"}"#)
        #expect(
            try pusher.post(
                "/interviews/ext-quux-i/result", #"{"summary":"summaryword","transcript":[{"text":"transcriptword"}]}"#,
                "Idempotency-Key: q"
            ).status == 200)
        let batch = #"{"records":[{"kind":"candidate","external_id":"ext-quux","method":"PATCH","data":{"headline":"Quuxine"}}]}"#
        #expect(try pusher.post("/batch", batch, "Idempotency-Key: b").status == 200)
        #expect(try pusher.patch("/candidates/\(id)", #"{"status":"offer","headline":"was Quuxine"}"#).status == 200)
        #expect(try sender.settles(subscriber))
        let recorded = try sender.lastDelivery(subscriber)
        #expect(recorded.description.contains("Quuxine"), "the answer is in the attempt: \(recorded)")
        #expect(receiver.hits(at: "/hook").contains { String(decoding: $0.body, as: UTF8.self).contains("quuxine@one.example") })
        return id
    }

    /// Which of the words are in the database's files, and where.
    private func found() throws -> [String] {
        try ["", "-wal", "-shm"].flatMap { suffix in
            let path = sender.database + suffix
            guard FileManager.default.fileExists(atPath: path) else { return [String]() }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            return Self.words.filter { bytes.range(of: Data($0.utf8)) != nil }.map { "\($0) in '\(suffix)'" }
        }
    }

    private func expectNothing() throws {
        let found = try found()
        #expect(found.isEmpty, "\(found)")
    }

    private func isDone(_ pusher: Pusher, _ id: String) throws -> Bool {
        try poll(seconds: 30, every: 0.1) {
            let answer = try pusher.get("/candidates/\(id)/erase")
            #expect(answer.status == 200 || answer.status == 202, "\(answer.text)")
            let report = try answer.json
            #expect(
                report["status"].string == (answer.status == 200 ? "erased" : "erasing")
                    && report["done_at"].isNull == (answer.status == 202))
            return answer.status == 200
        }
    }

    @Test func nothingOfThePersonIsLeftInAnyFile() throws {
        // given
        let pusher = try Pusher(sender.server)
        let id = try fill(pusher)
        #expect(Set(try found().compactMap { $0.split(separator: " in").first.map(String.init) }) == Set(Self.words))
        #expect(try pusher.get("/candidates/\(id)/erase").status == 404)

        // when
        let answer = try pusher.post("/candidates/ext-quux/erase", "")

        // then
        #expect(
            answer.status == 202 && answer["Retry-After"] == "1" && answer["Location"] == "\(Pusher.base)/candidates/\(id)/erase",
            "\(answer.text)")
        #expect(try answer.json["id"].string == id && answer.json["done_at"].isNull)
        #expect(try pusher.get("/candidates/\(id)").status == 410 && pusher.get("/candidates/ext-quux").status == 404)
        #expect(try isDone(pusher, id))
        try expectNothing()
        #expect(try pusher.post("/candidates/\(id)/erase", "").status == 200)

        // and: its tombstone, and what is others', stay
        let listed = try sender.server.get("/api/v1/candidates?include_deleted=true", key: pusher.key.token).json["data"].array ?? []
        #expect(listed.contains { $0["id"].string == id && $0["deleted_at"].string != nil && $0["external_id"].isNull })
        #expect(try pusher.get("/candidates/other").json["full_name"].string == "Staying Other" && pusher.get("/jobs/j").status == 200)
        for path in ["/applications/ext-quux-a", "/matches/ext-quux-m", "/interviews/ext-quux-i", "/calls/ext-quux-k"] {
            #expect(try pusher.get(path).status == 404, "\(path)")
        }
        for key in ["quuxine@one.example", "r", "q", "b"] {
            let path = key == "quuxine@one.example" ? "/candidates/ext-quux" : "/candidates/\(id)"
            #expect(try pusher.put(path, "{}", "Idempotency-Key: \(key)").code == "gone", "\(key)")
        }
        let events = try pusher.events()
        #expect(events.contains { $0["type"].string == "candidate.deleted" && $0["subject"]["id"].string == id })

        // and: the log never had it
        sender.server.stop()
        let log = sender.server.process.errors + sender.server.process.output
        #expect(log.contains("/operator/v1/candidates/{id}/erase"), "\(log.suffix(500))")
        for word in Self.words { #expect(!log.contains(word), "the log shows \(word)") }
        try expectNothing()
        #expect(try Program.run(["check", "--database", sender.database]).exitCode == 0)
    }

    @Test func anErasureGoesOnAfterACrash() throws {
        // given
        let pusher = try Pusher(sender.server)
        let id = try fill(pusher)

        // when
        #expect(try pusher.post("/candidates/\(id)/erase", "").status == 202)
        try sender.restart(SIGKILL)

        // then
        #expect(try isDone(Pusher(sender.server, key: pusher.key), id))
        try expectNothing()
    }

    @Test func whoWasDeletedBeforeCanBeErased() throws {
        let pusher = try Pusher(sender.server)
        let id = try fill(pusher)
        #expect(try pusher.delete("/candidates/ext-quux").status == 204)
        #expect(try sender.settles(subscriber))
        #expect(try pusher.post("/candidates/ext-quux/erase", "").status == 202)
        #expect(try isDone(pusher, id))
        try expectNothing()
        #expect(try pusher.post("/candidates/nobody/erase", "").status == 404)
    }
}

import Foundation
import Testing

/// Interviews that nobody finishes, and the key file beside the database.
@Suite struct InterviewExpiryTests {
    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
    }

    @Test func aStartedInterviewThatNobodyFinishesIsAbandonedAndSaysSo() throws {
        // given
        let sender = try Sender(folder, Sender.local, ["--interview-expiry", "2s"])
        let subscriber = try sender.subscribe(receiver, "/hook", "--dialect", "talentsprout")
        let ahead = Date().addingTimeInterval(3_600).ISO8601Format()

        // when
        try sender.importAll("candidates", [Sender.candidate("c1")])
        try sender.importAll(
            "interviews",
            [
                #"{"external_id":"started","candidate_external_id":"c1","status":"in_progress"}"#,
                #"{"external_id":"ahead","candidate_external_id":"c1","status":"in_progress","started_at":"\#(ahead)"}"#,
                #"{"external_id":"waiting","candidate_external_id":"c1","status":"scheduled"}"#,
            ])

        // then
        #expect(receiver.receives(1, at: subscriber.path))
        #expect(try sender.settles(subscriber))
        #expect(try sender.deliveries(subscriber).compactMap { $0["type"].string } == ["interview.abandoned"])
        let hit = try #require(receiver.hits(at: subscriber.path).first)
        let key = try sender.server.makeKey()
        let page = try sender.server.get("/api/v1/interviews?limit=10", key: key.token).json
        let statuses = (page["data"].array ?? []).reduce(into: [:]) { $0[$1["external_id"].string ?? ""] = $1["status"].string }
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let made = try #require(page["data"].array?.first { $0["external_id"].string == "started" }?["created_at"].string)
        #expect(try hit.at - format.parse(made).timeIntervalSince1970 >= 2, "not before its time")
        #expect(statuses == ["started": "abandoned", "ahead": "in_progress", "waiting": "scheduled"])
        #expect(receiver.hits(at: subscriber.path).count == 1)
    }

    @Test func aServeWithoutTheKeyOfItsSecretsIsRefusedAndGoesOnWithIt() throws {
        // given
        let sender = try Sender(folder)
        let file = sender.database + "-key"
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600, "made at the first start, for its owner alone")
        let subscriber = try sender.subscribe(receiver, "/hook")
        try receiver.check(subscriber.path, dialect: "standard", secret: subscriber.secret)
        sender.server.stop()

        // when
        try FileManager.default.moveItem(atPath: file, toPath: folder("elsewhere"))
        let refused = try Finished(
            ChildProcess(Program.path, ["serve", "--port", "0", "--operator-port", "0", "--database", sender.database]), seconds: 30)

        // then: no new one is made
        #expect(
            refused.exitCode != 0 && refused.errors.contains(file) && refused.errors.contains("HIREWIRE_SECRET_KEY"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: file))

        // when
        try FileManager.default.moveItem(atPath: folder("elsewhere"), toPath: file)
        try sender.restart()
        try sender.makeCandidates(0..<3)

        // then
        #expect(receiver.receives(3, at: subscriber.path))
        #expect(receiver.hits(at: subscriber.path).allSatisfy { $0.verdicts["python"]?["accepted"] == true })
    }
}

import Foundation
import Testing

/// `serve` in its own process, and the commands, while somebody sets the wall clock.
@Suite struct ServeClockTests {
    /// A wall clock for the programs that are started with its environment.
    private struct SetClock {
        private let file: String
        let environment: [String: String]

        init(_ folder: Folder) throws {
            file = try folder.write(String(repeating: "\0", count: 8), to: "clock")
            let (source, library) = (
                URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/receivers/clock.c", folder("clock.so")
            )
            let script = "$(command -v clang || echo cc) -shared -fPIC -O1 -o '\(library)' '\(source)' -ldl"
            let made = try Finished(ChildProcess("/bin/sh", ["-c", script]))
            guard made.exitCode == 0 else { throw Trouble("no clock: \(made.errors)") }
            environment = ["LD_PRELOAD": library, "TEST_CLOCK": file]
        }

        /// In place: the programs look at the file's bytes, not at its name.
        func set(by seconds: Int64) throws {
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
            try handle.close()
        }
    }

    private let folder: Folder
    private let receiver: Receiver
    private let clock: SetClock

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
        clock = try SetClock(folder)
    }

    private func started(_ id: String) -> String { #"{"external_id":"\#(id)","candidate_external_id":"c0","status":"in_progress"}"# }

    private func abandoned(_ sender: Sender) throws -> [String] {
        try sender.command("events", "--type", "interview.abandoned").compactMap { $0["data"]["interview"]["external_id"].string }
    }

    @Test(arguments: [3_600, -3_600, 86_400, -86_400] as [Int64])
    func nothingStormsStarvesOrExpiresEarly(seconds: Int64) throws {
        // given: an interview that expires in a while, a delivery that waits for its second attempt, a rotation under way
        let sender = try Sender(folder, Sender.local, ["--interview-expiry", "40s"], environment: clock.environment)
        let created = ["--events", "candidate.created"]
        let soon = try sender.subscribe(receiver.url("/soon"), "/soon", created + ["--schedule", "6s,10m"])
        let rotated = try sender.subscribe(receiver.url("/rotated"), "/rotated", created)
        try receiver.order(soon.path, ["do": "answer", "status": 500])
        try sender.command("webhooks", "rotate-secret", rotated.id, "--overlap", "30m")
        try sender.makeCandidates(0..<1)
        try sender.importAll("interviews", [started("before")])
        #expect(receiver.receives(1, at: soon.path) && receiver.receives(1, at: rotated.path))
        let first = try #require(receiver.hits(at: soon.path).first)

        // when
        try clock.set(by: seconds)
        let set = Date()

        // then: what changes now goes out at once, signed by both secrets
        try sender.makeCandidates(1..<5)
        #expect(receiver.receives(5, at: rotated.path, seconds: 10))
        #expect(receiver.hits(at: rotated.path).allSatisfy { $0.headers["webhook-signature"]?.contains(" ") == true })
        #expect(receiver.receives(2, at: soon.path))
        let last = try #require(receiver.hits(at: rotated.path).last)
        let stamp = try #require(Double(last.headers["webhook-timestamp"] ?? ""))
        #expect(abs(stamp - last.at - Double(seconds)) < 30, "the clock is set: \(stamp - last.at)")
        // the second attempt comes in its time, and once
        Thread.sleep(until: set.addingTimeInterval(12))
        let attempts = receiver.hits(at: soon.path).filter { $0.event == first.event }
        #expect(attempts.count == 2 && attempts[1].at - first.at > 5.9, "\(attempts.map { $0.at - first.at })")
        // and the interview does not expire early
        #expect(try abandoned(sender).isEmpty)
        let states = try sender.command("webhooks", "list")
        #expect(states.allSatisfy { $0["state"].string == "active" })

        // when: it goes on
        try sender.importAll("interviews", [started("after")])

        // then: each expires in its own time; where the clock was set back, not before it is there again
        if seconds > 0 {
            #expect(try poll(seconds: 120, every: 1) { try abandoned(sender).count == 2 })
            #expect(try abandoned(sender) == ["before", "after"])
        }
        #expect(receiver.receives(10, at: soon.path))
        #expect(receiver.hits(at: soon.path).count == 10 && receiver.hits(at: rotated.path).count == 5, "no storm")
    }
}

extension Thread {
    fileprivate static func sleep(until moment: Date) { sleep(forTimeInterval: max(0, moment.timeIntervalSinceNow)) }
}

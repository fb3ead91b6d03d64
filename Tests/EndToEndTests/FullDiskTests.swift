import Foundation
import Testing

/// The disk is full: nothing is half done, nobody is bombarded, and all goes on when there is room.
@Suite struct FullDiskTests {
    /// A small file system of its own in memory; nil where none may be mounted.
    private final class SmallDisk {
        let path: String
        private let leash: Leash

        init?(_ folder: Folder) throws {
            path = folder("disk")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let mounted = try Finished(ChildProcess("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path]))
            guard mounted.exitCode == 0 else {
                print("NOT TESTED: a full disk, for no small file system can be mounted here: \(mounted.errors)")
                return nil
            }
            leash = try Leash("umount -l '\(path)'")
        }

        deinit {
            leash.cut()
            _ = try? Finished(ChildProcess("umount", ["-l", path]))
        }

        /// Takes all that is left.
        func fill() throws {
            _ = try Finished(ChildProcess("/bin/sh", ["-c", "cat /dev/zero > '\(path)/filler' 2>/dev/null; sync"]))
        }

        func free() throws { try FileManager.default.removeItem(atPath: path + "/filler") }
    }

    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(folder)
    }

    private func isReady(_ sender: Sender) throws -> Bool { try sender.operatorAnswer("/readyz").status == 200 }

    @Test func changesFailWholeDeliveriesAreNotRepeatedAndAllGoesOnWhenThereIsRoom() throws {
        // given: deliveries under way when the disk fills up
        guard let disk = try SmallDisk(folder) else { return }
        let sender = try Sender(folder, Sender.local, database: disk.path + "/full.db")
        let slow = try sender.subscribe(receiver, "/slow", "--events", "candidate.created")
        try receiver.order(slow.path, ["do": "answer", "delay": 5])
        try sender.makeCandidates(0..<10)
        #expect(receiver.receives(4, at: slow.path))

        // when
        try disk.fill()
        let failed = try Finished(sender.load("candidates", (0..<3_000).map { Sender.candidate("big\($0)") }))

        // then: a change fails whole, in clear words
        #expect(failed.exitCode != 0, "\(failed.output)")
        #expect(failed.errors.contains("full"), "\(failed.errors)")
        #expect(try poll(seconds: 30, every: 0.2) { try !isReady(sender) }, "/readyz says so")
        #expect(poll(seconds: 30) { sender.server.process.errors.contains("webhook attempts can't be recorded") })
        #expect(sender.server.process.exitCode == nil)
        let before = receiver.hits.count
        Thread.sleep(forTimeInterval: 6)
        let hits = receiver.hits(at: slow.path)
        print("requests while the disk was full: \(receiver.hits.count - before)")
        #expect(receiver.hits.count - before <= 8, "what can't be recorded is not sent again and again")
        #expect(Dictionary(grouping: hits, by: \.event).values.allSatisfy { $0.count == 1 })

        // when
        try disk.free()

        // then
        #expect(try poll(seconds: 60, every: 0.2) { try isReady(sender) }, "/readyz says so again")
        #expect(receiver.receives(10, at: slow.path, seconds: 60))
        try receiver.order(slow.path, ["do": "answer"])
        try sender.makeCandidates(0..<5, prefix: "after")
        #expect(try sender.settles(slow, seconds: 60))
        let report = try #require(try sender.command("check").first)
        #expect(report["healthy"].bool == true)
        let events = Dictionary(grouping: receiver.hits(at: slow.path), by: \.event)
        #expect(events.count == report["records"]["candidates"].int, "each that is stored, and no other")
        #expect(events.values.allSatisfy { $0.count == 1 })
        #expect(try sender.deliveries(slow).allSatisfy { $0["status"].string == "succeeded" })
    }

    @Test func aFullDiskIsToldThoughNothingIsUnderWayAndReadsGoOn() throws {
        // given
        guard let disk = try SmallDisk(folder) else { return }
        let sender = try Sender(folder, Sender.local, database: disk.path + "/idle.db")
        let key = try sender.server.makeKey()
        try sender.makeCandidates(0..<3)
        #expect(try isReady(sender))

        // when
        try disk.fill()

        // then
        let answer = try sender.operatorAnswer("/readyz")
        #expect(answer.status == 503 && answer.text.contains("full"), "\(answer.text)")
        #expect(try sender.server.get("/api/v1/candidates", key: key.token).json["data"].array?.count == 3)
        #expect(try sender.operatorAnswer("/healthz").status == 200, "it is no reason to be started again")

        // when
        try disk.free()

        // then
        #expect(try isReady(sender))
    }

    @Test(arguments: [["check"], ["keys", "list"], ["backup", "copy.db"], ["serve", "--port", "0", "--operator-port", "0"]])
    func whoFindsNoRoomToOpenTheDatabaseIsToldWhy(command: [String]) throws {
        // given: a database that nobody has open
        guard let disk = try SmallDisk(folder) else { return }
        let database = disk.path + "/closed.db"
        #expect(try Program.run(["keys", "create", "--name", "a", "--database", database]).exitCode == 0)

        // when
        try disk.fill()
        let arguments = command.map { $0 == "copy.db" ? folder($0) : $0 } + ["--database", database]
        let failed = try Program.run(arguments)

        // then
        #expect(failed.exitCode == 1 && failed.errors.contains("the disk is full"), "\(failed.errors)")

        // when
        try disk.free()

        // then
        if command[0] != "serve" { #expect(try Program.run(arguments).exitCode == 0) }
    }
}

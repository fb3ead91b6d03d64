import Foundation
import Testing

/// `events`: the feed, from the shell.
@Suite struct EventCommandTests {
    private let shell: Shell

    init() throws {
        shell = try Shell()
        try shell.makeCandidates(1...250)
    }

    private func follow(_ options: String...) throws -> ChildProcess {
        try ChildProcess(Program.path, ["events", "--follow", "--database", shell.database] + options)
    }

    @Test func eventsComeInTheirOrderWithoutContacts() throws {
        // when
        let lines = try shell.run("events").output.split(separator: "\n")

        // then
        #expect(lines.count == 251)
        #expect(lines[1].contains("candidate.created") && lines[1].hasSuffix("Ada 1, new"))
        #expect(!lines.contains { $0.contains("@") })
        #expect(lines.map { $0.split(separator: " ", omittingEmptySubsequences: true)[1] } == (1...251).map { Substring(String($0)) })
    }

    @Test func programsGetWholeEventsAndChooseAmongThem() throws {
        // when
        let events = try shell.lines("events", "--after", "100", "--limit", "120", "--type", "candidate.created")

        // then
        #expect(events.compactMap { $0["sequence"].int } == Array(101...220))
        #expect(events[0].keys == ["id", "type", "sequence", "created_at", "organization", "subject", "data"])
        #expect(events[0]["data"]["candidate"]["email"].string?.hasSuffix("@example.com") == true)
        #expect(try shell.lines("events", "--after", "251").isEmpty)
        for wrong in [["--type", "candidate.create"], ["--limit", "0"], ["--after", "x"]] {
            #expect(try shell.run(["events"] + wrong).exitCode == 2)
        }
        #expect(try shell.run("events", "--organization", "nobody").exitCode == 1)
    }

    @Test func followingGoesOnWithWhatComesAndEndsCleanly() throws {
        // given
        let process = try follow("--after", "249", "--json")
        #expect(poll(seconds: 20) { process.output.split(separator: "\n").count == 2 })

        // when
        _ = try shell.json("set", "candidate", "c1", "status=screening")

        // then
        #expect(poll(seconds: 5) { process.output.contains("candidate.status_changed") })

        // when
        process.signal(SIGINT)

        // then
        #expect(try process.wait(seconds: 10) == 0)
        let lines = try process.output.split(separator: "\n").map { try JSON(Array($0.utf8)) }
        #expect(lines.compactMap { $0["sequence"].int } == [250, 251, 252] && process.errors.isEmpty)
    }

    @Test func followingEndsWithItsLimitOrItsReader() throws {
        // when
        let limited = try follow("--limit", "3")

        // then
        #expect(try limited.wait(seconds: 20) == 0 && limited.output.split(separator: "\n").count == 3)

        // when
        let piped = try Finished(
            ChildProcess(
                "/bin/sh", ["-c", "{ '\(Program.path)' events --follow --database '\(shell.database)'; echo $? >&2; } | head -n 2"]),
            seconds: 20)

        // then
        #expect(piped.output.split(separator: "\n").count == 2)
        #expect(piped.errors.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }
}

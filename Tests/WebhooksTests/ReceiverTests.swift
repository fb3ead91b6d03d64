import Domain
import Foundation
import Testing

@testable import Webhooks

/// One delivery for a receiver to judge.
private struct Job {
    var dialect: DialectName
    var headers: [HeaderField]
    var body: [UInt8]
    var secret: String
    var now: Int64
    /// What the receiver should make of it, and why.
    var accepted: Bool
    var why: String

    var line: String {
        JSONValue.object([
            .init("dialect", .string(dialect.rawValue)),
            .init("headers", .object(headers.map { .init($0.name.lowercased(), .string($0.value)) })),
            .init("body", .string(Base64.encode(body))), .init("secret", .string(secret)), .init("now", .number(String(now))),
        ]).text
    }
}

@Suite("Receivers in other languages, with the checks that the services publish")
struct ReceiverTests {
    /// A body with what often goes wrong: letters outside ASCII, escapes, long numbers.
    private static func facts() throws -> EventFacts {
        let candidate = try Facts.record(.candidate, #"{"full_name":"Zoë \"Q\" O’Neil \\ 東京 🎉","email":"zoe@example.com"}"#)
        return Facts.of(
            .interviewCompleted, try Facts.record(.interview, Facts.interviewJSON), candidate: candidate,
            data: #"{"name":"Zoë 東京 🎉","n":0.30000000000000004}"#)
    }

    private func jobs(_ name: DialectName) throws -> [Job] {
        let dialect = Dialect.of(name)
        let (secret, other) = (Facts.secret(name, seed: 1), Facts.secret(name, seed: 2))
        let facts = try name == .kendo ? Facts.of(.callUploaded, Facts.record(.call, #"{"agent_name":"Zoë 東京"}"#)) : Self.facts()
        let body = try dialect.body(of: facts, personal: true, delivery: Facts.delivery)
        let message = Facts.message(body, type: facts.type)
        func headers(_ secret: String, _ previous: (String, Timestamp)? = nil) throws -> [HeaderField] {
            dialect.headers(for: message, keys: try dialect.keys(secret: secret, previous: previous), version: "0")
        }
        let good = Job(
            dialect: name, headers: try headers(secret), body: body, secret: secret, now: Facts.time.unixSeconds, accepted: true,
            why: "as it was sent")
        func changed(_ why: String, accepted: Bool = false, _ change: (inout Job) throws -> Void) rethrows -> Job {
            var job = good
            (job.why, job.accepted) = (why, accepted)
            try change(&job)
            return job
        }
        let until = Facts.time.adding(milliseconds: 1_000)
        let isTimed = [.standard, .talentsprout].contains(name)
        return [
            good,
            changed("a changed body") { $0.body[5] ^= 1 },
            changed("a longer body") { $0.body.append(0x20) },
            changed("another secret") { $0.secret = other },
            changed("an old time", accepted: !isTimed) { $0.now += 3_600 },
            changed("a time ahead", accepted: !isTimed) { $0.now -= 3_600 },
            try changed("the old secret during a rotation", accepted: true) { $0.headers = try headers(other, (secret, until)) },
            try changed("the new secret during a rotation", accepted: name == .standard) {
                $0.headers = try headers(secret, (other, until))
            },
            try changed("the new secret after a rotation", accepted: true) { $0.headers = try headers(secret, (other, Facts.time)) },
        ]
    }

    @Test(
        "What the dialects sign is accepted, and nothing that was changed",
        arguments: [["python3", "receiver.py"], ["node", "receiver.mjs"]])
    func receivers(command: [String]) throws {
        let jobs = try DialectName.allCases.flatMap(jobs)
        guard let lines = try Self.run(command, input: jobs.map(\.line).joined(separator: "\n") + "\n") else {
            print("NOT TESTED: \(command[0]) is not installed, so its receivers did not run")
            try #require(command[0] == "node", "\(command[0]) is needed for the tests")
            return
        }
        try #require(lines.count == jobs.count, "\(lines)")
        for (job, line) in zip(jobs, lines) {
            #expect(line.contains("true") == job.accepted, "\(command[0]), \(job.dialect): \(job.why)")
        }
    }

    @Test("Our own receiver judges all of them alike")
    func ours() throws {
        for job in try DialectName.allCases.flatMap(jobs) {
            let verdict = Dialect.of(job.dialect).verify(
                headers: job.headers, body: job.body, secrets: [job.secret], now: Timestamp(microseconds: job.now * 1_000_000))
            #expect((verdict == .accepted) == job.accepted, "\(job.dialect): \(job.why)")
        }
    }

    /// The lines that a receiver says; nil where its language is not installed.
    private static func run(_ command: [String], input: String) throws -> [Substring]? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let program = path.split(separator: ":").map { "\($0)/\(command[0])" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let program else { return nil }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("receivers/\(command[1])")
        let jobs = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-\(UUID().uuidString)")
        try Data(input.utf8).write(to: jobs)
        defer { try? FileManager.default.removeItem(at: jobs) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [script.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = try FileHandle(forReadingFrom: jobs)
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: said, as: UTF8.self).split(separator: "\n")
    }
}

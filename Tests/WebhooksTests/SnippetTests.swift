import Domain
import Foundation
import Testing

@testable import PublicAPI
@testable import Webhooks

@Suite("The contract's snippets verify what the dialects sign")
struct SnippetTests {
    private static let languages = ["Python", "Node", "Swift"]
    private static let functions: [DialectName: (python: String, others: String)] = [
        .standard: ("verify_standard", "verifyStandard"), .rejento: ("verify_rejento", "verifyRejento"),
        .tenzo: ("verify_tenzo", "verifyTenzo"), .talentsprout: ("verify_talentsprout", "verifyTalentSprout"),
        .kendo: ("verify_kendo", "verifyKendo"),
    ]

    /// A delivery as its receiver has it, and what should come of it.
    private struct Received {
        var headers: [HeaderField]
        var body: [UInt8]
        var secret: String
        var accepted = false
        var why: String

        var byName: [String: String] { Dictionary(headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first } }

        var line: String {
            JSONValue.object([
                .init("headers", .object(headers.map { .init($0.name.lowercased(), .string($0.value)) })),
                .init("body", .string(Base64.encode(body))), .init("secret", .string(secret)),
            ]).text
        }
    }

    /// The delivery as it was sent just now, and changed in ways that have to be noticed.
    private func received(_ name: DialectName) throws -> [Received] {
        let dialect = Dialect.of(name)
        let secret = Facts.secret(name, seed: 1), other = Facts.secret(name, seed: 2)
        let type: EventType = name == .kendo ? .callUploaded : .interviewCompleted
        let subject = try Facts.record(type.subject!, #"{"status":"completed"}"#)
        let candidate = try Facts.record(.candidate, #"{"full_name":"Zoë 東京"}"#)
        let body = try dialect.body(of: Facts.of(type, subject, candidate: candidate), personal: true, delivery: Facts.delivery)
        let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970) * 1_000_000)
        func headers(_ secret: String, after seconds: Int64 = 0) throws -> [HeaderField] {
            let message = Facts.message(body, type: type, at: now.adding(milliseconds: seconds * 1_000))
            return dialect.headers(for: message, keys: try dialect.keys(secret: secret), version: "0")
        }
        let isTimed = [.standard, .talentsprout].contains(name)
        let good = try headers(secret)
        let signature = try #require(good.last)
        func signed(_ value: String) -> [HeaderField] { good.dropLast() + [(signature.name, value)] }
        var cases = [
            Received(headers: good, body: body, secret: secret, accepted: true, why: "as it was sent"),
            Received(headers: good, body: body + [0x20], secret: secret, why: "a longer body"),
            Received(headers: good, body: body.map { $0 == 0x22 ? 0x27 : $0 }, secret: secret, why: "a changed body"),
            Received(headers: good, body: body, secret: other, why: "another secret"),
            Received(headers: good.dropLast(), body: body, secret: secret, why: "no signature"),
            Received(headers: signed(""), body: body, secret: secret, why: "an empty signature"),
            Received(headers: signed("é=,t=é,v1=é v1,é"), body: body, secret: secret, why: "nonsense for a signature"),
            Received(headers: signed(String(signature.value.dropLast())), body: body, secret: secret, why: "a cut signature"),
        ]
        for (seconds, why) in [(-3_600, "signed an hour ago"), (3_600, "signed an hour ahead")] as [(Int64, String)] {
            cases.append(
                Received(headers: try headers(secret, after: seconds), body: body, secret: secret, accepted: !isTimed, why: why))
        }
        if name == .standard {
            let both = try #require(try headers(other).last).value + " " + signature.value
            cases.append(Received(headers: signed(both), body: body, secret: secret, accepted: true, why: "two signatures"))
        }
        return cases
    }

    private func snippet(_ name: DialectName, _ language: String) throws -> String {
        let reader = try ContractFile.reader()
        let found = reader.webhooks.filter { $0.dialect == name.rawValue }
            .flatMap { Markdown($0.operation.description).blocks.compactMap(\.snippet) }
        #expect(found.map(\.language) == Self.languages, "\(name): one in each language")
        return try #require(found.first { $0.language == language }).code
    }

    @Test("Python", arguments: DialectName.allCases)
    func python(name: DialectName) throws {
        let function = try #require(Self.functions[name]).python
        let program = try """
        \(snippet(name, "Python"))

        import base64, json, sys
        for line in open(sys.argv[1], encoding='utf-8'):
            job = json.loads(line)
            print(json.dumps(\(function)(job['headers'], base64.b64decode(job['body']), job['secret'])))
        """
        try judge(name, "python3", program, "snippet.py")
    }

    @Test("Node", arguments: DialectName.allCases)
    func node(name: DialectName) throws {
        let function = try #require(Self.functions[name]).others
        let program = try """
        \(snippet(name, "Node"))

        import { readFileSync } from 'node:fs'
        for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\\n')) {
          const job = JSON.parse(line)
          console.log(\(function)(job.headers, Buffer.from(job.body, 'base64'), job.secret))
        }
        """
        try judge(name, "node", program, "snippet.mjs")
    }

    @Test("Swift, by the code that is compiled here", arguments: DialectName.allCases)
    func swift(name: DialectName) throws {
        let function = try #require(Self.functions[name]).others
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Snippets")
        let file = folder.appending(path: "V\(function.dropFirst()).swift")
        #expect(try snippet(name, "Swift") + "\n" == String(contentsOf: file, encoding: .utf8), "\(file.lastPathComponent)")
        for delivery in try received(name) {
            let (headers, body) = (delivery.byName, Data(delivery.body))
            let accepted =
                switch name {
                case .standard: verifyStandard(headers: headers, body: body, secret: delivery.secret)
                case .rejento: verifyRejento(headers: headers, body: body, secret: delivery.secret)
                case .tenzo: verifyTenzo(headers: headers, body: body, secret: delivery.secret)
                case .talentsprout: verifyTalentSprout(headers: headers, body: body, secret: delivery.secret)
                case .kendo: verifyKendo(headers: headers, body: body, secret: delivery.secret)
                }
            #expect(accepted == delivery.accepted, "\(name): \(delivery.why)")
        }
    }

    // MARK: Other languages

    private func judge(_ name: DialectName, _ language: String, _ program: String, _ file: String) throws {
        let deliveries = try received(name)
        guard let said = try Self.run(language, program, file, input: deliveries.map(\.line).joined(separator: "\n") + "\n") else {
            print("NOT TESTED: \(language) is not installed, so the contract's snippets for it did not run")
            try #require(language == "node", "\(language) is needed for the tests")
            return
        }
        try #require(said.count == deliveries.count, "\(name), \(language): \(said)")
        for (delivery, answer) in zip(deliveries, said) {
            #expect(answer == String(delivery.accepted), "\(name), \(language): \(delivery.why)")
        }
    }

    /// The lines that the program writes; nil where its language is not installed.
    private static func run(_ language: String, _ program: String, _ file: String, input: String) throws -> [Substring]? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let interpreter = path.split(separator: ":").map { "\($0)/\(language)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let interpreter else { return nil }
        let folder = FileManager.default.temporaryDirectory.appending(path: "snippet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (script, jobs) = (folder.appending(path: file), folder.appending(path: "jobs"))
        try Data(program.utf8).write(to: script)
        try Data(input.utf8).write(to: jobs)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = [script.path, jobs.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self).lowercased().split(separator: "\n")
    }
}

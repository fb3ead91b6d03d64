import Foundation
import Testing

/// Signing secrets: shown once, sealed at rest, rotated.
@Suite struct SecretCommandTests {
    private let shell: Shell

    init() throws { shell = try Shell() }

    private var keyFile: String { shell.database + "-key" }

    @Test func aSecretIsShownOnceAndStoredNowhereInTheClear() throws {
        // given
        let made = try shell.makeEndpoint()
        let secret = try #require(made.secret)
        let text = try shell.run("webhooks", "add", "--url", "https://example.com/b").output
        let second = try #require(
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.first { $0.hasPrefix("whsec_") })

        // when
        _ = try shell.run("webhooks", "test", made.id)
        let outputs = try [
            shell.run("webhooks", "list"), shell.run("webhooks", "list", "--json"), shell.run("webhooks", "show", made.id),
            shell.run("webhooks", "show", made.id, "--json"), shell.run("webhooks", "edit", made.id, "--attempts", "3"),
            shell.run("webhooks", "deliveries", "--json"), shell.run("events", "--json"),
        ].map { $0.output + $0.errors }

        // then
        let bytes = try shell.bytes()
        for secret in [secret, second] {
            #expect(!outputs.contains { $0.contains(secret) })
            #expect(bytes.range(of: Data(secret.utf8)) == nil)
            #expect(bytes.range(of: Data(base64Encoded: String(secret.dropFirst(6))) ?? Data()) == nil)
        }
        #expect(text.contains("shown this once"))
    }

    @Test func theKeyFileIsForItsOwnerAlone() throws {
        // given
        _ = try shell.makeEndpoint()
        let mode = try FileManager.default.attributesOfItem(atPath: keyFile)[.posixPermissions] as? Int

        // then
        #expect(mode == 0o600)

        // when
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keyFile)
        let open = try shell.run("webhooks", "add", "--url", "https://example.com/")

        // then
        #expect(open.exitCode == 1 && open.errors.contains("chmod 600"))
    }

    @Test func withoutItsKeyNoSecretIsAdded() throws {
        // given
        let id = try shell.makeEndpoint().id
        try FileManager.default.moveItem(atPath: keyFile, toPath: shell.folder("away"))

        // when
        let added = try shell.run("webhooks", "add", "--url", "https://example.com/")
        let rotated = try shell.run("webhooks", "rotate-secret", id)

        // then
        for finished in [added, rotated] { #expect(finished.exitCode == 1 && finished.errors.contains("put the key file back")) }
        #expect(!FileManager.default.fileExists(atPath: keyFile))
        #expect(try shell.lines("webhooks", "list").count == 1)
    }

    @Test func anotherKeyIsNoticedAndRotationIsTheWayOut() throws {
        // given
        let id = try shell.makeEndpoint().id
        var other = shell
        other.environment = ["HIREWIRE_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString()]

        // then
        let added = try other.run("webhooks", "add", "--url", "https://example.com/")
        #expect(added.exitCode == 1 && added.errors.contains("can't be opened with this key"))
        let rotated = try other.json("webhooks", "rotate-secret", id, "--overlap", "2h")
        #expect(rotated["secret"].string != nil && rotated["previous_secret_until"].isNull)
        #expect(try other.run("webhooks", "add", "--url", "https://example.com/").exitCode == 0)
    }

    @Test func aRotationOverlapsForADayWhereBothCanSignAndNotElsewhere() throws {
        // given
        let (standard, kendo) = (try shell.makeEndpoint(), try shell.makeEndpoint("--dialect", "kendo"))
        func hours(_ rotated: JSON) throws -> Double? {
            let text = try #require(rotated["previous_secret_until"].string)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return try style.parse(text).timeIntervalSinceNow / 3_600
        }

        // when
        let (first, second) = (
            try shell.json("webhooks", "rotate-secret", standard.id), try shell.json("webhooks", "rotate-secret", kendo.id)
        )
        let third = try shell.json("webhooks", "rotate-secret", kendo.id, "--overlap", "2h")

        // then
        #expect(first["secret"].string != standard.secret && first["secret"].string?.hasPrefix("whsec_") == true)
        #expect(try #require(try hours(first)).rounded() == 24)
        #expect(second["previous_secret_until"].isNull)
        #expect(try #require(try hours(third)).rounded() == 2)
        #expect(try shell.json("webhooks", "show", kendo.id)["previous_secret_until"].string == third["previous_secret_until"].string)
        for overlap in ["8d", "soon"] { #expect(try shell.run("webhooks", "rotate-secret", kendo.id, "--overlap", overlap).exitCode == 2) }
    }

    @Test func aSecretIsTakenAwayWhereTheDialectAllowsItAlone() throws {
        // given
        let (tenzo, kendo) = (
            try shell.makeEndpoint("--dialect", "tenzo", "--secret", "first"), try shell.makeEndpoint("--dialect", "kendo")
        )

        // when
        let overlapping = try shell.json("webhooks", "rotate-secret", tenzo.id, "--none", "--overlap", "1h")
        let shown = try shell.json("webhooks", "show", tenzo.id)
        let ended = try shell.json("webhooks", "rotate-secret", tenzo.id, "--none")
        let text = try shell.run("webhooks", "rotate-secret", tenzo.id, "--none").output

        // then
        #expect(overlapping["secret"].isNull && overlapping["previous_secret_until"].string != nil)
        #expect(shown["signed"].bool == false && shown["previous_secret_until"].string != nil)
        #expect(ended["secret"].isNull && ended["previous_secret_until"].isNull)
        #expect(text.contains("not signed"))
        #expect(try shell.json("webhooks", "rotate-secret", tenzo.id, "--secret", "second")["secret"].string == "second")
        let refused = try shell.run("webhooks", "rotate-secret", kendo.id, "--none")
        #expect(refused.exitCode == 2 && refused.errors.contains("always signed"))
        #expect(try shell.run("webhooks", "rotate-secret", tenzo.id, "--none", "--secret", "third").exitCode == 2)
        #expect(try shell.json("webhooks", "show", kendo.id)["signed"].bool == true)
    }

    @Test func aRestoreSaysWhereTheKeyOfTheSecretsIsMissingOrAnothers() throws {
        // given: a copy with secrets, and its key file kept apart
        let id = try shell.makeEndpoint().id
        let (copy, kept) = (shell.folder("copy.db"), shell.folder("kept"))
        #expect(try shell.json("backup", copy)["key_file"].string == keyFile)
        func restore() throws -> Finished { try shell.run("restore", copy, "--json") }

        // then
        let well = try restore()
        #expect(try well.exitCode == 0 && well.lines.first?["secrets_readable"].bool == true && well.errors.isEmpty, "\(well.errors)")

        // when
        try FileManager.default.moveItem(atPath: keyFile, toPath: kept)
        let missing = try restore()
        _ = try shell.folder.write(Data(repeating: 7, count: 32).base64EncodedString(), to: "other")
        try FileManager.default.moveItem(atPath: shell.folder("other"), toPath: keyFile)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        let others = try restore()

        // then
        for finished in [missing, others] {
            #expect(try finished.exitCode == 0 && finished.lines.first?["secrets_readable"].bool == false)
        }
        #expect(missing.errors.contains("put the key file back at \(keyFile)"), "\(missing.errors)")
        #expect(others.errors.contains(id) && others.errors.contains("can't be opened with this key"), "\(others.errors)")

        // when: a service starts all the same, so that the secrets can be replaced, and says so
        let server = try Server(shell.database)
        server.stop()

        // then
        let log = server.process.errors
        #expect(log.contains("error webhook secrets can't be opened") && log.contains(id), "\(log)")

        // when: a copy that is not there leaves nothing behind, and one that is none is not taken
        let none = try Shell()
        let noCopy = try none.run("restore", none.folder("no-copy.db"))
        #expect(noCopy.exitCode == 1 && noCopy.errors.contains("there is no file"), "\(noCopy.errors)")
        #expect(!FileManager.default.fileExists(atPath: none.database + ".lock"))

        // when: without secrets there is nothing to say, and no key is made
        let empty = try Shell()
        _ = try empty.json("backup", empty.folder("copy.db"))
        let plain = try empty.run("restore", empty.folder("copy.db"), "--json")
        #expect(try plain.exitCode == 0 && plain.lines.first?["secrets_readable"].isNull == true && plain.errors.isEmpty)
    }

    @Test func aSecretComesFromStandardInput() throws {
        // given
        let secret = "whsec_" + Data(repeating: 9, count: 32).base64EncodedString()
        let file = try shell.folder.write(secret + "\n", to: "secret.txt")
        let input = open(file, O_RDONLY | O_CLOEXEC)
        defer { close(input) }

        // when
        let added = try Finished(
            ChildProcess(
                Program.path, ["webhooks", "add", "--url", "https://example.com/", "--secret", "-", "--database", shell.database],
                input: input))

        // then
        #expect(added.exitCode == 0 && !added.output.contains(secret))
        #expect(try shell.json("webhooks", "show", shell.lines("webhooks", "list").first?["id"].string ?? "")["signed"].bool == true)
        #expect(try shell.run("webhooks", "add", "--url", "https://example.com/", "--secret", "-").exitCode == 2)
    }
}

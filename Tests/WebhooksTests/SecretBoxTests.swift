import Domain
import Foundation
import Testing

@testable import Webhooks

@Suite("Secrets at rest")
final class SecretBoxTests {
    private let one = EndpointID(ULID(high: 1, low: 1))
    private let other = EndpointID(ULID(high: 1, low: 2))
    private let key = [UInt8](0..<32)

    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secret-box-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A database's path in a folder of its own.
    private func database() throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent("hirewire.db").path
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("What is sealed opens again, and looks different each time")
    func roundTrip() throws {
        let box = try SecretBox(key: key)
        for secret in ["whsec_abc", "", "ü", String(repeating: "x", count: 512)] {
            let sealed = try box.seal(secret, for: one)
            #expect(try box.open(sealed, of: one) == secret && sealed.bytes.count == secret.utf8.count + 29)
            #expect(try box.seal(secret, for: one) != sealed)
        }
    }

    @Test("A sealed secret opens for its own endpoint, with its own key, unchanged, and not otherwise")
    func refused() throws {
        let box = try SecretBox(key: key)
        let sealed = try box.seal("whsec_abc", for: one)
        #expect(throws: SecretBoxFault.cannotOpen(other)) { try box.open(sealed, of: other) }
        let stranger = try SecretBox(key: key.reversed())
        #expect(throws: SecretBoxFault.cannotOpen(one)) { try stranger.open(sealed, of: one) }
        for index in sealed.bytes.indices {
            var bytes = sealed.bytes
            bytes[index] ^= 1
            #expect(throws: SecretBoxFault.cannotOpen(one)) { try box.open(SealedSecret(bytes), of: one) }
        }
        for count in 0..<sealed.bytes.count {
            #expect(throws: SecretBoxFault.cannotOpen(one)) { try box.open(SealedSecret(Array(sealed.bytes.prefix(count))), of: one) }
        }
    }

    @Test("The key comes from the environment in base 64 or hexadecimal, before any file")
    func environment() throws {
        let path = try database()
        let sealed = try SecretBox(key: key).seal("s", for: one)
        let hexadecimal = Hexadecimal.encode(key)
        for text in [Base64.encode(key), hexadecimal, hexadecimal.uppercased(), " \(hexadecimal)\n"] {
            let box = try SecretBox(variable: text, database: path, holdsSecrets: true)
            #expect(try box.open(sealed, of: one) == "s")
        }
        #expect(!FileManager.default.fileExists(atPath: SecretBox.keyFile(of: path)), "no file is made then")
        for (text, fault) in [
            ("short", SecretBoxFault.notAKey("HIREWIRE_SECRET_KEY")), ("two words", .notAKey("HIREWIRE_SECRET_KEY")),
            (Base64.encode([UInt8](repeating: 1, count: 16)), .wrongLength("HIREWIRE_SECRET_KEY", 16)),
            (" ", .notAKey("HIREWIRE_SECRET_KEY")),
        ] {
            #expect(throws: fault) { try SecretBox(variable: text, database: path, holdsSecrets: false) }
        }
        #expect(throws: SecretBoxFault.wrongLength("the key", 31)) { try SecretBox(key: Array(key.dropLast())) }
    }

    @Test("Without one a key file is made beside the database, for its owner alone, and used from then on")
    func keyFile() throws {
        let path = try database()
        let sealed = try SecretBox(variable: nil, database: path, holdsSecrets: false).seal("s", for: one)
        let file = SecretBox.keyFile(of: path)
        #expect(file == path + "-key")
        #expect(try mode(file) == 0o600)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(Base64.decode(text.trimmingCharacters(in: .newlines))?.count == 32)
        let names = try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent)
        #expect(names == ["hirewire.db-key"], "nothing else is left")
        let again = try SecretBox(variable: "", database: path, holdsSecrets: true)
        #expect(try again.open(sealed, of: one) == "s")
        #expect(try SecretBox(variable: text, database: "elsewhere", holdsSecrets: true).open(sealed, of: one) == "s", "as text too")
    }

    @Test("Many that start at once agree on one key")
    func race() async throws {
        let path = try database()
        let (one, boxes) = (one, 16)
        let sealed = try await withThrowingTaskGroup(of: SealedSecret.self) { group in
            for _ in 0..<boxes {
                group.addTask { try SecretBox(variable: nil, database: path, holdsSecrets: false).seal("s", for: one) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let box = try SecretBox(variable: nil, database: path, holdsSecrets: true)
        #expect(sealed.count == boxes)
        for secret in sealed { #expect(try box.open(secret, of: one) == "s") }
    }

    @Test("A key file that others can reach is refused, and so is one that holds no key")
    func badFiles() throws {
        let path = try database()
        let file = SecretBox.keyFile(of: path)
        _ = try SecretBox(variable: nil, database: path, holdsSecrets: false)
        for mode in [0o640, 0o604, 0o644, 0o660, 0o601] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            let fault = #expect(throws: SecretBoxFault.readableByOthers(file, mode: UInt32(mode))) {
                try SecretBox(variable: nil, database: path, holdsSecrets: true)
            }
            #expect(fault?.description.contains("chmod 600") == true)
        }
        for (text, fault) in [
            ("", SecretBoxFault.notAKey("the key file \(file)")), ("no key\n", .notAKey("the key file \(file)")),
            (Base64.encode(key.dropLast(2)), .wrongLength("the key file \(file)", 30)),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            #expect(throws: fault) { try SecretBox(variable: nil, database: path, holdsSecrets: false) }
        }
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        #expect(throws: SecretBoxFault.failed("the key file \(file) is no file")) {
            try SecretBox(variable: nil, database: path, holdsSecrets: false)
        }
    }

    @Test("A missing key is never made anew for a database that holds secrets")
    func missing() throws {
        let path = try database()
        #expect(throws: SecretBoxFault.missing(path + "-key")) { try SecretBox(variable: nil, database: path, holdsSecrets: true) }
        #expect(!FileManager.default.fileExists(atPath: path + "-key"))
        #expect(throws: SecretBoxFault.self) { try SecretBox(variable: nil, database: "/no/such/folder/x.db", holdsSecrets: false) }
    }
}

import ArgumentParser
import Domain
import Foundation
import HTTPSupport
import SQLiteStorage
import Server

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, rotate and revoke API keys.",
        discussion: "A key works at once in a running `serve`, and a revoked one stops at once.",
        subcommands: [Create.self, List.self, Rotate.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key. Its secret is shown this once.")
        @OptionGroup var common: Common
        @OptionGroup var place: InOrganization
        @Option(help: "What the key is for, to find it again.") var name: String
        @Option(name: .customLong("scope"), help: "read, read:pii (personal data too) or ingest; may be repeated.", completion: .scopes)
        var scopes: [String] = []
        @Option(help: "When it ends: 90d, 12h, a date or an RFC 3339 time.") var expires: String?
        @Option(help: "Requests a minute; the organization's plan unless given (100 unless set there).") var rateLimit: Int?

        func run() throws {
            var all: Scopes = []
            for word in scopes.isEmpty ? ["read"] : scopes.flatMap({ $0.split(separator: ",").map(String.init) }) {
                guard let scope = Scopes(word: word) else {
                    throw ValidationError("--scope knows no '\(word)'; there are \(Scopes.words.joined(separator: ", "))")
                }
                all.formUnion(scope)
            }
            guard (1...1_000_000_000).contains(rateLimit ?? 1) else { throw ValidationError("--rate-limit is from 1 to 1000000000") }
            if let fault = APIKey.fault(ofName: name) { throw ValidationError("--name \(fault)") }
            let expiry = try expires.map { try Keys.moment($0, option: "--expires") }
            let database = try common.open(create: true)
            var random = SystemRandomNumberGenerator()
            let token = APIKeyToken(using: &random)
            let organization = try place.find(in: database)
            let key = try database.addKey(
                token, secretHash: SecretHash.of(token.secret), name: name, organization: organization, scopes: all,
                rateLimit: rateLimit ?? organization.plan.rateLimit, expiresAt: expiry)
            Keys.show(key, token: token, json: common.isJSON)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys; their secrets are stored nowhere.")
        @OptionGroup var common: Common
        @OptionGroup var place: OfOrganization

        func run() throws {
            let database = try common.open()
            let number = try place.find(in: database)?.number
            let now = database.now
            let keys = try database.keys().filter { number == nil || $0.organization == number }
            if common.isJSON { return keys.forEach { Output.json($0.members) } }
            Output.table(
                [["KEY_ID", "NAME", "ORGANIZATION", "SCOPES", "LIMIT", "USED", "LAST USED", "EXPIRES", "STATE"]]
                    + keys.map { key in
                        [
                            key.keyID, key.name, key.organizationName, key.scopes.words.joined(separator: ","), "\(key.rateLimit)/min",
                            "\(key.usageCount)", key.lastUsedAt?.description ?? "never", key.expiresAt?.description ?? "never",
                            key.revokedAt != nil ? "revoked" : key.expiresAt.map { $0 <= now } ?? false ? "expired" : "active",
                        ]
                    })
        }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a key a new secret, shown this once.")
        @OptionGroup var common: Common
        @Argument(help: "The key's public id: see `keys list`.") var keyID: String
        @Option(help: "How long the old secret works on: 0s, 30m, 24h.") var overlap = "24h"

        func run() throws {
            guard let span = Span(overlap) else { throw ValidationError("--overlap is a time such as 24h, 30m or 0s") }
            let database = try common.open()
            var random = SystemRandomNumberGenerator()
            let token = APIKeyToken(keyID: keyID, using: &random)
            let until = span.seconds == 0 ? nil : Timestamp(microseconds: database.now.microseconds + Int64(span.seconds) * 1_000_000)
            guard let key = try database.rotateKey(token, secretHash: SecretHash.of(token.secret), overlapUntil: until) else {
                throw Failure("there is no active key '\(keyID)'; `hirewire keys list` shows them")
            }
            Keys.show(key, token: token, json: common.isJSON)
            if !common.isJSON, let until { print("The old one works until \(until); --overlap 0s ends it at once.") }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a key for good, at once.")
        @OptionGroup var common: Common
        @Argument(help: "The key's public id: see `keys list`.") var keyID: String

        func run() throws {
            guard let key = try common.open().revokeKey(keyID) else {
                throw Failure("there is no active key '\(keyID)'; `hirewire keys list` shows them")
            }
            if common.isJSON { Output.json(key.members) } else { print("revoked \(key.keyID) (\(key.name))") }
        }
    }

    static func show(_ key: APIKey, token: APIKeyToken, json: Bool) {
        if json { return Output.json([.init("key", .string(token.text))] + key.members) }
        print("key     \(token.text)")
        print("key_id  \(key.keyID)")
        print("scopes  \(key.scopes.words.joined(separator: ", "))")
        print("expires \(key.expiresAt?.description ?? "never")")
        print("\nThe key is shown this once; store it now.")
    }

    /// `90d`, a date, or an RFC 3339 time that is still to come.
    static func moment(_ text: String, option: String) throws -> Timestamp {
        let now = SystemTime().now
        guard let time = Timestamp(future: text, now: now) else {
            throw ValidationError("\(option) is a time such as 90d, 2027-01-31 or 2027-01-31T09:00:00Z")
        }
        guard time > now else { throw ValidationError("\(option) \(text) is past already") }
        return time
    }
}

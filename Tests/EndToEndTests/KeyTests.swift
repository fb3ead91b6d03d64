import Foundation
import Testing

/// Keys made, changed and ended by other processes while the server runs.
@Suite struct KeyTests {
    private let folder: Folder
    private let server: Server

    init() throws {
        folder = try Folder()
        server = try Server(folder("keys.db"))
    }

    private func status(_ token: String, from address: String = "127.0.0.31") throws -> Int {
        try server.get("/api/v1/key", key: token, from: address).status
    }

    @Test func aKeyWorksAtOnceAndTellsWhatItIs() throws {
        // when
        let made = try server.command(
            "keys", "create", "--name", "dashboard", "--scope", "read:pii", "--rate-limit", "42", "--expires", "90d")
        let answer = try server.get("/api/v1/key", key: made["key"].string)

        // then
        let body = try answer.json
        #expect(answer.status == 200 && answer["Cache-Control"] == "no-store")
        #expect(
            body.keys == [
                "key_id", "name", "organization", "scopes", "rate_limit", "created_at", "expires_at", "last_used_at", "usage_count",
            ])
        #expect(body["key_id"].string == made["key_id"].string && body["name"].string == "dashboard")
        #expect(body["scopes"].array?.compactMap(\.string) == ["read", "read:pii"])
        #expect(body["rate_limit"]["requests"].int == 42 && body["rate_limit"]["per_seconds"].int == 60)
        #expect(body["expires_at"].string == made["expires_at"].string && body["organization"].string == "default")
    }

    @Test func aKeyTellsItsUseWithinSeconds() throws {
        // given
        let key = try server.makeKey()
        func usage() throws -> (Int?, String?) {
            let body = try server.get("/api/v1/key", key: key.token).json
            return (body["usage_count"].int, body["last_used_at"].string)
        }
        #expect(try usage() == (0, nil))

        // when
        for _ in 0..<9 { #expect(try server.get("/api/v1/jobs?limit=1", key: key.token).status == 200) }

        // then
        #expect(
            try poll(seconds: 20, every: 0.5) {
                let (count, last) = try usage()
                return count ?? 0 >= 10 && last != nil
            })
    }

    @Test func aKeyThatIsOverIsListedAsThat() throws {
        // given
        _ = try server.command("keys", "create", "--name", "short", "--expires", "1s")
        func list() throws -> String { try Program.run(["keys", "list", "--database", server.database]).output }
        #expect(try poll(seconds: 10) { try list().contains("expired") })

        // then: none is made that is over already, or would break the table
        for options in [["--name", "x", "--expires", "0d"], ["--name", "x", "--expires", "2020-01-01"], ["--name", "a\nb"]] {
            #expect(try Program.run(["keys", "create", "--database", server.database] + options).exitCode == 2)
        }
        #expect(try list().split(separator: "\n").count == 2)
    }

    @Test func aRevokedKeyStopsWithinASecond() throws {
        // given
        let (key, other) = (try server.makeKey(), try server.makeKey())
        let connection = try server.connect(from: "127.0.0.32")
        connection.send(Server.request("GET", "/api/v1/key", key: key.token))
        #expect(try connection.receive().status == 200)

        // when
        let revoked = try server.command("keys", "revoke", key.id)

        // then
        #expect(
            try poll(seconds: 1) {
                connection.send(Server.request("GET", "/api/v1/key", key: key.token))
                return try connection.receive().status == 401
            })
        #expect(revoked["revoked_at"].string != nil)
        #expect(try status(other.token) == 200)
        #expect(try Program.run(["keys", "revoke", key.id, "--database", server.database]).exitCode == 1)
    }

    @Test func anOldSecretWorksOnWhileTheyOverlap() throws {
        // given
        let key = try server.makeKey()
        func rotated(_ overlap: String) throws -> String {
            try #require(try server.command("keys", "rotate", key.id, "--overlap", overlap)["key"].string)
        }

        // when
        let second = try rotated("1h")

        // then
        #expect(second != key.token && second.contains(key.id))
        #expect(try status(key.token) == 200 && status(second) == 200)

        // when
        let third = try rotated("0s")

        // then
        #expect(try status(third) == 200)
        #expect(try status(second) == 401 && status(key.token) == 401)

        // when
        let fourth = try rotated("1s")

        // then
        #expect(try status(fourth) == 200)
        #expect(try poll(seconds: 3, every: 0.25) { try status(third, from: "127.0.0.33") == 401 })
        #expect(try status(fourth) == 200)
    }

    @Test func aKeyEndsWhenItExpires() throws {
        // given
        let key = try server.makeKey("--expires", "2s")
        #expect(try status(key.token) == 200)

        // then
        #expect(try poll(seconds: 4, every: 0.25) { try status(key.token, from: "127.0.0.34") == 401 })
    }

    @Test func basicAuthenticationWorksInTheWaysThatToolsSendIt() throws {
        // given
        let key = try server.makeKey()
        func ask(_ pair: String) throws -> Int {
            let text = Data(pair.utf8).base64EncodedString()
            return try server.get("/api/v1/candidates", ["Authorization: Basic \(text)"], from: "127.0.0.35").status
        }

        // then
        #expect(try ask(key.id + ":" + key.secret) == 200)
        #expect(try ask(key.token + ":") == 200)
        #expect(try ask(key.id + ":" + key.secret.reversed()) == 401)
        #expect(try ask(key.id) == 401)
        #expect(try server.get("/api/v1/candidates", ["authorization: bearer \(key.token)"]).status == 200)
        #expect(try server.get("/api/v1/candidates", ["Authorization: Basic !!!"], from: "127.0.0.35").status == 401)
    }

    @Test func whatAKeyWasUsedForIsListedWithinFiveSeconds() throws {
        // given
        let key = try server.makeKey()

        // when
        for _ in 0..<7 { #expect(try server.get("/api/v1/candidates", key: key.token).status == 200) }

        // then
        let isListed = try poll(seconds: 5, every: 0.3) {
            let listed = try Program.run(["keys", "list", "--json", "--database", server.database]).lines
            let own = listed.first { $0["key_id"].string == key.id }
            return own?["usage_count"].int == 7 && own?["last_used_at"].string != nil
        }
        #expect(isListed)
    }

    @Test func noSecretIsStoredOrListed() throws {
        // given
        let key = try server.makeKey()
        _ = try server.get("/api/v1/key", key: key.token)

        // when
        let listed = try Program.run(["keys", "list", "--json", "--database", server.database])

        // then
        #expect(listed.output.contains(key.id) && !listed.output.contains(key.secret))
        for suffix in ["", "-wal"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: server.database + suffix))
            #expect(bytes.range(of: Data(key.secret.utf8)) == nil)
        }
        #expect(!server.process.errors.contains(key.secret))
    }
}

import Foundation
import Testing

/// Where requests come from, as trusted proxies tell it: in the limits of failures and in the access log.
@Suite struct ClientAddressTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func forwarded(_ address: String) -> [String] { ["X-Forwarded-For: \(address)"] }

    @Test func failingKeysAreCountedByTheClientThatATrustedProxyNames() throws {
        // given: two proxies, one of them ours
        let server = try Server(
            folder("proxied.db"), ["--trusted-proxy", "127.0.0.2", "--trusted-proxy", "10.0.0.0/8", "--access-log", "on"])
        let key = try server.makeKey().token
        func fail(_ fields: [String], from source: String) throws -> Int {
            try server.get("/api/v1/key", key: "rk_nonsense", fields, from: source).status
        }

        // when: each of the 21 behind our proxy invents another history, and our proxy appends the truth
        func isLimited(_ ask: (Int) throws -> Int) rethrows -> (Bool, Comment) {
            try EndToEndTests.isLimited(after: 20, refilledEvery: 3, ask)
        }
        let behindOurs = try isLimited { try fail(forwarded("1.1.1.\($0), 203.0.113.9, 10.0.0.1"), from: "127.0.0.2") }
        let byForwarded = try isLimited {
            try fail($0 == 0 ? ["Forwarded: for=203.0.113.11;proto=https"] : forwarded("203.0.113.11"), from: "127.0.0.2")
        }
        let anotherBehindOurs = try fail(forwarded("203.0.113.10"), from: "127.0.0.2")
        let ofOneNetwork = try isLimited { try fail(forwarded("[2001:db8:1:2::\($0)]"), from: "127.0.0.2") }
        let strangers = try isLimited { try fail(forwarded("198.51.100.\($0)"), from: "127.0.0.3") }
        let valid = try server.get("/api/v1/key", key: key, forwarded("203.0.113.9"), from: "127.0.0.2").status

        // then
        for (isLimited, told) in [behindOurs, byForwarded, ofOneNetwork, strangers] { #expect(isLimited, told) }
        #expect(anotherBehindOurs == 401 && valid == 200)
        server.stop()
        let clients = server.process.errors.split(separator: "\n").filter { $0.contains(" request ") }
            .compactMap { $0.firstMatch(of: #/ client=(\S+)/#).map { String($0.1) } }
        #expect(Set(clients) == ["203.0.113.9", "203.0.113.10", "203.0.113.11", "2001:db8:1:2::/64", "127.0.0.3"])
    }

    @Test func theOperatorListenerTakesATrustedProxysWordToo() throws {
        // given
        let server = try Server(
            folder("operator.db"), ["--access-log", "on"], environment: ["HIREWIRE_TRUSTED_PROXY": "127.0.0.2, fd00::/8"])
        func push(_ address: String, from source: String) throws -> Int {
            let connection = try Connection(server.operatorPort, from: source)
            connection.send(Server.request("GET", "/operator/v1/jobs/x", key: "rk_nonsense", forwarded(address)))
            return try connection.receive().status
        }
        func signIn(_ address: String, from source: String) throws -> Int {
            var visitor = OperatorVisitor(server: server, source: source)
            return try visitor.signIn("wrong", forwarded(address)).status
        }

        // then
        for (isLimited, told) in [
            try isLimited(after: 20, refilledEvery: 3) { _ in try push("203.0.113.9", from: "127.0.0.2") },
            try isLimited(after: 20, refilledEvery: 3) { try push("203.0.113.\($0)", from: "127.0.0.3") },
            try isLimited(after: 10, refilledEvery: 6) { try signIn("2001:db8::\($0)", from: "127.0.0.2") },
            try isLimited(after: 10, refilledEvery: 6) { try signIn("203.0.113.\($0)", from: "127.0.0.3") },
        ] { #expect(isLimited, told) }
        #expect(try push("203.0.113.10", from: "127.0.0.2") == 401)
        #expect(try signIn("2001:db8:1::1", from: "127.0.0.2") == 403)
        server.stop()
        #expect(server.process.errors.contains(" client=203.0.113.9 ") && !server.process.errors.contains(" client=203.0.113.3 "))
    }

    @Test func withoutTrustedProxiesNobodysWordIsTaken() throws {
        let server = try Server(folder("alone.db"), ["--access-log", "on"])
        _ = try server.get("/healthz", forwarded("203.0.113.9") + ["Forwarded: for=203.0.113.9"])
        server.stop()
        #expect(server.process.errors.contains(" client=127.0.0.1 ") && !server.process.errors.contains("203.0.113.9"))
    }
}

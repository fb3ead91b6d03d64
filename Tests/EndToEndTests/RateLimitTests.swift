import Foundation
import Synchronization
import Testing

@Suite struct RateLimitTests {
    private let folder: Folder
    private let server: Server

    init() throws {
        folder = try Folder()
        server = try Server(folder("limits.db"))
    }

    /// Asks over all connections at once and gives every answer.
    private func askAll(_ connections: Int, key: String) throws -> (answers: [Response], seconds: Double) {
        let hands = 8
        let open = try (0..<hands).map { _ in try (0..<(connections / hands)).map { _ in try server.connect() } }
        let request = Server.request("GET", "/api/v1/key", key: key)
        let answers = Mutex<[Response]>([])
        let held = Held(connections: open)
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: hands) { hand in
            for connection in held.connections[hand] { connection.send(request) }
            let own = held.connections[hand].compactMap { try? $0.receive() }
            answers.withLock { $0 += own }
        }
        return (answers.withLock { $0 }, (ContinuousClock.now - start) / .seconds(1))
    }

    /// Each hand has connections of its own, which no other touches.
    private struct Held: @unchecked Sendable {
        let connections: [[Connection]]
    }

    @Test func aThousandParallelRequestsLetExactlyTheBucketThrough() throws {
        // given
        let (key, other) = (try server.makeKey(limit: 100).token, try server.makeKey(limit: 100).token)

        // when
        let (answers, seconds) = try askAll(1_000, key: key)
        let next = try server.get("/api/v1/key", key: other)

        // then
        let passed = answers.filter { $0.status == 200 }
        let refused = answers.filter { $0.status == 429 }
        let refilled = Int(seconds * 100 / 60)
        #expect(answers.count == 1_000 && passed.count + refused.count == 1_000)
        #expect((100...(100 + refilled)).contains(passed.count), "\(passed.count) passed in \(seconds) s")
        for answer in refused {
            #expect((answer["Retry-After"].flatMap { Int($0) } ?? 0) >= 1)
            #expect(answer["RateLimit"]?.hasPrefix("\"default\";r=0;") == true)
        }
        #expect(next.status == 200 && next["RateLimit"]?.hasPrefix("\"default\";r=99;") == true)
    }

    @Test func whoWaitsAsLongAsItIsToldIsLetThrough() throws {
        // given: a token takes two seconds
        let key = try server.makeKey(limit: 30).token
        let connection = try server.connect()
        func ask() throws -> Response {
            connection.send(Server.request("GET", "/api/v1/key", key: key))
            return try connection.receive()
        }
        var refused = try ask()
        while refused.status == 200 { refused = try ask() }
        let wait = try #require(refused["Retry-After"].flatMap { Double($0) })
        #expect((1...2).contains(wait))

        // when
        let start = ContinuousClock.now
        _ = poll(seconds: wait) { ContinuousClock.now - start >= .seconds(wait) }

        // then
        #expect(try ask().status == 200)
    }

    @Test func failingKeysAreLimitedByAddressAndTouchNobodyElse() throws {
        // given
        let key = try server.makeKey(limit: 100)
        let (address, neighbour) = ("127.0.0.21", "127.0.0.22")
        let wrong = "rk_" + key.id + "_" + String(key.secret.reversed())
        for _ in 0..<30 { #expect(try server.get("/api/v1/key", from: address).status == 401) }
        let start = ContinuousClock.now

        // when
        let answers = try (0..<30).map { number in
            try server.get("/api/v1/key", key: number % 2 == 0 ? wrong : ErrorTableTests.unknownKey, from: address)
        }

        // then
        let refilled = Int((ContinuousClock.now - start) / .seconds(3))
        let failed = answers.filter { $0.status == 401 }.count
        #expect((20...(20 + refilled)).contains(failed), "\(failed)")
        let refused = answers.last { $0.status == 429 }
        #expect(refused?.code == "rate_limited" && refused?["Retry-After"] != nil)
        let valid = try server.get("/api/v1/key", key: key.token, from: address)
        #expect(valid.status == 200)
        // failing ones have not drained the key's own bucket
        #expect(valid["RateLimit"]?.hasPrefix("\"default\";r=99;") == true)
        #expect(try server.get("/api/v1/key", from: address).status == 401)
        #expect(try server.get("/api/v1/key", key: wrong, from: neighbour).status == 401)
    }

    @Test func whatCostsNothingCostsNothing() throws {
        // given
        let key = try server.makeKey(limit: 10).token

        // when
        for target in ["/healthz", "/docs", "/openapi.json"] { #expect(try server.get(target, key: key)["RateLimit"] == nil) }
        #expect(try server.ask("OPTIONS", "/api/v1/candidates")["RateLimit"] == nil)

        // then
        #expect(try server.get("/api/v1/key", key: key)["RateLimit"] == "\"default\";r=9;t=6")
    }
}

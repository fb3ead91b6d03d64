import Addresses
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import OutboundHTTP

/// No byte reaches an address that is not permitted, whatever names and notations say.
@Suite(.timeLimit(.minutes(1))) struct ForbiddenAddressTests {
    @Test(arguments: ["http", "https"])
    func noNotationOfThisMachineIsConnectedTo(_ scheme: String) async throws {
        // given
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let six = try? await Receiver.start(host: "::1", port: receiver.port) { $0.send(Sending.ok) }
        let client = try Sending.client(allow: [])
        let hosts = [
            "127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.1", "127.0.0.1.", "0", "0.0.0.0",
            "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
        ]

        // when
        for host in hosts {
            let failure = try await Sending.failure(client, Sending.post("\(scheme)://\(host):\(receiver.port)/"))
            #expect(failure.reason.code == "refused_address", "\(host): \(failure.reason)")
        }

        // then
        #expect(receiver.connections == 0 && (six?.connections ?? 0) == 0)
    }

    @Test func aNameThatChangesItsAnswerGainsNothing() async throws {
        // given: the permitted 127.0.0.2 first, then the forbidden 127.0.0.1, and both at once
        let inside = try await Receiver.start { $0.send(Sending.ok) }
        let outside = try await Receiver.start(host: "127.0.0.2", port: inside.port) { call in
            call.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        let resolver = TableResolver([
            "turns.test": [["127.0.0.2"], ["127.0.0.1"]], "mixed.test": [["8.8.8.8", "127.0.0.1"]],
            "late.test": [["127.0.0.1", "8.8.8.8"]],
            "mapped.test": [["::ffff:127.0.0.1"]],
        ])
        let client = try Sending.client(allow: ["127.0.0.2/32"], resolver: resolver)

        // when
        let first = try await client.send(Sending.post("http://turns.test:\(inside.port)/"))
        for name in ["turns.test", "mixed.test", "late.test", "mapped.test"] {
            let failure = try await Sending.failure(client, Sending.post("http://\(name):\(inside.port)/"))
            #expect(failure.reason.code == "refused_address" && failure.reason.description.contains("\(name) is "), "\(failure.reason)")
        }

        // then
        #expect(first.status == 200 && first.remoteAddress.hasPrefix("127.0.0.2:"))
        #expect(outside.connections == 1 && inside.connections == 0)
    }

    @Test func whereTheOperatorVouchesForANameItsPermittedAddressIsUsed() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let client = try Sending.client(resolver: TableResolver(["localhost": [["::1", "127.0.0.1"]]]))
        let response = try await client.send(Sending.post("http://localhost:\(receiver.port)/"))
        #expect(response.remoteAddress == "127.0.0.1:\(receiver.port)")
    }

    /// Notes what a connection tells.
    private final class Listener: ConnectionUser {
        let outcome: EventLoopPromise<OutboundError?>
        init(_ outcome: EventLoopPromise<OutboundError?>) { self.outcome = outcome }
        func reached(_ phase: OutboundError.Phase) {}
        func isReady(_ connection: Connection) { outcome.succeed(nil) }
        func ended(_ response: OutboundResponse, on connection: Connection) {}
        func failed(_ reason: OutboundError, partial: OutboundResponse?, on connection: Connection) { outcome.succeed(reason) }
    }

    /// What comes of connecting straight to an address, past the checks of the name.
    private static func connect(_ address: IPAddress, port: Int, tls: Bool, allow: [String]) async throws -> OutboundError? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let addresses = AddressGuard(exceptions: try allow.map { try AddressRange($0) })
        let settings = ClientSettings(
            addresses: addresses, allowHTTP: true, limits: OutboundLimits(), resolver: TableResolver([:]),
            tls: try NIOSSLContext(configuration: .makeClientConfiguration()))
        let post = try Sending.post("\(tls ? "https" : "http")://hook.test:\(port)/")
        let outcome = loop.makePromise(of: OutboundError?.self)
        try await loop.submit {
            let connector = Connector(loop: loop, settings: settings, count: KeptCount())
            let connection = try connector.makeConnection(for: PoolKey(post), user: Listener(outcome))
            try connector.open(connection, to: address, patience: .seconds(5))
        }.get()
        return try await outcome.futureResult.get()
    }

    @Test func theAddressOfTheSocketItselfIsCheckedBeforeAnyByte() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let loopback = try #require(IPAddress("127.0.0.1"))
        for tls in [false, true] {
            let reason = try await Self.connect(loopback, port: receiver.port, tls: tls, allow: [])
            #expect(reason == .refusedAddress(loopback, kind: "loopback", name: nil))
        }
        #expect(try await Self.connect(loopback, port: receiver.port, tls: false, allow: ["127.0.0.1"]) == nil)
        #expect(receiver.bytes == 0)
    }

    /// Offers a connection to a pool when it is ready, and notes whether the pool gives it out again.
    private final class Offering: ConnectionUser {
        let pool: ConnectionPool
        let outcome: EventLoopPromise<Bool>
        init(_ pool: ConnectionPool, _ outcome: EventLoopPromise<Bool>) {
            self.pool = pool
            self.outcome = outcome
        }
        func reached(_ phase: OutboundError.Phase) {}
        func isReady(_ connection: Connection) {
            connection.user = nil
            pool.put(connection)
            outcome.succeed(pool.take(connection.key) === connection)
        }
        func ended(_ response: OutboundResponse, on connection: Connection) {}
        func failed(_ reason: OutboundError, partial: OutboundResponse?, on connection: Connection) { outcome.succeed(false) }
    }

    @Test(arguments: [true, false])
    func theAddressOfAKeptConnectionIsCheckedAgain(_ isPermitted: Bool) async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let loopback = AddressGuard(exceptions: [try AddressRange("127.0.0.0/8")])
        let settings = ClientSettings(
            addresses: loopback, allowHTTP: true, limits: OutboundLimits(), resolver: TableResolver([:]),
            tls: try NIOSSLContext(configuration: .makeClientConfiguration()))
        let key = PoolKey(try Sending.post("http://hook.test:\(receiver.port)/"))
        let outcome = loop.makePromise(of: Bool.self)
        try await loop.submit {
            let connector = Connector(loop: loop, settings: settings, count: KeptCount())
            let pool = ConnectionPool(
                loop: loop, limits: OutboundLimits(), addresses: isPermitted ? loopback : AddressGuard(), count: KeptCount())
            let connection = try connector.makeConnection(for: key, user: Offering(pool, outcome))
            let address = try #require(IPAddress("127.0.0.1"))
            try connector.open(connection, to: address, patience: .seconds(5))
        }.get()
        #expect(try await outcome.futureResult.get() == isPermitted)
    }

    @Test func plainHTTPIsOnlySentWhereAllowed() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let failure = try await Sending.failure(Sending.client(http: false), Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason == .httpNotAllowed && receiver.connections == 0)
    }

    @Test func theAddressesAreTriedInTurnAndTheFirstFailureIsTold() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let resolver = TableResolver([
            "later.test": [["127.0.0.3", "127.0.0.4", "127.0.0.1"]], "late.test": [["127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"]],
            "empty.test": [[]],
        ])
        let client = try Sending.client(allow: ["127.0.0.0/8"], resolver: resolver)
        #expect(try await client.send(Sending.post("http://later.test:\(receiver.port)/")).status == 200)
        #expect(try await Sending.failure(client, Sending.post("http://late.test:\(receiver.port)/")).reason == .connectionRefused)
        #expect(try await Sending.failure(client, Sending.post("http://none.test/")).reason == .nameNotFound("none.test"))
        #expect(try await Sending.failure(client, Sending.post("http://empty.test/")).reason.code == "connection_failed")
    }
}

import Addresses
import NIOCore
import NIOPosix
import NIOSSL

/// What all requests of a client share.
struct ClientSettings: Sendable {
    let addresses: AddressGuard
    let allowHTTP: Bool
    let limits: OutboundLimits
    let resolver: any AddressResolving
    let tls: NIOSSLContext
}

/// Opens connections to addresses, never to names, on one event loop, and keeps the idle ones.
final class Connector {
    let loop: any EventLoop
    let settings: ClientSettings
    let pool: ConnectionPool

    init(loop: any EventLoop, settings: ClientSettings, count: KeptCount) {
        self.loop = loop
        self.settings = settings
        pool = ConnectionPool(loop: loop, limits: settings.limits, addresses: settings.addresses, count: count)
    }

    /// - Throws: for a host that TLS can't name.
    func makeConnection(for key: PoolKey, user: any ConnectionUser) throws -> Connection {
        var tls: NIOSSLClientHandler?
        if key.isTLS {
            // Without a name the certificate must have the address itself.
            var name: String?
            if case .name(let host) = key.host { name = host }
            tls = try NIOSSLClientHandler(context: settings.tls, serverHostname: name)
        }
        let connection = Connection(key: key, limits: settings.limits, gate: Gate(addresses: settings.addresses), tls: tls)
        connection.user = user
        return connection
    }

    /// Begins to connect; what comes of it is told to the connection's user.
    ///
    /// - Parameter patience: until the connection is made; TLS has the user's own deadline.
    /// - Throws: nothing that can happen for an address of the right length.
    func open(_ connection: Connection, to address: IPAddress, patience: TimeAmount) throws {
        let socket = try address.socketAddress(port: connection.key.port)
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(patience)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A hostile body is read in small bites, each seen before the next.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 2 << 10, maximum: 16 << 10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.addHandlers(to: channel.pipeline.syncOperations) }
            }
        bootstrap.connect(to: socket).assumeIsolated().whenFailure { error in connection.fail(Self.reason(error)) }
    }

    private static func reason(_ error: any Error) -> OutboundError {
        switch error {
        case ChannelError.connectTimeout: .timedOut(.connecting)
        case let error as IOError where error.errnoCode == ECONNREFUSED: .connectionRefused
        case let error as IOError where error.errnoCode == ETIMEDOUT: .timedOut(.connecting)
        case let error as IOError: .connectionFailed(String(cString: strerror(error.errnoCode)))
        default: .connectionFailed("\(error)")
        }
    }
}

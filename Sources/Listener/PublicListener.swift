import Domain
import Foundation
import HTTPSupport
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import ServiceLifecycle
import Synchronization

/// The sockets of the public API: HTTP/1.1, and with a certificate TLS with HTTP/2 by ALPN.
///
/// Our own channel handlers rather than a framework's: the whole API is a synchronous core, and answering it on the
/// event loop that read the request is what makes it fast. Time-outs, limits and closing are all in sight here.
public final class PublicListener: Service {
    public struct TLSFiles: Sendable {
        public let certificate: String
        public let key: String
        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    private let core: any RequestCore
    private let limits: ListenerLimits
    private let group: any EventLoopGroup
    private let channel: any Channel
    private let quiescing: ServerQuiescingHelper
    private let connections: Connections
    /// Told how many connections a shutdown has closed because its time was over.
    private let didCut: @Sendable (Int) -> Void
    public let port: Int

    /// Binds, and answers from then on.
    ///
    /// - Parameter didCut: told how many connections a shutdown has closed because its time was over.
    /// - Throws: `IOError` when the port is taken, `NIOSSLError` for a certificate that can't be used.
    public static func bind(
        host: String, port: Int, tls: TLSFiles?, core: any RequestCore, time: any TimeSource,
        limits: ListenerLimits = ListenerLimits(), proxies: TrustedProxies = TrustedProxies(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, didCut: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> PublicListener {
        let security = try tls.map(Self.context)
        let quiescing = ServerQuiescingHelper(group: group)
        let connections = Connections()
        let rounds = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map { loop in
                (ObjectIdentifier(loop), NIOLoopBoundBox.makeBoxSendingValue(WriteRound(loop, time: time), eventLoop: loop))
            })
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .childChannelInitializer { channel in
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let peer = Peer(channel.remoteAddress, proxies: proxies)
                    let round = rounds[ObjectIdentifier(channel.eventLoop)]?.value ?? WriteRound(channel.eventLoop, time: time)
                    if let security {
                        try Self.addTLS(channel, security, core, limits, round, peer)
                    } else {
                        try Self.addHTTP1(channel, core, limits, round, peer)
                    }
                }
            }
            .bind(host: host, port: port).get()
        return PublicListener(
            core: core, limits: limits, group: group, channel: channel, quiescing: quiescing, connections: connections,
            didCut: didCut)
    }

    private init(
        core: any RequestCore, limits: ListenerLimits, group: any EventLoopGroup, channel: any Channel,
        quiescing: ServerQuiescingHelper, connections: Connections, didCut: @escaping @Sendable (Int) -> Void
    ) {
        self.core = core
        self.limits = limits
        self.group = group
        self.channel = channel
        self.quiescing = quiescing
        self.connections = connections
        self.didCut = didCut
        port = channel.localAddress?.port ?? 0
    }

    /// Serves until the graceful shutdown, then finishes what is under way. When it is cancelled, because that takes longer
    /// than it may or another service has failed, what is still open is closed.
    public func run() async throws {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let hasBegun = Atomic<Bool>(false)
        @Sendable func begin() {
            if !hasBegun.exchange(true, ordering: .relaxed) { quiescing.initiateShutdown(promise: promise) }
        }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await promise.futureResult.get()
            } onGracefulShutdown: {
                begin()
            }
        } onCancel: {
            begin()
            let cut = connections.close()
            if cut > 0 { didCut(cut) }
        }
    }

    private static func context(_ files: TLSFiles) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificate)
        let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // A client that does not say goodbye must not hold the connection, nor a shutdown.
        configuration.shutdownTimeout = .seconds(1)
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func addHTTP1(
        _ channel: any Channel, _ core: any RequestCore, _ limits: ListenerLimits, _ round: WriteRound, _ peer: Peer,
        accepted: NIODeadline = .now()
    ) throws {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        // Loose: the handler's own limits give the better answers.
        decoding.maxHeaderFieldSize = 64 << 10
        decoding.maxHeaderListSize = 96 << 10
        decoding.maxHeaderFieldCount = 1_000
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoding)
        let meter = RequestLineMeter(longest: limits.head.longestTarget)
        let handler = RequestHandler(
            core: core, limits: limits, encoder: HTTP1Encoder(round), peer: peer, meter: meter, since: accepted)
        try channel.pipeline.syncOperations.addHandlers([meter, ByteToMessageHandler(decoder), handler])
    }

    private static func addTLS(
        _ channel: any Channel, _ security: NIOSSLContext, _ core: any RequestCore, _ limits: ListenerLimits,
        _ round: WriteRound, _ peer: Peer
    ) throws {
        let bound = NIOLoopBound(round, eventLoop: channel.eventLoop)
        let handshake = HandshakeTimeout(limits.headTimeout)
        let accepted = NIODeadline.now()
        let alpn = ApplicationProtocolNegotiationHandler { result, channel in
            channel.eventLoop.makeCompletedFuture {
                handshake.finished()
                if case .negotiated("h2") = result {
                    try addHTTP2(channel, core, limits, bound.value, peer, accepted: accepted)
                } else {
                    try addHTTP1(channel, core, limits, bound.value, peer, accepted: accepted)
                }
            }
        }
        try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: security), handshake, alpn])
    }

    private static func addHTTP2(
        _ channel: any Channel, _ core: any RequestCore, _ limits: ListenerLimits, _ round: WriteRound, _ peer: Peer,
        accepted: NIODeadline
    ) throws {
        let bound = NIOLoopBound(round, eventLoop: channel.eventLoop)
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            // Loose, as for HTTP/1.1. It is also what the five CONTINUATION frames hold that the library takes.
            HTTP2Setting(parameter: .maxHeaderListSize, value: 96 << 10),
        ]
        // What is under way has the time of the shutdown; its end closes the connections.
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: limits.idleTimeout, maxAge: nil, maxGraceTime: nil,
                keepalive: .init(pingInterval: .seconds(30), ackTimeout: .seconds(20))))
        let meter = FrameMeter()
        let end = HTTP2ConnectionEnd(limits, accepted: accepted, meter: meter)
        try channel.pipeline.syncOperations.addHandler(meter)
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: .init(),
            streamDelegate: HTTP2ConnectionEnd.Streams(end, manager, eventLoop: channel.eventLoop)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let handler = RequestHandler(
                    core: core, limits: limits, encoder: HTTP2Encoder(bound.value), peer: peer, meter: nil)
                try stream.pipeline.syncOperations.addHandlers([HTTP2FramePayloadToHTTP1ServerCodec(), handler])
            }
        }
        try channel.pipeline.syncOperations.addHandlers([manager, end])
        // Of a shutdown that began during the handshake nobody has told this connection.
        if core.isShuttingDown { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }
}

/// The open connections of a listener.
private final class Connections: Sendable {
    private struct Open {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosed = false
    }

    private let open = Mutex(Open())

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isLate = open.withLock { open in
            if !open.isClosed { open.channels[id] = channel }
            return open.isClosed
        }
        if isLate { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.open.withLock { _ = $0.channels.removeValue(forKey: id) } }
    }

    /// Closes them all, and those that come.
    ///
    /// - Returns: how many there were.
    func close() -> Int {
        let channels = open.withLock { open in
            open.isClosed = true
            return Array(open.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
        return channels.count
    }
}

/// Closes a connection whose TLS handshake takes too long.
private final class HandshakeTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    private let patience: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ patience: TimeAmount) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
    func finished() { timer?.cancel() }
}

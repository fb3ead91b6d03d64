import NIOCore
import NIOPosix
import NIOSSL

/// Sends POSTs to URLs that strangers have chosen.
///
/// It connects to checked addresses only, follows nothing, undoes no compression, and gives each request one deadline
/// over everything. Requests run on event loops, those of one endpoint on the same; no task is needed for them.
public final class OutboundClient: Sendable {
    private let connectors: [(loop: any EventLoop, connector: NIOLoopBoundBox<Connector>)]

    /// - Parameters:
    ///   - addresses: says where it may connect to.
    ///   - allowHTTP: whether `http` may be used.
    ///   - extraRoots: a PEM file of certificates that are trusted besides the system's.
    /// - Throws: `NIOSSLError` where the system's or the extra certificates can't be read.
    public init(
        addresses: AddressGuard, allowHTTP: Bool = false, extraRoots: String? = nil, limits: OutboundLimits = OutboundLimits(),
        resolver: any AddressResolving = SystemResolver(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.certificateVerification = .fullVerification
        tls.applicationProtocols = ["http/1.1"]
        tls.additionalTrustRoots = extraRoots.map { [.file($0)] } ?? []
        // For the peer's part of the good-bye, which nobody needs.
        tls.shutdownTimeout = .milliseconds(100)
        let settings = ClientSettings(
            addresses: addresses, allowHTTP: allowHTTP, limits: limits, resolver: resolver, tls: try NIOSSLContext(configuration: tls))
        let count = KeptCount()
        connectors = group.makeIterator().map { loop in
            (loop, .makeBoxSendingValue(Connector(loop: loop, settings: settings, count: count), eventLoop: loop))
        }
    }

    deinit { closeIdle() }

    /// Sends and calls back once, on an event loop: don't block it.
    ///
    /// Any status is a success, redirects too. A time-out, whenever it comes, is a failure, even behind a 2xx head.
    @discardableResult
    public func send(
        _ post: OutboundPost, completion: @escaping @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void
    ) -> OutboundCancellation {
        let cancellation = OutboundCancellation(loop: place(of: post).loop)
        send(post, cancellation, completion)
        return cancellation
    }

    /// Sends; cancelling the task closes the connection.
    public func send(_ post: OutboundPost) async throws(OutboundFailure) -> OutboundResponse {
        let cancellation = OutboundCancellation(loop: place(of: post).loop)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                send(post, cancellation) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }

    /// Closes the kept connections. Requests under way go on.
    public func closeIdle() {
        for (loop, connector) in connectors { loop.execute { connector.value.pool.closeAll() } }
    }

    private func place(of post: OutboundPost) -> (loop: any EventLoop, connector: NIOLoopBoundBox<Connector>) {
        connectors[Int(UInt64(bitPattern: post.endpoint) % UInt64(connectors.count))]
    }

    private func send(_ post: OutboundPost, _ cancellation: OutboundCancellation, _ completion: @escaping Exchange.Completion) {
        let (loop, connector) = place(of: post)
        let began = NIODeadline.now()
        loop.execute {
            let exchange = Exchange(post, began: began, connector: connector.value, completion: completion)
            cancellation.begin(exchange)
        }
    }
}

/// Ends a request early.
public final class OutboundCancellation: Sendable {
    private enum State {
        case waiting
        case running(Running)
        case cancelled
    }

    private struct Running {
        weak var exchange: Exchange?
    }

    private let loop: any EventLoop
    private let state: NIOLoopBoundBox<State?>

    init(loop: any EventLoop) {
        self.loop = loop
        state = .makeEmptyBox(eventLoop: loop)
    }

    /// Closes the request's connection; its end is told as `cancelled`, unless it came first.
    public func cancel() {
        loop.execute { [state] in
            if case .running(let running) = state.value { running.exchange?.cancel() }
            state.value = .cancelled
        }
    }

    /// On the event loop.
    func begin(_ exchange: Exchange) {
        if case .cancelled = state.value { return exchange.cancel() }
        state.value = .running(Running(exchange: exchange))
        exchange.start()
    }
}

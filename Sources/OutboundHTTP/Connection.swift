import Addresses
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// What a connection tells the exchange that it works for. All of it on the event loop.
protocol ConnectionUser: AnyObject {
    func reached(_ phase: OutboundError.Phase)
    /// Connected, and over TLS verified: a request may be written.
    func isReady(_ connection: Connection)
    func ended(_ response: OutboundResponse, on connection: Connection)
    /// - Parameter partial: what had come of a response.
    func failed(_ reason: OutboundError, partial: OutboundResponse?, on connection: Connection)
}

/// The last handler of a connection: writes one request at a time, collects its response, and hands itself back.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        case opening
        case idle
        /// A request is out.
        case busy
        case closed
    }

    let key: PoolKey
    let opened = NIODeadline.now()
    /// Since when it is kept.
    var idleSince = NIODeadline.now()
    var user: (any ConnectionUser)?
    private(set) var address: IPAddress?
    private(set) var requests = 0
    /// Called once when an idle connection ends.
    var whenLost: ((Connection) -> Void)?

    private let limits: OutboundLimits
    private let gate: Gate
    private let meter = ResponseMeter()
    private let tls: NIOSSLClientHandler?
    private var context: ChannelHandlerContext?
    private var state = State.opening
    /// What has come of the response, from its head on.
    private var response: OutboundResponse?
    private var remoteAddress = ""
    private var interim = 0
    private var isWritten = false
    /// The response is complete; told when the read is over, so that bytes behind it are seen first.
    private var isComplete = false
    private var keeps = false

    init(key: PoolKey, limits: OutboundLimits, gate: Gate, tls: NIOSSLClientHandler?) {
        self.key = key
        self.limits = limits
        self.gate = gate
        self.tls = tls
    }

    /// Whether the exchange has had no byte of a response.
    var isUnanswered: Bool { meter.count == 0 }

    var isOpen: Bool {
        if case .closed = state { return false }
        return context?.channel.isActive ?? false
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Opening

    /// From the socket on: the gate, TLS, the meter, HTTP/1, and itself.
    func addHandlers(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.largestHead
        decoding.maxHeaderListSize = limits.largestHead
        decoding.maxHeaderFieldCount = limits.mostHeaders
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward, limitConfiguration: decoding)
        try pipeline.addHandler(gate)
        if let tls { try pipeline.addHandler(tls) }
        try pipeline.addHandlers([meter, HTTPRequestEncoder(), ByteToMessageHandler(decoder), self])
    }

    func channelActive(context: ChannelHandlerContext) {
        address = IPAddress(context.channel.remoteAddress)
        if let address {
            let port = context.channel.remoteAddress?.port ?? key.port
            remoteAddress = address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
        if tls == nil { open() } else { user?.reached(.handshaking) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent, case .opening = state { open() }
        context.fireUserInboundEventTriggered(event)
    }

    private func open() {
        state = .idle
        user?.isReady(self)
    }

    // MARK: Writing

    func send(_ post: OutboundPost) {
        guard let context, case .idle = state else { return fail(.closedEarly(.sending)) }
        state = .busy
        response = nil
        requests += 1
        (interim, isWritten, isComplete) = (0, false, false)
        meter.begin(limit: limits.largestHead)
        user?.reached(.sending)
        var headers = HTTPHeaders()
        headers.reserveCapacity(post.headers.count + 2)
        headers.add(name: "Host", value: post.url.authority)
        for (name, value) in post.headers { headers.add(name: name, value: value) }
        headers.add(name: "Content-Length", value: String(post.body.count))
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: post.url.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !post.body.isEmpty {
            let body = context.channel.allocator.buffer(bytes: post.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        let request = requests
        written.futureResult.assumeIsolated().whenSuccess { [self] in
            guard request == requests else { return }
            isWritten = true
            if case .busy = state, response == nil { user?.reached(.waiting) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .busy = state, !isComplete else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): take(head)
        case .body(let bytes): take(bytes)
        case .end: isComplete = response != nil
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isComplete { complete() }
        context.fireChannelReadComplete()
    }

    private func take(_ head: HTTPResponseHead) {
        let status = Int(head.status.code)
        guard status != 101 else { return fail(.malformedResponse("101 without being asked")) }
        guard (100...599).contains(status) else { return fail(.malformedResponse("status \(status)")) }
        guard status >= 200 else {
            interim += 1
            return interim > limits.mostInterimResponses ? fail(.tooManyInterimResponses) : ()
        }
        // Four times the body, for chunks of a few bytes each; who needs more is cut.
        meter.extend(by: limits.largestBody * 4)
        keeps = head.isKeepAlive
        let headers = head.headers.map { (name: $0.name, value: $0.value) }
        response = OutboundResponse(status: status, headers: headers, remoteAddress: remoteAddress)
        user?.reached(.reading)
    }

    private func take(_ bytes: ByteBuffer) {
        guard let room = response.map({ limits.largestBody - $0.body.count }) else { return }
        response?.body.append(contentsOf: bytes.readableBytesView.prefix(room))
        guard bytes.readableBytes > room else { return }
        response?.isCut = true
        complete()
    }

    private func complete() {
        guard case .busy = state, let response else { return }
        isComplete = false
        self.response = nil
        let user = self.user
        self.user = nil
        // What is not all written, or not all read, can't carry another request.
        if keeps, isWritten, !response.isCut, isOpen {
            state = .idle
            // A byte without a request ends it.
            meter.begin(limit: 0)
        } else {
            state = .closed
            if response.isCut { gate.closeNow() } else { context?.close(promise: nil) }
        }
        user?.ended(response, on: self)
    }

    // MARK: Ending

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isComplete {
            // Whatever stands behind a complete response: it counts, its connection does not.
            keeps = false
            return
        }
        switch state {
        case .opening: fail(TLSFailure.reason(error, certificate: tls?.peerCertificate))
        case .busy:
            switch error {
            case NIOSSLError.uncleanShutdown where response != nil:
                // The end of a body without length, unannounced by TLS: who answers so has read the request.
                response?.isCut = true
            case is ResponseMeter.Exceeded where response != nil:
                response?.isCut = true
                complete()
            default: fail(Self.reason(error, phase))
            }
        case .idle, .closed: gate.closeNow()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isComplete { complete() }
        fail(gate.refusal ?? .closedEarly(phase))
        context.fireChannelInactive()
    }

    /// Ends at once; the user is not told.
    func abandon() -> OutboundResponse? {
        user = nil
        defer { fail(.cancelled) }
        return response
    }

    /// Ends with TLS's good-bye, of an idle connection.
    func close() {
        whenLost = nil
        state = .closed
        context?.close(promise: nil)
    }

    func fail(_ reason: OutboundError) {
        if case .closed = state { return }
        state = .closed
        gate.closeNow()
        let (user, whenLost, partial) = (self.user, self.whenLost, response)
        (self.user, self.whenLost, response) = (nil, nil, nil)
        user?.failed(reason, partial: partial, on: self)
        whenLost?(self)
    }

    private var phase: OutboundError.Phase {
        switch state {
        case .opening: tls == nil || address == nil ? .connecting : .handshaking
        case .busy: response != nil ? .reading : isWritten ? .waiting : .sending
        case .idle, .closed: .waiting
        }
    }

    private static func reason(_ error: any Error, _ phase: OutboundError.Phase) -> OutboundError {
        switch error {
        case HTTPParserError.headerOverflow, is ResponseMeter.Exceeded: .headTooLarge
        case HTTPParserError.invalidEOFState: .closedEarly(phase)
        case let error as HTTPParserError: .malformedResponse("\(error)")
        case is NIOHTTPDecoderError: .malformedResponse("\(error)")
        case is IOError, is ChannelError, is NIOSSLError: .closedEarly(phase)
        default: .malformedResponse("\(error)")
        }
    }
}

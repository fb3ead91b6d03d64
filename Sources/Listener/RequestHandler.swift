import Dispatch
import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// One connection's (HTTP/1.1) or stream's (HTTP/2) requests, one at a time: read a head, ask the core, write the
/// answer. What comes before the answer is out waits, and nothing more is read.
final class RequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    enum State {
        /// Between requests.
        case idle
        /// A head is there, its body is being dropped.
        case reading(HTTPRequestHead, size: Int)
        /// The core has it.
        case answering
        /// The answer's head is out, its body is being made.
        case sending(BodyUnderWay)
        case closed
    }

    /// Nothing further is taken in.
    private var isBusy: Bool {
        switch state {
        case .answering, .sending: true
        case .idle, .reading, .closed: false
        }
    }

    let core: any RequestCore
    private let limits: ListenerLimits
    let encoder: any AnswerEncoding
    private let peer: Peer
    private let meter: RequestLineMeter?
    var state = State.idle
    var waiting: CircularBuffer<HTTPServerRequestPart> = []
    private var wantsRead = false
    var isQuiescing = false
    var inputEnded = false
    private var served = 0
    /// The last request was answered before its end was there.
    private var isRefused = false
    /// Since when we wait: for a request, its rest, or the client to read.
    var since: NIODeadline
    private var isWritable = true
    private var timer: Scheduled<Void>?
    private var started: UInt64 = 0

    init(
        core: any RequestCore, limits: ListenerLimits, encoder: any AnswerEncoding, peer: Peer,
        meter: RequestLineMeter?, since: NIODeadline = .now()
    ) {
        self.core = core
        self.limits = limits
        self.encoder = encoder
        self.peer = peer
        self.meter = meter
        self.since = since
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if encoder.isHTTP1, context.channel.isActive { arm(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        since = .now()
        if encoder.isHTTP1 { arm(context) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .sending(let body) = state {
            body.source.cancel()
            if body.isEnding, !encoder.isHTTP1 {
                // A stream closes with its last frame (RFC 9113, 5.1).
                report(body, .whole, cause: nil)
            } else {
                report(body, .left, cause: body.isStuck ? "the client stopped reading" : "the client has gone")
            }
        }
        state = .closed
        waiting.removeAll()
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if holds(context) || !waiting.isEmpty { waiting.append(part) } else { take(part, context) }
    }

    /// Reads only what it can answer, and what the client reads the answers of: back-pressure for pipelines.
    func read(context: ChannelHandlerContext) {
        if holds(context) { wantsRead = true } else { context.read() }
    }

    private func holds(_ context: ChannelHandlerContext) -> Bool { isBusy || !context.channel.isWritable }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (state, part) {
        case (.idle, .head(let head)):
            started = DispatchTime.now().uptimeNanoseconds
            if let problem = limits.head.problem(of: head, isHTTP1: encoder.isHTTP1) { return refuse(problem, context, head: head) }
            state = .reading(head, size: 0)
            since = .now()
            if head.version.minor > 0, head.headers.contains(name: "expect") { encoder.writeContinue(context) }
        case (.reading(let head, let size), .body(let bytes)):
            guard size + bytes.readableBytes <= limits.largestBody else {
                return refuse(Self.reads(head.method) ? .bodyTooLarge(limits) : .methodNotAllowed, context, head: head)
            }
            state = .reading(head, size: size + bytes.readableBytes)
        case (.reading(let head, _), .end):
            meter?.requestEnded()
            answer(head, context)
        default: break
        }
    }

    // MARK: Answering

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state = .answering
        let request = IncomingRequest(
            method: head.method, target: head.uri, headers: head.headers, client: peer.client(head.headers), requestIDs: core.requestIDs)
        switch core.respond(to: request) {
        case .now(let answer): write(answer, to: head, request, context)
        case .later(let start):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            start { answer in
                loop.execute {
                    let (handler, context) = bound.value
                    handler.write(answer, to: head, request, context)
                    handler.resume(context)
                }
            }
        }
    }

    private func write(_ answer: Answer, to head: HTTPRequestHead, _ request: IncomingRequest, _ context: ChannelHandlerContext) {
        guard case .answering = state else {
            answer.rest?.cancel()
            return
        }
        served += 1
        let keeps = head.isKeepAlive && !isQuiescing && !core.isShuttingDown
        if let source = answer.rest {
            // A body of HTTP/1.0 ends with its connection.
            let keeps = keeps && (!encoder.isHTTP1 || head.version.minor > 0)
            return begin(
                BodyUnderWay(source, answer, head, requestID: request.requestID, client: request.client, keepsConnection: keeps), context)
        }
        let sent = encoder.write(answer, isHead: head.method == .HEAD, version: head.version, keepAlive: keeps, context)
        report(
            answer, method: head.method.rawValue, target: head.uri, requestID: request.requestID, client: request.client, sent)
        guard case .answering = state else { return }
        state = .idle
        since = .now()
        if !keeps { finish(context) } else if inputEnded, waiting.isEmpty { finish(context) }
    }

    /// Goes on with what came in meanwhile.
    func resume(_ context: ChannelHandlerContext) {
        if holds(context) { return }
        while let part = waiting.popFirst() {
            take(part, context)
            if holds(context) { return }
        }
        if wantsRead {
            wantsRead = false
            context.read()
        }
        if inputEnded, case .idle = state { finish(context) }
    }

    /// Answers what could not be read to its end, or at all: then there is no head.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext, head: HTTPRequestHead? = nil) {
        if case .closed = state { return }
        state = .answering
        isRefused = true
        let request = head.map {
            IncomingRequest(
                method: $0.method, target: $0.uri, headers: $0.headers, client: peer.client($0.headers), requestIDs: core.requestIDs)
        }
        let answer = core.refuse(problem, to: request)
        let sent = encoder.write(answer, isHead: head?.method == .HEAD, version: .http1_1, keepAlive: false, context)
        let requestID = answer.headers.first { $0.0 == "X-Request-Id" }?.1 ?? "-"
        report(
            answer, method: head?.method.rawValue ?? "-", target: head?.uri ?? "-", requestID: requestID,
            client: request?.client ?? peer.address, sent)
        finish(context)
    }

    private static func reads(_ method: HTTPMethod) -> Bool { method == .GET || method == .HEAD || method == .OPTIONS }

    func report(
        _ answer: Answer, method: String, target: String, requestID: String, client: ClientAddress, _ bytes: Int
    ) {
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        core.finished(
            AccessRecord(
                method: method, path: String(target[..<end]), answer: answer, requestID: requestID, client: client,
                nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds - started), bytes: bytes))
    }

    /// Closes once what was written is out.
    func finish(_ context: ChannelHandlerContext) {
        state = .closed
        since = .now()
        waiting.removeAll()
        encoder.close(context)
    }

    /// Closes without an answer to what came in part. What was answered in the same round may not be out yet.
    private func leave(_ context: ChannelHandlerContext) {
        if encoder.isHTTP1 { finish(context) } else { context.close(promise: nil) }
    }

    // MARK: Events

    func channelReadComplete(context: ChannelHandlerContext) {
        resume(context)
        // A stream has its timer from its head on; a connection has its from the beginning.
        if !encoder.isHTTP1, context.channel.isActive { arm(context) }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .closed = state else {
            // Bytes behind those that could not be read, of which was told.
            if error is ByteToMessageDecoderError { return }
            guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
            if holds(context) || !waiting.isEmpty {
                // What came before is answered, and nothing behind it can be.
                inputEnded = true
                return
            }
            if started == 0 { started = DispatchTime.now().uptimeNanoseconds }
            guard let problem = limits.head.problem(of: error, meter) else {
                return leave(context)
            }
            refuse(problem, context)
            return
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        since = .now()
        if isWritable {
            makeNext(context)
            resume(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            if case .idle = state, waiting.isEmpty { finish(context) }
        case ChannelEvent.inputClosed:
            // A client that is done asking still gets what it asked for.
            inputEnded = true
            switch state {
            case .idle where waiting.isEmpty: finish(context)
            case .reading: leave(context)
            default: break
            }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Time

    /// One timer a connection, looked at when it fires, so that a request costs none.
    func arm(_ context: ChannelHandlerContext, in time: TimeAmount? = nil) {
        guard timer == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time ?? limits.lookInterval) {
            let (handler, context) = bound.value
            handler.timer = nil
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        guard let left = timeLeft(context) else { return arm(context) }
        guard left <= .zero else { return arm(context, in: min(left, limits.lookInterval)) }
        if case .sending(let body) = state { body.isStuck = true }
        context.close(promise: nil)
    }

    /// How long this client may still keep us waiting; nil where it does not.
    private func timeLeft(_ context: ChannelHandlerContext) -> TimeAmount? {
        let now = NIODeadline.now()
        let isRead = context.channel.isWritable
        switch state {
        case .answering: return nil
        case .sending: return isRead ? nil : since + limits.writeTimeout - now
        case .reading: return since + limits.headTimeout - now
        case .closed: return since + (encoder.isHTTP1 || isRefused ? limits.writeTimeout : limits.longestSending) - now
        case .idle where !encoder.isHTTP1:
            // All of the answer is handed over, and goes as the client's windows let it.
            return since + (served == 0 ? limits.headTimeout : limits.longestSending) - now
        case .idle:
            if !isRead || !isWritable { return since + limits.writeTimeout - now }
            if served == 0 { return since + limits.headTimeout - now }
            return (meter?.began).map { $0 + limits.headTimeout - now } ?? (since + limits.idleTimeout - now)
        }
    }
}

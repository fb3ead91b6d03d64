import Dispatch
import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1

/// What the operator listener's connections are held to, beside what the server library sees to.
///
/// - A connection that has not sent a request's head in 10 s is closed, and so is one whose request has not ended 60 s after its
///   head.
/// - A head that is too large, that can't be read, or that names no host or two, is refused in the words of every other refusal:
///   the library takes some of it, and answers the rest without a word.
/// - `Expect: 100-continue` is answered (RFC 9110, 10.1.1): curl would wait a second, others for ever.
/// - An answer that comes before its request's body has ended is the last on its connection: the library would read on, be it
///   for gigabytes. So is one that says `Connection: close`, and one to a client that asked for it in any spelling, or by HTTP/1.0.
///
/// It stands between the parser and the library's own handlers.
final class ConnectionManners: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    static let headTimeout = TimeAmount.seconds(10)
    static let bodyTimeout = TimeAmount.seconds(60)

    private let limits = {
        var limits = HeadLimits()
        let known = "GET, HEAD, POST, PUT, PATCH, DELETE"
        limits.unknownMethod = Problem(.methodNotAllowed, "No address here takes this method.", headers: [("Allow", known)])
        return limits
    }()
    private let meter: RequestLineMeter
    private let client: ClientAddress
    private let observer: any AccessObserving
    private let requestIDs: RequestIDs
    /// A head has come whose request has not ended.
    private var isReading = false
    /// Requests that were passed on and are not answered.
    private var unanswered = 0
    /// The client wants no answer after the one to this request.
    private var isLast = false
    /// The answer under way is the last.
    private var isClosing = false
    /// A refusal that waits until what was asked before it is answered.
    private var refused: (problem: Problem, method: String)?
    /// Nothing more is read.
    private var isOver = false
    private var timer: Scheduled<Void>?

    init(meter: RequestLineMeter, client: ClientAddress, observer: any AccessObserving, requestIDs: RequestIDs) {
        self.meter = meter
        self.client = client
        self.observer = observer
        self.requestIDs = requestIDs
    }

    func handlerAdded(context: ChannelHandlerContext) { closeAfter(Self.headTimeout, context) }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func closeAfter(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            if let problem = limits.problem(of: head) { return refuse(problem, method: head.method.rawValue, context) }
            closeAfter(Self.bodyTimeout, context)
            (isReading, unanswered) = (true, unanswered + 1)
            if !head.isKeepAlive {
                // The library knows this one spelling.
                head.headers.replaceOrAdd(name: "connection", value: "close")
                isLast = true
            }
            if head.version.minor > 0, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(data)
        case .end:
            isReading = false
            timer?.cancel()
            meter.requestEnded()
            isOver = isLast
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isOver else { return }
        // In the middle of a body whoever reads it has to be told.
        guard !isReading, let error = error as? HTTPParserError,
            let problem = limits.problem(of: error, meter)
        else { return context.fireErrorCaught(error) }
        refuse(problem, method: "-", context)
    }

    // MARK: Refusing

    private func refuse(_ problem: Problem, method: String, _ context: ChannelHandlerContext) {
        isOver = true
        timer?.cancel()
        if unanswered == 0 { send(problem, method, context) } else { refused = (problem, method) }
    }

    private func send(_ problem: Problem, _ method: String, _ context: ChannelHandlerContext) {
        let began = DispatchTime.now().uptimeNanoseconds
        let requestID = requestIDs.next()
        let answer = PushAPI.failure(problem, requestID: requestID).complete(requestID)
        var headers = HTTPHeaders(answer.headers)
        headers.add(name: "Content-Length", value: String(answer.body.readableBytes))
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if method != "HEAD" { context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
        let done = context.eventLoop.makePromise(of: Void.self)
        close(context.channel, after: done.futureResult)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
        observer.finished(
            AccessRecord(
                method: method, path: "-", answer: answer, requestID: requestID, client: client,
                nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds - began), bytes: answer.body.readableBytes))
    }

    /// Half at first, so that a reset does not overtake the answer.
    private func close(_ channel: any Channel, after done: EventLoopFuture<Void>) {
        done.whenComplete { _ in
            channel.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
    }

    // MARK: Answering

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            if isReading || (isLast && unanswered == 1) { head.headers.replaceOrAdd(name: "connection", value: "close") }
            isClosing = head.headers.first(name: "connection")?.lowercased() == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            unanswered -= 1
            let waiting = unanswered == 0 && !isClosing ? refused : nil
            guard isClosing || waiting != nil else { return context.write(data, promise: promise) }
            refused = nil
            let done = promise ?? context.eventLoop.makePromise()
            if isClosing {
                isOver = true
                close(context.channel, after: done.futureResult)
            }
            context.write(data, promise: done)
            if let waiting { send(waiting.problem, waiting.method, context) }
        default: context.write(data, promise: promise)
        }
    }
}

/// Puts ``ConnectionManners`` where it belongs: the library's own place for additional handlers is behind its conversion, which
/// hides a head's version and its second host.
public final class ConnectionMannersInstaller: ChannelInboundHandler, RemovableChannelHandler {
    public typealias InboundIn = NIOAny

    private let observer: any AccessObserving
    private let requestIDs: RequestIDs

    /// - Parameter observer: is told of requests that are refused before anybody else sees them.
    public init(observer: any AccessObserving, requestIDs: RequestIDs) {
        self.observer = observer
        self.requestIDs = requestIDs
    }

    public func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let meter = RequestLineMeter(longest: HeadLimits().longestTarget)
            let manners = ConnectionManners(
                meter: meter, client: ClientAddress(context.channel.remoteAddress), observer: observer, requestIDs: requestIDs)
            try pipeline.addHandler(manners, position: .after(parser))
            try pipeline.addHandler(meter, position: .before(parser))
        } catch {
            // Without its manners there is no connection.
            context.close(promise: nil)
        }
    }
}

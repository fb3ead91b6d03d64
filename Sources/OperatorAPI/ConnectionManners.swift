import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// What the operator listener's connections are held to, beside what the server library sees to.
///
/// - A connection that has not sent a request's head in 10 s is closed.
/// - `Expect: 100-continue` is answered (RFC 9110, 10.1.1): curl would wait a second, others for ever.
/// - An answer that comes before its request's body has ended is the last on its connection: the library would read on, be it
///   for gigabytes. So is one that says `Connection: close`.
public final class ConnectionManners: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPRequestPart
    public typealias OutboundIn = HTTPResponsePart
    public typealias OutboundOut = HTTPResponsePart

    static let headTimeout = TimeAmount.seconds(10)
    private var isReading = false
    private var isClosing = false
    private var timer: Scheduled<Void>?

    public init() {}

    public func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: Self.headTimeout) { channel.close(promise: nil) }
    }

    public func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    public func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            timer?.cancel()
            isReading = true
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            if isReading { head.headerFields[.connection] = "close" }
            isClosing = head.headerFields[.connection]?.lowercased() == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isClosing:
            let done = promise ?? context.eventLoop.makePromise()
            let channel = context.channel
            done.futureResult.whenComplete { _ in
                // Half at first, so that a reset does not overtake the answer.
                channel.close(mode: .output, promise: nil)
                channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
            }
            context.write(data, promise: done)
        default: context.write(data, promise: promise)
        }
    }
}

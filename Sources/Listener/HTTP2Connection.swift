import NIOCore
import NIOHTTP2

/// Ends an HTTP/2 connection that has failed, whose client has gone, keeps us waiting or does not leave when asked to: all
/// that the protocol's own handlers leave open.
///
/// What this handler or somebody outside closes is closed at once; what the protocol's own handlers close, once all is out.
final class HTTP2ConnectionEnd: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundIn = HTTP2Frame

    /// How long a client without a request under way has for leaving once it was asked to: it may still be reading slowly
    /// what the kernel holds for it.
    private static let farewell = TimeAmount.seconds(300)
    /// The same for one that has broken the protocol.
    private static let shortFarewell = TimeAmount.seconds(5)
    /// How long a client may say nothing at all. It is asked every 30 s whether it is there, but has to read what was sent
    /// before it can answer.
    private static let longestSilence = TimeAmount.seconds(120)

    private let limits: ListenerLimits
    private let accepted: NIODeadline
    private let meter: FrameMeter
    private var streams: Set<HTTP2StreamID> = []
    /// Those of which the library told the end before the beginning: CONNECT is refused while a stream begins.
    private var endedEarly: Set<HTTP2StreamID> = []
    /// Since when no request is under way.
    private var idleSince: NIODeadline
    private var hasFailed = false
    private var timer: Scheduled<Void>?

    /// - Parameter accepted: when the connection was.
    init(_ limits: ListenerLimits, accepted: NIODeadline, meter: FrameMeter) {
        self.limits = limits
        self.accepted = accepted
        self.meter = meter
        idleSince = accepted
    }

    func handlerAdded(context: ChannelHandlerContext) { look(context) }
    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if case .all = mode { meter.isForced = true }
        context.close(mode: mode, promise: promise)
    }

    private func close(_ context: ChannelHandlerContext) { close(context: context, mode: .all, promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.UnableToParseFrame, is NIOHTTP2Errors.BadClientMagic, is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock,
            is NIOHTTP2Errors.ExcessiveContinuationFrames:
            // Nothing more can be read of it, a GOAWAY is out (RFC 9113, 5.4.1).
            close(context)
        case is NIOHTTP2Errors.IOOnClosedConnection:
            // A client that is told goodbye and still reads, and says so: no fault.
            break
        default:
            // One stream's fault, or the connection's: what is under way may end, within the time of a shutdown.
            context.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            guard !hasFailed else { return }
            hasFailed = true
            idleSince = .now()
            timer?.cancel()
            arm(context, in: Self.shortFarewell)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that will send nothing more can't acknowledge what it is sent.
        if case ChannelEvent.inputClosed = event { close(context) }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Time

    /// One timer a connection, looked at when it fires, so that a request costs none.
    private func arm(_ context: ChannelHandlerContext, in time: TimeAmount) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        let left = timeLeft(.now(), isRead: context.channel.isWritable)
        guard left <= .zero else { return arm(context, in: min(left, limits.lookInterval)) }
        close(context)
    }

    /// How long this client may still keep us waiting.
    ///
    /// - Parameter isRead: whether the client has read most of what was written for it.
    private func timeLeft(_ now: NIODeadline, isRead: Bool) -> TimeAmount {
        if !meter.hasHead { return accepted + limits.headTimeout - now }
        if let began = meter.began { return began + limits.headTimeout - now }
        let silence = meter.lastRead + Self.longestSilence - now
        guard streams.isEmpty else { return silence }
        // The manager asks an idle client to leave after its time. The end of a shutdown closes what is left then.
        let patience = hasFailed && isRead ? Self.shortFarewell : limits.idleTimeout + Self.farewell
        return min(silence, idleSince + patience - now)
    }

    /// - Returns: whether the manager is to know of it.
    private func streamBegan(_ id: HTTP2StreamID) -> Bool {
        guard endedEarly.remove(id) == nil else { return false }
        streams.insert(id)
        return true
    }

    /// - Returns: whether the manager is to know of it.
    private func streamEnded(_ id: HTTP2StreamID) -> Bool {
        guard streams.remove(id) != nil else {
            endedEarly.insert(id)
            return false
        }
        if streams.isEmpty { idleSince = .now() }
        return true
    }

    /// Tells both this handler and the manager of a connection of its streams.
    struct Streams: NIOHTTP2StreamDelegate {
        private let end: NIOLoopBound<HTTP2ConnectionEnd>
        private let manager: NIOHTTP2ServerConnectionManagementHandler.HTTP2StreamDelegate

        init(_ end: HTTP2ConnectionEnd, _ manager: NIOHTTP2ServerConnectionManagementHandler, eventLoop: any EventLoop) {
            self.end = NIOLoopBound(end, eventLoop: eventLoop)
            self.manager = manager.http2StreamDelegate
        }

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
            if end.value.streamBegan(id) { manager.streamCreated(id, channel: channel) }
        }

        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
            if end.value.streamEnded(id) { manager.streamClosed(id, channel: channel) }
        }
    }
}

import NIOCore

/// Watches the frames of a client before the protocol's own handler (RFC 9113, 4.1): since when one is coming in, and
/// whether a request's head was there yet.
///
/// It also puts our settings in force at once. The handler behind it keeps to the protocol's defaults until the client has
/// acknowledged them, and a head of over 16 KiB in a first request would end the connection instead of being answered with
/// 431. So it is given an acknowledgement right behind the client's first settings, and the real one is left out. Our
/// settings only allow more than the defaults do, but for the number of streams, where clients begin with no more than it.
///
/// And it closes once all is out: TLS waits a second for the client's goodbye, and what is not with the kernel by then is lost.
final class FrameMeter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Acknowledgement { case isDue, isGiven, hasCome }

    private struct Frame {
        static let headLength = 9
        static let (headers, settings, continuation) = (UInt8(1), UInt8(4), UInt8(9))
        var length: Int
        var type: UInt8
        var flags: UInt8

        init?(_ bytes: ByteBuffer, at index: Int) {
            guard let word = bytes.getInteger(at: index, as: UInt32.self), let flags = bytes.getInteger(at: index + 4, as: UInt8.self)
            else {
                return nil
            }
            (length, type, self.flags) = (Int(word >> 8), UInt8(truncatingIfNeeded: word), flags)
        }

        var isAcknowledgement: Bool { type == Self.settings && flags & 1 != 0 && length == 0 }
        var isOfAHead: Bool { type == Self.headers || type == Self.continuation }
        var endsAHead: Bool { isOfAHead && flags & 4 != 0 }
    }

    private static let preface = 24
    private static let acknowledgement = ByteBuffer(bytes: [0, 0, 0, Frame.settings, 1, 0, 0, 0, 0])

    /// The beginning of a frame's head whose rest has not come.
    private var held = ByteBuffer()
    /// The frame that is coming in, nil for the client's preface, and how many bytes of it are still to come.
    private var frame: Frame?
    private var missing = preface
    private var acknowledgement = Acknowledgement.isDue
    /// A head's first frame has come and not its last.
    private var isInHead = false
    /// Whether the head of a request was there yet.
    private(set) var hasHead = false
    /// When what is coming in and not yet whole began: a frame, or a head of several.
    private(set) var began: NIODeadline?
    /// When the client last sent anything.
    private(set) var lastRead = NIODeadline.now()
    /// Closing waits for nothing any more.
    var isForced = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        guard case .all = mode, !isForced, context.channel.isActive, let waiting, waiting > 0 else {
            return context.close(mode: mode, promise: promise)
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(50)) {
            let (meter, context) = bound.value
            meter.close(context: context, mode: mode, promise: promise)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = NIODeadline.now()
        lastRead = now
        var bytes = unwrapInboundIn(data)
        if held.readableBytes > 0 {
            held.writeBuffer(&bytes)
            swap(&held, &bytes)
            held = ByteBuffer()
        }
        var (passed, at) = (bytes.readerIndex, bytes.readerIndex)
        func pass() {
            if at > passed, let slice = bytes.getSlice(at: passed, length: at - passed) { context.fireChannelRead(wrapInboundOut(slice)) }
            passed = at
        }
        while at < bytes.writerIndex {
            if missing == 0 {
                guard bytes.writerIndex - at >= Frame.headLength, let next = Frame(bytes, at: at) else {
                    pass()
                    held = ByteBuffer(buffer: bytes.getSlice(at: at, length: bytes.writerIndex - at) ?? ByteBuffer())
                    break
                }
                if next.isAcknowledgement, acknowledgement == .isGiven {
                    pass()
                    at += Frame.headLength
                    passed = at
                    acknowledgement = .hasCome
                    continue
                }
                (frame, missing) = (next, next.length)
                at += Frame.headLength
            }
            let count = min(missing, bytes.writerIndex - at)
            (at, missing) = (at + count, missing - count)
            if missing == 0, frameEnded() {
                pass()
                context.fireChannelRead(wrapInboundOut(Self.acknowledgement))
            }
        }
        pass()
        if missing == 0, held.readableBytes == 0, !isInHead { began = nil } else if began == nil { began = now }
    }

    /// - Returns: whether it is the client's first settings that have ended, behind which the acknowledgement goes.
    private func frameEnded() -> Bool {
        guard let frame else { return false }
        if frame.isOfAHead {
            isInHead = !frame.endsAHead
            if frame.endsAHead { hasHead = true }
        }
        // A head of several frames is one thing that has to come within its time; other frames are each their own.
        if !isInHead { began = nil }
        guard acknowledgement == .isDue else { return false }
        // What begins with anything else is refused by the protocol's handler (RFC 9113, 3.4).
        let isFirstSettings = frame.type == Frame.settings && !frame.isAcknowledgement
        acknowledgement = isFirstSettings ? .isGiven : .hasCome
        return isFirstSettings
    }
}

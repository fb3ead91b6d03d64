import NIOCore

/// Watches the bytes before the parser: whether a request has begun, and how long its first line is, which the
/// parser's own errors do not tell.
final class RequestLineMeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let longest: Int
    private var length = 0
    private var lineEnded = false
    private(set) var isInRequest = false

    init(longest: Int) { self.longest = longest }

    var isTargetTooLong: Bool { length > longest }

    func requestEnded() {
        length = 0
        lineEnded = false
        isInRequest = false
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRequest = true
        if !lineEnded {
            let bytes = unwrapInboundIn(data).readableBytesView
            if let end = bytes.firstIndex(of: 0x0A) {
                length += end - bytes.startIndex
                lineEnded = true
            } else {
                length += bytes.count
            }
        }
        context.fireChannelRead(data)
    }
}

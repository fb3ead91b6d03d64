import NIOCore

/// Watches the bytes before the parser: since when a request is coming in, and how long its first line is, which the
/// parser's own errors do not tell.
public final class RequestLineMeter: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer

    private let longest: Int
    /// How the request begins, as far as its method goes.
    private var opening: [UInt8] = []
    private static let longestMethod = 40
    private var length = 0
    private var lineEnded = false
    /// When the request that is coming in began; nil between requests.
    public private(set) var began: NIODeadline?

    public init(longest: Int) { self.longest = longest }

    public var isTargetTooLong: Bool { length > longest }

    /// It begins as a request does whose method may be any (RFC 9110, 9.1), also one that the parser does not know.
    public var hasMethod: Bool {
        guard let end = opening.firstIndex(of: 0x20), end > 0, end + 1 < opening.count, opening[end + 1] == UInt8(ascii: "/") else {
            return false
        }
        return opening[..<end].allSatisfy {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }

    public func requestEnded() {
        length = 0
        opening = []
        lineEnded = false
        began = nil
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if began == nil { began = .now() }
        let bytes = unwrapInboundIn(data).readableBytesView
        if !lineEnded {
            if opening.count < Self.longestMethod { opening += bytes.prefix(Self.longestMethod - opening.count) }
            if let end = bytes.firstIndex(of: 0x0A) {
                length += end - bytes.startIndex
                lineEnded = true
            } else {
                length += bytes.count
            }
        }
        let endsARequest = bytes.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
        context.fireChannelRead(data)
        // Behind a request's end the next may have begun. (A body's end looks the same: it costs that client only the
        // longer time between two requests.)
        if began == nil, !endsARequest { began = .now() }
    }
}

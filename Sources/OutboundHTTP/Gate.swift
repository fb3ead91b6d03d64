import Addresses
import NIOCore

/// Stands nearest to the socket: looks at the address that is really connected to before a byte goes out, the TLS
/// greeting included, and can close the socket without waiting for TLS.
final class Gate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let addresses: AddressGuard
    private var context: ChannelHandlerContext?
    /// Why the peer may not be connected to.
    private(set) var refusal: OutboundError?

    init(addresses: AddressGuard) {
        self.addresses = addresses
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        guard let address = IPAddress(context.channel.remoteAddress) else {
            refusal = .connectionFailed("the peer has no address")
            return context.close(promise: nil)
        }
        if let kind = addresses.refusal(of: address) {
            refusal = .refusedAddress(address, kind: kind, name: nil)
            return context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func closeNow() { context?.close(promise: nil) }
}

/// Counts a response's bytes before the parser, which has no bound for a status line, for interim responses or for what
/// stands around chunks.
final class ResponseMeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    struct Exceeded: Error {}

    /// Since the request began.
    private(set) var count = 0
    private var limit = 0

    /// - Parameter limit: bytes until the head is read.
    func begin(limit: Int) {
        count = 0
        self.limit = limit
    }

    /// Allows so many bytes more, from now on.
    func extend(by more: Int) { limit = count + more }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        count += unwrapInboundIn(data).readableBytes
        context.fireChannelRead(data)
        // Asked behind the parser: a head that is complete now has raised the limit. A read is a few KiB at most.
        if count > limit { context.fireErrorCaught(Exceeded()) }
    }
}

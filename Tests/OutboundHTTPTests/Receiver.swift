import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that does what a test says, byte by byte.
final class Receiver: Sendable {
    /// One request that has come in whole, and the connection to answer it on. On the connection's event loop.
    struct Call: Sendable {
        let channel: any Channel
        /// From 1 on, over all connections.
        let connection: Int
        /// From 1 on, on this connection.
        let number: Int
        let text: String
        /// Closes the socket without TLS's good-bye.
        let cut: @Sendable () -> Void

        func send(_ text: String) { send(Array(text.utf8)) }
        func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
        func close() { channel.close(promise: nil) }

        /// Sends the text again and again, without end.
        func repeats(_ text: String, every pause: TimeAmount) {
            channel.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { [channel] task in
                guard channel.isActive else { return task.cancel() }
                channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            }
        }

        /// Sends the bytes as fast as they are taken, without end.
        func floods(_ bytes: [UInt8]) {
            let buffer = ByteBuffer(bytes: bytes)
            channel.writeAndFlush(buffer).whenSuccess { floods(bytes) }
        }
    }

    private struct State {
        /// From the sockets, TLS included.
        var bytes = 0
        var connections = 0
        var open = 0
        var requests: [String] = []
    }

    let port: Int
    private let channel: any Channel
    private let state: Shared<State>

    private init(channel: any Channel, state: Shared<State>) {
        self.channel = channel
        self.state = state
        port = channel.localAddress?.port ?? 0
    }

    static func start(
        host: String = "127.0.0.1", port: Int = 0, tls: NIOSSLContext? = nil,
        greeting: (@Sendable (Call) -> Void)? = nil, _ behave: @escaping @Sendable (Call) -> Void
    ) async throws -> Receiver {
        let state = Shared(State())
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = state.update {
                        $0.connections += 1
                        $0.open += 1
                        return $0.connections
                    }
                    let pipeline = channel.pipeline.syncOperations
                    let watcher = Watcher { bytes, closed in
                        state.update {
                            $0.bytes += bytes
                            $0.open -= closed
                        }
                    }
                    let cut = NIOLoopBound(watcher, eventLoop: channel.eventLoop)
                    try pipeline.addHandler(watcher)
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.addHandler(
                        Requests(connection: number, cut: { cut.value.close() }, greeting: greeting) { call in
                            state.update { $0.requests.append(call.text) }
                            behave(call)
                        })
                }
            }
            .bind(host: host, port: port).get()
        return Receiver(channel: channel, state: state)
    }

    func stop() async throws { try await channel.close() }

    var bytes: Int { state.value.bytes }
    var connections: Int { state.value.connections }
    /// Connections that are not closed yet.
    var open: Int { state.value.open }
    var requests: [String] { state.value.requests }
}

/// A value behind a lock.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value { mutex.withLock { $0 } }

    @discardableResult
    func update<Result: Sendable>(_ change: (inout Value) -> Result) -> Result {
        mutex.withLock { value in change(&value) }
    }
}

private final class Watcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let tell: (_ bytes: Int, _ closed: Int) -> Void
    private var context: ChannelHandlerContext?
    init(_ tell: @escaping (_ bytes: Int, _ closed: Int) -> Void) { self.tell = tell }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        tell(unwrapInboundIn(data).readableBytes, 0)
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell(0, 1)
        context.fireChannelInactive()
    }
}

/// Cuts the bytes into requests by their `Content-Length`.
private final class Requests: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let connection: Int
    private let cut: @Sendable () -> Void
    private let greeting: ((Receiver.Call) -> Void)?
    private let behave: (Receiver.Call) -> Void
    private var text = ""
    private var number = 0

    init(
        connection: Int, cut: @escaping @Sendable () -> Void, greeting: ((Receiver.Call) -> Void)?,
        _ behave: @escaping (Receiver.Call) -> Void
    ) {
        self.connection = connection
        self.cut = cut
        self.greeting = greeting
        self.behave = behave
    }

    func channelActive(context: ChannelHandlerContext) {
        greeting?(Receiver.Call(channel: context.channel, connection: connection, number: 0, text: "", cut: cut))
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        let words = text[..<end.lowerBound].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        let length = words.flatMap { Int($0.dropFirst(16)) } ?? 0
        guard text[end.upperBound...].utf8.count >= length else { return }
        number += 1
        let request = text
        text = ""
        behave(Receiver.Call(channel: context.channel, connection: connection, number: number, text: request, cut: cut))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

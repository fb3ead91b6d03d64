import Domain
import HTTPSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import Listener

@Suite("A client may be gone at any write of an answer")
struct LeavingClientTests {
    private final class Rows: BodySource {
        private let state = Mutex<(asked: Int, isCancelled: Bool)>((0, false))
        private let pieces: Int

        init(pieces: Int) { self.pieces = pieces }

        var rows: Int { state.withLock(\.asked) }
        var isCancelled: Bool { state.withLock(\.isCancelled) }

        func next(_ done: @escaping @Sendable (BodyPiece) -> Void) {
            let asked = state.withLock { state in
                state.asked += 1
                return state.asked
            }
            done(asked < pieces ? .more(ByteBuffer(string: "piece")) : .last(ByteBuffer(string: "last")))
        }

        func cancel() { state.withLock { $0.isCancelled = true } }
    }

    private struct Core: RequestCore {
        let source: Rows
        let records: Records
        let requestIDs = RequestIDs()
        let isShuttingDown = false

        func respond(to request: IncomingRequest) -> Outcome {
            var answer = Answer(status: 200, headers: [], body: ByteBuffer(string: "first"), route: "/rows")
            answer.export = ExportNote(rows: 0)
            answer.rest = source
            return .now(answer)
        }

        func refuse(_ problem: Problem, to request: IncomingRequest?) -> Answer {
            Answer(status: problem.code.status, headers: [], body: ByteBuffer(), route: "-")
        }

        func finished(_ record: AccessRecord) { records.add(record) }
    }

    private final class Records: Sendable {
        private let state = Mutex<[AccessRecord]>([])
        func add(_ record: AccessRecord) { state.withLock { $0.append(record) } }
        var outcomes: [ExportNote.Outcome?] { state.withLock { $0.map { $0.answer.export?.outcome } } }
    }

    /// A socket whose other end is found to be gone at one of its flushes, as a socket finds it: while it writes.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = Any
        private var left: Int
        init(flushes: Int) { left = flushes }

        func flush(context: ChannelHandlerContext) {
            context.flush()
            if left == 0 { context.close(promise: nil) }
            left -= 1
        }
    }

    /// A stream that closes with its last frame, while that is written.
    private final class Stream: ChannelOutboundHandler {
        typealias OutboundIn = HTTPServerResponsePart
        private var hasEnded = false

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if case .end = unwrapOutboundIn(data) { hasEnded = true }
            context.write(data, promise: promise)
        }

        func flush(context: ChannelHandlerContext) {
            context.flush()
            if hasEnded { context.close(promise: nil) }
        }
    }

    private struct Fixed: TimeSource { var now: Timestamp { Timestamp(microseconds: 0) } }

    /// What became of an export of three pieces, the first of them with the head, whose client was gone at a flush.
    private func export(goneAt flush: Int) throws -> (source: Rows, outcomes: [ExportNote.Outcome?]) {
        try export(HTTP1Encoder.init, to: Socket(flushes: flush))
    }

    private func export(
        _ encoder: (WriteRound) -> any AnswerEncoding, to end: any ChannelHandler, method: HTTPMethod = .GET
    ) throws -> (source: Rows, outcomes: [ExportNote.Outcome?]) {
        let source = Rows(pieces: 3)
        let records = Records()
        let loop = EmbeddedEventLoop()
        let handler = RequestHandler(
            core: Core(source: source, records: records), limits: ListenerLimits(),
            encoder: encoder(WriteRound(loop, time: Fixed())), peer: Peer(nil), meter: nil)
        let channel = EmbeddedChannel(handlers: [end, handler], loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/rows", headers: ["Host": "a"])
        channel.pipeline.fireChannelRead(HTTPServerRequestPart.head(head))
        channel.pipeline.fireChannelRead(HTTPServerRequestPart.end(nil))
        channel.embeddedEventLoop.run()
        return (source, records.outcomes)
    }

    @Test("It is told of once, as one that its client left, and nothing more is made", arguments: 0..<4)
    func leaves(flush: Int) throws {
        let export = try export(goneAt: flush)
        #expect(export.outcomes == [.left])
        #expect(export.source.isCancelled && export.source.rows == flush)
    }

    @Test("A stream that closes with its last frame had all of it", arguments: [HTTPMethod.GET, .HEAD])
    func closes(method: HTTPMethod) throws {
        let export = try export(HTTP2Encoder.init, to: Stream(), method: method)
        #expect(export.outcomes == [.whole])
        #expect(export.source.rows == (method == .HEAD ? 0 : 3))
    }

    @Test("One whose client stays is whole")
    func stays() throws {
        let export = try export(goneAt: 9)
        #expect(export.outcomes == [.whole])
        #expect(!export.source.isCancelled && export.source.rows == 3)
    }
}

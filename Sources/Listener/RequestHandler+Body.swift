import HTTPSupport
import NIOCore
import NIOHTTP1

/// Bodies that are made while they are sent.
///
/// A write may find that the client has gone: ``channelInactive(context:)`` has run then when it returns, and has told of
/// the body. Each write is between a state that says so and a look at what became of it.
extension RequestHandler {
    func begin(_ body: BodyUnderWay, _ context: ChannelHandlerContext) {
        since = .now()
        state = .sending(body)
        body.isBeingMade = true
        let isHead = body.head.method == .HEAD
        body.isEnding = isHead
        encoder.begin(body.answer, isHead: isHead, version: body.head.version, keepAlive: body.keepsConnection, context)
        guard case .sending = state else { return }
        if isHead {
            body.source.cancel()
            return complete(body, context)
        }
        body.isBeingMade = false
        arm(context)
        makeNext(context)
    }

    /// Asks for the next piece once the one before is on its way: what a client does not read is not made.
    func makeNext(_ context: ChannelHandlerContext) {
        guard case .sending(let body) = state, !body.isBeingMade, context.channel.isWritable else { return }
        body.isBeingMade = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        body.source.next { piece in
            loop.execute {
                let (handler, context) = bound.value
                handler.send(piece, context)
            }
        }
    }

    private func send(_ piece: BodyPiece, _ context: ChannelHandlerContext) {
        guard case .sending(let body) = state else { return }
        since = .now()
        switch piece {
        case .more(let bytes):
            body.isBeingMade = false
            body.sent += bytes.readableBytes
            encoder.write(bytes, isLast: false, version: body.head.version, context, done: nil)
            makeNext(context)
        case .last(let bytes):
            body.sent += bytes.readableBytes
            body.isEnding = true
            encoder.write(bytes, isLast: true, version: body.head.version, context, done: nil)
            guard case .sending = state else { return }
            complete(body, context)
            resume(context)
        case .cut(let bytes, let reason):
            body.sent += bytes.readableBytes
            report(body, .cut, cause: reason)
            state = .closed
            waiting.removeAll()
            encoder.abort(behind: bytes, version: body.head.version, context)
        }
    }

    private func complete(_ body: BodyUnderWay, _ context: ChannelHandlerContext) {
        report(body, .whole, cause: nil)
        state = .idle
        since = .now()
        if !body.keepsConnection || isQuiescing || core.isShuttingDown || (inputEnded && waiting.isEmpty) { finish(context) }
    }

    func report(_ body: BodyUnderWay, _ outcome: ExportNote.Outcome, cause: String?) {
        var answer = body.answer
        // Who asked for the head alone has no export that could be left.
        answer.cause = answer.export == nil ? nil : cause
        answer.export?.outcome = outcome
        answer.export?.rows = body.source.rows
        report(
            answer, method: body.head.method.rawValue, target: body.head.uri, requestID: body.requestID, client: body.client, body.sent)
    }
}

/// A body that is made while it is sent.
final class BodyUnderWay {
    let source: any BodySource
    let answer: Answer
    let head: HTTPRequestHead
    let requestID: String
    let client: ClientAddress
    let keepsConnection: Bool
    var sent: Int
    /// No further piece is asked for: one is being made, or the last one was.
    var isBeingMade = false
    /// Its last part is being written.
    var isEnding = false
    /// Its client did not read for too long.
    var isStuck = false

    init(
        _ source: any BodySource, _ answer: Answer, _ head: HTTPRequestHead, requestID: String, client: ClientAddress, keepsConnection: Bool
    ) {
        self.source = source
        self.answer = answer
        self.head = head
        self.requestID = requestID
        self.client = client
        self.keepsConnection = keepsConnection
        sent = head.method == .HEAD ? 0 : answer.body.readableBytes
    }
}

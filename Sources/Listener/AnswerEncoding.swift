import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// How an answer goes on the wire.
protocol AnswerEncoding: AnyObject {
    var isHTTP1: Bool { get }
    /// Writes and flushes. Returns the body's bytes.
    func write(
        _ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext
    ) -> Int
    /// Writes and flushes an answer whose body goes on, with the part of the body that is there.
    func begin(_ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext)
    /// Writes and flushes a further part, which may be empty.
    func write(_ piece: ByteBuffer, isLast: Bool, version: HTTPVersion, _ context: ChannelHandlerContext, done: EventLoopPromise<Void>?)
    func writeContinue(_ context: ChannelHandlerContext)
    func close(_ context: ChannelHandlerContext)
}

extension AnswerEncoding {
    /// Writes a body's last part and closes behind it without the body's end, so that the client notices: a connection that
    /// ends between chunks (RFC 9112, 8), a stream that is reset (RFC 9113, 8.1).
    func abort(behind piece: ByteBuffer, version: HTTPVersion, _ context: ChannelHandlerContext) {
        let channel = context.channel
        let isOut = context.eventLoop.makePromise(of: Void.self)
        isOut.futureResult.whenComplete { _ in channel.close(promise: nil) }
        write(piece, isLast: false, version: version, context, done: isOut)
    }
}

/// HTTP/1: the head is written straight into one buffer; no encoder stands behind.
final class HTTP1Encoder: AnswerEncoding {
    let isHTTP1 = true
    private let round: WriteRound

    init(_ round: WriteRound) { self.round = round }

    func write(
        _ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext
    ) -> Int {
        let length = answer.body.readableBytes
        let inline = !isHead && length <= 4_096
        context.write(
            NIOAny(head(answer, length: length, carrying: inline ? answer.body : nil, version, keepAlive, context)), promise: nil)
        if !isHead, !inline { context.write(NIOAny(answer.body), promise: nil) }
        round.flush(context)
        return isHead ? 0 : length
    }

    /// - Parameters:
    ///   - length: nil for a body in chunks (RFC 9112, 7.1), or for HTTP/1.0 one that ends with the connection.
    ///   - body: what goes with the head in one piece.
    private func head(
        _ answer: Answer, length: Int?, carrying body: ByteBuffer? = nil, _ version: HTTPVersion, _ keepAlive: Bool,
        _ context: ChannelHandlerContext
    ) -> ByteBuffer {
        round.write { out in
            out.append("HTTP/1.1 ")
            out.append(text: Self.statusLine(answer.status))
            for (name, value) in answer.headers {
                out.append(text: name)
                out.append(": ")
                out.append(text: value)
                out.append("\r\n")
            }
            out.append("Date: ")
            out.append(text: round.dates.now())
            if let length {
                if answer.status != 204, answer.status != 304 {
                    out.append("\r\nContent-Length: ")
                    out.append(integer: Int64(length))
                }
            } else if version.minor > 0 {
                out.append("\r\nTransfer-Encoding: chunked")
            }
            if !keepAlive {
                out.append("\r\nConnection: close")
            } else if version.minor == 0 {
                out.append("\r\nConnection: keep-alive")
            }
            out.append("\r\n\r\n")
            body?.withUnsafeReadableBytes { out.append($0.bindMemory(to: UInt8.self)) }
            return context.channel.allocator.buffer(bytes: out.bytes)
        }
    }

    func begin(_ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext) {
        context.write(NIOAny(head(answer, length: nil, version, keepAlive, context)), promise: nil)
        if isHead { context.flush() } else { write(answer.body, isLast: false, version: version, context, done: nil) }
    }

    func write(
        _ piece: ByteBuffer, isLast: Bool, version: HTTPVersion, _ context: ChannelHandlerContext, done: EventLoopPromise<Void>?
    ) {
        let isChunked = version.minor > 0
        if piece.readableBytes > 0 {
            var line = context.channel.allocator.buffer(capacity: 16)
            line.writeString(String(piece.readableBytes, radix: 16))
            line.writeStaticString("\r\n")
            if isChunked { context.write(NIOAny(line), promise: nil) }
            context.write(NIOAny(piece), promise: nil)
        }
        var end = context.channel.allocator.buffer(capacity: 8)
        if isChunked, piece.readableBytes > 0 { end.writeStaticString("\r\n") }
        // An empty chunk ends the body, so no other is.
        if isChunked, isLast { end.writeStaticString("0\r\n\r\n") }
        context.writeAndFlush(NIOAny(end), promise: done)
    }

    func writeContinue(_ context: ChannelHandlerContext) {
        var head = context.channel.allocator.buffer(capacity: 32)
        head.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(NIOAny(head), promise: nil)
    }

    /// Half-closes behind what was written, so that a reset does not overtake it; the rest follows. Not before it is out:
    /// where the client has ended its sending, a half-close is a whole one, and drops what is not.
    func close(_ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let channel = context.channel
        let isOut = loop.makePromise(of: Void.self)
        isOut.futureResult.whenComplete { _ in
            channel.close(mode: .output).whenComplete { _ in
                // A client that goes on sending must not hold the connection.
                loop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
            }
        }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: isOut)
    }

    private static func statusLine(_ status: Int) -> String {
        switch status {
        case 200: "200 OK\r\n"
        case 304: "304 Not Modified\r\n"
        default: "\(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n"
        }
    }
}

/// HTTP/2: the stream's codec takes parts.
final class HTTP2Encoder: AnswerEncoding {
    let isHTTP1 = false
    private let round: WriteRound

    init(_ round: WriteRound) { self.round = round }

    func write(
        _ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext
    ) -> Int {
        writeHead(answer, length: answer.body.readableBytes, context)
        if !isHead, answer.body.readableBytes > 0 {
            context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(answer.body))), promise: nil)
        }
        context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
        return isHead ? 0 : answer.body.readableBytes
    }

    private func writeHead(_ answer: Answer, length: Int?, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(answer.headers.count + 2)
        for (name, value) in answer.headers { headers.add(name: name.lowercased(), value: value) }
        headers.add(name: "date", value: round.dates.now())
        if let length, answer.status != 204, answer.status != 304 { headers.add(name: "content-length", value: String(length)) }
        let head = HTTPResponseHead(version: .http2, status: .init(statusCode: answer.status), headers: headers)
        context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
    }

    func begin(_ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext) {
        writeHead(answer, length: nil, context)
        write(isHead ? ByteBuffer() : answer.body, isLast: isHead, version: version, context, done: nil)
    }

    func write(
        _ piece: ByteBuffer, isLast: Bool, version: HTTPVersion, _ context: ChannelHandlerContext, done: EventLoopPromise<Void>?
    ) {
        if !isLast { return context.writeAndFlush(NIOAny(HTTPServerResponsePart.body(.byteBuffer(piece))), promise: done) }
        if piece.readableBytes > 0 { context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(piece))), promise: nil) }
        context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: done)
    }

    func writeContinue(_ context: ChannelHandlerContext) {}
    func close(_ context: ChannelHandlerContext) {}
}

/// What was written in one round of an event loop, through all its ready connections, goes out at the round's end: whoever
/// waits for it is woken once, and not in the middle of the next answer's making. Where only one was ready, that is at once.
final class WriteRound {
    let dates: DateLine
    private let loop: any EventLoop
    private var written: [ChannelHandlerContext] = []
    private var scratch = ByteWriter(capacity: 8 << 10)

    init(_ loop: any EventLoop, time: any TimeSource) {
        self.loop = loop
        dates = DateLine(time: time)
    }

    /// Lends memory that is kept from one answer to the next.
    func write<Result>(_ body: (inout ByteWriter) -> Result) -> Result {
        scratch.reset()
        return body(&scratch)
    }

    func flush(_ context: ChannelHandlerContext) {
        if written.isEmpty {
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.execute { bound.value.end() }
        }
        // Requests that came together.
        if written.last !== context { written.append(context) }
    }

    private func end() {
        let all = written
        written.removeAll(keepingCapacity: true)
        for context in all { context.flush() }
    }
}

/// The `Date` of a second (RFC 9110, 6.6.1), made once a second and loop.
final class DateLine {
    private var second: Int64 = -1
    private var text = ""
    private let time: any TimeSource

    init(time: any TimeSource) { self.time = time }

    func now() -> String {
        let second = time.now.microseconds / 1_000_000
        if second != self.second {
            self.second = second
            text = Self.format(second)
        }
        return text
    }

    static func format(_ second: Int64) -> String {
        let stamp = Array(Timestamp(microseconds: second * 1_000_000).description.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: stamp[range], as: UTF8.self) }
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = (Int(part(5..<7)) ?? 1) - 1
        return "\(days[Int(second / 86_400 % 7)]), \(part(8..<10)) \(months[month]) \(part(0..<4)) \(part(11..<19)) GMT"
    }
}

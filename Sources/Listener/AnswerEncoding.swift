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
    func writeContinue(_ context: ChannelHandlerContext)
    func close(_ context: ChannelHandlerContext)
}

/// HTTP/1: the head is written straight into one buffer; no encoder stands behind.
final class HTTP1Encoder: AnswerEncoding {
    let isHTTP1 = true
    private let dates: DateLine

    init(dates: DateLine) { self.dates = dates }

    func write(
        _ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext
    ) -> Int {
        let length = answer.body.readableBytes
        let inline = !isHead && length <= 4_096
        var head = context.channel.allocator.buffer(capacity: 768 + (inline ? length : 0))
        head.writeStaticString("HTTP/1.1 ")
        head.writeString(Self.statusLine(answer.status))
        for (name, value) in answer.headers {
            head.writeString(name)
            head.writeStaticString(": ")
            head.writeString(value)
            head.writeStaticString("\r\n")
        }
        head.writeStaticString("Date: ")
        head.writeString(dates.now())
        if answer.status != 204, answer.status != 304 {
            head.writeStaticString("\r\nContent-Length: ")
            head.writeString(String(length))
        }
        if !keepAlive {
            head.writeStaticString("\r\nConnection: close")
        } else if version.minor == 0 {
            head.writeStaticString("\r\nConnection: keep-alive")
        }
        head.writeStaticString("\r\n\r\n")
        if isHead || length == 0 {
            context.writeAndFlush(NIOAny(head), promise: nil)
            return 0
        }
        if inline {
            head.writeImmutableBuffer(answer.body)
            context.writeAndFlush(NIOAny(head), promise: nil)
        } else {
            context.write(NIOAny(head), promise: nil)
            context.writeAndFlush(NIOAny(answer.body), promise: nil)
        }
        return length
    }

    func writeContinue(_ context: ChannelHandlerContext) {
        var head = context.channel.allocator.buffer(capacity: 32)
        head.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(NIOAny(head), promise: nil)
    }

    /// Half-closes behind what was written, so that a reset does not overtake it; the rest follows.
    func close(_ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let channel = context.channel
        context.close(mode: .output).whenComplete { _ in
            // A client that goes on sending must not hold the connection.
            loop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
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
    private let dates: DateLine

    init(dates: DateLine) { self.dates = dates }

    func write(
        _ answer: Answer, isHead: Bool, version: HTTPVersion, keepAlive: Bool, _ context: ChannelHandlerContext
    ) -> Int {
        var headers = HTTPHeaders()
        headers.reserveCapacity(answer.headers.count + 2)
        for (name, value) in answer.headers { headers.add(name: name.lowercased(), value: value) }
        headers.add(name: "date", value: dates.now())
        if answer.status != 204, answer.status != 304 {
            headers.add(name: "content-length", value: String(answer.body.readableBytes))
        }
        let head = HTTPResponseHead(version: .http2, status: .init(statusCode: answer.status), headers: headers)
        context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
        if !isHead, answer.body.readableBytes > 0 {
            context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(answer.body))), promise: nil)
        }
        context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
        return isHead ? 0 : answer.body.readableBytes
    }

    func writeContinue(_ context: ChannelHandlerContext) {}
    func close(_ context: ChannelHandlerContext) {}
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

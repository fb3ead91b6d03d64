import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Listener

@Suite("The frames of an HTTP/2 client are watched as they come, however they are cut")
struct FrameMeterTests {
    private let meter = FrameMeter()
    private let channel: EmbeddedChannel

    init() { channel = EmbeddedChannel(handler: meter) }

    private func send(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    private func received() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while var buffer = try channel.readInbound(as: ByteBuffer.self) { bytes += buffer.readBytes(length: buffer.readableBytes) ?? [] }
        return bytes
    }

    @Test(
        "One acknowledgement comes right behind the client's first settings, and its own is left out",
        arguments: [1, 2, 8, 9, 10, 23, 4_000])
    func acknowledges(piece: Int) throws {
        // given: settings that say something, and what looks like an acknowledgement inside of a frame
        let first = HTTP2Bytes.preface + HTTP2Bytes.frame(4, [0, 3, 0, 0, 0, 100])
        let between =
            HTTP2Bytes.get("/healthz", [("x-long", String(repeating: "a", count: 40_000))]) + HTTP2Bytes.settings
            + HTTP2Bytes.frame(0, stream: 1, HTTP2Bytes.acknowledgement) + HTTP2Bytes.frame(6, HTTP2Bytes.preface.suffix(8))
        let after = HTTP2Bytes.acknowledgement + HTTP2Bytes.get("/", stream: 3)
        let all = first + between + HTTP2Bytes.acknowledgement + after

        // when
        var received: [UInt8] = []
        for start in stride(from: 0, to: all.count, by: piece) {
            try send(Array(all[start..<min(start + piece, all.count)]))
            received += try self.received()
        }

        // then: a second one of the client's is the protocol's to refuse
        #expect(received == first + HTTP2Bytes.acknowledgement + between + after)
    }

    @Test("What does not begin with settings is handed on as it is")
    func passesOn() throws {
        for opening in [HTTP2Bytes.acknowledgement, HTTP2Bytes.get("/healthz")] {
            let meter = EmbeddedChannel(handler: FrameMeter())
            let all = HTTP2Bytes.preface + opening + HTTP2Bytes.settings + HTTP2Bytes.acknowledgement
            try meter.writeInbound(ByteBuffer(bytes: all))
            var bytes: [UInt8] = []
            while var buffer = try meter.readInbound(as: ByteBuffer.self) { bytes += buffer.readBytes(length: buffer.readableBytes) ?? [] }
            #expect(bytes == all)
        }
    }

    @Test("A frame is under way from its first byte to its last, a head from its first frame to its last")
    func times() throws {
        // a preface in part, then the rest
        try send(Array(HTTP2Bytes.preface.prefix(5)))
        let began = try #require(meter.began)
        try send(HTTP2Bytes.preface.dropFirst(5) + HTTP2Bytes.settings)
        #expect(meter.began == nil && !meter.hasHead)

        // a head of three frames, each whole when it comes
        let head = HTTP2Bytes.get("/healthz", [("x-long", String(repeating: "a", count: 40_000))])
        let frame = 9 + (16 << 10)
        try send(Array(head[..<frame]))
        let headBegan = try #require(meter.began)
        try send(Array(head[frame..<2 * frame]))
        #expect(meter.began == headBegan && headBegan > began && !meter.hasHead)
        try send(Array(head[(2 * frame)...]))
        #expect(meter.began == nil && meter.hasHead)

        // part of a frame's head; then its rest and part of the next one, which has its own time
        try send(Array(HTTP2Bytes.settings.prefix(3)))
        let half = try #require(meter.began)
        try send(Array((HTTP2Bytes.settings + HTTP2Bytes.frame(6, HTTP2Bytes.preface.suffix(8))).dropFirst(3).prefix(6 + 12)))
        #expect(try #require(meter.began) > half)
    }
}

import HTTPSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import OperatorAPI

@Suite("A connection has so much time for a request, and no more")
struct ConnectionTimeTests {
    private final class Nobody: AccessObserving { func finished(_ record: AccessRecord) {} }

    private let channel: EmbeddedChannel

    init() throws {
        channel = EmbeddedChannel(handlers: [HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder())])
        try channel.pipeline.syncOperations.addHandler(ConnectionMannersInstaller(observer: Nobody(), requestIDs: RequestIDs()))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    private func isOpen(after seconds: Int64) -> Bool {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        return channel.isActive
    }

    @Test("Ten seconds for the first head, however often a part of it comes")
    func head() throws {
        for byte in "GET / HTTP".dropLast() {
            try receive(String(byte))
            #expect(isOpen(after: 1))
        }
        #expect(!isOpen(after: 1))
    }

    @Test("A minute for the rest, however often a part of it comes")
    func body() throws {
        try receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        for _ in 0..<11 {
            try receive("x")
            #expect(isOpen(after: 5))
        }
        #expect(!isOpen(after: 5))
    }

    @Test("A request that has come is not hurried")
    func waiting() throws {
        try receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        #expect(isOpen(after: 600))
    }
}

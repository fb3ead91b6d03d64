import Domain
import Foundation
import HTTPSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Listener

@Suite("A stream ends, whatever its client does")
struct StreamTimeTests {
    private struct Core: RequestCore {
        let requestIDs = RequestIDs()
        let isShuttingDown = false

        func respond(to request: IncomingRequest) -> Outcome {
            .now(Answer(status: 200, headers: [], body: ByteBuffer(string: "all of it"), route: "/rows"))
        }

        func refuse(_ problem: Problem, to request: IncomingRequest?) -> Answer {
            Answer(status: problem.code.status, headers: [], body: ByteBuffer(), route: "-")
        }

        func finished(_ record: AccessRecord) {}
    }

    private struct Fixed: TimeSource { var now: Timestamp { Timestamp(microseconds: 0) } }

    private static let short = TimeAmount.milliseconds(20)

    /// Whether the stream is still open once the shorter time is over. Its other end takes no frame, so an answer never ends it.
    private func isOpen(_ parts: [HTTPServerRequestPart], _ limit: WritableKeyPath<ListenerLimits, TimeAmount>?) throws -> Bool {
        var limits = ListenerLimits()
        if let limit { limits[keyPath: limit] = Self.short }
        let loop = EmbeddedEventLoop()
        let handler = RequestHandler(
            core: Core(), limits: limits, encoder: HTTP2Encoder(WriteRound(loop, time: Fixed())), peer: Peer(nil), meter: nil)
        let channel = EmbeddedChannel(handlers: [handler], loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for part in parts { channel.pipeline.fireChannelRead(part) }
        channel.pipeline.fireChannelReadComplete()
        Thread.sleep(forTimeInterval: 0.03)
        loop.advanceTime(by: .seconds(6))
        return channel.isActive
    }

    private func head(_ size: Int = 10) -> HTTPServerRequestPart {
        .head(HTTPRequestHead(version: .http2, method: .GET, uri: "/rows", headers: ["x-a": String(repeating: "a", count: size)]))
    }

    @Test("It was answered, and its client lets nothing of that go")
    func sending() throws {
        #expect(try isOpen([head(), .end(nil)], nil))
        #expect(try isOpen([head(), .end(nil)], \.writeTimeout), "a slow client has more time")
        #expect(try !isOpen([head(), .end(nil)], \.longestSending))
    }

    @Test("It was refused before its end, which does not come")
    func refused() throws {
        #expect(try isOpen([head(20_000)], nil))
        #expect(try !isOpen([head(20_000)], \.writeTimeout))
    }

    @Test("Its body does not come")
    func reading() throws {
        #expect(try isOpen([head()], nil))
        #expect(try !isOpen([head()], \.headTimeout))
    }
}

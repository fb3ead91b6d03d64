import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import OutboundHTTP

/// What a receiver may answer, and what becomes of it.
@Suite(.timeLimit(.minutes(1))) struct ResponseTests {
    @Test func aPostArrivesAsItWasGivenAndItsAnswerComesBack() async throws {
        // given
        let receiver = try await Receiver.start { $0.send("HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello") }
        let client = try Sending.client()
        let headers = [(name: "Content-Type", value: "application/json"), (name: "webhook-id", value: "evt_1")]

        // when
        let post = try Sending.post("http://hook.test:\(receiver.port)/in?a=b", "{\"a\":1}", headers: headers)
        let response = try await client.send(post)

        // then
        #expect(response.status == 201 && response.body == Array("hello".utf8) && !response.isCut && response.duration > 0)
        #expect(response.headers.map { "\($0.name)=\($0.value)" } == ["X-A=1", "X-A=2", "Content-Length=5"])
        #expect(response.remoteAddress == "127.0.0.1:\(receiver.port)")
        let lines = [
            "POST /in?a=b HTTP/1.1", "Host: hook.test:\(receiver.port)", "Content-Type: application/json", "webhook-id: evt_1",
            "Content-Length: 7", "", "{\"a\":1}",
        ]
        #expect(receiver.requests == [lines.joined(separator: "\r\n")])
    }

    @Test func theCallbackIsCalledOnce() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let client = try Sending.client()
        let post = try Sending.post("http://127.0.0.1:\(receiver.port)/", "")
        let calls = Shared(0)
        let status = await withCheckedContinuation { continuation in
            client.send(post) { result in
                calls.update { $0 += 1 }
                continuation.resume(returning: (try? result.get())?.status)
            }
        }
        #expect(status == 200 && calls.value == 1)
    }

    @Test(arguments: [200, 204, 301, 302, 307, 304, 400, 410, 429, 500, 503])
    func everyStatusIsAnAnswerAndNoRedirectIsFollowed(_ status: Int) async throws {
        let other = try await Receiver.start { $0.send(Sending.ok) }
        let receiver = try await Receiver.start { call in
            call.send(
                "HTTP/1.1 \(status) X\r\nLocation: http://127.0.0.1:\(other.port)/\r\n\(status == 204 ? "" : "Content-Length: 0\r\n")\r\n")
        }
        let client = try Sending.client()
        let response = try await client.send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(response.status == status && response.body.isEmpty && !response.isCut)
        #expect(receiver.connections == 1 && other.connections == 0)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", OutboundError.Phase.reading), ("HTTP/1.1 200 OK\r\n\r\n", .reading),
        ("HTTP/1.1 200 OK\r\nX-Slow: ", .waiting), ("", .waiting),
    ])
    func aDrippingAnswerEndsAtTheDeadline(_ start: String, _ phase: OutboundError.Phase) async throws {
        // given
        let receiver = try await Receiver.start { call in
            if !start.isEmpty { call.send(start) }
            call.repeats(start.isEmpty ? "" : "x", every: .milliseconds(20))
        }

        // when
        let failure = try await Sending.failure(
            Sending.client(), Sending.post("http://127.0.0.1:\(receiver.port)/", timeout: .seconds(2)))

        // then
        #expect(failure.reason == .timedOut(phase) && failure.isTimeout)
        #expect(failure.duration >= 2_000_000 && failure.duration < 10_000_000)
        #expect((failure.partial?.status == 200) == (phase == .reading))
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"])
    func ofAnEndlessBodySixteenKiBAreReadAndTheRestIsLeft(_ head: String) async throws {
        // given
        let block = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        let receiver = try await Receiver.start { call in
            call.send(head)
            call.floods(block)
        }
        let client = try Sending.client()
        let before = Self.residentBytes

        // when
        try await withThrowingTaskGroup(of: OutboundResponse.self) { group in
            for endpoint in 0..<32 {
                let post = try Sending.post("http://127.0.0.1:\(receiver.port)/", endpoint: Int64(endpoint))
                group.addTask { try await client.send(post) }
            }
            // then
            for try await response in group {
                #expect(response.status == 200 && response.isCut && response.body == Array(block.prefix(16 << 10)))
            }
        }
        #expect(try await Sending.eventually { receiver.open == 0 })
        #expect(Self.residentBytes - before < 200 << 20)
    }

    private static var residentBytes: Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
        return pages.flatMap { Int($0) }.map { $0 * 4_096 } ?? 0
    }

    @Test(arguments: [(16 << 10, false), ((16 << 10) + 1, true)])
    func aBodyIsCutBehindSixteenKiB(_ size: Int, _ isCut: Bool) async throws {
        let receiver = try await Receiver.start { call in
            call.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n" + String(repeating: "y", count: size))
        }
        let response = try await Sending.client().send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(response.body.count == 16 << 10 && response.isCut == isCut)
    }

    @Test func chunksAreReadAndEndlessOnesCut() async throws {
        let receiver = try await Receiver.start { call in
            call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if call.text.contains("endless") {
                call.repeats(String(repeating: "1\r\nz\r\n", count: 1_000), every: .milliseconds(1))
            } else {
                call.send("3\r\nabc\r\n2;a=b\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
            }
        }
        let client = try Sending.client()
        let short = try await client.send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(short.body == Array("abcde".utf8) && !short.isCut)
        let endless = try await client.send(Sending.post("http://127.0.0.1:\(receiver.port)/endless"))
        #expect(endless.status == 200 && endless.isCut && endless.body.count <= 16 << 10)
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test func aCompressedBodyStaysCompressed() async throws {
        // given: 10 MiB of zeros would come out of this
        let bomb = [UInt8]([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]) + [UInt8](repeating: 0, count: 10_000)
        let receiver = try await Receiver.start { call in
            call.send(Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n".utf8) + bomb)
        }
        let response = try await Sending.client().send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(response.body == bomb && !response.isCut)
        #expect(!receiver.requests[0].lowercased().contains("accept-encoding"))
    }

    struct Wrong: Sendable {
        let start: String
        let again: String
        let reason: OutboundError
        init(_ start: String, again: String = "", _ reason: OutboundError) {
            self.start = start
            self.again = again
            self.reason = reason
        }
    }

    private static let field = "X-Field: " + String(repeating: "v", count: 1_000) + "\r\n"

    @Test(arguments: [
        Wrong("HTTP/1.1 200 OK\r\n", again: "X: y\r\n", .headTooLarge),
        Wrong("HTTP/1.1 200 OK\r\n", again: field, .headTooLarge),
        Wrong("HTTP/1.1 200 OK\r\nX: ", again: String(repeating: "v", count: 1_000), .headTooLarge),
        Wrong("HTTP/1.1 200 ", again: String(repeating: "O", count: 1_000), .headTooLarge),
        Wrong("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n", .headTooLarge),
        Wrong("", again: "HTTP/1.1 100 Continue\r\n\r\n", .tooManyInterimResponses),
        Wrong(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", .malformedResponse("101 without being asked")
        ),
        Wrong("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", .malformedResponse("status 999")),
    ])
    func whatIsWrongWithAHeadIsTold(_ wrong: Wrong) async throws {
        let receiver = try await Receiver.start { call in
            if !wrong.start.isEmpty { call.send(wrong.start) }
            if !wrong.again.isEmpty { call.repeats(wrong.again, every: .microseconds(200)) }
        }
        let failure = try await Sending.failure(Sending.client(), Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason == wrong.reason)
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test(arguments: [
        "hello\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "\u{0}\u{1}\u{2}",
    ])
    func whatIsNotHTTPIsMalformed(_ text: String) async throws {
        let receiver = try await Receiver.start { $0.send(text) }
        let failure = try await Sending.failure(Sending.client(), Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason.code == "malformed_response" && receiver.connections == 1, "\(failure.reason)")
    }

    @Test func someInterimResponsesAndAHundredHeadersAreSkippedAndRead() async throws {
        let receiver = try await Receiver.start { call in
            call.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
            call.send("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 99) + "Content-Length: 2\r\n\r\nok")
        }
        let response = try await Sending.client().send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(response.status == 200 && response.headers.count == 100 && response.body == Array("ok".utf8))
    }

    @Test(arguments: [
        ("", OutboundError.closedEarly(.waiting)), ("HTTP/1.1 200 OK\r\nX", .closedEarly(.waiting)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .closedEarly(.reading)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .closedEarly(.reading)),
    ])
    func anAnswerThatBreaksOffIsNoAnswer(_ text: String, _ reason: OutboundError) async throws {
        let receiver = try await Receiver.start { call in
            call.send(text)
            call.close()
        }
        let failure = try await Sending.failure(Sending.client(), Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason == reason && receiver.connections == 1)
        #expect((failure.partial.map { String(decoding: $0.body, as: UTF8.self) } == "abc") == (reason == .closedEarly(.reading)))
    }

    @Test func aBodyWithoutLengthEndsWithTheConnection() async throws {
        let receiver = try await Receiver.start { call in
            call.send("HTTP/1.0 200 OK\r\n\r\nall of it")
            call.close()
        }
        let response = try await Sending.client().send(Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(response.body == Array("all of it".utf8) && !response.isCut)
    }

    /// A server that reads nothing, and says this a little after it was connected to.
    private func deaf(_ answer: String) async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                if !answer.isEmpty {
                    channel.eventLoop.scheduleTask(in: .milliseconds(50)) {
                        channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
                    }
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return channel.localAddress?.port ?? 0
    }

    @Test func aReceiverThatDoesNotReadTimesOutAndMayAnswerEarly() async throws {
        let large = String(repeating: "x", count: 32 << 20)
        let client = try Sending.client()
        let silent = try await deaf("")
        let failure = try await Sending.failure(client, Sending.post("http://127.0.0.1:\(silent)/", large, timeout: .seconds(2)))
        #expect(failure.reason == .timedOut(.sending))
        let early = try await deaf("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        #expect(try await client.send(Sending.post("http://127.0.0.1:\(early)/", large)).status == 413)
    }

    @Test(arguments: [
        ("X-A", "a\r\nX-B: b"), ("X-A", "a\u{0}"), ("X A", "a"), ("", "a"), ("X-A:", "a"), ("Host", "other"), ("content-length", "0"),
        ("Transfer-Encoding", "chunked"), ("Connection", "upgrade"),
    ])
    func aHeaderThatWouldChangeTheMessageIsNotSent(_ name: String, _ value: String) async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let post = try Sending.post("http://127.0.0.1:\(receiver.port)/", headers: [(name, value)])
        let failure = try await Sending.failure(Sending.client(), post)
        #expect(failure.reason.code == "invalid_request" && receiver.connections == 0)
    }
}

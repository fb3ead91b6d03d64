import Dispatch
import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing

@testable import PublicAPI

@Suite("Past what can be done, more is turned away at once")
struct OverloadTests {
    @Test("The request after the longest backlog is 503 with Retry-After, and all is well when it is done")
    func backlog() async throws {
        // given: the one thread stands still
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        let gate = DispatchSemaphore(value: 0)
        threads.submit { _ in gate.wait() }
        var random = SeededGenerator("overload")
        let world = try TwoOrganizations(&random, threads: threads)
        func ask(_ target: String = "/api/v1/candidates?count=exact") -> Outcome {
            let headers = HTTPHeaders([("Authorization", "Bearer \(world.sides[0].readKey)")])
            return world.core.respond(
                to: IncomingRequest(
                    method: .GET, target: target, headers: headers, client: ClientAddress(nil),
                    requestIDs: world.core.requestIDs))
        }
        let (statuses, status) = AsyncStream.makeStream(of: Int.self)

        // when
        for _ in 0..<PublicCore.longestBacklog {
            let start = try #require(ask().start, "turned away too early")
            start { status.yield($0.status) }
        }
        let refused = ask()

        // then
        let answer = try #require(refused.answer, "one more was taken")
        #expect(answer.status == 503 && answer.headers.contains { $0 == ("Retry-After", "1") })
        #expect(try JSONParser.parse(String(buffer: answer.body))["code"].asText == "unavailable")
        gate.signal()
        var answered = 0
        for await status in statuses {
            #expect(status == 200)
            answered += 1
            if answered == PublicCore.longestBacklog { break }
        }
        // What has been answered is told before the place is free.
        try await threads.runIfActive {}
        // Another page, that no memory has.
        #expect(ask("/api/v1/candidates?count=exact&limit=3").start != nil, "still turned away")
        try await threads.shutdownGracefully()
    }
}

extension Outcome {
    fileprivate var answer: Answer? { if case .now(let answer) = self { answer } else { nil } }
    fileprivate var start: (@Sendable (@escaping @Sendable (Answer) -> Void) -> Void)? {
        if case .later(let start) = self { start } else { nil }
    }
}

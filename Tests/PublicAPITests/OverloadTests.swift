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
    @Test("The request after a key's longest backlog is 503 with Retry-After, another key's is taken, and all is well when it is done")
    func backlog() async throws {
        // given: the one thread stands still
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        let gate = DispatchSemaphore(value: 0)
        threads.submit { _ in gate.wait() }
        var random = SeededGenerator("overload")
        let world = try TwoOrganizations(&random, threads: threads)
        func ask(_ target: String = "/api/v1/candidates?count=exact", of side: Int = 0) -> Outcome {
            let headers = HTTPHeaders([("Authorization", "Bearer \(world.sides[side].readKey)")])
            return world.core.respond(
                to: IncomingRequest(
                    method: .GET, target: target, headers: headers, client: ClientAddress(nil),
                    requestIDs: world.core.requestIDs))
        }
        let (statuses, status) = AsyncStream.makeStream(of: Int.self)

        // when
        for _ in 0..<SlowAnswers.longestOfKey {
            let start = try #require(ask().start)
            start { status.yield($0.status) }
        }
        let (refusals, refusal) = AsyncStream.makeStream(of: Answer.self)
        let (oneMore, another) = (try #require(ask().start), try #require(ask(of: 1).start))
        oneMore { refusal.yield($0) }
        another { status.yield($0.status) }

        // then
        var answers = refusals.makeAsyncIterator()
        let answer = try #require(await answers.next(), "one more was taken")
        #expect(answer.status == 503 && answer.headers.contains { $0 == ("Retry-After", "1") })
        #expect(try JSONParser.parse(String(buffer: answer.body))["code"].asText == "unavailable")
        gate.signal()
        var answered = 0
        for await status in statuses {
            #expect(status == 200)
            answered += 1
            if answered == SlowAnswers.longestOfKey + 1 { break }
        }
        // What has been answered is told before the place is free.
        try await threads.runIfActive {}
        // Another page, that no memory has.
        let later = try #require(ask("/api/v1/candidates?count=exact&limit=3").start)
        later { status.yield($0.status) }
        var rest = statuses.makeAsyncIterator()
        #expect(await rest.next() == 200, "still turned away")
        try await threads.shutdownGracefully()
    }
}

extension Outcome {
    fileprivate var start: (@Sendable (@escaping @Sendable (Answer) -> Void) -> Void)? {
        if case .later(let start) = self { start } else { nil }
    }
}

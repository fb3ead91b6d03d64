import NIOCore
import Testing

@testable import OutboundHTTP

/// Which connections are used again, and what happens when one has died meanwhile.
@Suite(.timeLimit(.minutes(1))) struct KeepAliveTests {
    private func statuses(_ client: OutboundClient, _ url: String, endpoints: [Int64]) async throws -> [Int] {
        var statuses: [Int] = []
        for endpoint in endpoints { statuses.append(try await client.send(Sending.post(url, endpoint: endpoint)).status) }
        return statuses
    }

    @Test func anEndpointsConnectionIsUsedAgainByItAlone() async throws {
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        let client = try Sending.client()
        #expect(try await statuses(client, "http://hook.test:\(receiver.port)/", endpoints: [1, 1, 1]) == [200, 200, 200])
        #expect(receiver.connections == 1)
        _ = try await statuses(client, "http://hook.test:\(receiver.port)/", endpoints: [2, 1, 2])
        #expect(receiver.connections == 2)
        client.closeIdle()
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ])
    func aConnectionThatIsToEndOrSaysTooMuchIsNotUsedAgain(_ answer: String) async throws {
        let receiver = try await Receiver.start { $0.send(answer) }
        #expect(try await statuses(Sending.client(), "http://127.0.0.1:\(receiver.port)/", endpoints: [1, 1]) == [200, 200])
        #expect(receiver.connections == 2)
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test func aConnectionThatSpeaksUnaskedIsClosed() async throws {
        let receiver = try await Receiver.start { call in
            call.send(Sending.ok)
            call.channel.eventLoop.scheduleTask(in: .milliseconds(50)) { call.send("HTTP/1.1 200 OK\r\n") }
        }
        let client = try Sending.client()
        _ = try await statuses(client, "http://127.0.0.1:\(receiver.port)/", endpoints: [1])
        #expect(try await Sending.eventually { receiver.open == 0 })
        #expect(try await statuses(client, "http://127.0.0.1:\(receiver.port)/", endpoints: [1]) == [200])
        #expect(receiver.connections == 2)
    }

    @Test func noMoreAreKeptThanAllowedAndNoneForLong() async throws {
        // given
        var limits = OutboundLimits()
        limits.keptPerEndpoint = 2
        limits.kept = 3
        limits.idleTimeout = .milliseconds(400)
        let waiting = Shared<[Receiver.Call]>([])
        let receiver = try await Receiver.start { call in
            let calls = waiting.update { calls in
                calls.append(call)
                return calls
            }
            if calls.count == 8 { for call in calls { call.send(Sending.ok) } }
        }
        let client = try Sending.client(limits: limits)

        // when
        try await withThrowingTaskGroup(of: Void.self) { group in
            for endpoint: Int64 in [1, 1, 1, 1, 2, 2, 2, 2] {
                let post = try Sending.post("http://127.0.0.1:\(receiver.port)/", endpoint: endpoint)
                group.addTask { _ = try await client.send(post) }
            }
            try await group.waitForAll()
        }

        // then
        #expect(receiver.connections == 8)
        #expect(try await Sending.eventually { receiver.open <= 3 })
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test func anOldConnectionIsNotUsedAgain() async throws {
        var limits = OutboundLimits()
        limits.oldestConnection = .zero
        let receiver = try await Receiver.start { $0.send(Sending.ok) }
        _ = try await statuses(Sending.client(limits: limits), "http://127.0.0.1:\(receiver.port)/", endpoints: [1, 1])
        #expect(receiver.connections == 2)
    }

    @Test func aKeptConnectionThatDiesUnansweredIsReplacedOnce() async throws {
        // given: each connection answers once and closes at the next request
        let receiver = try await Receiver.start { call in
            if call.number == 1 { call.send(Sending.ok) } else { call.close() }
        }

        // when
        let result = try await statuses(Sending.client(), "http://127.0.0.1:\(receiver.port)/", endpoints: [1, 1, 1])

        // then: the second and the third request were sent twice
        #expect(result == [200, 200, 200] && receiver.connections == 3 && receiver.requests.count == 5)
    }

    @Test func aRequestIsSentTwiceAtMost() async throws {
        let receiver = try await Receiver.start { call in
            if call.connection == 1, call.number == 1 { call.send(Sending.ok) } else { call.close() }
        }
        let client = try Sending.client()
        _ = try await statuses(client, "http://127.0.0.1:\(receiver.port)/", endpoints: [1])
        let failure = try await Sending.failure(client, Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason == .closedEarly(.waiting) && receiver.connections == 2 && receiver.requests.count == 3)
    }

    @Test func aKeptConnectionThatDiesInItsAnswerIsAFailure() async throws {
        let receiver = try await Receiver.start { call in
            call.send(call.number == 1 ? Sending.ok : "HTTP/1.1 2")
            if call.number == 2 { call.close() }
        }
        let client = try Sending.client()
        _ = try await statuses(client, "http://127.0.0.1:\(receiver.port)/", endpoints: [1])
        let failure = try await Sending.failure(client, Sending.post("http://127.0.0.1:\(receiver.port)/"))
        #expect(failure.reason == .closedEarly(.waiting) && receiver.requests.count == 2)
    }

    @Test func aKeptConnectionThatNoLongerAnswersTimesOut() async throws {
        let receiver = try await Receiver.start { if $0.number == 1 { $0.send(Sending.ok) } }
        let client = try Sending.client()
        _ = try await statuses(client, "http://127.0.0.1:\(receiver.port)/", endpoints: [1])
        let failure = try await Sending.failure(client, Sending.post("http://127.0.0.1:\(receiver.port)/", timeout: .milliseconds(200)))
        #expect(failure.reason == .timedOut(.waiting))
        #expect(try await Sending.eventually { receiver.requests.count == 2 })
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test func aCancelledRequestClosesItsConnection() async throws {
        let receiver = try await Receiver.start { _ in }
        let client = try Sending.client()
        let post = try Sending.post("http://127.0.0.1:\(receiver.port)/", timeout: .seconds(30))
        let task = Task { () async -> OutboundError? in
            do throws(OutboundFailure) {
                _ = try await client.send(post)
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(try await Sending.eventually { receiver.requests.count == 1 })
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(try await Sending.eventually { receiver.open == 0 })
    }
}

import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import OperatorAPI

/// Bodies that arrive in their own time.
@Suite("Bodies of requests are bounded in size and time")
struct RequestBodyTests {
    private func call(_ parts: AsyncStream<ByteBuffer>) throws -> PushCall {
        let route = try #require(PushRoute(["operator", "v1", "jobs", "x"]))
        let head = HTTPRequest(method: .put, scheme: nil, authority: nil, path: "/operator/v1/jobs/x")
        return PushCall(
            route: route, method: .put, path: "/operator/v1/jobs/x",
            parameters: try Parameters(Target("/operator/v1/jobs/x"), of: route, .put),
            caller: Caller(organization: OrganizationNumber(1), readsPersonal: true, name: "test", keyID: nil, limit: nil),
            request: Request(head: head, body: RequestBody(asyncSequence: parts)), client: ClientAddress(nil), requestID: "r")
    }

    private func code(_ body: () async throws -> Void) async -> Problem.Code? {
        do {
            try await body()
            return nil
        } catch { return (error as? Problem)?.code }
    }

    @Test("One that never ends is given up after the deadline, however often a part of it comes")
    func slow() async throws {
        let (parts, source) = AsyncStream<ByteBuffer>.makeStream()
        let drip = Task {
            while !Task.isCancelled {
                source.yield(ByteBuffer(string: " "))
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
        defer { drip.cancel() }
        let (call, began) = (try call(parts), ContinuousClock.now)
        #expect(await code { _ = try await call.readBody(into: 0, within: .milliseconds(100)) { _, _ in } } == .bodyTooSlow)
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test("One that is too large is given up where it becomes so")
    func large() async throws {
        let (parts, source) = AsyncStream<ByteBuffer>.makeStream()
        for _ in 0..<3 { source.yield(ByteBuffer(repeating: 0x20, count: 600_000)) }
        let call = try call(parts)
        #expect(await code { _ = try await call.readBody(into: 0) { _, _ in } } == .bodyTooLarge)
    }

    @Test("One that ends in time is given whole")
    func whole() async throws {
        let (parts, source) = AsyncStream<ByteBuffer>.makeStream()
        for word in ["{\"a\"", ":1}"] { source.yield(ByteBuffer(string: word)) }
        source.finish()
        let call = try call(parts)
        let collected = try await call.readBody(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
        #expect(String(buffer: collected) == "{\"a\":1}")
    }
}

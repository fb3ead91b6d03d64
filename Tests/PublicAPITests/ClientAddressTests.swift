import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import PublicAPI

@Suite("Failing keys are counted by client address")
struct ClientAddressTests {
    private func address(_ text: String) throws -> ClientAddress { ClientAddress(try SocketAddress(ipAddress: text, port: 4_711)) }

    @Test("IPv4 is told apart whole, IPv6 by its /64; an IPv4 address in IPv6 is the IPv4 one")
    func groups() throws {
        let same = [
            ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002:8000::"], ["2001:db8:1:3::1"], ["2001:db8:2:2::1"],
            ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.2", "::ffff:192.0.2.2"], ["::1", "::2"], ["fe80::1"],
        ]
        let texts = try same.map { try Set($0.map { try address($0).text }) }
        #expect(texts.allSatisfy { $0.count == 1 })
        #expect(Set(texts.joined()).count == same.count)
    }

    @Test("Twenty failures a minute are a /64's own, and a valid key is let through", arguments: ["2001:db8:1:2::", "192.0.2."])
    func limit(prefix: String) async throws {
        var random = SeededGenerator("failing keys")
        let world = try TwoOrganizations(&random, monotonic: { 0 })
        let isV6 = prefix.contains(":")
        func ask(_ address: String, _ key: String) async throws -> Int {
            let request = IncomingRequest(
                method: .GET, target: "/api/v1/key", headers: HTTPHeaders([("Authorization", "Bearer \(key)")]),
                client: try self.address(address), requestIDs: world.core.requestIDs)
            guard case .now(let answer) = world.core.respond(to: request) else { return 0 }
            return answer.status
        }
        // Of one subscriber: all of a /64, or one IPv4 address.
        func own(_ number: Int) -> String { prefix + (isV6 ? String(number + 1, radix: 16) : "7") }
        var statuses: [Int] = []
        for number in 0..<40 { statuses.append(try await ask(own(number), "rk_nonsense")) }
        #expect(statuses == Array(repeating: 401, count: 20) + Array(repeating: 429, count: 20))
        #expect(try await ask(own(50), world.sides[0].readKey) == 200)
        #expect(try await ask(isV6 ? "2001:db8:1:3::1" : "192.0.2.8", "rk_nonsense") == 401)
    }
}

import Addresses
import NIOCore
import Testing

@testable import OutboundHTTP

/// Answers look-ups from a table; what it does not know is not found, and what it hangs on never comes.
final class TableResolver: AddressResolving {
    /// Each look-up of a name takes the next of its answers; the last stays.
    private let answers: Shared<[String: [[String]]]>
    private let hangs: Set<String>

    init(_ answers: [String: [[String]]], hangs: Set<String> = []) {
        self.answers = Shared(answers)
        self.hangs = hangs
    }

    func resolve(_ name: String, completion: @escaping @Sendable (Result<[IPAddress], ResolutionError>) -> Void) {
        guard !hangs.contains(name) else { return }
        let texts = answers.update { table -> [String]? in
            guard let list = table[name], let first = list.first else { return nil }
            if list.count > 1 { table[name]?.removeFirst() }
            return first
        }
        guard let texts else { return completion(.failure(.notFound)) }
        completion(.success(texts.compactMap { IPAddress($0) }))
    }
}

/// What the tests of the client have in common.
enum Sending {
    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// `hook.test` is this machine; loopback's first address may be connected to.
    static func client(
        allow: [String] = ["127.0.0.1/32"], http: Bool = true, roots: String? = nil, limits: OutboundLimits = OutboundLimits(),
        resolver: (any AddressResolving)? = nil
    ) throws -> OutboundClient {
        try OutboundClient(
            addresses: AddressGuard(exceptions: allow.map { try AddressRange($0) }), allowHTTP: http, extraRoots: roots, limits: limits,
            resolver: resolver ?? TableResolver(["hook.test": [["127.0.0.1"]]]))
    }

    static func post(
        _ url: String, _ body: String = "{}", headers: [(name: String, value: String)] = [("Content-Type", "application/json")],
        endpoint: Int64 = 1, timeout: Duration = .seconds(10)
    ) throws -> OutboundPost {
        OutboundPost(url: try WebhookURL(url), headers: headers, body: Array(body.utf8), endpoint: endpoint, timeout: timeout)
    }

    /// The failure of a request that must fail.
    static func failure(_ client: OutboundClient, _ post: OutboundPost) async throws -> OutboundFailure {
        let failure = await #expect(throws: OutboundFailure.self) { try await client.send(post) }
        return try #require(failure)
    }

    /// Asks again and again until it is so. Returns whether it came to be, within some seconds.
    static func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return condition()
    }
}

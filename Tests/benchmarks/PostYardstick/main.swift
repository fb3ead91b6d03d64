import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

// The yardstick that needs no database: AsyncHTTPClient as its own examples write it, posting prepared and signed bodies.
// `PostYardstick --bodies FILE --port 8080 --port 8081 --in-flight 4` reads lines of webhook-id, webhook-timestamp,
// webhook-signature and body, with tabs between them, and posts each to every port, that many at a time to each.

struct Message {
    let headers: [(name: String, value: String)]
    let body: ByteBuffer
}

func options(_ name: String) -> [String] {
    let arguments = CommandLine.arguments
    return zip(arguments, arguments.dropFirst()).filter { $0.0 == name }.map(\.1)
}

let ports = options("--port").compactMap { Int($0) }
guard let file = options("--bodies").first, let inFlight = options("--in-flight").first.flatMap({ Int($0) }), !ports.isEmpty else {
    print("usage: PostYardstick --bodies FILE --in-flight N --port PORT …")
    exit(2)
}

let messages = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { line in
    let parts = line.split(separator: "\t", maxSplits: 3)
    return Message(
        headers: [
            ("Content-Type", "application/json"), ("User-Agent", "PostYardstick"), ("webhook-id", String(parts[0])),
            ("webhook-timestamp", String(parts[1])), ("webhook-signature", String(parts[2])),
        ], body: ByteBuffer(substring: parts[3]))
}

/// The messages for one port, each taken once.
final class Queue: Sendable {
    let url: String
    private let taken = Atomic<Int>(0)

    init(port: Int) { url = "http://127.0.0.1:\(port)/" }

    func next() -> Message? {
        let number = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < messages.count ? messages[number] : nil
    }
}

let client = HTTPClient(eventLoopGroupProvider: .singleton)
let refused = Atomic<Int>(0)

func post(_ queue: Queue) async throws {
    while let message = queue.next() {
        var request = HTTPClientRequest(url: queue.url)
        request.method = .POST
        request.headers = HTTPHeaders(message.headers)
        request.body = .bytes(message.body)
        let response = try await client.execute(request, timeout: .seconds(15))
        _ = try await response.body.collect(upTo: 16_384)
        if !(200..<300).contains(response.status.code) { refused.add(1, ordering: .relaxed) }
    }
}

let began = ContinuousClock.now
try await withThrowingTaskGroup(of: Void.self) { group in
    for port in ports {
        let queue = Queue(port: port)
        for _ in 0..<inFlight { group.addTask { try await post(queue) } }
    }
    try await group.waitForAll()
}
let seconds = (ContinuousClock.now - began) / .seconds(1)
try await client.shutdown().get()
print("{\"count\":\(messages.count * ports.count),\"refused\":\(refused.load(ordering: .relaxed)),\"seconds\":\(seconds)}")

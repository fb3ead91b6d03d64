import Domain
import Foundation
import Hummingbird
import NIOCore
import SQLiteStorage
import Synchronization
import Webhooks

/// The receiving side of webhooks: verifies a delivery, shows it, answers.
struct Receiver: Sendable {
    let dialect: Dialect
    let secrets: [String]
    let status: Int
    let delay: Duration
    let printer: ReceptionPrinter

    private static let largestBody = 1 << 20

    func answer(_ request: Request) async -> Response {
        guard request.method == .post else {
            return Self.response(405, "hirewire listen takes deliveries, which are POSTed\n", [.allow: "POST"])
        }
        let reception: Reception
        do {
            reception = examine(request, body: Array(try await request.body.collect(upTo: Self.largestBody).readableBytesView))
        } catch {
            return Self.response(413, "more than 1 MiB, or cut off\n", [.connection: "close"])
        }
        printer.write(reception)
        try? await Task.sleep(for: delay)
        return Self.response(reception.status, reception.reason.map { "refused: \($0)\n" } ?? "received\n")
    }

    private func examine(_ request: Request, body: [UInt8]) -> Reception {
        let now = SystemTime().now
        let headers = request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
        var reason: String?
        if case .refused(let why) = dialect.verify(headers: headers, body: body, secrets: secrets, now: now) { reason = why }
        return Reception(
            at: now, method: request.method.rawValue, path: request.uri.string, headers: headers, body: body, reason: reason,
            status: reason == nil ? status : 401)
    }

    private static func response(_ status: Int, _ text: String, _ headers: HTTPFields = [:]) -> Response {
        // A status without a body has no type of it either.
        guard status != 204, status != 304 else { return Response(status: .init(code: status), headers: headers) }
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        return Response(status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// A delivery as it came, and what was made of it.
struct Reception: Sendable {
    let at: Timestamp
    let method: String
    let path: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    /// Why it does not verify; nil when it does.
    let reason: String?
    /// What it is answered with.
    let status: Int

    /// The body where it is JSON.
    private var json: JSONValue? { try? body.withUnsafeBufferPointer { try JSONParser.parse($0) } }

    private var text: String { String(decoding: body, as: UTF8.self) }

    /// One object: a body that is no JSON is its text.
    var line: String {
        JSONValue.object([
            .init("event", .string("delivery")), .init("at", .string(at.description)), .init("verified", .bool(reason == nil)),
            .init("reason", reason.map(JSONValue.string) ?? .null), .init("status", .number(String(status))),
            .init("method", .string(method)), .init("path", .string(path)),
            .init("headers", .object(headers.map { .init($0.name, .string($0.value)) })), .init("body", json ?? .string(text)),
        ]).text + "\n"
    }

    /// Some lines for people.
    func lines(isColourful: Bool) -> String {
        let json = json
        let verdict =
            reason.map { Terminal.styled("✗ refused: \(Terminal.plain($0))", .red, when: isColourful) }
            ?? Terminal.styled("✓ verified", .green, when: isColourful)
        let type = [json?["type"], json?["event"]].lazy.compactMap { if case .string(let text) = $0 { text } else { nil } }.first ?? ""
        let title = Terminal.styled(Terminal.plain("\(method) \(path)  \(type)"), .strong, when: isColourful)
        let head = headers.map { Terminal.styled("  " + Terminal.plain("\($0.name): \($0.value)"), .faint, when: isColourful) }
        let body = json.map { PrettyJSON(isColourful: isColourful).text($0, indent: "  ") } ?? Terminal.plain(text)
        return (["\(at)  \(verdict)  \(title)  → \(status)"] + head + ["  " + body]).joined(separator: "\n") + "\n\n"
    }
}

/// Prints what came, a delivery after the other.
final class ReceptionPrinter: Sendable {
    private let isJSON: Bool
    /// Held while something is written: deliveries come at once.
    private let turn = Mutex(())

    init(isJSON: Bool) { self.isJSON = isJSON }

    func write(_ reception: Reception) {
        write(isJSON ? reception.line : reception.lines(isColourful: Terminal.isColourful))
    }

    /// Ends the process when nobody reads any more: then there is nothing left to do.
    func write(_ text: String) {
        turn.withLock { _ in if !Stream.write(text) { exit(0) } }
    }
}

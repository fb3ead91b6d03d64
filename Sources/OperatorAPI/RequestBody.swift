import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird

/// Bodies from outside: bounded in size and time, and of a type that is asked for.
extension PushCall {
    /// How long a body may take to arrive.
    static let bodyDeadline = Duration.seconds(30)

    /// Puts each part of the body into `state` by `take`.
    ///
    /// - Parameter deadline: how long all of it may take.
    /// - Throws: ``Problem`` where it is too large, too slow or cut short.
    func readBody<State: Sendable>(
        into state: State, within deadline: Duration = bodyDeadline, _ take: @escaping @Sendable (inout State, ByteBuffer) throws -> Void
    ) async throws -> State {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw Problem(.unsupportedMediaType, "The body should have no Content-Encoding.", headers: [("Accept-Encoding", "identity")])
        }
        let largest = route.largestBody
        let tooLarge = Problem(.bodyTooLarge, "A body is at most \(largest >> 20) MB here.", headers: [("Connection", "close")])
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > largest { throw tooLarge }
        let body = request.body
        return try await withThrowingTaskGroup(of: State?.self) { group in
            group.addTask {
                var (state, count) = (state, 0)
                var parts = body.makeAsyncIterator()
                while let part = try await Self.next(&parts) {
                    count += part.readableBytes
                    guard count <= largest else { throw tooLarge }
                    try take(&state, part)
                }
                return state
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard let read = try await group.next() ?? nil else {
                throw Problem(
                    .bodyTooSlow, "The body took longer than \(deadline.components.seconds) s.", headers: [("Connection", "close")])
            }
            return read
        }
    }

    /// A client that leaves in the middle is no fault of ours.
    private static func next(_ parts: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do { return try await parts.next() } catch let cancelled as CancellationError { throw cancelled } catch {
            throw Problem(.invalidRequest, "The body ended before its time.", headers: [("Connection", "close")])
        }
    }

    /// The body as JSON; nil where there is none.
    func readOptionalJSON() async throws -> JSONValue? {
        let isThere = request.headers[.contentLength].map { $0 != "0" } ?? (request.headers[.transferEncoding] != nil)
        return isThere ? try await readJSON().value : nil
    }

    /// The body as JSON, with its bytes.
    ///
    /// - Throws: ``Problem`` where it is none.
    func readJSON() async throws -> (value: JSONValue, bytes: ByteBuffer) {
        let types = method == .patch ? ["application/merge-patch+json", "application/json"] : ["application/json"]
        guard let given = MediaType(request.headers[.contentType] ?? ""), types.contains(given.name), given.isUTF8 else {
            throw Problem(
                .unsupportedMediaType, "The body should be \(types.joined(separator: " or ")), in UTF-8.",
                headers: [(method == .patch ? "Accept-Patch" : "Accept", types.joined(separator: ", "))])
        }
        let bytes = try await readBody(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
        do {
            return (try bytes.withUnsafeReadableBytes { try JSONParser.parse($0.bindMemory(to: UInt8.self)) }, bytes)
        } catch let error as JSONError {
            throw Problem(
                .invalidRecord, "The body is no JSON (RFC 8259): \(error).",
                error: [.init("pointer", .string("")), .init("message", .string("\(error)"))])
        }
    }
}

/// A media type and what of its parameters matters here (RFC 9110, 8.3.1).
struct MediaType: Equatable, Sendable {
    /// In lower case, without parameters.
    let name: String
    let isUTF8: Bool

    init?(_ field: String) {
        let parts = field.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        guard let name = parts.first, !name.isEmpty else { return nil }
        self.name = name
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }?.dropFirst("charset=".count).filter { $0 != "\"" }
        isUTF8 = charset == nil || charset == "utf-8"
    }
}

import Addresses
import Domain
import NIOCore
import NIOHTTP1

/// Where a request came from, for limits: IPv4 whole, IPv6 by its /64, which one subscriber has.
public struct ClientAddress: Sendable, Hashable {
    public let text: String

    public init(_ address: SocketAddress?) {
        text = IPAddress(address).map(Self.text) ?? (address == nil ? "unknown" : "local")
    }

    public init(_ address: IPAddress) { text = Self.text(address) }

    private static func text(_ address: IPAddress) -> String {
        let address = address.unmapped
        guard address.family == .v6 else { return address.description }
        return stride(from: 112, to: 48, by: -16).map { String(UInt16(truncatingIfNeeded: address.bits >> UInt128($0)), radix: 16) }
            .joined(separator: ":") + "::/64"
    }
}

/// A request's head, its headers picked out in one pass. An object, for all that answers the request passes it on.
public final class IncomingRequest: Sendable {
    public let method: HTTPMethod
    /// As it was sent: path, `?`, query.
    public let target: String
    public let client: ClientAddress
    public let authorizations: [String]
    public let ifNoneMatch: String?
    public let accept: String?
    public let acceptEncoding: String?
    public let origin: String?
    public let requestMethodAsked: String?
    public let requestID: String

    /// `If-None-Match: *`: only what does not exist is asked for (RFC 9110, 13.1.2).
    public var asksForNothing: Bool { ifNoneMatch == "*" }

    public init(
        method: HTTPMethod, target: String, headers: HTTPHeaders, client: ClientAddress,
        requestIDs: RequestIDs
    ) {
        self.method = method
        self.target = target
        self.client = client
        var authorizations: [String] = []
        var ifNoneMatch, accept, acceptEncoding, origin, requestMethodAsked, givenID: String?
        for (name, value) in headers {
            switch name.utf8.count {
            case 13:
                if name.isHeader("authorization") {
                    authorizations.append(value)
                } else if name.isHeader("if-none-match") {
                    ifNoneMatch = ifNoneMatch.map { $0 + "," + value } ?? value
                }
            case 6:
                if name.isHeader("accept") {
                    accept = accept.map { $0 + "," + value } ?? value
                } else if name.isHeader("origin") {
                    origin = value
                }
            case 15 where name.isHeader("accept-encoding"): acceptEncoding = acceptEncoding.map { $0 + "," + value } ?? value
            case 12 where name.isHeader("x-request-id"): givenID = givenID == nil ? value : ""
            case 29 where name.isHeader("access-control-request-method"): requestMethodAsked = value
            default: break
            }
        }
        self.authorizations = authorizations
        self.ifNoneMatch = ifNoneMatch
        self.accept = accept
        self.acceptEncoding = acceptEncoding
        self.origin = origin
        self.requestMethodAsked = requestMethodAsked
        requestID = givenID.flatMap { RequestIDs.isWellFormed($0) ? $0 : nil } ?? requestIDs.next()
    }
}

extension StringProtocol {
    /// Compares a header's name without regard to ASCII case; `name` is in lower case.
    @inline(__always)
    public func isHeader(_ name: StaticString) -> Bool {
        guard utf8.count == name.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in utf8 {
            let lower = byte >= 65 && byte <= 90 ? byte | 32 : byte
            if lower != name.utf8Start[index] { return false }
            index += 1
        }
        return true
    }
}

/// An answer, whole but for what the connection adds (`Date`, `Content-Length`, `Connection`).
public struct Answer: Sendable {
    public var status: Int
    public var headers: [(String, String)]
    public var body: ByteBuffer
    /// What follows `body`, where it is made while it is sent.
    public var rest: (any BodySource)?
    /// What the access log and the metrics call it: a route's pattern, never a value.
    public var route: String
    /// The calling key's public id, for the log.
    public var keyID: String?
    /// What went wrong inside, for the log alone.
    public var cause: String?
    /// What an export came to, for the log and the metrics; nil of all else.
    public var export: ExportNote?

    public init(status: Int, headers: [(String, String)], body: ByteBuffer, route: String, keyID: String? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.route = route
        self.keyID = keyID
    }
}

/// What an export came to.
public struct ExportNote: Sendable {
    public enum Outcome: String, Sendable, CaseIterable {
        /// All its rows were sent.
        case whole
        /// The server ended it before its last row.
        case cut
        /// Its client went, or stopped reading.
        case left
    }

    public var outcome = Outcome.whole
    /// As many as were made.
    public var rows: Int
    public init(rows: Int) { self.rows = rows }
}

/// The rest of a body, in pieces that are made when the one before is on its way.
public protocol BodySource: AnyObject, Sendable {
    /// How many rows were made.
    var rows: Int { get }
    /// Makes the next piece. Calls back exactly once, from any thread, and is not called again before that.
    func next(_ done: @escaping @Sendable (BodyPiece) -> Void)
    /// The client has gone: no further piece is asked for.
    func cancel()
}

public enum BodyPiece: Sendable {
    case more(ByteBuffer)
    /// The body ends behind it.
    case last(ByteBuffer)
    /// The body can't be finished: the client is to notice, and the log is to have the reason.
    case cut(ByteBuffer, reason: String)
}

/// What a core makes of a request: the answer at once, or later from another thread.
public enum Outcome: Sendable {
    case now(Answer)
    /// Runs `start`, which calls back exactly once, from any thread.
    case later(_ start: @Sendable (@escaping @Sendable (Answer) -> Void) -> Void)
}

extension Outcome {
    public func map(_ change: @escaping @Sendable (Answer) -> Answer) -> Outcome {
        switch self {
        case .now(let answer): .now(change(answer))
        case .later(let start): .later { done in start { done(change($0)) } }
        }
    }
}

/// The synchronous core that a listener stands on: request head in, outcome out. Called on event loops, so it must
/// keep what it does at once short.
public protocol RequestCore: Sendable {
    func respond(to request: IncomingRequest) -> Outcome
    /// The answer to a request that could not be read whole, or, with nil, not at all.
    func refuse(_ problem: Problem, to request: IncomingRequest?) -> Answer
    var requestIDs: RequestIDs { get }
    /// The end has begun: an answer is the last on its connection.
    var isShuttingDown: Bool { get }
    /// Told after the answer went out.
    func finished(_ record: AccessRecord)
}

/// One answered request, for the log and the metrics.
public struct AccessRecord: Sendable {
    public let method: String
    /// Without the query, which may hold personal data.
    public let path: String
    public let answer: Answer
    public let requestID: String
    public let client: ClientAddress
    public let nanoseconds: Int64
    public let bytes: Int
    /// A person looked at a page: no traffic of the API.
    public let isPage: Bool

    public init(
        method: String, path: String, answer: Answer, requestID: String, client: ClientAddress, nanoseconds: Int64, bytes: Int,
        isPage: Bool = false
    ) {
        self.isPage = isPage
        self.method = method
        self.path = path
        self.answer = answer
        self.requestID = requestID
        self.client = client
        self.nanoseconds = nanoseconds
        self.bytes = bytes
    }
}

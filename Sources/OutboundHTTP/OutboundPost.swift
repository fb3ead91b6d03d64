/// One POST.
public struct OutboundPost: Sendable {
    public let url: WebhookURL
    /// Without `Host`, `Content-Length` and `Connection`, which the client sets.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// The caller's number of the endpoint: connections are kept for it alone, and its requests share an event loop.
    public let endpoint: Int64
    /// For everything, from the look-up of the name to the last byte of the response's body. At most a day.
    public let timeout: Duration

    public init(url: WebhookURL, headers: [(name: String, value: String)], body: [UInt8], endpoint: Int64, timeout: Duration) {
        self.url = url
        self.headers = headers
        self.body = body
        self.endpoint = endpoint
        self.timeout = timeout
    }

    /// Header fields that frame or route the message: the client's own.
    private static let ownFields: Set<String> = [
        "host", "content-length", "connection", "transfer-encoding", "expect", "upgrade", "te", "trailer",
    ]

    /// What can't be sent as given: names must be tokens, values one line (RFC 9110, 5.1 and 5.5).
    func problem() -> OutboundError? {
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else { return .invalidRequest("a header's name is not a token") }
            guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
                return .invalidRequest("the header \(name) has a control character")
            }
            guard !Self.ownFields.contains(name.lowercased()) else { return .invalidRequest("the header \(name) is the client's own") }
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

/// A response as it came: redirects are not followed, a content coding is not undone.
public struct OutboundResponse: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    /// The first bytes, up to `OutboundLimits.largestBody`.
    public internal(set) var body: [UInt8] = []
    /// Whether the body may have been longer: it was more than is kept, or ended without saying so.
    public internal(set) var isCut = false
    /// Microseconds from the call to the end.
    public internal(set) var duration: Int64 = 0
    /// Address and port that the response came from.
    public let remoteAddress: String
}

/// No complete response.
public struct OutboundFailure: Error, Sendable {
    public let reason: OutboundError
    /// Microseconds from the call to the failure.
    public let duration: Int64
    /// What had come of a response: its head and a part of its body.
    public let partial: OutboundResponse?

    public var isTimeout: Bool { reason.isTimeout }
}

/// The bounds of every request.
public struct OutboundLimits: Sendable {
    /// Bytes of a response's body that are read; behind them the connection is closed.
    public var largestBody = 16 << 10
    /// Bytes of a response's head, interim ones included.
    public var largestHead = 32 << 10
    public var mostHeaders = 100
    /// Responses with a 1xx status before the real one.
    public var mostInterimResponses = 8
    /// Addresses of a name that are tried, one after the other.
    public var mostAddresses = 3
    /// Idle connections that are kept for an endpoint, and in all.
    public var keptPerEndpoint = 4
    public var kept = 256
    public var idleTimeout = Duration.seconds(15)
    /// No connection is used again when it is older: a name that moves is followed.
    public var oldestConnection = Duration.seconds(60)
    public init() {}
}

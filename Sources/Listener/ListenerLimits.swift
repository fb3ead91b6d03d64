import HTTPSupport
import NIOCore

/// The limits that a connection must keep.
public struct ListenerLimits: Sendable {
    /// From the first moment of a connection, or the first byte of a later request, until its head is there.
    public var headTimeout = TimeAmount.seconds(10)
    /// Between two requests of a kept connection.
    public var idleTimeout = TimeAmount.seconds(75)
    /// For a client that does not read what it asked for.
    public var writeTimeout = TimeAmount.seconds(30)
    /// For an HTTP/2 client whose windows (RFC 9113, 5.2) let an answer go bit by bit.
    public var longestSending = TimeAmount.seconds(600)
    public var head = HeadLimits()
    /// A body on a GET is read and dropped up to this size; past it the connection is closed.
    public var largestBody = 64 << 10
    public init() {}

    /// How often a connection is looked at that has more time than that left.
    var lookInterval: TimeAmount { min(headTimeout, .seconds(5)) }
}

extension Problem {
    static func bodyTooLarge(_ limits: ListenerLimits) -> Problem {
        Problem(.invalidRequest, "A GET has no body; this one has over \(limits.largestBody >> 10) KiB.")
    }
}

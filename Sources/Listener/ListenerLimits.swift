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
    public var longestTarget = 8 << 10
    public var largestHead = 16 << 10
    /// A body on a GET is read and dropped up to this size; past it the connection is closed.
    public var largestBody = 64 << 10
    public init() {}
}

extension Problem {
    static func targetTooLong(_ limits: ListenerLimits) -> Problem {
        Problem(.uriTooLong, "The request target is longer than \(limits.longestTarget >> 10) KiB.")
    }
    static func bodyTooLarge(_ limits: ListenerLimits) -> Problem {
        Problem(.invalidRequest, "A GET has no body; this one has over \(limits.largestBody >> 10) KiB.")
    }
    static func headTooLarge(_ limits: ListenerLimits) -> Problem {
        Problem(.headersTooLarge, "The header fields are larger than \(limits.largestHead >> 10) KiB together.")
    }
}

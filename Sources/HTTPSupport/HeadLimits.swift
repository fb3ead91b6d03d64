import NIOHTTP1

/// What a request's head must keep to, on both listeners. A parser's own limits should be looser, for these give the better
/// answers.
public struct HeadLimits: Sendable {
    public var longestTarget = 8 << 10
    /// All header fields together.
    public var largestHead = 16 << 10
    /// What a request with a method is told that the parser does not know.
    public var unknownMethod = Problem.methodNotAllowed
    public init() {}

    /// Why a head is refused; nil where it is in order.
    public func problem(of head: HTTPRequestHead, isHTTP1: Bool = true) -> Problem? {
        guard head.uri.utf8.count <= longestTarget else { return targetTooLong }
        var (size, hosts) = (0, 0)
        for (name, value) in head.headers {
            size += name.utf8.count + value.utf8.count + 4
            if name.isHeader("host") { hosts += 1 }
        }
        guard size <= largestHead else { return headTooLarge }
        guard isHTTP1 else { return nil }
        guard head.version.major == 1 else { return Problem(.invalidRequest, "Only HTTP/1.1, HTTP/1.0 and HTTP/2 are spoken here.") }
        // RFC 9112, 3.2: exactly one in HTTP/1.1.
        guard hosts == 1 || (hosts == 0 && head.version.minor == 0) else {
            return Problem(.invalidRequest, "An HTTP/1.1 request has exactly one Host field.")
        }
        return nil
    }

    /// What a parser's error is to the client; nil where nobody is there to be told.
    ///
    /// - Parameter line: what was seen of the request.
    public func problem(of error: HTTPParserError, _ line: RequestLineMeter?) -> Problem? {
        switch error {
        case .headerOverflow: line?.isTargetTooLong == true ? targetTooLong : headTooLarge
        case .invalidMethod where line?.hasMethod == true: unknownMethod
        case .closedConnection, .invalidEOFState: nil
        default: Problem(.invalidRequest, "That is not an HTTP request.")
        }
    }

    private var targetTooLong: Problem { Problem(.uriTooLong, "The request target is longer than \(longestTarget >> 10) KiB.") }
    private var headTooLarge: Problem {
        Problem(.headersTooLarge, "The header fields are larger than \(largestHead >> 10) KiB together.")
    }
}

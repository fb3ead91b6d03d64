import Addresses

/// Why a request got no complete response. `code` and the first words of `description` stay the same between versions.
public enum OutboundError: Error, Equatable, Sendable {
    /// What a request was doing when something happened.
    public enum Phase: String, Sendable {
        case resolving = "resolving the name"
        case connecting = "connecting"
        case handshaking = "making the TLS handshake"
        case sending = "sending the request"
        case waiting = "waiting for the response's head"
        case reading = "reading the response's body"
    }

    /// The one deadline over everything has passed.
    case timedOut(Phase)
    /// The URL is `http` and that is not allowed.
    case httpNotAllowed
    /// The address, or one that the name stands for, is not public. `name` is nil where the URL has the address itself.
    case refusedAddress(IPAddress, kind: String, name: String?)
    case nameNotFound(String)
    case lookupFailed(name: String, detail: String)
    /// Too many look-ups wait already.
    case lookupsBusy
    case connectionRefused
    case connectionFailed(String)
    case certificateExpired
    case certificateNotYetValid
    /// Signed by nobody that is trusted, or not fit for a server.
    case certificateNotTrusted
    /// The certificate is for other names.
    case certificateNameMismatch
    case handshakeFailed(String)
    /// The connection ended before the response did.
    case closedEarly(Phase)
    case malformedResponse(String)
    /// More header fields or bytes than allowed.
    case headTooLarge
    case tooManyInterimResponses
    /// A header that the caller gave can't be sent.
    case invalidRequest(String)
    case cancelled

    public var isTimeout: Bool {
        if case .timedOut = self { return true }
        return false
    }

    /// A stable word for logs and counters.
    public var code: String {
        switch self {
        case .timedOut: "timed_out"
        case .httpNotAllowed: "http_not_allowed"
        case .refusedAddress: "refused_address"
        case .nameNotFound: "name_not_found"
        case .lookupFailed: "lookup_failed"
        case .lookupsBusy: "lookups_busy"
        case .connectionRefused: "connection_refused"
        case .connectionFailed: "connection_failed"
        case .certificateExpired: "certificate_expired"
        case .certificateNotYetValid: "certificate_not_yet_valid"
        case .certificateNotTrusted: "certificate_not_trusted"
        case .certificateNameMismatch: "certificate_name_mismatch"
        case .handshakeFailed: "handshake_failed"
        case .closedEarly: "closed_early"
        case .malformedResponse: "malformed_response"
        case .headTooLarge: "head_too_large"
        case .tooManyInterimResponses: "too_many_interim_responses"
        case .invalidRequest: "invalid_request"
        case .cancelled: "cancelled"
        }
    }
}

extension OutboundError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .timedOut(let phase): "timed out while \(phase.rawValue)"
        case .httpNotAllowed: "http is not allowed: use https, or start the server with --webhook-allow-http"
        case .refusedAddress(let address, let kind, let name):
            "refused address: \(name.map { "\($0) is " } ?? "")\(address), which is not public (\(kind)); --webhook-allow-cidr of the server permits others"
        case .nameNotFound(let name): "name not found: \(name)"
        case .lookupFailed(let name, let detail): "name look-up failed: \(name): \(detail)"
        case .lookupsBusy: "name look-up failed: too many are waiting"
        case .connectionRefused: "connection refused"
        case .connectionFailed(let detail): "connection failed: \(detail)"
        case .certificateExpired: "TLS certificate has expired"
        case .certificateNotYetValid: "TLS certificate is not valid yet"
        case .certificateNotTrusted: "TLS certificate is not trusted"
        case .certificateNameMismatch: "TLS certificate is for another host"
        case .handshakeFailed(let detail): "TLS handshake failed: \(detail)"
        case .closedEarly(let phase): "connection closed early while \(phase.rawValue)"
        case .malformedResponse(let detail): "malformed response: \(detail)"
        case .headTooLarge: "response head too large"
        case .tooManyInterimResponses: "too many interim responses"
        case .invalidRequest(let detail): "invalid request: \(detail)"
        case .cancelled: "cancelled"
        }
    }
}

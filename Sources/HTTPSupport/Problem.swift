import Domain

/// An error as clients see it: RFC 9457 problem details with a stable code. The one error type of both listeners.
public struct Problem: Refusal, Sendable {
    /// The codes, as documented.
    public enum Code: String, CaseIterable, Sendable {
        case unknownParameter = "unknown_parameter"
        case repeatedParameter = "repeated_parameter"
        case invalidParameter = "invalid_parameter"
        case invalidCursor = "invalid_cursor"
        case cursorMismatch = "cursor_mismatch"
        case invalidRequest = "invalid_request"
        case unauthorized
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
        case notInPlan = "not_in_plan"
        case notFound = "not_found"
        case gone
        case eventsExpired = "events_expired"
        case methodNotAllowed = "method_not_allowed"
        case notAcceptable = "not_acceptable"
        case uriTooLong = "uri_too_long"
        case headersTooLarge = "headers_too_large"
        case rateLimited = "rate_limited"
        case unavailable
        /// Only as the last line of an export.
        case exportCut = "export_cut"
        case `internal`
        // Of the operator listener alone.
        case invalidRecord = "invalid_record"
        case preconditionFailed = "precondition_failed"
        case idempotencyKeyReused = "idempotency_key_reused"
        case bodyTooLarge = "body_too_large"
        case bodyTooSlow = "body_too_slow"
        case unsupportedMediaType = "unsupported_media_type"
        case notSupported = "not_supported"

        /// Those that the public API answers with.
        public static let ofPublicAPI = allCases.prefix { $0 != .invalidRecord }

        /// Those that the operator listener answers with: it has no lists of records.
        public static let ofOperatorAPI = allCases.filter {
            ![.invalidCursor, .cursorMismatch, .eventsExpired, .exportCut].contains($0)
        }

        public var status: Int {
            switch self {
            case .unknownParameter, .repeatedParameter, .invalidParameter, .invalidCursor, .cursorMismatch, .invalidRequest: 400
            case .unauthorized, .invalidToken: 401
            case .insufficientScope, .notInPlan: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .notAcceptable: 406
            case .gone, .eventsExpired: 410
            case .uriTooLong: 414
            case .rateLimited: 429
            case .bodyTooSlow: 408
            case .preconditionFailed: 412
            case .bodyTooLarge: 413
            case .unsupportedMediaType: 415
            case .invalidRecord, .idempotencyKeyReused: 422
            case .notSupported: 501
            case .headersTooLarge: 431
            case .internal: 500
            case .unavailable, .exportCut: 503
            }
        }

        public var title: String {
            switch self {
            case .unknownParameter: "Unknown parameter"
            case .repeatedParameter: "Repeated parameter"
            case .invalidParameter: "Invalid parameter"
            case .invalidCursor: "Invalid cursor"
            case .cursorMismatch: "Cursor of another request"
            case .invalidRequest: "Invalid request"
            case .unauthorized: "No credentials"
            case .invalidToken: "Invalid key"
            case .insufficientScope: "Insufficient scope"
            case .notInPlan: "Not in the plan"
            case .notFound: "Not found"
            case .gone: "Deleted"
            case .eventsExpired: "Events expired"
            case .methodNotAllowed: "Method not allowed"
            case .notAcceptable: "Not acceptable"
            case .uriTooLong: "Target too long"
            case .headersTooLarge: "Headers too large"
            case .rateLimited: "Too many requests"
            case .unavailable: "Unavailable"
            case .exportCut: "Export cut"
            case .internal: "Internal error"
            case .invalidRecord: "Invalid record"
            case .preconditionFailed: "Precondition failed"
            case .idempotencyKeyReused: "Idempotency key of another request"
            case .bodyTooLarge: "Body too large"
            case .bodyTooSlow: "Body too slow"
            case .unsupportedMediaType: "Unsupported media type"
            case .notSupported: "Not supported"
            }
        }
    }

    public let code: Code
    public let detail: String
    /// The members of each entry of `errors`.
    public var errors: [[JSONValue.Member]] = []
    /// Headers that the answer has beside the usual ones.
    public var headers: [(String, String)] = []

    public init(
        _ code: Code, _ detail: String, error: [JSONValue.Member] = [], headers: [(String, String)] = []
    ) {
        self.code = code
        self.detail = detail
        errors = error.isEmpty ? [] : [error]
        self.headers = headers
    }

    public func write(requestID: String, to out: inout ByteWriter) {
        var members: [JSONValue.Member] = [
            .init("type", .string("/problems/" + code.rawValue.replacingUnderscores)),
            .init("title", .string(code.title)),
            .init("status", .number(String(code.status))),
            .init("code", .string(code.rawValue)),
            .init("detail", .string(detail)),
        ]
        if !errors.isEmpty { members.append(.init("errors", .array(errors.map(JSONValue.object)))) }
        members.append(.init("request_id", .string(requestID)))
        JSONValue.object(members).write(to: &out)
    }

    /// The same answer whoever asks for what: unknown, or another organization's.
    public static let notFound = Problem(.notFound, "There is no such record.")

    public static let eventsExpired = Problem(
        .eventsExpired, "Events after that position are gone; read the lists again and go on from the feed's end.")
    public static let methodNotAllowed = Problem(
        .methodNotAllowed, "This API is read-only: GET, HEAD and OPTIONS.", headers: [("Allow", "GET, HEAD, OPTIONS")])
}

extension String {
    fileprivate var replacingUnderscores: String { String(map { $0 == "_" ? "-" : $0 }) }
}

extension Problem {
    /// A parameter's fault in words.
    public init(_ fault: ParameterFault) {
        switch fault {
        case .unknown(let name, let suggestion):
            var error: [JSONValue.Member] = [.init("parameter", .string(Self.shown(name)))]
            if let suggestion { error.append(.init("suggestion", .string(suggestion))) }
            self.init(.unknownParameter, "'\(Self.shown(name))' is not a parameter of this address.", error: error)
        case .repeated(let name):
            self.init(
                .repeatedParameter, "'\(Self.shown(name))' may be given once.", error: [.init("parameter", .string(Self.shown(name)))])
        case .invalid(let name, let message, let allowed, let maximum):
            var error: [JSONValue.Member] = [.init("parameter", .string(Self.shown(name))), .init("message", .string(message))]
            if !allowed.isEmpty { error.append(.init("allowed", .array(allowed.map(JSONValue.string)))) }
            if let maximum { error.append(.init("maximum", .number(String(maximum)))) }
            self.init(.invalidParameter, "'\(Self.shown(name))' \(message)\(message.hasSuffix("?") ? "" : ".")", error: error)
        case .invalidCursor:
            self.init(
                .invalidCursor, "The cursor is damaged or none of ours; start again without one.",
                error: [.init("parameter", .string("cursor"))])
        case .cursorMismatch:
            self.init(
                .cursorMismatch, "The cursor belongs to other filters or another sort; repeat them, or give it alone.",
                error: [.init("parameter", .string("cursor"))])
        }
    }

    /// A name from outside, short enough to be repeated.
    private static func shown(_ name: String) -> String { String(name.unicodeScalars.prefix(80).map(Character.init)) }
}

import Domain
import HTTPSupport
import NIOCore
import RateLimiting

/// An answer's headers as they become known on a request's way.
struct Reply: Sendable {
    private let publicURL: String
    private let origin: String?
    private let asksPreflight: Bool
    private let gzip: Gzip
    let acceptsGzip: Bool
    let requestID: String
    var route: String
    var key: APIKey?
    var limit: LimitDecision?
    var tag: String?

    init(_ core: PublicCore, request: IncomingRequest?, route: String) {
        publicURL = core.configuration.publicURL
        requestID = request?.requestID ?? core.requestIDs.next()
        self.route = route
        let allowed = core.configuration.allowedOrigins
        origin = request?.origin.flatMap { allowed.contains($0) ? $0 : allowed.contains("*") ? "*" : nil }
        asksPreflight = request?.requestMethodAsked != nil
        gzip = core.gzip
        acceptsGzip = request?.acceptEncoding.map(Gzip.isAccepted) ?? false
    }

    private func headers(_ type: String?) -> [(String, String)] {
        var headers: [(String, String)] = []
        headers.reserveCapacity(14)
        if let type { headers.append(("Content-Type", type)) }
        headers.append(("X-Request-Id", requestID))
        headers.append(("X-Content-Type-Options", "nosniff"))
        headers.append(("Vary", "Accept, Accept-Encoding, Authorization, Origin"))
        if let limit {
            headers.append(("RateLimit-Policy", "\"default\";q=\(limit.capacity);w=60"))
            headers.append(("RateLimit", "\"default\";r=\(limit.remaining);t=\(limit.secondsToNext)"))
        }
        if let origin {
            headers.append(("Access-Control-Allow-Origin", origin))
            headers.append(
                (
                    "Access-Control-Expose-Headers",
                    "Link, ETag, RateLimit, RateLimit-Policy, Retry-After, X-As-Of, X-Last-Sequence, X-Masked, X-Request-Id, X-Total-Count"
                ))
        }
        return headers
    }

    private func answer(_ status: Int, _ headers: [(String, String)], _ body: ByteBuffer) -> Answer {
        Answer(status: status, headers: headers, body: body, route: route, keyID: key?.keyID)
    }

    /// 200 with a body of JSON, or of `type`, compressed where the client takes that and it is worth it.
    func body(_ body: ByteBuffer, type: String = "application/json", link next: String? = nil, cache: String = "private, no-cache")
        -> Answer
    {
        let packed = type.hasPrefix("application/") || type.hasPrefix("text/") ? compressed(body) : nil
        return self.body(packed ?? body, isCompressed: packed != nil, type: type, link: next, cache: cache)
    }

    /// Nil where the body should go as it is.
    func compressed(_ body: ByteBuffer) -> ByteBuffer? {
        acceptsGzip && body.readableBytes >= Gzip.least ? gzip.compress(body) : nil
    }

    /// 200 with a body that was compressed, or not, before.
    func body(
        _ body: ByteBuffer, isCompressed: Bool, type: String = "application/json", link next: String?, cache: String = "private, no-cache"
    ) -> Answer {
        var headers = headers(type)
        if isCompressed { headers.append(("Content-Encoding", "gzip")) }
        headers.append(("Cache-Control", cache))
        if let tag { headers.append(("ETag", tag)) }
        if let next { headers.append(("Link", "<\(next)>; rel=\"next\"")) }
        return answer(200, headers, body)
    }

    /// 200 with rows in another notation than a page's: what a page says beside them is in headers.
    ///
    /// - Parameters:
    ///   - mark: where to go on from later: the header's name and its value.
    ///   - total: rows of all pages, or of an export; nil where they were not counted.
    ///   - masked: the fields that were hidden; nil where nothing is.
    func rows(
        _ body: ByteBuffer, _ notation: Notation, isCompressed: Bool, mark: (String, String), total: Int?, masked: [String]?,
        link next: String?
    ) -> Answer {
        let type = notation == .csv ? "text/csv; charset=utf-8; header=present" : notation.mediaType
        var answer = self.body(body, isCompressed: isCompressed, type: type, link: next)
        answer.headers.append(mark)
        if let total { answer.headers.append(("X-Total-Count", String(total))) }
        if let masked { answer.headers.append(("X-Masked", masked.joined(separator: ", "))) }
        return answer
    }

    func body(_ out: borrowing ByteWriter, link next: String? = nil) -> Answer {
        body(ByteBuffer(bytes: out.bytes), link: next)
    }

    func notModified() -> Answer {
        var headers = headers(nil)
        headers.append(("Cache-Control", "private, no-cache"))
        if let tag { headers.append(("ETag", tag)) }
        return answer(304, headers, ByteBuffer())
    }

    /// The answer to OPTIONS: what may be asked, and for browsers from where (the Fetch standard's preflight).
    func options() -> Answer {
        var headers = headers(nil)
        headers.append(("Allow", "GET, HEAD, OPTIONS"))
        if origin != nil, asksPreflight {
            headers.append(("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"))
            headers.append(("Access-Control-Allow-Headers", "Authorization, If-None-Match, X-Request-Id"))
            headers.append(("Access-Control-Max-Age", "600"))
        }
        return answer(204, headers, ByteBuffer())
    }

    func problem(_ problem: Problem) -> Answer {
        var out = ByteWriter(capacity: 512)
        problem.write(requestID: requestID, to: &out)
        var headers = headers("application/problem+json")
        headers.append(("Cache-Control", "no-store"))
        headers += problem.headers
        return answer(problem.code.status, headers, ByteBuffer(bytes: out.bytes))
    }

    /// Whatever went wrong as an answer; what is ours to know goes to the log under the same request id.
    func failure(_ error: any Error) -> Answer {
        switch error {
        case let known as Problem: return problem(known)
        case let fault as ParameterFault: return problem(Problem(fault))
        case let store as StoreError:
            var detail = "The database can't be reached just now; try again."
            var wait = "1"
            if case .damaged = store { (detail, wait) = ("The database is damaged: its operator has to restore a copy.", "60") }
            var answer = problem(Problem(.unavailable, detail, headers: [("Retry-After", wait)]))
            answer.cause = "\(store)"
            return answer
        default:
            var answer = problem(Problem(.internal, "Something went wrong here; the log has it under this request id."))
            answer.cause = "\(error)"
            return answer
        }
    }

    /// A path as a link: absolute where a public URL is set, never from what the client sent as Host.
    func link(_ path: String) -> String { publicURL + path }
}

extension Answer {
    /// A 200 as the 304 that says the same: what describes the body goes with it (RFC 9110, 15.4.5).
    var notModified: Answer {
        var answer = self
        answer.status = 304
        answer.headers.removeAll { $0.0.hasPrefix("Content-") || $0.0 == "Link" }
        answer.body = ByteBuffer()
        answer.rest?.cancel()
        answer.rest = nil
        answer.export = nil
        return answer
    }
}

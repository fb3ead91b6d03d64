import HTTPSupport
import Hummingbird

typealias FieldName = HTTPFields.Element.Name

/// An answer to a browser.
struct PageAnswer: Sendable {
    var status: HTTPResponse.Status = .ok
    var headers: HTTPFields = [:]
    var body: ByteBuffer = ByteBuffer()
    /// What was done, where its route alone does not tell.
    var action: String?
    /// The id of what was made.
    var made: String?
    /// What went wrong inside, for the log alone.
    var cause: String?

    /// Nothing but our own files, no frame, no plug-in, no inline script or style.
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "form-action 'self'",
        "frame-ancestors 'none'", "base-uri 'none'",
    ].joined(separator: "; ")

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> PageAnswer {
        PageAnswer(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: ByteBuffer(string: text))
    }

    /// After a form: the browser asks for the page anew, so that a reload repeats nothing.
    static func redirect(to path: String) -> PageAnswer {
        PageAnswer(status: .seeOther, headers: [.location: path])
    }

    /// A refusal before anybody is known, in words.
    static func refused(_ status: HTTPResponse.Status, _ text: String) -> PageAnswer {
        PageAnswer(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: ByteBuffer(string: text + "\n"))
    }

    static let tooLarge = refused(.contentTooLarge, "The form is too large.")

    /// With what the log is to be told, beside what the route tells.
    func telling(action: String? = nil, made: String? = nil) -> PageAnswer {
        var answer = self
        (answer.action, answer.made) = (action, made)
        return answer
    }

    func setting(cookie: String) -> PageAnswer {
        var answer = self
        answer.headers[.setCookie] = cookie
        return answer
    }

    func response(isHead: Bool) -> Response {
        var headers = headers
        headers[.contentSecurityPolicy] = Self.policy
        headers[.xContentTypeOptions] = "nosniff"
        headers[FieldName("Referrer-Policy")!] = "no-referrer"
        headers[FieldName("Cross-Origin-Opener-Policy")!] = "same-origin"
        headers[FieldName("Cross-Origin-Resource-Policy")!] = "same-origin"
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension DeveloperTools {
    /// The methods that a path takes; none where it is no page's.
    public static func methods(of path: String) -> [String] {
        let routes = PageRoute.all.filter { $0.matches(path) }
        return (routes.contains { !$0.isPost } ? ["GET", "HEAD"] : []) + (routes.contains(where: \.isPost) ? ["POST"] : [])
    }

    /// A refusal of the listener as a page.
    public func refusal(_ problem: Problem) -> Response {
        var answer = page(
            "error", title: problem.code.title, ["message": problem.detail], status: .init(code: problem.code.status))
        for (name, value) in problem.headers { FieldName(name).map { answer.headers[$0] = value } }
        return answer.response(isHead: false)
    }
}

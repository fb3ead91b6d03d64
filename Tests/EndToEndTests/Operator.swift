import Foundation

/// A browser without a window at the operator's pages: cookies, forms, and whatever a test says beside.
struct OperatorVisitor {
    let server: Server
    var cookie: String?
    var source = "127.0.0.1"

    /// Signed in with a new token.
    static func signedIn(_ server: Server) throws -> OperatorVisitor {
        var visitor = OperatorVisitor(server: server)
        let token = try newToken(server)
        let answer = try visitor.signIn(token)
        guard answer.status == 303, visitor.cookie != nil else { throw Trouble("no sign-in: \(answer.status) \(answer.text)") }
        return visitor
    }

    static func newToken(_ server: Server) throws -> String {
        guard let token = try server.command("operator-token", "--rotate")["operator_token"].string else { throw Trouble("no token") }
        return token
    }

    /// - Parameter host: what the browser thinks the server's name is.
    func ask(
        _ method: String, _ path: String, _ fields: [String] = [], body: String? = nil, host: String? = nil, withCookie: Bool = true
    ) throws -> Response {
        let connection = try Connection(server.operatorPort, from: source)
        var all = ["Host: \(host ?? "127.0.0.1:\(server.operatorPort)")", "Connection: close"] + fields
        if withCookie, let cookie { all.append("Cookie: hirewire_session=\(cookie)") }
        if let body { all += ["Content-Type: application/x-www-form-urlencoded", "Content-Length: \(body.utf8.count)"] }
        connection.send("\(method) \(path) HTTP/1.1\r\n" + all.map { $0 + "\r\n" }.joined() + "\r\n" + (body ?? ""))
        return try connection.receive(isHead: method == "HEAD")
    }

    func get(_ path: String, _ fields: [String] = [], host: String? = nil) throws -> Response { try ask("GET", path, fields, host: host) }

    /// Sends a form with the token of the page that it stands on.
    func post(_ path: String, _ values: [String: String] = [:], from page: String = "/", _ fields: [String] = []) throws -> Response {
        let token = try Self.formToken(get(page)) ?? ""
        return try ask("POST", path, fields, body: Self.form(values.merging(["token": token]) { $1 }))
    }

    mutating func signIn(_ token: String, _ fields: [String] = []) throws -> Response {
        let page = try get("/")
        cookie = Self.cookie(page) ?? cookie
        let answer = try ask(
            "POST", "/sign-in", fields, body: Self.form(["token": Self.formToken(page) ?? "", "operator_token": token]))
        cookie = Self.cookie(answer) ?? cookie
        return answer
    }

    static func form(_ values: [String: String]) -> String {
        let plain = CharacterSet.alphanumerics
        return values.map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: plain) ?? "")" }.joined(separator: "&")
    }

    static func formToken(_ page: Response) -> String? { page.text.firstMatch(of: #/name="token" value="([^"]+)"/#).map { String($0.1) } }

    static func cookie(_ answer: Response) -> String? {
        answer["Set-Cookie"]?.firstMatch(of: #/^hirewire_session=([^;]*)/#).map { String($0.1) }
    }
}

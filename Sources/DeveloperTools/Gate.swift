import Crypto
import Domain
import HTTPSupport

/// What every request goes through before a page sees it: the host, where a form comes from, the session, the form's token.
extension DeveloperTools {
    static let cookieName = "hirewire_session"
    /// Seconds. Signed in for a working day.
    static let sessionLength = 12 * 3_600

    func answer(_ request: PageRequest, _ route: PageRoute) -> PageAnswer {
        do {
            return try checked(request, route)
        } catch let refusal as Refusal {
            return refusal.answer
        } catch let refused as NotInPlan {
            let words = "\(refused)"
            let message = "\(words.prefix(1).uppercased())\(words.dropFirst()). Its organization's page has the plan."
            return page("error", title: "Not in the plan", ["message": message, "isSignedIn": true], status: .forbidden)
        } catch {
            var answer = page("error", title: "Something went wrong", ["message": Self.words(for: error)], status: .internalServerError)
            answer.cause = "\(error)"
            return answer
        }
    }

    /// An end of a request that is no page.
    struct Refusal: Error {
        let answer: PageAnswer
    }

    private func checked(_ request: PageRequest, _ route: PageRoute) throws -> PageAnswer {
        guard isOurs(request.host) else {
            return .refused(.misdirectedRequest, "This address is not served here. Use the address that `hirewire serve` prints.")
        }
        if route.pattern == PageRoute.assets { return asset(request) }
        if request.isPost, !comesFromUs(request) {
            return .refused(.forbidden, "A form of another site can't be sent here.")
        }
        let session = try session(of: request)
        if request.isPost {
            // Before the sign-in there is only a cookie.
            let cookie = session?.cookie ?? request.cookies[Self.cookieName]
            guard let cookie, let shown = request.field("token"), Self.areEqual(shown, Self.formToken(of: cookie)) else {
                return page(
                    "error", title: "The form is out of date",
                    ["message": "It belongs to a session that has ended. Go back, reload the page and send it again."], status: .forbidden)
            }
        }
        if route.pattern == PageRoute.signIn, route.isPost { return try signIn(request) }
        guard let session, let visit = try visit(request, session) else {
            return route.pattern == PageRoute.home ? signInPage(request) : .redirect(to: Self.signInAddress(for: request))
        }
        if route.isPost, try !isFirst(request, session.cookie) {
            return page(
                "error", visit, title: "Sent before", section: "/",
                ["message": Self.sentBefore, "isSignedIn": true], status: .conflict)
        }
        let answer = try route.page(self, visit)
        if let action = answer.action ?? route.action, answer.status == .ok || answer.status == .seeOther {
            note(
                action, by: visit.session, request, in: visit.organization, subject: answer.made ?? request.parameters["id"])
        }
        return answer
    }

    private static let sentBefore = """
        This form was sent before, and what it asked for was done then. A key or a secret is shown that one time; if it is \
        lost, make another.
        """

    /// Tells the log what was done.
    func note(
        _ action: String, by session: [UInt8]?, _ request: PageRequest, in organization: Organization? = nil, subject: String? = nil
    ) {
        // Enough to tell sessions apart, and nothing that is of use.
        let name = session.map { $0.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        observer.did(
            OperatorAction(
                name: action, actor: name.map { "session \($0)" } ?? "nobody", organization: organization?.typedID, subject: subject,
                client: request.client, requestID: request.requestID))
    }

    /// Whether a form that makes something is sent for the first time: a page that is loaded again sends its form again, and what
    /// it made was shown once.
    private func isFirst(_ request: PageRequest, _ cookie: String) throws -> Bool {
        guard let number = request.field("once") else { return true }
        return try stores.management.useForm(Array(SHA256.hash(data: Array("\(cookie) \(number)".utf8))))
    }

    // MARK: Who asks, and from where

    /// A browser that was led here under another's name (DNS rebinding) says that name. An address of digits is nobody's name.
    private func isOurs(_ host: String) -> Bool {
        var name = host.lowercased()
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            let (address, rest) = (name[..<end].dropFirst(), name[name.index(after: end)...])
            return address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } && (rest.isEmpty || rest.hasPrefix(":"))
        }
        if let colon = name.lastIndex(of: ":") { name = String(name[..<colon]) }
        if name == "localhost" || name.hasSuffix(".localhost") || name == configuration.operatorHost.lowercased() { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// What browsers say of a form's origin; who says neither is no browser, and needs the form's token all the same.
    private func comesFromUs(_ request: PageRequest) -> Bool {
        if let site = request.fetchSite, site != "same-origin" { return false }
        // Our pages send no referrer, and so browsers say "null" even for our own forms; then the line above has told, or the
        // form's token must.
        guard let origin = request.origin, origin != "null" else { return true }
        return origin == "http://\(request.host)" || origin == "https://\(request.host)"
    }

    private func session(of request: PageRequest) throws -> (cookie: String, session: OperatorSession)? {
        guard let cookie = request.cookies[Self.cookieName], cookie.utf8.count == Self.cookieLength else { return nil }
        return try stores.management.session(SecretHash.of(cookie)).map { (cookie, $0) }
    }

    private func visit(_ request: PageRequest, _ session: (cookie: String, session: OperatorSession)) throws -> Visit? {
        let organizations = try stores.management.organizations()
        let current = organizations.first { $0.number == session.session.organization } ?? organizations.first
        guard let current else { return nil }
        return Visit(
            request: request, session: SecretHash.of(session.cookie), organization: current, organizations: organizations,
            formToken: Self.formToken(of: session.cookie), now: now)
    }

    /// For a request that waits: whether its session still counts.
    func visit(_ request: PageRequest) -> Visit? {
        guard isOurs(request.host), let session = try? session(of: request) else { return nil }
        return try? visit(request, session)
    }

    // MARK: Secrets of a session

    private static let cookieLength = 43

    static func newCookie() -> String {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        return Base64.encodeURLSafe(bytes)
    }

    /// The token of a session's forms: known to who knows the cookie, and telling nothing of it.
    static func formToken(of cookie: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("form".utf8), using: SymmetricKey(data: Array(cookie.utf8)))
        return Base64.encodeURLSafe(Array(code))
    }

    /// In constant time.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        SHA256.hash(data: Array(left.utf8)) == SHA256.hash(data: Array(right.utf8))
    }

    static func cookie(_ value: String, seconds: Int) -> String {
        "\(cookieName)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict"
    }

    static func words(for error: any Error) -> String {
        switch error {
        case let faults as InputFaults: "\(faults)"
        case StoreError.busy: "The database is locked by another process. Try again in a moment."
        case StoreError.unavailable(let why), StoreError.damaged(let why): "The database can't be used: \(why)"
        default: "The log says what."
        }
    }
}

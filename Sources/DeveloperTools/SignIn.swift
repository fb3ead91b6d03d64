import Domain
import HTTPSupport
import Hummingbird

/// Coming and going.
extension DeveloperTools {
    /// Wrong tokens a minute from one address. A right one is always taken: it has 256 random bits, so that the limit keeps noise
    /// down and nobody out.
    static let wrongTokensAMinute = 10

    func signInPage(_ request: PageRequest, error: String? = nil, status: HTTPResponse.Status = .ok) -> PageAnswer {
        // The form's token needs a cookie. It is no session, and signing in replaces it.
        let known = request.cookies[Self.cookieName].flatMap { $0.utf8.count == 43 ? $0 : nil }
        let cookie = known ?? Self.newCookie()
        var content: [String: Any] = ["formToken": Self.formToken(of: cookie)]
        if let next = Self.safe(request.asked("next") ?? request.field("next")) { content["next"] = next }
        if let error { content["error"] = error }
        let answer = page("sign-in", title: "Sign in", content, status: status)
        return known == nil ? answer.setting(cookie: Self.cookie(cookie, seconds: 3_600)) : answer
    }

    func signIn(_ request: PageRequest) throws -> PageAnswer {
        let token = request.field("operator_token") ?? ""
        let organization = try stores.management.organizations().first
        guard let organization else { throw StoreError.unavailable("there is no organization") }
        let cookie = Self.newCookie()
        let until = now.adding(milliseconds: Int64(Self.sessionLength) * 1_000)
        if try stores.management.beginSession(
            SecretHash.of(cookie), token: token, organization: organization.number, until: until)
        {
            note("session.begin", by: SecretHash.of(cookie), request)
            return .redirect(to: Self.safe(request.field("next")) ?? PageRoute.home)
                .setting(cookie: Self.cookie(cookie, seconds: Self.sessionLength))
        }
        note("session.refused", by: nil, request)
        let decision = signIns.take(request.client.text, tenths: 10, limit: Self.wrongTokensAMinute, now: monotonic())
        guard decision.isAllowed else {
            var answer = signInPage(
                request, error: "Too many wrong tokens from this address. Wait \(decision.secondsToNext) s.", status: .tooManyRequests)
            answer.headers[.retryAfter] = String(decision.secondsToNext)
            return answer
        }
        return signInPage(request, error: "That is not the operator's token.", status: .forbidden)
    }

    func signOut(_ visit: Visit) throws -> PageAnswer {
        try stores.management.endSession(visit.session)
        return .redirect(to: PageRoute.home).setting(cookie: Self.cookie("", seconds: 0))
    }

    /// The sign-in page, which leads back to where somebody wanted to go.
    static func signInAddress(for request: PageRequest) -> String {
        guard !request.isPost, safe(request.target) != nil else { return PageRoute.home }
        return PageRoute.home + "?" + query([("next", request.target)])
    }

    /// A path of this site, and no address of another.
    static func safe(_ path: String?) -> String? {
        guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count <= 2_000,
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return nil }
        return path
    }
}

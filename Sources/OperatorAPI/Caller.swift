import Domain
import HTTPSupport
import RateLimiting

/// Who asks, once that is known.
struct Caller: Sendable {
    let organization: OrganizationNumber
    /// Personal data is shown.
    let readsPersonal: Bool
    /// Names the caller among those of the organization.
    let name: String
    /// The key's public id; nil for the operator.
    let keyID: String?
    let limit: LimitDecision?
}

/// Tells callers by what they show: a key with the scope `ingest`, or the operator's token.
struct Admission: Sendable {
    let reads: any ReadStore
    let time: any TimeSource
    let usage: UsageCounter
    let isOperatorToken: @Sendable (String) throws -> Bool
    let keyBuckets: TokenBuckets
    let monotonic: @Sendable () -> Int64
    private let failures = TokenBuckets()

    init(
        reads: any ReadStore, time: any TimeSource, usage: UsageCounter, keyBuckets: TokenBuckets,
        isOperatorToken: @escaping @Sendable (String) throws -> Bool, monotonic: @escaping @Sendable () -> Int64
    ) {
        self.reads = reads
        self.time = time
        self.usage = usage
        self.keyBuckets = keyBuckets
        self.isOperatorToken = isOperatorToken
        self.monotonic = monotonic
    }

    /// Failing credentials a minute and client address, as on the public listener.
    private static let failuresAMinute = 20
    static let operatorPrefix = "hwop_"

    /// - Parameter organization: the one that the operator means; nil for the one that is there from the start.
    /// - Throws: ``Problem`` that says why not.
    func caller(_ authorizations: [String], organization: String?, client: ClientAddress) throws -> Caller {
        if authorizations.count == 1, let token = Self.operatorToken(in: authorizations[0]) {
            guard try isOperatorToken(token) else { throw refused(nil, client) }
            let name = organization ?? "default"
            guard let found = try reads.read({ try $0.organization(named: name) }) else {
                throw Problem(.notFound, "There is no organization '\(name.prefix(100))'.")
            }
            return Caller(organization: found.number, readsPersonal: true, name: "operator", keyID: nil, limit: nil)
        }
        let credentials = try Credentials(authorizations)
        var reason: String?
        switch credentials {
        case .none:
            throw Problem(
                .unauthorized, "Give a key with the scope 'ingest', or the operator's token: Authorization: Bearer …",
                headers: [("WWW-Authenticate", "Bearer realm=\"hirewire\"")])
        case .malformed: break
        case .token(let token):
            switch KeyCheck(token, stored: try reads.read { try $0.key(token.keyID) }, now: time.now) {
            case .valid(let key): return try caller(key, organization)
            case .invalid(let why): reason = why
            }
        }
        throw refused(reason, client)
    }

    private func caller(_ key: APIKey, _ organization: String?) throws -> Caller {
        guard key.scopes.contains(.ingest) else {
            throw Problem(.insufficientScope, "This needs the scope 'ingest'.", error: [.init("scope", .string("ingest"))])
        }
        guard key.isInPlan else {
            throw Problem(.notInPlan, "The plan of '\(key.organizationName)' does not have the API.")
        }
        guard organization == nil else {
            throw Problem(
                .invalidParameter, "'organization' is for the operator's token; a key has its own.",
                error: [.init("parameter", .string("organization"))])
        }
        let decision = keyBuckets.take(key.keyID, tenths: 10, limit: key.rateLimit, now: monotonic())
        guard decision.isAllowed else {
            throw Problem(
                .rateLimited, "This key may make \(key.rateLimit) requests a minute; POST /batch takes 1,000 records in one.",
                headers: [("Retry-After", String(decision.secondsToNext))])
        }
        usage.count(key.keyID, at: time.now)
        return Caller(
            organization: key.organization, readsPersonal: key.scopes.contains(.personal), name: key.keyID, keyID: key.keyID,
            limit: decision)
    }

    private static func operatorToken(in authorization: String) -> String? {
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].hasPrefix(operatorPrefix) else { return nil }
        return String(parts[1])
    }

    private func refused(_ reason: String?, _ client: ClientAddress) -> Problem {
        let decision = failures.take(client.text, tenths: 10, limit: Self.failuresAMinute, now: monotonic())
        guard decision.isAllowed else {
            return Problem(
                .rateLimited, "Too many failing keys from this address.", headers: [("Retry-After", String(decision.secondsToNext))])
        }
        return Problem(
            .invalidToken, reason ?? "The key is malformed, unknown or wrong.",
            headers: [("WWW-Authenticate", "Bearer realm=\"hirewire\", error=\"invalid_token\"")])
    }
}

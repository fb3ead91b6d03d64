import Domain
import HTTPSupport
import RateLimiting
import Synchronization

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
final class Admission: Sendable {
    let reads: any ReadStore
    let time: any TimeSource
    let usage: UsageCounter
    let operatorToken: any OperatorTokenStore
    let keyBuckets: TokenBuckets
    let monotonic: @Sendable () -> Int64
    private let failures = TokenBuckets()
    /// The hash of the operator's token that was accepted last, and until when that counts.
    private let accepted = Mutex<(hash: [UInt8], until: Int64)?>(nil)

    init(
        reads: any ReadStore, time: any TimeSource, usage: UsageCounter, keyBuckets: TokenBuckets,
        operatorToken: any OperatorTokenStore, monotonic: @escaping @Sendable () -> Int64
    ) {
        self.reads = reads
        self.time = time
        self.usage = usage
        self.keyBuckets = keyBuckets
        self.operatorToken = operatorToken
        self.monotonic = monotonic
    }

    /// - Parameter organization: the one that the operator means; nil for the one that is there from the start.
    /// - Throws: ``Problem`` that says why not.
    func caller(_ authorizations: [String], organization: String?, client: ClientAddress) throws -> Caller {
        if authorizations.count == 1, let token = Self.operatorToken(in: authorizations[0]) {
            guard try accepts(token) else { throw refused(nil, client) }
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

    /// Asks the store twice a second at most: it would wait for the writer each time.
    private func accepts(_ token: String) throws -> Bool {
        let (hash, now) = (SecretHash.of(token), monotonic())
        if let known = accepted.withLock({ $0 }), known.hash == hash, now < known.until { return true }
        guard try operatorToken.accepts(operatorToken: token) else { return false }
        accepted.withLock { $0 = (hash, now + 500_000_000) }
        return true
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
        guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].hasPrefix(OperatorToken.prefix) else { return nil }
        return String(parts[1])
    }

    private func refused(_ reason: String?, _ client: ClientAddress) -> Problem {
        let decision = failures.take(client.text, tenths: 10, limit: Credentials.failuresAMinute, now: monotonic())
        return Problem(failingKey: reason, retryAfter: decision.isAllowed ? nil : decision.secondsToNext)
    }
}

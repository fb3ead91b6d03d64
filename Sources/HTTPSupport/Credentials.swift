import Crypto
import Domain

/// What a request shows for a key.
public enum Credentials: Sendable, Equatable {
    case none
    case token(APIKeyToken)
    /// Something was shown that can be no key of ours.
    case malformed

    /// Reads the `Authorization` fields: `Bearer rk_…` (RFC 6750) or `Basic` with `key_id:secret` (RFC 7617).
    ///
    /// - Throws: ``Problem`` when there are two.
    public init(_ authorizations: [String]) throws(Problem) {
        guard let value = authorizations.first else {
            self = .none
            return
        }
        guard authorizations.count == 1 else {
            throw Problem(.invalidRequest, "The request has two Authorization fields; a key is given once.")
        }
        let space = UInt8(ascii: " ")
        let utf8 = value.utf8.drop { $0 == space }
        guard let end = utf8.firstIndex(of: space) else {
            self = .malformed
            return
        }
        let text = Substring(utf8[end...].drop { $0 == space })
        switch Substring(utf8[..<end]) {
        case let scheme where scheme.isHeader("bearer"): self = APIKeyToken(text).map(Credentials.token) ?? .malformed
        case let scheme where scheme.isHeader("basic"):
            guard let bytes = Base64.decode(String(text)), let pair = String(validating: bytes, as: UTF8.self),
                let colon = pair.firstIndex(of: ":")
            else {
                self = .malformed
                return
            }
            let (keyID, secret) = (String(pair[..<colon]), String(pair[pair.index(after: colon)...]))
            // Some tools ask for a user and a password, and get the whole token as either.
            let token =
                APIKeyToken(keyID: keyID, secret: secret) ?? (secret.isEmpty ? APIKeyToken(keyID) : nil)
                ?? (keyID.isEmpty ? APIKeyToken(secret) : nil)
            self = token.map(Credentials.token) ?? .malformed
        default: self = .malformed
        }
    }
}

/// The one way from a secret to what is stored of it, and back to a yes or no.
public enum SecretHash {
    public static func of(_ secret: String) -> [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }

    /// Compares in constant time.
    static func matches(_ digest: SHA256.Digest, _ stored: [UInt8]) -> Bool {
        // Digest's == is constant in time; over bytes it is too, by swift-crypto's own implementation.
        stored.count == 32 && digest == stored
    }
}

/// Why a shown key is no key, or the key that it is.
public enum KeyCheck: Sendable {
    case valid(APIKey)
    /// `reason` is given only to one who knew the secret.
    case invalid(reason: String?)

    public init(_ token: APIKeyToken, stored: APIKey?, now: Timestamp) {
        var hash = SHA256()
        var secret = token.secret
        secret.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        let digest = hash.finalize()
        guard let stored else {
            // An unknown key costs what a known one does.
            _ = SecretHash.matches(digest, [UInt8](repeating: 0, count: 32))
            self = .invalid(reason: nil)
            return
        }
        var matches = SecretHash.matches(digest, stored.secretHash)
        if let previous = stored.previous, now < previous.until {
            matches = SecretHash.matches(digest, previous.secretHash) || matches
        }
        guard matches else {
            self = .invalid(reason: nil)
            return
        }
        if let reason = stored.fault(at: now) { self = .invalid(reason: reason) } else { self = .valid(stored) }
    }
}

extension APIKey {
    /// Why it is good no longer; nil while it is.
    fileprivate func fault(at now: Timestamp) -> String? {
        if revokedAt != nil { return "The key was revoked." }
        return expiresAt.flatMap { now >= $0 ? "The key expired at \($0)." : nil }
    }

    /// Whether what this key began may go on.
    ///
    /// - Parameter stored: the key as the store has it now.
    public func isGood(as stored: APIKey?, at now: Timestamp) -> Bool {
        guard let stored, stored.isInPlan, stored.fault(at: now) == nil else { return false }
        if let previous = stored.previous, now < previous.until, previous.secretHash == secretHash { return true }
        return stored.secretHash == secretHash
    }
}

extension Credentials {
    /// Failing ones a minute and client address, on each listener.
    public static let failuresAMinute = 20
}

extension Problem {
    /// Credentials that fail: why, as far as that may be told.
    ///
    /// - Parameter seconds: how long to wait, where there were too many of them.
    public init(failingKey reason: String?, retryAfter seconds: Int?) {
        if let seconds {
            self.init(.rateLimited, "Too many failing keys from this address.", headers: [("Retry-After", String(seconds))])
        } else {
            self.init(
                .invalidToken, reason ?? "The key is malformed, unknown or wrong.",
                headers: [("WWW-Authenticate", "Bearer realm=\"hirewire\", error=\"invalid_token\"")])
        }
    }
}

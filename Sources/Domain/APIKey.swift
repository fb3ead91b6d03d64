/// What a key may do.
public struct Scopes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let read = Scopes(rawValue: 1)
    /// Personal data too; includes ``read``.
    public static let personal = Scopes(rawValue: 3)
    /// The push API, on the operator listener alone.
    public static let ingest = Scopes(rawValue: 4)

    public static let words = ["read", "read:pii", "ingest"]

    public init?(word: String) {
        switch word {
        case "read": self = .read
        case "read:pii": self = .personal
        case "ingest": self = .ingest
        default: return nil
        }
    }

    /// In the documented order.
    public var words: [String] {
        var words: [String] = []
        if contains(.read) { words.append("read") }
        if contains(.personal) { words.append("read:pii") }
        if contains(.ingest) { words.append("ingest") }
        return words
    }
}

/// A key as it is stored: never its secret, only the secret's hash. An object, for every request passes it on.
public final class APIKey: Sendable {
    public let keyID: String
    public let name: String
    public let organization: OrganizationNumber
    public let organizationName: String
    /// The organization's plan has the API.
    public let isInPlan: Bool
    public let scopes: Scopes
    /// SHA-256 of the secret's characters, 32 bytes.
    public let secretHash: [UInt8]
    /// A rotated secret that still works until then.
    public let previous: (secretHash: [UInt8], until: Timestamp)?
    /// Requests a minute, and the size of the bucket.
    public let rateLimit: Int
    public let createdAt: Timestamp
    public let expiresAt: Timestamp?
    public let revokedAt: Timestamp?
    public let lastUsedAt: Timestamp?
    public let usageCount: Int64

    /// What is wrong with a key's name; nil when nothing is.
    public static func fault(ofName name: String) -> String? {
        (1...200).contains(name.count) && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
            ? nil : "is 1 to 200 characters on one line"
    }

    public static let defaultRateLimit = 100

    public init(
        keyID: String, name: String, organization: OrganizationNumber, organizationName: String, isInPlan: Bool = true, scopes: Scopes,
        secretHash: [UInt8], previous: (secretHash: [UInt8], until: Timestamp)?, rateLimit: Int, createdAt: Timestamp,
        expiresAt: Timestamp?, revokedAt: Timestamp?, lastUsedAt: Timestamp?, usageCount: Int64
    ) {
        self.keyID = keyID
        self.name = name
        self.organization = organization
        self.organizationName = organizationName
        self.isInPlan = isInPlan
        self.scopes = scopes
        self.secretHash = secretHash
        self.previous = previous
        self.rateLimit = rateLimit
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        self.usageCount = usageCount
    }
}

/// The bearer token `rk_<key_id>_<secret>`; the secret's check sum covers the `key_id` too.
public struct APIKeyToken: Sendable, Equatable {
    public static let keyIDLength = 16
    public static let randomLength = CheckedSecret.randomLength
    public static let sumLength = CheckedSecret.sumLength
    public static let prefix = "rk_"
    public static let length = 3 + keyIDLength + 1 + CheckedSecret.length

    public let keyID: String
    public let secret: String

    /// Reads a token; nil when its form or its check sum is wrong.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = text.utf8.dropFirst(3)
        guard rest.dropFirst(Self.keyIDLength).first == UInt8(ascii: "_") else { return nil }
        self.init(
            keyID: String(decoding: rest.prefix(Self.keyIDLength), as: UTF8.self),
            secret: String(decoding: rest.dropFirst(Self.keyIDLength + 1), as: UTF8.self))
    }

    /// Reads the two halves, as Basic authentication sends them.
    public init?(keyID: String, secret: String) {
        guard keyID.utf8.count == Self.keyIDLength, keyID.utf8.allSatisfy(Self.isKeyIDCharacter),
            CheckedSecret.isWellFormed(secret, context: keyID)
        else { return nil }
        self.keyID = keyID
        self.secret = secret
    }

    /// Makes a new one.
    public init(keyID: String? = nil, using random: inout some RandomNumberGenerator) {
        let letters = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        let id =
            keyID
            ?? String(
                decoding: (0..<Self.keyIDLength).map { _ in letters[Int.random(in: 0..<36, using: &random)] }, as: UTF8.self)
        self.keyID = id
        secret = CheckedSecret.make(context: id, using: &random)
    }

    public var text: String { "\(Self.prefix)\(keyID)_\(secret)" }

    private static func isKeyIDCharacter(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122)
    }
}

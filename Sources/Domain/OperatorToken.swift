/// The operator's token, `hwop_…`: who has it may do everything on the operator listener.
public struct OperatorToken: Sendable, Equatable {
    public static let prefix = "hwop_"

    public let text: String

    /// Reads a token; nil when its form or its check sum is wrong.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.prefix.utf8.count + CheckedSecret.length, text.hasPrefix(Self.prefix),
            CheckedSecret.isWellFormed(String(text.dropFirst(Self.prefix.utf8.count)), context: Self.prefix)
        else { return nil }
        self.text = String(text)
    }

    /// Makes a new one.
    public init(using random: inout some RandomNumberGenerator) {
        text = Self.prefix + CheckedSecret.make(context: Self.prefix, using: &random)
    }
}

/// Knows the operator by the token. What is stored of it is its hash.
public protocol OperatorTokenStore: Sendable {
    /// Whether that text is the operator's token as it is now; compared in constant time.
    func accepts(operatorToken: String) throws -> Bool
    /// Puts another token in the place of the one that counts; what was begun with that one ends.
    func setOperatorToken(_ token: OperatorToken) throws
    /// Stores the token only where there is none yet. False where there is one.
    func addOperatorToken(_ token: OperatorToken) throws -> Bool
    /// When the token that counts was made; nil where there is none.
    func operatorTokenMadeAt() throws -> Timestamp?
}

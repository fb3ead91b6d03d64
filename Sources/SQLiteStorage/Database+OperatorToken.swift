import Crypto
import Domain

extension Database: OperatorTokenStore {
    public func accepts(operatorToken: String) throws -> Bool {
        try snapshot { try Self.accepts(operatorToken, $0) }
    }

    static func accepts(_ text: String, _ statements: StatementCache) throws -> Bool {
        guard let token = OperatorToken(text) else { return false }
        let stored = try statements("SELECT hash FROM operator_token").first { $0.blob(0) }
        // A digest compares itself with bytes in constant time.
        return SHA256.hash(data: Array(token.text.utf8)) == stored ?? []
    }

    public func setOperatorToken(_ token: OperatorToken) throws {
        try transaction { statements in
            try statements(
                """
                INSERT INTO operator_token (only, hash, created_at) VALUES (1, ?1, ?2)
                ON CONFLICT (only) DO UPDATE SET hash = ?1, created_at = ?2
                """
            ).run([.blob(Self.hash(of: token)), SQLValue(time.now)])
            try statements("DELETE FROM operator_sessions").run()
        }
    }

    public func addOperatorToken(_ token: OperatorToken) throws -> Bool {
        try transaction { statements in
            if try statements("SELECT 1 FROM operator_token").first([], { _ in true }) != nil { return false }
            try statements("INSERT INTO operator_token (only, hash, created_at) VALUES (1, ?, ?)")
                .run([.blob(Self.hash(of: token)), SQLValue(time.now)])
            return true
        }
    }

    public func operatorTokenMadeAt() throws -> Timestamp? {
        try snapshot { try $0("SELECT created_at FROM operator_token").first { $0.time(0) } }
    }

    private static func hash(of token: OperatorToken) -> [UInt8] { Array(SHA256.hash(data: Array(token.text.utf8))) }
}

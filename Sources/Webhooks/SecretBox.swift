import Crypto
import Domain

/// Keeps the endpoints' signing secrets: sealed with AES-256-GCM on their way to the database, opened on their way to the
/// dispatcher.
///
/// The endpoint's id is authenticated with each secret, so that one copied to another endpoint's row does not open. A sealed
/// secret is one byte for the form (1), 12 bytes of nonce, the encrypted text and 16 bytes of tag.
public struct SecretBox: Sendable {
    public static let keyLength = 32
    /// Where the key is given in the environment.
    public static let variable = "HIREWIRE_SECRET_KEY"
    private static let form: UInt8 = 1

    private let key: SymmetricKey

    /// - Parameter key: 32 bytes.
    public init(key: [UInt8]) throws(SecretBoxFault) {
        guard key.count == Self.keyLength else { throw .wrongLength("the key", key.count) }
        self.key = SymmetricKey(data: key)
    }

    /// The box with the key of this database: from the environment, or from the key file beside the database, which is made
    /// where there is none.
    ///
    /// - Parameters:
    ///   - variable: the value of `HIREWIRE_SECRET_KEY`; nil or empty where it is not set.
    ///   - database: the database's path.
    ///   - holdsSecrets: the database has sealed secrets already; then no new key is made, for it could open none of them.
    public init(variable: String?, database: String, holdsSecrets: Bool) throws(SecretBoxFault) {
        if let variable, !variable.isEmpty {
            try self.init(key: Self.readKey(variable, named: Self.variable))
            return
        }
        let file = KeyFile(path: Self.keyFile(of: database))
        if let text = try file.read() {
            try self.init(key: Self.readKey(text, named: "the key file \(file.path)"))
            return
        }
        guard !holdsSecrets else { throw .missing(file.path) }
        let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        // Another process may have been first: its key is the one.
        let text = try file.create(Base64.encode(fresh) + "\n")
        try self.init(key: Self.readKey(text, named: "the key file \(file.path)"))
    }

    /// The path of the key file: `hirewire.db-key` beside `hirewire.db`.
    public static func keyFile(of database: String) -> String { database + "-key" }

    /// Reads 32 bytes in base 64 with padding, or in hexadecimal; space around them does not count.
    static func readKey(_ text: String, named source: String) throws(SecretBoxFault) -> [UInt8] {
        let word = text.split(whereSeparator: \.isWhitespace)
        guard word.count == 1 else { throw .notAKey(source) }
        let digits = String(word[0])
        let hexadecimal = digits.utf8.count == keyLength * 2 ? Hexadecimal.decode(digits, upperCase: true) : nil
        guard let key = hexadecimal ?? Base64.decode(digits) else { throw .notAKey(source) }
        guard key.count == keyLength else { throw .wrongLength(source, key.count) }
        return key
    }

    public func seal(_ secret: String, for endpoint: EndpointID) throws(SecretBoxFault) -> SealedSecret {
        do {
            let sealed = try AES.GCM.seal(
                Array(secret.utf8), using: key, authenticating: Self.context(of: endpoint))
            return SealedSecret([Self.form] + Array(sealed.nonce) + Array(sealed.ciphertext) + Array(sealed.tag))
        } catch { throw .failed("\(error)") }
    }

    /// - Throws: ``SecretBoxFault/cannotOpen(_:)`` where it was sealed with another key or for another endpoint, or changed.
    public func open(_ sealed: SealedSecret, of endpoint: EndpointID) throws(SecretBoxFault) -> String {
        guard sealed.bytes.first == Self.form else { throw .cannotOpen(endpoint) }
        do {
            let box = try AES.GCM.SealedBox(combined: Array(sealed.bytes.dropFirst()))
            let bytes = try AES.GCM.open(box, using: key, authenticating: Self.context(of: endpoint))
            guard let text = String(validating: bytes, as: UTF8.self) else { throw SecretBoxFault.cannotOpen(endpoint) }
            return text
        } catch { throw .cannotOpen(endpoint) }
    }

    /// What is in the way of opening every secret of some endpoints; nil where nothing is.
    public func fault(in endpoints: [Endpoint]) -> SecretBoxFault? {
        do throws(SecretBoxFault) {
            for endpoint in endpoints {
                for secret in [endpoint.secret, endpoint.previous?.secret].compactMap({ $0 }) { _ = try open(secret, of: endpoint.id) }
            }
            return nil
        } catch { return error }
    }

    private static func context(of endpoint: EndpointID) -> [UInt8] { Array("hirewire endpoint secret \(endpoint)".utf8) }
}

/// Why secrets can't be sealed or opened. Never says anything of a key or a secret.
public enum SecretBoxFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// By source and number of bytes.
    case wrongLength(String, Int)
    /// By source.
    case notAKey(String)
    /// By path and mode.
    case readableByOthers(String, mode: UInt32)
    /// By path.
    case missing(String)
    case cannotOpen(EndpointID)
    case failed(String)

    public var description: String {
        switch self {
        case .wrongLength(let source, let count): "\(source) holds \(count) bytes; a key is 32 bytes, in base 64 or hexadecimal"
        case .notAKey(let source): "\(source) holds no key: it should be 32 bytes in base 64 with padding, or in hexadecimal"
        case .readableByOthers(let path, let mode):
            "the key file \(path) can be reached by others (mode \(String(mode, radix: 8))): run chmod 600 on it"
        case .missing(let path):
            "the database holds webhook secrets, and their key is not here: put the key file back at \(path), or set \(SecretBox.variable); if it is lost, make another (openssl rand -base64 32 > FILE; chmod 600 FILE) and replace each secret with `hirewire webhooks rotate-secret`"
        case .cannotOpen(let endpoint):
            "the secret of \(endpoint) can't be opened with this key: it was sealed with another one, or changed; use the key file or \(SecretBox.variable) that belongs to this database, or rotate the secret"
        case .failed(let what): what
        }
    }
}

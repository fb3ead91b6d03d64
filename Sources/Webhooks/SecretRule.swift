import Crypto
import Domain

/// Why a secret is refused, and what would be right.
public struct SecretFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// What a dialect's signing secrets look like and where they come from.
public struct SecretRule: Sendable {
    enum Form: Sendable {
        /// Base 64 whose bytes are the key, so many of them.
        case base64(ClosedRange<Int>)
        /// Any text: the key is the UTF-8 bytes of the whole secret as shown, what it starts with included.
        case text
    }

    /// What a secret starts with.
    let prefix: String
    let form: Form
    /// Made where none is given.
    public let isMade: Bool
    public let isGiven: Bool
    /// There may be none; deliveries then carry no signature.
    public let isOptional: Bool

    /// Bytes of a given secret.
    static let longest = 512
    /// Random bytes of one that is made.
    static let madeBytes = 32

    init(prefix: String = "", form: Form = .text, isMade: Bool = true, isGiven: Bool = true, isOptional: Bool = false) {
        self.prefix = prefix
        self.form = form
        self.isMade = isMade
        self.isGiven = isGiven
        self.isOptional = isOptional
    }

    /// The secret of a new endpoint: the given one, a new one, or none.
    public func secret(given: String?, using random: inout some RandomNumberGenerator) throws(SecretFault) -> String? {
        guard let given else { return isMade ? make(using: &random) : nil }
        guard isGiven else {
            throw SecretFault("this dialect's secrets are made, not given: leave the secret out and keep the one that is shown")
        }
        _ = try key(of: given)
        return given
    }

    /// A new secret of 256 bits, also for a rotation.
    public func make(using random: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<Self.madeBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        switch form {
        case .base64: return prefix + Base64.encode(bytes)
        case .text: return prefix + Hexadecimal.encode(bytes)
        }
    }

    /// The key that the secret stands for.
    func key(of secret: String) throws(SecretFault) -> SymmetricKey {
        let rest = secret.utf8.dropFirst(prefix.utf8.count)
        guard secret.hasPrefix(prefix), !rest.isEmpty else {
            throw SecretFault(prefix.isEmpty ? "the secret is empty" : "the secret should start with \(prefix), with \(what) after it")
        }
        switch form {
        case .base64(let sizes):
            guard let bytes = Base64.decode(String(decoding: Array(rest), as: UTF8.self)) else {
                throw SecretFault("the secret should be \(prefix) and \(what); after \(prefix) is no base 64")
            }
            guard sizes.contains(bytes.count) else {
                throw SecretFault("the secret should be \(prefix) and \(what); it is \(bytes.count) bytes")
            }
            return SymmetricKey(data: bytes)
        case .text:
            guard secret.utf8.count <= Self.longest else { throw SecretFault("the secret is longer than \(Self.longest) bytes") }
            guard secret.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), secret.first != " ", secret.last != " " else {
                throw SecretFault("the secret holds a control character, or a space at an end")
            }
            return SymmetricKey(data: Array(secret.utf8))
        }
    }

    private var what: String {
        switch form {
        case .base64(let sizes): "\(sizes.lowerBound) to \(sizes.upperBound) bytes in base 64 with padding"
        case .text: "some characters"
        }
    }
}

/// An endpoint's keys, ready to sign.
public struct SigningKeys: Sendable {
    /// Nil where deliveries are not signed, or soon won't be.
    var current: SymmetricKey?
    var previous: (key: SymmetricKey, until: Timestamp)?

    /// Which sign at that time: while a rotation overlaps both, or where only one signature can be carried the old one.
    func signing(at time: Timestamp, several: Bool) -> [SymmetricKey] {
        let current = current.map { [$0] } ?? []
        guard let previous, time < previous.until else { return current }
        return several ? current + [previous.key] : [previous.key]
    }
}

/// Lower-case hexadecimal digits.
enum Hexadecimal {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? 48 + digit : 87 + digit) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything but an even number of digits; upper case only where allowed.
    static func decode(_ text: some StringProtocol, upperCase: Bool = false) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index], upperCase), let low = value(digits[index + 1], upperCase) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8, _ upperCase: Bool) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70 where upperCase: digit - 55
        default: nil
        }
    }
}

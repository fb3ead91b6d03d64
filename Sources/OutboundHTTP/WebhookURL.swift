import Addresses

/// A URL that a webhook can be sent to, read strictly (RFC 3986; only what an HTTP client needs of it).
public struct WebhookURL: Hashable, Sendable, CustomStringConvertible {
    public enum Host: Hashable, Sendable {
        /// In lower case, without a trailing dot.
        case name(String)
        case address(IPAddress)
    }

    /// Why a text is no such URL; the description is for the one who wrote it.
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }
    }

    /// In bytes.
    public static let longest = 2_048

    public let isTLS: Bool
    public let host: Host
    public let port: Int
    /// Path and query; at least `/`.
    public let target: String
    /// As it was given.
    public let description: String
    /// The value of the `Host` field (RFC 9110, 7.2).
    let authority: String

    /// Reads `https://host[:port][/path][?query]`, or the same with `http`.
    ///
    /// Refused: user information; a fragment, as it would never be sent; anything but visible ASCII; backslashes; hosts
    /// that are neither a name nor an address. A host that the C library would take for an IPv4 address in any notation
    /// is that address, a trailing dot or not; one that ends like a number and is none is refused (as in the WHATWG's
    /// URL standard, "ends in a number").
    public init(_ text: String) throws(Malformed) {
        guard text.utf8.count <= Self.longest else { throw Malformed("longer than \(Self.longest) bytes") }
        guard !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { throw Malformed("has white space or a control character") }
        guard let separator = text.firstRange(of: "://") else { throw Malformed("does not begin with https://") }
        switch text[..<separator.lowerBound].lowercased() {
        case "https": isTLS = true
        case "http": isTLS = false
        default: throw Malformed("does not begin with https://")
        }
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
        let (host, port) = try Self.split(rest[..<end])
        self.host = try Self.host(host)
        let usual = isTLS ? 443 : 80
        self.port = try port.map(Self.port) ?? usual
        target = try Self.target(rest[end...])
        let name =
            switch self.host {
            case .name(let name): name
            case .address(let address): address.family == .v6 ? "[\(address)]" : "\(address)"
            }
        authority = self.port == usual ? name : "\(name):\(self.port)"
        description = text
    }

    /// What stands against sending there, as far as the URL itself tells; nil when nothing does. What a name stands for
    /// is only known when it is sent.
    public func check(allowHTTP: Bool, guard addresses: AddressGuard) -> OutboundError? {
        if !isTLS, !allowHTTP { return .httpNotAllowed }
        if case .address(let address) = host, let kind = addresses.refusal(of: address) {
            return .refusedAddress(address, kind: kind, name: nil)
        }
        return nil
    }

    /// Splits host and port; the host of brackets keeps them.
    private static func split(_ authority: Substring) throws(Malformed) -> (host: Substring, port: Substring?) {
        guard !authority.contains("@") else { throw Malformed("has a user or password: leave them out") }
        let behindHost: Substring.Index
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { throw Malformed("has a [ without its ]") }
            behindHost = authority.index(after: close)
        } else {
            behindHost = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        let tail = authority[behindHost...]
        guard !tail.isEmpty else { return (authority[..<behindHost], nil) }
        guard tail.first == ":" else { throw Malformed("has something between ] and the port") }
        return (authority[..<behindHost], tail.dropFirst())
    }

    private static func port(_ text: Substring) throws(Malformed) -> Int {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(isDigit), let port = Int(text), (1...65_535).contains(port) else {
            throw Malformed("the port is not a number from 1 to 65535")
        }
        return port
    }

    private static func host(_ text: Substring) throws(Malformed) -> Host {
        guard !text.isEmpty, text != "." else { throw Malformed("has no host") }
        if text.first == "[" {
            let inside = text.dropFirst().dropLast()
            guard !inside.contains("%") else { throw Malformed("an address with a scope can't be connected to") }
            guard let address = IPAddress(inside), address.family == .v6 else { throw Malformed("\(text) is not an IPv6 address") }
            return .address(address)
        }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw Malformed("the host is not ASCII: give it in punycode (xn--…)") }
        let name = (text.last == "." ? text.dropLast() : text).lowercased()
        if let address = IPAddress(anyNotation: name) { return .address(address) }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(isLabel) else { throw Malformed("\(text) is not a host name") }
        guard let last = labels.last, !endsInNumber(last) else { throw Malformed("\(text) is neither an IPv4 address nor a name") }
        return .name(name)
    }

    /// Letters, digits and hyphens (RFC 1123, 2.1), and the underscore that some networks use.
    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
            && label.utf8.allSatisfy { isDigit($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func endsInNumber(_ label: Substring) -> Bool {
        label.utf8.allSatisfy(isDigit) || (label.hasPrefix("0x") && label.dropFirst(2).utf8.allSatisfy(isHexDigit))
    }

    /// Checks the characters (RFC 3986, 3.3 and 3.4; brackets are let through, as common as they are in queries).
    private static func target(_ text: Substring) throws(Malformed) -> String {
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "#"): throw Malformed("has a fragment (#…), which would never be sent: leave it out")
            case UInt8(ascii: "%"):
                guard rest.count >= 2, rest.prefix(2).allSatisfy(isHexDigit) else {
                    throw Malformed("has a % without two hexadecimal digits")
                }
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"), UInt8(ascii: "`"),
                UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), 0x80...:
                throw Malformed("has a character that must be percent-encoded")
            default: break
            }
        }
        return text.first == "/" ? String(text) : "/\(text)"
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}

import Addresses
import NIOCore
import NIOHTTP1

/// The addresses whose word on where a request comes from is taken: proxies of the operator's own.
///
/// What a proxy that is not among them says, or a client, is never looked at: whoever connects could say anything.
public struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]

    public init(_ ranges: [AddressRange] = []) { self.ranges = ranges }

    /// How far back a list is read; who needs more hops than these has no proxies but a list that somebody made up.
    static let mostHops = 32
    /// Past so many bytes a `Forwarded` is not read at all.
    static let longestField = 4_096

    /// An IPv4 address inside IPv6 is the IPv4 one.
    func contains(_ address: IPAddress) -> Bool { ranges.contains { $0.contains(address) || $0.contains(address.unmapped) } }

    /// Where a request comes from. The fields are read only where the other end of the connection is trusted.
    ///
    /// Each proxy writes down who connected to it, behind what was there. So the last entry that is not itself a trusted
    /// proxy is the client, and what stands before it is the client's own invention. When `X-Forwarded-For` and
    /// `Forwarded` (RFC 7239) name different clients, one of them was not written by the proxy, and there is no telling
    /// which: then, as with a list that can't be read, the proxy itself counts as the client.
    ///
    /// - Parameter fields: gives the values of a field in their order; the name is in lower case.
    public func client(of peer: SocketAddress?, fields: (_ name: String) -> [String]) -> ClientAddress {
        let direct = ClientAddress(peer)
        guard !ranges.isEmpty, let peer = IPAddress(peer), contains(peer) else { return direct }
        let (plain, structured) = (fields("x-forwarded-for"), fields("forwarded"))
        guard !plain.isEmpty || !structured.isEmpty else { return direct }
        let byPlain = plain.isEmpty ? nil : client(in: ForwardedFor.nodes(plain))
        let byStructured = structured.isEmpty ? nil : client(in: Forwarded.nodes(structured))
        let named = plain.isEmpty ? byStructured : byPlain
        guard let named, plain.isEmpty || structured.isEmpty || byPlain == byStructured else { return direct }
        return ClientAddress(named)
    }

    /// - Parameter nodes: from the last to the first; nil for one that names no address.
    private func client(in nodes: some Sequence<IPAddress?>) -> IPAddress? {
        var hops = 0
        var furthest: IPAddress?
        for node in nodes {
            hops += 1
            // Nobody knows who stands behind one without an address.
            guard hops <= Self.mostHops, let node else { return nil }
            if !contains(node) { return node }
            furthest = node
        }
        // Only proxies: one of them asks for itself.
        return furthest
    }
}

/// The other end of a connection: the client, or a trusted proxy that says who that is.
public struct Peer: Sendable {
    /// The other end itself.
    public let address: ClientAddress
    private let socket: SocketAddress?
    /// Nil where nobody else's word counts, so that a request costs nothing then.
    private let proxies: TrustedProxies?

    public init(_ socket: SocketAddress?, proxies: TrustedProxies = TrustedProxies()) {
        address = ClientAddress(socket)
        self.socket = socket
        self.proxies = IPAddress(socket).map(proxies.contains) ?? false ? proxies : nil
    }

    /// Who sent a request with these fields.
    @inline(__always)
    public func client(_ headers: HTTPHeaders) -> ClientAddress {
        guard let proxies else { return address }
        return proxies.client(of: socket) { headers[$0] }
    }
}

/// `X-Forwarded-For`: addresses between commas, with or without a port; no standard says more.
enum ForwardedFor {
    /// From the last to the first, read as far as it is asked for.
    static func nodes(_ values: [String]) -> some Sequence<IPAddress?> {
        values.reversed().lazy.flatMap { value in
            // What nobody gets to is not even split.
            value.utf8.lazy.reversed().split(
                separator: UInt8(ascii: ","), maxSplits: TrustedProxies.mostHops, omittingEmptySubsequences: false
            )
            .map { piece in ForwardedNode.address(of: String(decoding: piece.prefix(ForwardedNode.longest + 1).reversed(), as: UTF8.self)) }
        }
    }
}

/// `Forwarded` (RFC 7239, 4): elements between commas, each with pairs between semicolons, values quoted or not.
enum Forwarded {
    /// From the last to the first; empty where the field can't be read.
    static func nodes(_ values: [String]) -> [IPAddress?] {
        guard values.reduce(0, { $0 + $1.utf8.count }) <= TrustedProxies.longestField else { return [] }
        var nodes: [IPAddress?] = []
        for value in values {
            var reader = Reader(rest: Array(value.utf8)[...])
            guard let read = reader.elements() else { return [] }
            nodes += read
        }
        return nodes.reversed()
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// The node of each element; nil where the grammar is broken.
        mutating func elements() -> [IPAddress?]? {
            var nodes: [IPAddress?] = []
            while true {
                guard let node = element() else { return nil }
                nodes.append(node)
                skipSpace()
                guard let next = rest.popFirst() else { return nodes }
                guard next == UInt8(ascii: ",") else { return nil }
            }
        }

        /// The address behind `for`; the inner nil where there is none.
        private mutating func element() -> IPAddress?? {
            var node: IPAddress?
            var isNamed = false
            while true {
                skipSpace()
                let name = token()
                guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "="), let value = value() else { return nil }
                if name.isHeader("for") {
                    guard !isNamed else { return nil }
                    isNamed = true
                    node = ForwardedNode.address(of: value)
                }
                skipSpace()
                guard rest.first == UInt8(ascii: ";") else { return .some(node) }
                rest.removeFirst()
            }
        }

        private mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

        private mutating func token() -> String {
            let token = rest.prefix { byte in
                byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
            }
            rest = rest.dropFirst(token.count)
            return String(decoding: token, as: UTF8.self)
        }

        /// A token or a quoted string (RFC 9110, 5.6.4); nil where it does not end.
        private mutating func value() -> String? {
            guard rest.first == UInt8(ascii: "\"") else {
                let token = token()
                return token.isEmpty ? nil : token
            }
            rest.removeFirst()
            var text: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = rest.popFirst() else { return nil }
                    text.append(escaped)
                default: text.append(byte)
                }
            }
            return nil
        }
    }
}

/// One hop as proxies write it (RFC 7239, 6): an address, with a port or without; IPv6 in brackets or bare.
enum ForwardedNode {
    /// `[`, the longest text of an IPv6 address, `]:` and a port, with space around.
    static let longest = 64

    /// Nil for `unknown`, for an obfuscated name (`_hidden`) and for what is no address.
    static func address(of text: String) -> IPAddress? {
        guard text.utf8.count <= longest else { return nil }
        let text = text.utf8.drop { $0 == 0x20 || $0 == 0x09 }
        var node = Substring(text)
        while node.utf8.last == 0x20 || node.utf8.last == 0x09 { node.removeLast() }
        if node.first == "[" {
            guard let end = node.firstIndex(of: "]"), isPort(node[node.index(after: end)...]) else { return nil }
            let address = IPAddress(node[..<end].dropFirst())
            return address?.family == .v6 ? address : nil
        }
        // A colon alone is a port's: IPv6 has two at least.
        if let colon = node.firstIndex(of: ":"), colon == node.lastIndex(of: ":") {
            guard isPort(node[colon...]) else { return nil }
            node = node[..<colon]
        }
        return IPAddress(node).map(\.unmapped)
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: ":") && (1...5).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}

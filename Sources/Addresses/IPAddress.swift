import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An IPv4 or IPv6 address as a number. An IPv4-mapped IPv6 address stays IPv6: see `unmapped`.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Family: Sendable { case v4, v6 }

    public let family: Family
    /// The address, first byte highest; of IPv4 the low 32 bits.
    public let bits: UInt128
    /// The interface that a link-local address belongs to (RFC 4007); 0 for none.
    public let scope: UInt32

    public init(v4: UInt32) {
        family = .v4
        bits = UInt128(v4)
        scope = 0
    }

    public init(v6: UInt128, scope: UInt32 = 0) {
        family = .v6
        bits = v6
        self.scope = scope
    }

    /// Reads four decimal numbers between dots, or the text form of IPv6 (RFC 4291, 2.2). No brackets, no scope.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6: Self.number(v6))
        } else {
            return nil
        }
    }

    /// Reads every notation of IPv4 that the C library takes for one: one to four parts, each decimal, octal or
    /// hexadecimal, the last filling what is left (`127.1`, `0x7f.1`, `017700000001`, `2130706433`).
    ///
    /// The C library's own function reads it, so that nothing is an address to the one and a name to the other.
    public init?(anyNotation text: String) {
        var v4 = in_addr()
        guard inet_aton(text, &v4) != 0 else { return nil }
        self.init(v4: UInt32(bigEndian: v4.s_addr))
    }

    /// Nil for what is neither IPv4 nor IPv6.
    public init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self.init(v4: UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address): self.init(v6: Self.number(address.address.sin6_addr), scope: address.address.sin6_scope_id)
        default: return nil
        }
    }

    /// Nil for what is neither IPv4 nor IPv6.
    public init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: self.init(v4: UInt32(bigEndian: raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6:
            let address = raw.loadUnaligned(as: sockaddr_in6.self)
            self.init(v6: Self.number(address.sin6_addr), scope: address.sin6_scope_id)
        default: return nil
        }
    }

    private static func number(_ address: in6_addr) -> UInt128 {
        withUnsafeBytes(of: address) { $0.reduce(0) { $0 << 8 | UInt128($1) } }
    }

    /// The address in network order: 4 or 16 bytes.
    public var bytes: [UInt8] {
        stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt128($0)) }
    }

    /// How many bits an address of this family has.
    public var width: Int { family == .v4 ? 32 : 128 }

    /// The IPv4 address inside `::ffff:0:0/96` (RFC 4291, 2.5.5.2), else the address itself.
    public var unmapped: IPAddress {
        family == .v6 && bits >> 32 == 0xFFFF ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : self
    }

    /// The form of RFC 5952; a scope follows as `%` and its number.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let size = socklen_t(text.count)
        let source = bytes
        guard inet_ntop(family == .v4 ? AF_INET : AF_INET6, source, &text, size) != nil else { return "?" }
        let plain = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return scope == 0 ? plain : "\(plain)%\(scope)"
    }

    /// - Throws: nothing that can happen for 4 or 16 bytes.
    public func socketAddress(port: Int) throws -> SocketAddress {
        try SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: port)
    }
}

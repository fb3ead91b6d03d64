/// A block of addresses, as in `10.0.0.0/8` or `fd00::/8` (CIDR, RFC 4632; RFC 4291, 2.3).
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    public let first: IPAddress
    /// How many leading bits are fixed.
    public let prefix: Int

    /// Why a text is no block; the description is for the one who wrote it.
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// Reads an address, a slash and a prefix length; an address alone is a block of one.
    public init(_ text: String) throws(Malformed) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else {
            throw Malformed(
                description: "\"\(text)\" does not begin with an IPv4 or IPv6 address; a block is written like 10.0.0.0/8 or fd00::/8")
        }
        var prefix = address.width
        if parts.count == 2 {
            guard let number = Self.number(parts[1]), number <= address.width else {
                let kind = address.family == .v4 ? "IPv4" : "IPv6"
                throw Malformed(description: "\"\(text)\": an \(kind) prefix length is a number from 0 to \(address.width)")
            }
            prefix = number
        }
        let mask = Self.mask(prefix, of: address.width)
        guard address.bits & ~mask == 0 else {
            let first = address.family == .v4 ? IPAddress(v4: UInt32(address.bits & mask)) : IPAddress(v6: address.bits & mask)
            throw Malformed(
                description: "\"\(text)\" has bits set behind its prefix: write \(first)/\(prefix), or \(address) for the one address")
        }
        first = address
        self.prefix = prefix
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }

    private static func mask(_ prefix: Int, of width: Int) -> UInt128 {
        let all = width == 32 ? UInt128(UInt32.max) : UInt128.max
        return prefix == 0 ? 0 : all & ~(prefix == 128 ? 0 : (all >> UInt128(prefix)))
    }

    public func contains(_ address: IPAddress) -> Bool {
        guard address.family == first.family else { return false }
        let free = UInt128(address.width - prefix)
        return free == 128 || address.bits >> free == first.bits >> free
    }

    public var description: String { "\(first)/\(prefix)" }
}

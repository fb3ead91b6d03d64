import Addresses

/// Says which addresses may be connected to: the public ones, and the exceptions that the operator names.
///
/// The blocks are those of the IANA registries of special-purpose addresses that are not globally reachable
/// (https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry; RFC 6890), of multicast
/// (RFC 5771, RFC 4291) and of what was withdrawn. The few addresses inside of them that are reachable (192.0.0.9,
/// 2001:1::1 and the like) serve protocols, not webhooks, and are refused with their block. Of IPv6 only 2000::/3 is
/// given out at all (…/ipv6-address-space).
public struct AddressGuard: Sendable {
    private let exceptions: [AddressRange]

    /// - Parameter exceptions: blocks that may be connected to although they are not public. An address that carries
    ///   another one (NAT64, 6to4) must be named as it is connected to; only IPv4-mapped ones count as their IPv4
    ///   address too.
    public init(exceptions: [AddressRange] = []) {
        self.exceptions = exceptions
    }

    /// What kind of address this is that may not be connected to (`loopback`); nil when it may be.
    public func refusal(of address: IPAddress) -> String? {
        isException(address) ? nil : Self.kind(of: address)
    }

    /// Picks the addresses of a name that may be connected to.
    ///
    /// A name with any forbidden address is refused as a whole. Leaving that address out would be as safe, as only
    /// checked addresses are ever connected to; but a name that points inside and outside is an attack or a mistake,
    /// and what it does must not depend on which answers came. Where an answer lies in an exception, the operator has
    /// vouched for the name's network, and the permitted addresses are used: `localhost` is ::1 as well, and
    /// names of split networks have an address for each side.
    func permitted(_ addresses: [IPAddress], of name: String) throws(OutboundError) -> [IPAddress] {
        var permitted: [IPAddress] = []
        var refused: (address: IPAddress, kind: String)?
        for address in addresses {
            if let kind = refusal(of: address) { refused = refused ?? (address, kind) } else { permitted.append(address) }
        }
        if let refused, !permitted.contains(where: isException) {
            throw .refusedAddress(refused.address, kind: refused.kind, name: name)
        }
        return permitted
    }

    private func isException(_ address: IPAddress) -> Bool {
        // A scope says which link is meant; no block does.
        guard address.scope == 0 else { return false }
        return exceptions.contains { $0.contains(address) || $0.contains(address.unmapped) }
    }

    private static func kind(of address: IPAddress) -> String? {
        if let known = forbidden.first(where: { $0.range.contains(address) }) { return known.kind }
        if address.scope != 0 { return "bound to an interface" }
        return address.family == .v6 && address.bits >> 125 != 0b001 ? "not global unicast" : nil
    }

    private static let forbidden: [(range: AddressRange, kind: String)] = table.compactMap { text, kind in
        (try? AddressRange(text)).map { ($0, kind) }
    }

    static let table = [
        ("0.0.0.0/8", "this network"),  // RFC 791
        ("10.0.0.0/8", "private"),  // RFC 1918
        ("100.64.0.0/10", "shared by carriers' NAT"),  // RFC 6598
        ("127.0.0.0/8", "loopback"),  // RFC 1122
        ("168.63.129.16/32", "a cloud platform's own"),  // Azure's agent, inside every virtual machine there
        ("169.254.0.0/16", "link-local"),  // RFC 3927
        ("172.16.0.0/12", "private"),  // RFC 1918
        ("192.0.0.0/24", "for protocols"),  // RFC 6890
        ("192.0.2.0/24", "documentation"),  // RFC 5737
        ("192.88.99.0/24", "6to4 relay"),  // RFC 7526
        ("192.168.0.0/16", "private"),  // RFC 1918
        ("198.18.0.0/15", "benchmarking"),  // RFC 2544
        ("198.51.100.0/24", "documentation"),  // RFC 5737
        ("203.0.113.0/24", "documentation"),  // RFC 5737
        ("224.0.0.0/4", "multicast"),  // RFC 5771
        ("255.255.255.255/32", "broadcast"),  // RFC 919
        ("240.0.0.0/4", "reserved"),  // RFC 1112
        ("::/128", "unspecified"),  // RFC 4291
        ("::1/128", "loopback"),  // RFC 4291
        ("::ffff:0.0.0.0/96", "IPv4-mapped"),  // RFC 4291
        ("::/96", "IPv4-compatible"),  // RFC 4291
        ("64:ff9b::/96", "NAT64"),  // RFC 6052
        ("64:ff9b:1::/48", "NAT64"),  // RFC 8215
        ("100::/64", "discarded"),  // RFC 6666
        ("2001::/32", "Teredo"),  // RFC 4380
        ("2001:db8::/32", "documentation"),  // RFC 3849
        ("2001::/23", "for protocols"),  // RFC 2928: benchmarking, ORCHID and more
        ("2002::/16", "6to4"),  // RFC 3056
        ("3fff::/20", "documentation"),  // RFC 9637
        ("5f00::/16", "segment routing"),  // RFC 9602
        ("fc00::/7", "private"),  // RFC 4193
        ("fe80::/10", "link-local"),  // RFC 4291
        ("fec0::/10", "site-local"),  // RFC 3879
        ("ff00::/8", "multicast"),  // RFC 4291
    ]
}

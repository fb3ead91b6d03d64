import Addresses
import HTTPSupport
import NIOCore
import NIOHTTP1
import Testing

@Suite("Only trusted proxies say where a request comes from")
struct TrustedProxyTests {
    /// The client of a request that came in from `peer` with these fields.
    private func client(_ fields: [(String, String)], from peer: String = "10.0.0.1") throws -> String {
        let proxies = try TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"].map { try AddressRange($0) })
        let headers = HTTPHeaders(fields)
        let socket = try SocketAddress(ipAddress: peer, port: 4_711)
        let asked = proxies.client(of: socket) { headers[$0] }.text
        #expect(asked == Peer(socket, proxies: proxies).client(headers).text)
        return asked
    }

    @Test("What anybody else says is not looked at", arguments: ["203.0.113.5", "192.0.2.8", "11.0.0.1", "2001:db8::1", "::ffff:11.0.0.1"])
    func strangers(peer: String) throws {
        let own = try client([], from: peer)
        #expect(try client([("X-Forwarded-For", "198.51.100.1")], from: peer) == own)
        #expect(try client([("Forwarded", "for=198.51.100.1")], from: peer) == own)
    }

    @Test("A proxy's word is taken, an IPv4 one's in IPv6 too", arguments: ["10.0.0.1", "192.0.2.7", "fd12::1", "::ffff:10.9.9.9"])
    func trusted(peer: String) throws {
        #expect(try client([("X-Forwarded-For", "198.51.100.1")], from: peer) == "198.51.100.1")
        #expect(try client([("forwarded", "for=198.51.100.1")], from: peer) == "198.51.100.1")
    }

    @Test(
        "The last address that is no proxy's is the client",
        arguments: [
            ("198.51.100.1", "198.51.100.1"), ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
            ("1.1.1.1,198.51.100.1 , 10.2.3.4,\t192.0.2.7", "198.51.100.1"), ("garbage\u{7F}, 198.51.100.1", "198.51.100.1"),
            ("10.1.1.1, 10.2.2.2", "10.1.1.1"), ("198.51.100.1:5000", "198.51.100.1"), ("::ffff:198.51.100.1", "198.51.100.1"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::9]:80", "2001:db8:1:2::/64"),
        ])
    func lists(list: String, expected: String) throws {
        #expect(try client([("X-Forwarded-For", list)]) == expected)
    }

    @Test("Several fields of the name are one list")
    func severalFields() throws {
        #expect(try client([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.1, 10.1.1.1")]) == "198.51.100.1")
        #expect(try client([("X-Forwarded-For", "198.51.100.1"), ("x-forwarded-for", "10.1.1.1")]) == "198.51.100.1")
        #expect(try client([("Forwarded", "for=1.1.1.1"), ("Forwarded", "for=198.51.100.1")]) == "198.51.100.1")
    }

    @Test(
        "Forwarded is read as RFC 7239 says",
        arguments: [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"), ("FOR=198.51.100.1;Proto=https", "198.51.100.1"),
            ("proto=https; for=\"198.51.100.1:4711\"", "198.51.100.1"), ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe:0::/64"),
            ("for=1.1.1.1, for=198.51.100.1;host=\"a,b;for=9.9.9.9\" , for=10.0.0.9", "198.51.100.1"),
            ("for=_hidden, for=198.51.100.1", "198.51.100.1"), ("for=\"198.51.100.\\1\"", "198.51.100.1"),
        ])
    func forwarded(field: String, expected: String) throws {
        #expect(try client([("Forwarded", field)]) == expected)
    }

    @Test(
        "What can't be read, or names nobody, leaves the proxy itself",
        arguments: [
            ("X-Forwarded-For", ""), ("X-Forwarded-For", ","), ("X-Forwarded-For", "198.51.100.1,"),
            ("X-Forwarded-For", "198.51.100.1, unknown"),
            ("X-Forwarded-For", "198.51.100.300"), ("X-Forwarded-For", "127.1"), ("X-Forwarded-For", "198.51.100.1:"),
            ("X-Forwarded-For", "198.51.100.1:port"), ("X-Forwarded-For", "[198.51.100.1]"), ("X-Forwarded-For", "[2001:db8::1"),
            ("X-Forwarded-For", "fe80::1%eth0"), ("X-Forwarded-For", "198.51.100.1 10.0.0.1"), ("X-Forwarded-For", "_hidden, 10.0.0.2"),
            ("Forwarded", "for=unknown"), ("Forwarded", "for=_hidden"), ("Forwarded", "proto=https"),
            ("Forwarded", "for=198.51.100.1;for=1.1.1.1"),
            ("Forwarded", "for=\"198.51.100.1"), ("Forwarded", "for=1.1.1.1;by=\", for=198.51.100.1"), ("Forwarded", "for = 198.51.100.1"),
            ("Forwarded", "198.51.100.1"), ("Forwarded", "for=2001:db8::1"), ("Forwarded", "for=198.51.100.1 for=1.1.1.1"),
            ("Forwarded", "for=1.1.1.1;by=\", for=\"[2001:db8::1]\""), ("Forwarded", "for=198.51.100.1,,"),
        ])
    func unreadable(name: String, value: String) throws {
        #expect(try client([(name, value)]) == "10.0.0.1", "\(name): \(value.prefix(80))")
    }

    @Test("A long list costs no more than its end")
    func longLists() throws {
        let hops = Array(repeating: "10.0.0.1", count: 31).joined(separator: ", ")
        #expect(try client([("X-Forwarded-For", "198.51.100.1, " + hops)]) == "198.51.100.1")
        #expect(try client([("X-Forwarded-For", "198.51.100.1, 10.0.0.1, " + hops)]) == "10.0.0.1")
        #expect(try client([("X-Forwarded-For", String(repeating: "10.0.0.1,", count: 5_000))]) == "10.0.0.1")
        #expect(try client([("X-Forwarded-For", String(repeating: "1", count: 60_000))]) == "10.0.0.1")
        #expect(try client([("Forwarded", "for=198.51.100.1;ext=" + String(repeating: "a", count: 5_000))]) == "10.0.0.1")
        let invented = String(repeating: "1.1.1.1,", count: 100_000)
        #expect(try client([("X-Forwarded-For", invented + "198.51.100.1")]) == "198.51.100.1")
    }

    @Test("Where the two fields name different clients, neither is believed")
    func contradiction() throws {
        func both(_ plain: String, _ structured: String) throws -> String {
            try client([("X-Forwarded-For", plain), ("Forwarded", structured)])
        }
        #expect(try both("198.51.100.1", "for=198.51.100.1") == "198.51.100.1")
        #expect(try both("9.9.9.9, 198.51.100.1", "for=\"198.51.100.1:80\", for=10.0.0.2") == "198.51.100.1")
        #expect(try both("198.51.100.1", "for=198.51.100.2") == "10.0.0.1")
        #expect(try both("198.51.100.1", "for=unknown") == "10.0.0.1")
        #expect(try both("unknown", "for=198.51.100.1") == "10.0.0.1")
        #expect(try both("unknown", "for=unknown") == "10.0.0.1")
    }

    @Test("Without trusted proxies everybody is who connects")
    func none() throws {
        let socket = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        #expect(Peer(socket).client(HTTPHeaders([("X-Forwarded-For", "198.51.100.1")])).text == "127.0.0.1")
        #expect(Peer(nil).client(HTTPHeaders([("X-Forwarded-For", "198.51.100.1")])).text == "unknown")
    }
}

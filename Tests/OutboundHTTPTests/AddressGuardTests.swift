import Addresses
import Testing

@testable import OutboundHTTP

/// Which addresses may be connected to.
@Suite struct AddressGuardTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }

    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
        "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "100::1", "2001::1", "2001:0:53aa:64c::1", "2001:2::1",
        "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "3fff:fff::1",
        "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff02::1", "4000::1", "1fff::1", "8000::1",
        "::ffff:0:0:1", "1::1", "e000::1",
    ])
    func whatIsNotPublicIsRefused(_ text: String) throws {
        #expect(AddressGuard().refusal(of: try address(text)) != nil)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111",
        "2a00:1450::1", "3ffe::1", "3fff:1000::1", "2000::1",
    ])
    func whatIsPublicIsPermitted(_ text: String) throws {
        #expect(AddressGuard().refusal(of: try address(text)) == nil)
    }

    @Test func everyBlockOfTheTableIsRead() throws {
        for (text, kind) in AddressGuard.table {
            let range = try AddressRange(text)
            #expect(AddressGuard().refusal(of: range.first) != nil, "\(text) \(kind)")
        }
    }

    @Test func anAddressOfAnInterfaceIsRefusedWhateverIsAllowed() throws {
        let scoped = IPAddress(v6: try address("fe80::1").bits, scope: 2)
        let global = IPAddress(v6: try address("2606:4700::1111").bits, scope: 2)
        let open = AddressGuard(exceptions: [try AddressRange("::/0")])
        #expect(open.refusal(of: scoped) != nil && open.refusal(of: global) != nil)
        #expect(scoped.description == "fe80::1%2")
    }

    @Test func anExceptionAllowsItsBlockAndNoMore() throws {
        let loopback = AddressGuard(exceptions: [try AddressRange("127.0.0.0/8")])
        #expect(loopback.refusal(of: try address("127.9.9.9")) == nil)
        #expect(loopback.refusal(of: try address("::ffff:127.0.0.1")) == nil)
        for text in ["::1", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::127.0.0.1"] {
            #expect(loopback.refusal(of: try address(text)) != nil, "\(text)")
        }
        let carrier = AddressGuard(exceptions: [try AddressRange("64:ff9b::/96")])
        #expect(carrier.refusal(of: try address("64:ff9b::808:808")) == nil)
    }

    @Test func aNameWithAForbiddenAddressIsRefusedUnlessTheOperatorVouchesForIt() throws {
        func permitted(_ exceptions: [String], _ addresses: [String]) throws -> [String] {
            try AddressGuard(exceptions: exceptions.map { try AddressRange($0) })
                .permitted(addresses.map(address), of: "hook.test").map(\.description)
        }
        #expect(try permitted([], ["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"])
        #expect(throws: OutboundError.refusedAddress(try address("10.0.0.1"), kind: "private", name: "hook.test")) {
            try permitted([], ["8.8.8.8", "10.0.0.1"])
        }
        #expect(throws: OutboundError.self) { try permitted(["10.0.0.0/8"], ["8.8.8.8", "127.0.0.1"]) }
        #expect(try permitted(["127.0.0.0/8"], ["::1", "127.0.0.1"]) == ["127.0.0.1"])
        #expect(try permitted(["10.0.0.0/8"], ["8.8.8.8", "10.0.0.1"]) == ["8.8.8.8", "10.0.0.1"])
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("fd00::/8", "fd00::/8"),
        ("::1", "::1/128"), ("2001:DB8:0:0::/32", "2001:db8::/32"),
    ])
    func blocksAreRead(_ text: String, _ canonical: String) throws {
        let range = try AddressRange(text)
        #expect(range.description == canonical && range.contains(range.first))
    }

    @Test(arguments: [
        ("", "does not begin with"), ("localhost", "does not begin with"), ("127.1/8", "does not begin with"), ("10.0.0.0/", "0 to 32"),
        ("10.0.0.0/33", "0 to 32"), ("10.0.0.0/-1", "0 to 32"), ("10.0.0.0/8/8", "0 to 32"), ("::/129", "0 to 128"),
        ("10.0.0.1/8", "write 10.0.0.0/8"), ("fd00::1/8", "write fd00::/8"), ("[::1]/128", "does not begin with"),
        ("fe80::1%2", "does not begin with"), (" 10.0.0.0/8", "does not begin with"), ("10.0.0.0/+8", "0 to 32"),
    ])
    func whatIsNoBlockIsRefusedWithAReason(_ text: String, _ reason: String) {
        let error = #expect(throws: AddressRange.Malformed.self) { try AddressRange(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }
}

import Testing

@testable import OutboundHTTP

/// What is a URL to send to, and which address hides in it.
@Suite struct WebhookURLTests {
    @Test(arguments: [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0X7F000001", "0x7f.1", "0177.0.0.1", "0177.1",
        "127.0.0.1.", "0x7f.0x0.0x0.0x1", "00000177.0.0.1", "127.000.000.001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]",
        "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "0", "0.0.0.0", "[::]",
    ])
    func everyNotationOfThisMachineIsRefused(_ host: String) throws {
        let url = try WebhookURL("https://\(host):8443/hook")
        guard case .refusedAddress = url.check(allowHTTP: true, guard: AddressGuard()) else {
            Issue.record("\(host) passes as \(url.host)")
            return
        }
    }

    @Test func anAddressIsSentInItsUsualForm() throws {
        #expect(try WebhookURL("http://0x7f.1:80/").authority == "127.0.0.1")
        #expect(try WebhookURL("http://2130706433:8080/").authority == "127.0.0.1:8080")
        #expect(try WebhookURL("https://[2606:4700:0::1111]/").authority == "[2606:4700::1111]")
    }

    @Test func aURLIsReadInItsParts() throws {
        let url = try WebhookURL("HTTPS://Hooks.Example.COM.:8443/a/b%20c?d=e&f[]=g:@!$'()*+,;~")
        #expect(url.isTLS && url.host == .name("hooks.example.com") && url.port == 8_443)
        #expect(url.target == "/a/b%20c?d=e&f[]=g:@!$'()*+,;~" && url.authority == "hooks.example.com:8443")
        #expect(try WebhookURL("https://example.com").target == "/")
        #expect(try WebhookURL("https://example.com?a").target == "/?a")
        #expect(try WebhookURL("https://example.com:443/").authority == "example.com")
        #expect(try WebhookURL("http://example.com/").port == 80)
        #expect(try WebhookURL("https://xn--bcher-kva.example/").host == .name("xn--bcher-kva.example"))
    }

    @Test(arguments: [
        ("", "https://"), ("example.com", "https://"), ("ftp://example.com", "https://"), ("file:///etc/passwd", "https://"),
        ("https:/example.com", "https://"), ("//example.com", "https://"), ("https://", "no host"), ("https:///path", "no host"),
        ("https://.", "no host"), ("https://:443/", "no host"), ("https://user@example.com", "user"), ("https://a:b@example.com", "user"),
        ("https://127.0.0.1@example.com", "user"), ("https://example.com/#x", "fragment"), ("https://example.com#x", "fragment"),
        ("https://exa mple.com", "white space"), ("https://example.com/ ", "white space"), (" https://example.com", "white space"),
        ("https://example.com/\r\nX: y", "white space"), ("https://example.com/\u{0}", "white space"),
        ("https://bücher.example/", "punycode"),
        ("https://127.0.0.１/", "punycode"), ("https://127。0。0。1/", "punycode"), ("https://example.com:0/", "port"),
        ("https://example.com:/", "port"), ("https://example.com:65536/", "port"), ("https://example.com:+80/", "port"),
        ("https://example.com:80:80/", "port"), ("https://a..b/", "not a host name"), ("https://-a.example/", "not a host name"),
        ("https://%31%32%37.0.0.1/", "not a host name"), ("https://example.com../", "not a host name"), ("https://256.0.0.1/", "neither"),
        ("https://1.2.3.4.5/", "neither"), ("https://127.0.0.0x/", "neither"), ("https://a.0x7f/", "neither"),
        ("https://4294967296/", "neither"), ("https://example.1/", "neither"), ("https://[::1", "without its ]"),
        ("https://[::1]x/", "between ]"), ("https://[fe80::1%25eth0]/", "scope"), ("https://[127.0.0.1]/", "not an IPv6"),
        ("https://[v1.a]/", "not an IPv6"), ("https://example.com\\@127.0.0.1/", "percent-encoded"),
        ("https://example.com/a\\b", "percent"),
        ("https://example.com/é", "percent-encoded"), ("https://example.com/%2", "two hexadecimal"),
        ("https://example.com/%zz", "two hexa"),
        ("https://example.com/<a>", "percent-encoded"), ("https://example.com/" + String(repeating: "a", count: 2_048), "longer than"),
        ("https://" + String(repeating: "a", count: 64) + ".example/", "not a host name"),
    ])
    func whatIsNoSuchURLIsRefusedWithAReason(_ text: String, _ reason: String) {
        let error = #expect(throws: WebhookURL.Malformed.self) { try WebhookURL(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func plainHTTPMustBeAllowed() throws {
        let url = try WebhookURL("http://example.com/")
        #expect(url.check(allowHTTP: false, guard: AddressGuard()) == .httpNotAllowed)
        #expect(url.check(allowHTTP: true, guard: AddressGuard()) == nil)
        #expect(try WebhookURL("https://example.com/").check(allowHTTP: false, guard: AddressGuard()) == nil)
    }
}

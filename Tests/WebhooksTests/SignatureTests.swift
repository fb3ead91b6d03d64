import Crypto
import Domain
import Testing

@testable import Webhooks

@Suite("Signatures and headers")
struct SignatureTests {
    private let body = Array(#"{"a":"ü"}"#.utf8)

    private func headers(
        _ name: DialectName, _ secret: String?, previous: (secret: String, until: Timestamp)? = nil, at time: Timestamp = Facts.time,
        type: EventType = .interviewCompleted, isTest: Bool = false
    ) throws -> [HeaderField] {
        let dialect = Dialect.of(name)
        return dialect.headers(
            for: Facts.message(body, type: type, isTest: isTest, at: time), keys: try dialect.keys(secret: secret, previous: previous),
            version: "0.1.0")
    }

    private func lines(_ headers: [HeaderField]) -> [String] { headers.map { "\($0.name): \($0.value)" } }

    /// HMAC-SHA256 by the textbook (RFC 2104), as a second opinion.
    private func hexadecimal(_ text: [UInt8], _ key: String) -> String {
        var block = Array(key.utf8)
        if block.count > 64 { block = Array(SHA256.hash(data: block)) }
        block += [UInt8](repeating: 0, count: 64 - block.count)
        let inner = SHA256.hash(data: block.map { $0 ^ 0x36 } + text)
        return Array(SHA256.hash(data: block.map { $0 ^ 0x5C } + inner)).map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
    }

    @Test("The specification's published vector")
    func vector() throws {
        let key = try Dialect.standard.secrets.key(of: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = SignatureScheme.standardSignature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, Array(#"{"test": 2432232314}"#.utf8), key)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        let received: [HeaderField] = [
            ("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
            ("WEBHOOK-SIGNATURE", "v1a,AAAA v1,AAAA \(signature)"),
        ]
        let verdict = Dialect.standard.verify(
            headers: received, body: Array(#"{"test": 2432232314}"#.utf8), secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            now: Timestamp(microseconds: 1_614_265_330_000_000))
        #expect(verdict == .accepted)
    }

    @Test("Standard: the event's id, the attempt's time, the signature")
    func standard() throws {
        let headers = try lines(headers(.standard, "whsec_" + Base64.encode(Array("0123456789abcdef01234567".utf8))))
        #expect(
            headers.dropLast() == [
                "Content-Type: application/json", "User-Agent: Hirewire/0.1.0", "webhook-id: \(Facts.event)",
                "webhook-timestamp: 1772712000",
            ])
        let signed = hexadecimal(Array("\(Facts.event).1772712000.".utf8) + body, "0123456789abcdef01234567")
        #expect(headers.last == "webhook-signature: v1," + Base64.encode(try #require(Hexadecimal.decode(signed))))
    }

    @Test("The seeds' dialects: header by header, with the secret's characters as the key")
    func seeds() throws {
        let common = ["Content-Type: application/json", "User-Agent: Hirewire/0.1.0"]
        #expect(
            try lines(headers(.rejento, "s3cret"))
                == common + ["X-Rejento-Delivery-Id: \(Facts.delivery)", "X-Rejento-Signature: \(hexadecimal(body, "s3cret"))"])
        #expect(try lines(headers(.tenzo, "s3cret")) == common + ["X-Webhook-Signature: \(hexadecimal(body, "s3cret"))"])
        #expect(try lines(headers(.tenzo, nil)) == common, "no signature without a secret")
        let signed = hexadecimal(Array("1772712000.".utf8) + body, "whsec_abc")
        #expect(try lines(headers(.talentsprout, "whsec_abc")) == common + ["X-TalentSprout-Signature: t=1772712000,v1=\(signed)"])
        let kendo = { (event: String) in
            common + ["X-Kendo-Event: \(event)", "X-Kendo-Delivery-Id: \(Facts.delivery)", "X-Kendo-Signature: \(hexadecimal(body, "k"))"]
        }
        #expect(try lines(headers(.kendo, "k", type: .callUploaded)) == kendo("call.uploaded"))
        #expect(try lines(headers(.kendo, "k", type: .webhookTest, isTest: true)) == kendo("test"))
    }

    @Test("While a rotation overlaps, standard carries both signatures, the new one first; then the new one alone")
    func standardRotation() throws {
        let (old, new) = (Facts.secret(.standard, seed: 1), Facts.secret(.standard, seed: 2))
        let until = Facts.time.adding(milliseconds: 1_000)
        let during = try #require(try headers(.standard, new, previous: (old, until)).last).value.split(separator: " ").map(String.init)
        let alone = try [new, old].map { try #require(try headers(.standard, $0).last).value }
        #expect(during == alone)
        #expect(try lines(headers(.standard, new, previous: (old, until), at: until)) == lines(headers(.standard, new, at: until)))
    }

    @Test(
        "The others carry one signature: the old secret's until the overlap ends",
        arguments: [DialectName.rejento, .tenzo, .talentsprout, .kendo])
    func singleRotation(name: DialectName) throws {
        let (old, new) = (Facts.secret(name, seed: 1), Facts.secret(name, seed: 2))
        let until = Facts.time.adding(milliseconds: 1_000)
        #expect(try lines(headers(name, new, previous: (old, until))) == lines(headers(name, old)))
        #expect(try lines(headers(name, new, previous: (old, until), at: until)) == lines(headers(name, new, at: until)))
        #expect(try lines(headers(name, old)) != lines(headers(name, new)))
    }

    @Test("A secret that is taken away signs until its overlap ends; then nothing does")
    func takenAway() throws {
        let old = Facts.secret(.tenzo, seed: 1)
        let until = Facts.time.adding(milliseconds: 1_000)
        #expect(try lines(headers(.tenzo, nil, previous: (old, until))) == lines(headers(.tenzo, old)))
        #expect(try lines(headers(.tenzo, nil, previous: (old, until), at: until)) == lines(headers(.tenzo, nil, at: until)))
    }

    @Test(
        "What is signed verifies; a changed body or secret does not; with a time, neither an old nor a future one",
        arguments: DialectName.allCases)
    func roundTrip(name: DialectName) throws {
        let dialect = Dialect.of(name)
        let (secret, other) = (Facts.secret(name, seed: 1), Facts.secret(name, seed: 2))
        let headers = try headers(name, secret)
        func verify(_ body: [UInt8], _ secrets: [String], after seconds: Int64 = 0) -> Verification {
            dialect.verify(headers: headers, body: body, secrets: secrets, now: Facts.time.adding(milliseconds: seconds * 1_000))
        }
        #expect(verify(body, [secret]) == .accepted && verify(body, [other, secret]) == .accepted, "either secret of a rotation")
        #expect(verify(body + [32], [secret]) != .accepted && verify([], [secret]) != .accepted)
        #expect(verify(body, [other]) != .accepted)
        #expect(verify(body, [secret], after: 300) == .accepted && verify(body, [secret], after: -300) == .accepted)
        let isTimed = [.standard, .talentsprout].contains(name)
        #expect((verify(body, [secret], after: 301) == .accepted) == !isTimed)
        #expect((verify(body, [secret], after: -301) == .accepted) == !isTimed)
        let bare = dialect.verify(headers: [], body: body, secrets: [secret], now: Facts.time)
        guard case .refused(let why) = bare else {
            Issue.record("a delivery without headers was accepted")
            return
        }
        #expect(why.contains("missing") && !why.contains(secret))
        let doubled = dialect.verify(headers: headers + headers, body: body, secrets: [secret], now: Facts.time)
        #expect(doubled != .accepted)
        #expect((verify(body, []) == .accepted) == (name == .tenzo), "only one dialect allows to have no secret")
    }

    @Test("Broken signature headers are refused")
    func broken() {
        let sprout = ["", "t=1772712000", "v1=00", "t=x,v1=00", "t=-1,v1=00", "t=1772712000,v1=zz", "t=1772712000,v1=0", ",,,=,"]
        for value in sprout {
            let headers: [HeaderField] = [("X-TalentSprout-Signature", value)]
            #expect(Dialect.talentsprout.verify(headers: headers, body: body, secrets: ["whsec_a"], now: Facts.time) != .accepted)
        }
        for value in ["", "00", "zz", String(repeating: "0", count: 64), "é"] {
            let headers: [HeaderField] = [("X-Kendo-Signature", value)]
            #expect(Dialect.kendo.verify(headers: headers, body: body, secrets: ["a"], now: Facts.time) != .accepted)
        }
    }
}

@Suite("Signing secrets")
struct SecretRuleTests {
    @Test("Made secrets: 32 random bytes in the dialect's form, and every dialect can sign with its own")
    func made() throws {
        var random = SystemRandomNumberGenerator()
        for name in DialectName.allCases {
            let rule = Dialect.of(name).secrets
            let secret = rule.make(using: &random)
            #expect(secret != rule.make(using: &random))
            _ = try Dialect.of(name).keys(secret: secret)
            #expect(secret.hasPrefix("whsec_") == [.standard, .talentsprout].contains(name))
        }
        let standard = Dialect.standard.secrets.make(using: &random).dropFirst(6)
        #expect(Base64.decode(String(standard))?.count == 32)
        #expect(Hexadecimal.decode(Dialect.talentsprout.secrets.make(using: &random).dropFirst(6))?.count == 32)
        #expect(Hexadecimal.decode(Dialect.kendo.secrets.make(using: &random))?.count == 32)
    }

    @Test("Standard takes 24 to 64 bytes in base 64 and says so otherwise")
    func standard() throws {
        let rule = Dialect.standard.secrets
        for count in [24, 32, 64] { _ = try rule.key(of: "whsec_" + Base64.encode([UInt8](repeating: 7, count: count))) }
        let wrong = [
            "", "whsec_", "secret", "WHSEC_" + Base64.encode([UInt8](repeating: 7, count: 32)), "whsec_not base 64",
            "whsec_" + Base64.encode([UInt8](repeating: 7, count: 23)), "whsec_" + Base64.encode([UInt8](repeating: 7, count: 65)),
            "whsec_" + Base64.encodeURLSafe([UInt8](repeating: 255, count: 32)), Base64.encode([UInt8](repeating: 7, count: 32)),
        ]
        for secret in wrong {
            let fault = #expect(throws: SecretFault.self, "\(secret)") { try rule.key(of: secret) }
            #expect(fault?.description.contains("whsec_") == true && fault?.description.contains("24 to 64 bytes") == true)
        }
    }

    @Test("What a new endpoint gets: made, given, or none, as its dialect allows")
    func origin() throws {
        var random = SystemRandomNumberGenerator()
        func secret(_ name: DialectName, _ given: String?) throws(SecretFault) -> String? {
            try Dialect.of(name).secrets.secret(given: given, using: &random)
        }
        for name in [DialectName.standard, .rejento, .talentsprout, .kendo] { #expect(try secret(name, nil) != nil) }
        #expect(try secret(.tenzo, nil) == nil)
        for name in [DialectName.rejento, .tenzo, .kendo] { #expect(try secret(name, "our own ü") == "our own ü") }
        #expect(throws: SecretFault.self) { try secret(.talentsprout, "whsec_mine") }
        for name in [DialectName.rejento, .tenzo, .kendo] {
            for wrong in ["", " a", "a ", "a\n", "a\u{7F}", String(repeating: "a", count: 513)] {
                #expect(throws: SecretFault.self) { try secret(name, wrong) }
            }
        }
        #expect(throws: SecretFault.self) { try Dialect.rejento.keys(secret: nil) }
    }

    @Test("Each dialect's schedule, deadline and success codes are the table's")
    func policies() {
        let standard = Dialect.standard.policy, rejento = Dialect.rejento.policy
        #expect(standard.delays == [30, 120, 600, 3_600, 21_600, 86_400].map { $0 * 1_000 } && standard.attempts == 7)
        #expect(standard.deadline == 15_000 && rejento.deadline == 15_000)
        #expect(rejento.delays == standard.delays && rejento.attempts == 5)
        let tenzo = Dialect.tenzo.policy
        #expect(tenzo.delays == [0, 2_000, 4_000] && tenzo.attempts == 4 && tenzo.deadline == 30_000)
        #expect((100...599).filter(tenzo.isSuccess) == [200, 201, 202, 204])
        let sprout = Dialect.talentsprout.policy, kendo = Dialect.kendo.policy
        #expect(sprout.delays.isEmpty && sprout.attempts == 1 && sprout.deadline == 30_000)
        #expect(kendo.delays == [1_000, 2_000] && kendo.attempts == 3 && kendo.deadline == 10_000)
        for policy in [standard, rejento, sprout, kendo] { #expect((100...599).filter(policy.isSuccess) == Array(200...299)) }
        for name in DialectName.allCases { #expect(Dialect.of(name).name == name) }
    }
}

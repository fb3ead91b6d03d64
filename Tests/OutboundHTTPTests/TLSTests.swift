import NIOSSL
import Testing

@testable import OutboundHTTP

/// TLS against a certificate authority of the tests' own.
@Suite(.timeLimit(.minutes(1)), .enabled(if: Certificates.made != nil)) struct TLSTests {
    private let certificates: Certificates
    init() throws { certificates = try #require(Certificates.made) }

    private func send(to certificate: String, host: String = "hook.test", trusting: Bool = true) async throws -> (OutboundError?, [String])
    {
        let receiver = try await Receiver.start(tls: try certificates.server(certificate)) { $0.send(Sending.ok) }
        let client = try Sending.client(roots: trusting ? certificates.roots : nil)
        let post = try Sending.post("https://\(host):\(receiver.port)/")
        do throws(OutboundFailure) {
            let response = try await client.send(post)
            #expect(response.status == 200 && response.body == Array("ok".utf8))
            return (nil, receiver.requests)
        } catch {
            return (error.reason, receiver.requests)
        }
    }

    @Test func aTrustedCertificateForTheNameOrTheAddressIsAccepted() async throws {
        let (byName, requests) = try await send(to: "good")
        #expect(byName == nil && requests.count == 1)
        #expect(try await send(to: "good", host: "127.0.0.1").0 == nil)
        #expect(try await send(to: "good", host: "HOOK.test.").0 == nil)
    }

    @Test(arguments: [
        ("expired", OutboundError.certificateExpired), ("other", .certificateNameMismatch), ("untrusted", .certificateNotTrusted),
    ])
    func aWrongCertificateIsRefusedAndNothingSent(_ certificate: String, _ reason: OutboundError) async throws {
        let (failure, requests) = try await send(to: certificate)
        #expect(failure == reason && requests.isEmpty)
    }

    @Test func withoutTheExtraRootsTheirCertificatesAreNotTrusted() async throws {
        #expect(try await send(to: "good", trusting: false).0 == .certificateNotTrusted)
        #expect(try await send(to: "other", host: "127.0.0.1").0 == .certificateNameMismatch)
    }

    @Test func connectionsAreKeptAndReplacedOverTLSToo() async throws {
        let receiver = try await Receiver.start(tls: try certificates.server("good")) { call in
            if call.number < 3 { call.send(Sending.ok) } else { call.close() }
        }
        let client = try Sending.client(roots: certificates.roots)
        for _ in 0..<3 { #expect(try await client.send(Sending.post("https://hook.test:\(receiver.port)/")).status == 200) }
        #expect(receiver.connections == 2 && receiver.requests.count == 4)
        client.closeIdle()
        #expect(try await Sending.eventually { receiver.open == 0 })
    }

    @Test func whatHangsBeforeOrBehindTheHandshakeTimesOut() async throws {
        let silent = try await Receiver.start { _ in }
        let client = try Sending.client(roots: certificates.roots)
        let early = try await Sending.failure(client, Sending.post("https://hook.test:\(silent.port)/", timeout: .seconds(2)))
        #expect(early.reason == .timedOut(.handshaking))
        #expect(try await Sending.eventually { silent.open == 0 })

        let mute = try await Receiver.start(tls: try certificates.server("good")) { _ in }
        let late = try await Sending.failure(client, Sending.post("https://hook.test:\(mute.port)/", timeout: .seconds(3)))
        #expect(late.reason == .timedOut(.waiting))
        #expect(try await Sending.eventually { mute.open == 0 })
    }

    @Test func whatIsNoTLSOrTooOldIsTold() async throws {
        let plain = try await Receiver.start(greeting: { $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") }, { _ in })
        let closing = try await Receiver.start(greeting: { $0.close() }, { _ in })
        let old = try await Receiver.start(tls: try certificates.server("good", maximum: .tlsv11)) { $0.send(Sending.ok) }
        let client = try Sending.client(roots: certificates.roots)
        let wrong = try await Sending.failure(client, Sending.post("https://hook.test:\(plain.port)/"))
        #expect(wrong.reason == .handshakeFailed("WRONG_VERSION_NUMBER"))
        #expect(try await Sending.failure(client, Sending.post("https://hook.test:\(closing.port)/")).reason == .closedEarly(.handshaking))
        let failure = try await Sending.failure(client, Sending.post("https://hook.test:\(old.port)/"))
        #expect(failure.reason.code == "handshake_failed" && old.requests.isEmpty, "\(failure.reason)")
    }

    @Test func aBodyWithoutLengthThatTLSDoesNotEndIsMarkedAsCut() async throws {
        let receiver = try await Receiver.start(tls: try certificates.server("good")) { call in
            let head = call.text.contains("/length") ? "Content-Length: 10\r\n" : ""
            call.send("HTTP/1.1 200 OK\r\n\(head)\r\nsome")
            call.cut()
        }
        let client = try Sending.client(roots: certificates.roots)
        let response = try await client.send(Sending.post("https://hook.test:\(receiver.port)/"))
        #expect(response.status == 200 && response.isCut && response.body == Array("some".utf8))
        let failure = try await Sending.failure(client, Sending.post("https://hook.test:\(receiver.port)/length"))
        #expect(failure.reason == .closedEarly(.reading))
    }

    @Test func ofAnEndlessBodyOverTLSTheConnectionIsClosedAtOnce() async throws {
        let receiver = try await Receiver.start(tls: try certificates.server("good")) { call in
            call.send("HTTP/1.1 200 OK\r\n\r\n")
            call.floods([UInt8](repeating: 0x78, count: 1 << 18))
        }
        let response = try await Sending.client(roots: certificates.roots).send(Sending.post("https://hook.test:\(receiver.port)/"))
        #expect(response.isCut && response.body.count == 16 << 10)
        #expect(try await Sending.eventually { receiver.open == 0 })
    }
}

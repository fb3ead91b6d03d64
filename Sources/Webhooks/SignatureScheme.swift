import Crypto
import Domain

/// How a delivery is signed, and how its receiver finds out whether it was. HMAC-SHA256 (RFC 2104) throughout.
struct SignatureScheme: Sendable {
    /// Several signatures can be carried at once.
    let carriesSeveral: Bool
    /// The headers for a message signed with these keys; none without a key.
    let headers: @Sendable (DeliveryMessage, [SymmetricKey]) -> [HeaderField]
    /// Checks what was received, against any of the keys, of which there is one at least.
    let check: @Sendable (ReceivedDelivery, [SymmetricKey]) -> Verification
}

/// The one way from bytes to a signature and back to a yes or no.
enum Signature {
    /// Over the bytes of `head`, then those of `body`.
    static func sign(_ head: String, _ body: [UInt8], with key: SymmetricKey) -> HMAC<SHA256>.MAC {
        var code = HMAC<SHA256>(key: key)
        if !head.isEmpty { code.update(data: Array(head.utf8)) }
        code.update(data: body)
        return code.finalize()
    }

    /// Compares in constant time with what each key would sign: the comparison of swift-crypto's codes is.
    static func matches(_ signature: [UInt8], _ head: String, _ body: [UInt8], anyOf keys: [SymmetricKey]) -> Bool {
        keys.reduce(false) { found, key in sign(head, body, with: key) == signature || found }
    }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    var unixSeconds: Int64 { milliseconds(since: Timestamp(microseconds: 0)) / 1_000 }
}

extension SignatureScheme {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`, signed over `id.timestamp.body`.
    ///
    /// Source: the Standard Webhooks specification, 1.0.0 (github.com/standard-webhooks/standard-webhooks).
    static let standardWebhooks = SignatureScheme(carriesSeveral: true) { message, keys in
        let (id, seconds) = (message.event.description, message.sentAt.unixSeconds)
        return [
            ("webhook-id", id), ("webhook-timestamp", String(seconds)),
            ("webhook-signature", keys.map { standardSignature(id, seconds, message.body, $0) }.joined(separator: " ")),
        ]
    } check: { received, keys in
        guard let id = received.only("webhook-id"), let time = received.only("webhook-timestamp"),
            let field = received.only("webhook-signature")
        else { return .refused("webhook-id, webhook-timestamp or webhook-signature is missing, or given twice") }
        if let fault = received.timeFault(time, in: "webhook-timestamp") { return .refused(fault) }
        let matches = field.split(separator: " ").contains { part in
            guard part.hasPrefix("v1,"), let signature = Base64.decode(String(part.dropFirst(3))) else { return false }
            return Signature.matches(signature, "\(id).\(time).", received.body, anyOf: keys)
        }
        return matches ? .accepted : .refused("no signature in webhook-signature fits the body and the secret")
    }

    static func standardSignature(_ id: String, _ seconds: Int64, _ body: [UInt8], _ key: SymmetricKey) -> String {
        "v1," + Base64.encode(Array(Signature.sign("\(id).\(seconds).", body, with: key)))
    }

    /// One header with the hexadecimal signature of the body.
    static func bodyOnly(header: String) -> SignatureScheme {
        SignatureScheme(carriesSeveral: false) { message, keys in
            keys.map { (header, Hexadecimal.encode(Signature.sign("", message.body, with: $0))) }
        } check: { received, keys in
            guard let field = received.only(header) else { return .refused("\(header) is missing, or given twice") }
            guard let signature = Hexadecimal.decode(field), Signature.matches(signature, "", received.body, anyOf: keys)
            else { return .refused("\(header) does not fit the body and the secret") }
            return .accepted
        }
    }

    /// One header `t=<unix seconds>,v1=<hexadecimal>`, signed over `t.body`.
    static func timeStamped(header: String) -> SignatureScheme {
        SignatureScheme(carriesSeveral: false) { message, keys in
            let seconds = message.sentAt.unixSeconds
            return keys.map { key in
                (header, "t=\(seconds),v1=\(Hexadecimal.encode(Signature.sign("\(seconds).", message.body, with: key)))")
            }
        } check: { received, keys in
            guard let field = received.only(header) else { return .refused("\(header) is missing, or given twice") }
            let parts = field.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
            let values = Dictionary(parts.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { _, last in last })
            guard let time = values["t"], let hexadecimal = values["v1"] else {
                return .refused("\(header) should be t=<unix seconds>,v1=<signature>")
            }
            if let fault = received.timeFault(String(time), in: header) { return .refused(fault) }
            guard let signature = Hexadecimal.decode(hexadecimal),
                Signature.matches(signature, "\(time).", received.body, anyOf: keys)
            else { return .refused("\(header) does not fit the body and the secret") }
            return .accepted
        }
    }
}

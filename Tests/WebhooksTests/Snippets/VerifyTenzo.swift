import Crypto
import Foundation

func verifyTenzo(headers: [String: String], body: Data, secret: String) -> Bool {
    let key = SymmetricKey(data: Data(secret.utf8))
    let code = HMAC<SHA256>.authenticationCode(for: body, using: key)
    let expected = code.map { String(format: "%02x", $0) }.joined().utf8
    let given = (headers["x-webhook-signature"] ?? "").utf8
    // Every byte is looked at, whichever is the first to differ.
    return given.count == expected.count && zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}

import Crypto
import Foundation

func verifyStandard(headers: [String: String], body: Data, secret: String) -> Bool {
    guard let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))),
        let id = headers["webhook-id"], let sent = headers["webhook-timestamp"], let time = Double(sent),
        abs(Date().timeIntervalSince1970 - time) <= 300
    else { return false }
    let signed = Data("\(id).\(sent).".utf8) + body
    return (headers["webhook-signature"] ?? "").split(separator: " ").contains { part in
        guard part.hasPrefix("v1,"), let given = Data(base64Encoded: String(part.dropFirst(3)))
        else { return false }
        // Compares in constant time.
        return HMAC<SHA256>.isValidAuthenticationCode(
            given, authenticating: signed, using: SymmetricKey(data: key))
    }
}

import Crypto
import Foundation

func verifyTalentSprout(headers: [String: String], body: Data, secret: String) -> Bool {
    let parts = (headers["x-talentsprout-signature"] ?? "").split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
    let values = Dictionary(parts.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    guard let sent = values["t"], let time = Double(sent), abs(Date().timeIntervalSince1970 - time) <= 300 else { return false }
    let key = SymmetricKey(data: Data(secret.utf8))
    let code = HMAC<SHA256>.authenticationCode(for: Data("\(sent).".utf8) + body, using: key)
    let expected = code.map { String(format: "%02x", $0) }.joined().utf8
    let given = (values["v1"] ?? "").utf8
    // Every byte is looked at, whichever is the first to differ.
    return given.count == expected.count && zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}

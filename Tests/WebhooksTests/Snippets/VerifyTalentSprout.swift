import Crypto
import Foundation

func verifyTalentSprout(headers: [String: String], body: Data, secret: String) -> Bool {
    let parts = (headers["x-talentsprout-signature"] ?? "").split(separator: ",")
    func value(_ name: String) -> String {
        parts.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
    }
    let sent = value("t")
    guard let time = Double(sent), abs(Date().timeIntervalSince1970 - time) <= 300 else { return false }
    let key = SymmetricKey(data: Data(secret.utf8))
    let code = HMAC<SHA256>.authenticationCode(for: Data("\(sent).".utf8) + body, using: key)
    let expected = code.map { String(format: "%02x", $0) }.joined().utf8
    let given = value("v1").utf8
    // Every byte is looked at, whichever is the first to differ.
    return given.count == expected.count && zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}

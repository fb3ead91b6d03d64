import Domain
import Foundation
import Testing

@testable import Webhooks

@Suite("The README's table of dialects")
struct DialectTableTests {
    @Test("Signature header, attempts, delays and deadline are the dialects'")
    func table() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        for name in DialectName.allCases {
            let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(name.rawValue)` |") })
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let dialect = Dialect.of(name), policy = dialect.policy
            let message = Facts.message([123, 125], type: try #require(dialect.types.first))
            let headers = dialect.headers(for: message, keys: try dialect.keys(secret: Facts.secret(name)), version: "0")
            #expect(cells[2].hasPrefix("`\(try #require(headers.last).name)`"), "\(name)")
            let delays = (1..<max(policy.attempts, 1)).compactMap(policy.delay).map(Self.words).joined(separator: ", ")
            #expect(cells[3] == "\(policy.attempts)" + (delays.isEmpty ? "" : ": \(delays)"), "\(name)")
            #expect(cells[4] == Self.words(policy.deadline), "\(name)")
        }
    }

    private static func words(_ milliseconds: Int64) -> String {
        switch milliseconds / 1_000 {
        case 0: "none"
        case let seconds where seconds % 3_600 == 0: "\(seconds / 3_600) h"
        case let seconds where seconds % 60 == 0: "\(seconds / 60) min"
        case let seconds: "\(seconds) s"
        }
    }
}

import Foundation
import Server
import Testing

@Suite struct SettingsTableTests {
    @Test("The README's table has every setting of serve, by flag and variable, in the program's order")
    func settings() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `--") }.map {
            $0.split(separator: "|").map { cell in
                cell.trimmingCharacters(in: .whitespaces)
            }
        }
        #expect(rows.map(\.[1]) == ServeSettings.variables.map { "`HIREWIRE_\($0)`" })
        #expect(
            rows.map(\.[0]) == ServeSettings.variables.map { "`--\($0.lowercased().replacing("_", with: "-"))`" })
        #expect(rows.allSatisfy { $0.count == 4 && !$0[3].isEmpty })
    }
}

import Foundation
import Testing

/// The README, held to what is there: its links, its map, its commands.
@Suite struct ReadmeTests {
    private let text: String
    private let lines: [Substring]

    init() throws {
        text = try Tools.read("README.md")
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The headings from the second level on, which stand outside of code.
    private var headings: [(level: Int, title: String)] {
        var isCode = false
        return lines.compactMap { line in
            if line.hasPrefix("```") { isCode.toggle() }
            let level = line.prefix { $0 == "#" }.count
            return isCode || level < 2 ? nil : (level, String(line.dropFirst(level + 1)))
        }
    }

    /// As GitHub names it.
    private static func anchor(_ title: String) -> String {
        String(title.lowercased().compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : nil })
    }

    @Test func everyLinkLeadsSomewhereAndTheContentsToEveryChapter() throws {
        let anchors = Set(headings.map { Self.anchor($0.title) })
        let targets = text.matches(of: #/\]\(([^)\s]+)\)/#).map { String($0.1) }
        #expect(targets.count > 30)
        for target in targets where !target.hasPrefix("https://") {
            if target.hasPrefix("#") {
                #expect(anchors.contains(String(target.dropFirst())), "\(target)")
            } else {
                #expect(FileManager.default.fileExists(atPath: Tools.root.appendingPathComponent(target).path), "\(target)")
            }
        }
        let contents = text.components(separatedBy: "\n## ")[0]
        for heading in headings where heading.level == 2 {
            #expect(contents.contains("(#\(Self.anchor(heading.title)))"), "\(heading.title) is not in the contents")
        }
    }

    @Test func theMapHasEveryRoomAndNoOther() throws {
        let map = text.components(separatedBy: "## A map of the rooms")[1].components(separatedBy: "```")[1]
        let mapped = map.matches(of: #/(?:^|\s{2,})([A-Za-z]+)\/ /#.anchorsMatchLineEndings()).map { String($0.1) }
        func folders(_ path: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(
                at: Tools.root.appendingPathComponent(path), includingPropertiesForKeys: [.isDirectoryKey]
            )
            .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }.map(\.lastPathComponent)
        }
        let rooms = try folders("Sources")
        #expect(Set(rooms).subtracting(mapped).isEmpty)
        #expect(Set(mapped).subtracting(rooms + ["Sources", "Tests", "packaging", "openapi", "seed"]).isEmpty)
    }

    @Test func itNamesEveryCommand() throws {
        let help = try Program.run(["--help"]).output
        let commands = help.components(separatedBy: "SUBCOMMANDS:\n")[1].matches(of: #/(?m)^  ([a-z-]+) +\w/#).map { String($0.1) }
        #expect(commands.count >= 16)
        for command in commands { #expect(text.contains("`\(command)`") || text.contains("hirewire \(command) "), "\(command)") }
    }
}

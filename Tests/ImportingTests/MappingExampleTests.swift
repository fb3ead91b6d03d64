import Domain
import Foundation
import Importing
import Testing

/// Every example in Tests/mappings is a mapping, also where the data it is for is not at hand.
@Suite struct MappingExampleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "mappings")

    @Test func everyExampleIsAMapping() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
        let examples = files.filter { $0.pathExtension == "json" }
        #expect(examples.count == 13)
        for example in examples {
            let word = example.deletingPathExtension().lastPathComponent.split(separator: "-").last ?? ""
            let kind = try #require(RecordKind(word: word))
            let document = try JSONParser.parse(String(contentsOf: example, encoding: .utf8))
            #expect(throws: Never.self, "\(example.lastPathComponent)") { try Mapping(json: document, kind: kind) }
        }
    }
}

import Domain
import Foundation
import HTTPSupport

@testable import PublicAPI

/// The contract, as it is in the repository.
enum ContractFile {
    static func reader() throws -> ContractReader {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "openapi/public.yaml"), encoding: .utf8)
        return ContractReader(try ContractDocument(yaml: text).value)
    }
}

extension ContractReader.Webhook {
    var name: String { operation.path }
    var schema: JSONValue? { body.first?.value["schema"] }
    var examples: [JSONValue.Member] { (body.first?.value["examples"]).asMembers }
}

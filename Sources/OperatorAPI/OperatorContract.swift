import Domain
import EmbeddedFiles
import HTTPSupport
import NIOCore
import Synchronization

/// The contract of this listener, as it is served. Its JSON is made when it is first asked for: a start waits for none of it.
final class OperatorContract: Sendable {
    private let yaml: ByteBuffer
    private let json = Mutex<ByteBuffer?>(nil)

    init() {
        let file = hirewire_file("openapi/operator.yaml")
        yaml = ByteBuffer(bytes: UnsafeBufferPointer(start: file.bytes, count: file.size))
    }

    func answer(_ form: PushRoute.ContractForm) throws -> Answer {
        switch form {
        case .yaml: Answer(status: 200, headers: [("Content-Type", "application/yaml")], body: yaml, route: "-")
        case .json: Answer(status: 200, headers: [("Content-Type", "application/json")], body: try asJSON(), route: "-")
        }
    }

    private func asJSON() throws -> ByteBuffer {
        try json.withLock { json in
            if let json { return json }
            let made = ByteBuffer(bytes: try ContractDocument(yaml: String(buffer: yaml)).json)
            json = made
            return made
        }
    }
}

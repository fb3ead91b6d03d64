import Foundation
import Hummingbird

// The yardstick that needs no database: Hummingbird as its own examples write it, answering every GET with the same
// bytes from memory. `BareHummingbird --port 8080 --bytes 5000`

func option(_ name: String) -> Int? {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    return Int(arguments[index + 1])
}

guard let port = option("--port"), let size = option("--bytes"), size >= 0 else {
    print("usage: BareHummingbird --port PORT --bytes N")
    exit(2)
}

// A JSON text of the wanted size, where there is room for its quotes.
let text = size < 2 ? String(repeating: "0", count: size) : "\"" + String(repeating: "x", count: size - 2) + "\""
let body = ByteBuffer(string: text)

let router = Router()
router.get("**") { _, _ in
    Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
}
let application = Application(
    router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)))
try await application.runService()

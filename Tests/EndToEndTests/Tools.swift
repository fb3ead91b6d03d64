import Foundation

/// Programs of Debian's that `Tests/run` unpacks into `.tools`, so that no service of theirs ever starts, or installs.
enum Tools {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// - Throws: ``Trouble`` that says what would have brought it here.
    static func path(_ name: String) throws -> String {
        let own = ["/usr/sbin/", "/usr/bin/"].map { root.path + "/.tools" + $0 + name }
        let searched = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        guard let found = (own + searched).first(where: FileManager.default.isExecutableFile) else {
            throw Trouble("there is no \(name) here: Tests/run installs it")
        }
        return found
    }

    /// A file of the repository.
    static func read(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// A port that nobody has just now.
    static func freePort() throws -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0 }
        }
        guard found else { throw Trouble("no free port") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}

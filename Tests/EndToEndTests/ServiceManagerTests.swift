import Foundation
import Testing

/// What a service manager is told, and what it may rely on.
@Suite struct ServiceManagerTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// A manager's end of `NOTIFY_SOCKET`: a datagram socket at a path, or with an abstract name.
    private final class Manager {
        private let socket: Int32

        init(_ name: String) throws {
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(name.utf8)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            if name.hasPrefix("@") { address.sun_path.0 = 0 }
            let size = socklen_t(2 + bytes.count + (name.hasPrefix("@") ? 0 : 1))
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) }
            }
            guard bound == 0 else { throw Trouble("no socket \(name): \(String(cString: strerror(errno)))") }
            var time = timeval(tv_sec: 30, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(socket) }

        /// The next datagram's lines; none where nothing came in half a minute.
        func next() -> [String] {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = recv(socket, &buffer, buffer.count, 0)
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").map(String.init)
        }

        var hasMore: Bool {
            var byte: UInt8 = 0
            return recv(socket, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) >= 0
        }
    }

    @Test(arguments: [true, false])
    func aManagerIsToldWhenBothListenersAnswerAndWhenTheEndBegins(isAbstract: Bool) throws {
        // given
        let name = isAbstract ? "@hirewire-\(UUID().uuidString)" : folder("notify")
        let manager = try Manager(name)

        // when
        let server = try Server(folder("notified.db"), environment: ["NOTIFY_SOCKET": name])
        let ready = manager.next()

        // then
        #expect(ready.first == "READY=1", "\(ready)")
        #expect(ready.last?.hasPrefix("STATUS=") == true && ready.last?.contains(":\(server.port)") == true, "\(ready)")
        #expect(try server.get("/healthz").status == 200)
        #expect(!manager.hasMore)

        // when
        let code = server.stop()

        // then
        #expect(manager.next().first == "STOPPING=1" && !manager.hasMore)
        #expect(code == 0)
    }

    @Test(arguments: ["/nowhere/notify", "nonsense", "@" + String(repeating: "x", count: 200)])
    func aManagerThatCanNotBeToldIsAWarningOnly(name: String) throws {
        let server = try Server(folder("alone.db"), environment: ["NOTIFY_SOCKET": name])
        #expect(try server.get("/healthz").status == 200)
        #expect(server.stop() == 0)
        #expect(server.process.errors.contains("the service manager could not be told"), "\(server.process.errors)")
    }

    @Test func aServeThatCanNotStartSaysNothing() throws {
        let manager = try Manager(folder("notify"))
        let refused = try Program.run(["serve", "--port", "nonsense"], environment: ["NOTIFY_SOCKET": folder("notify")])
        #expect(refused.exitCode == 2 && !manager.hasMore)
    }
}

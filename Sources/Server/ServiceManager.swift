import Glibc

/// Tells the service manager how far the service is, as systemd's `sd_notify(3)` describes it: a datagram of
/// `NAME=value` lines to the socket that `NOTIFY_SOCKET` names, a file's path or, behind an `@`, an abstract name.
struct ServiceManager: Sendable {
    enum State: Sendable {
        /// Both listeners answer; what is said shows in `systemctl status`.
        case ready(String)
        /// The end has begun.
        case stopping

        var message: String {
            switch self {
            case .ready(let status): "READY=1\nSTATUS=\(status.split(whereSeparator: \.isNewline).joined(separator: " "))\n"
            case .stopping: "STOPPING=1\nSTATUS=Finishing what is under way\n"
            }
        }
    }

    /// Why the manager could not be told.
    struct Unreachable: Error, CustomStringConvertible {
        let description: String
    }

    private let socketName: String

    /// Nil where nobody asks to be told.
    init?(environment: [String: String]) {
        guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else { return nil }
        socketName = name
    }

    /// - Throws: ``Unreachable``; whoever serves goes on all the same.
    func tell(_ state: State) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketName.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        // A path ends with a NUL; an abstract name begins with one (unix(7)).
        guard isAbstract || name.first == UInt8(ascii: "/"), name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Unreachable(description: "NOTIFY_SOCKET is no path of a socket: '\(socketName.prefix(120))'")
        }
        if isAbstract { name[0] = 0 } else { name.append(0) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Self.failure() }
        defer { close(socket) }
        let message = Array(state.message.utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, size)
            }
        }
        guard sent == message.count else { throw Self.failure() }
    }

    private static func failure() -> Unreachable {
        Unreachable(description: "the socket of NOTIFY_SOCKET: \(String(cString: strerror(errno)))")
    }
}

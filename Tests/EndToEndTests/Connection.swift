import Foundation

/// An answer as it came over the wire.
struct Response {
    let status: Int
    let version: String
    let fields: [(name: String, value: String)]
    let body: [UInt8]
    /// The bytes of the head, for what must be equal to the letter.
    let head: String

    func all(_ name: String) -> [String] { fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }
    subscript(name: String) -> String? { all(name).first }

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSON { get throws { try JSON(body) } }
    var code: String? { (try? json)?["code"].string }
}

/// One socket to the server: bytes out, answers in, both with a deadline. It knows no more of HTTP than it must, so that
/// a test can say whatever it likes.
final class Connection {
    private let socket: Int32
    private let patience: Double
    private var received: [UInt8] = []
    private(set) var hasEnded = false
    /// The other side broke the connection off rather than closing it.
    private(set) var wasReset = false

    /// - Parameter source: the loopback address to come from; limits by address are then a test's own.
    init(_ port: Int, from source: String = "127.0.0.1", patience: Double = 30) throws {
        self.patience = patience
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Trouble("no socket: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var time = timeval(tv_sec: Int(patience), tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        if source != "127.0.0.1" {
            guard Self.with(source, 0, { bind(socket, $0, $1) }) == 0 else { throw Trouble("can't come from \(source)") }
        }
        guard Self.with("127.0.0.1", port, { connect(socket, $0, $1) }) == 0 else {
            throw Trouble("can't connect to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(socket) }

    private static func with(_ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    /// Sends as much as the other side takes; a server that has answered already may take no more.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends as much as the other side takes without a pause that is longer than some seconds.
    func send(_ text: String, pausingAtMost seconds: Double) {
        var rest = Array(text.utf8)[...]
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        while !rest.isEmpty, Glibc.poll(&descriptor, 1, Int32(seconds * 1_000)) > 0 {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Says that nothing more will be sent, and listens on.
    func endSending() { shutdown(socket, Int32(SHUT_WR)) }

    private func more() throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count > 0 { return received += buffer[..<count] }
        if count == 0 { return hasEnded = true }
        switch errno {
        case EINTR: return
        case ECONNRESET, EPIPE:
            wasReset = true
            hasEnded = true
        default: throw Trouble("nothing came in \(patience) s; so far: \(String(decoding: received.prefix(300), as: UTF8.self))")
        }
    }

    /// Whether there is something to read, or the end, within a time.
    func isReadable(within seconds: Double) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&descriptor, 1, Int32(seconds * 1_000)) > 0
    }

    /// The next answer.
    ///
    /// - Parameter isHead: the request was a HEAD, so no body follows.
    func receive(isHead: Bool = false) throws -> Response {
        var end = Self.headEnd(received)
        while end == nil, !hasEnded {
            try more()
            end = Self.headEnd(received)
        }
        guard let end else {
            throw Trouble("the connection ended before an answer: '\(String(decoding: received.prefix(300), as: UTF8.self))'")
        }
        let head = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end)
        let lines = head.components(separatedBy: "\r\n").filter { !$0.isEmpty }
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let status = Int(words[1]) else { throw Trouble("no status line: \(lines[0])") }
        let fields = lines.dropFirst().map { line in
            let sides = line.split(separator: ":", maxSplits: 1)
            return (name: String(sides[0]), value: sides.count > 1 ? sides[1].trimmingCharacters(in: .whitespaces) : "")
        }
        let length = fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        let size = isHead || status == 304 || status == 204 || status < 200 ? 0 : length
        while received.count < size, !hasEnded { try more() }
        guard received.count >= size else { throw Trouble("the connection ended inside a body, after \(received.count) of \(size) bytes") }
        defer { received.removeFirst(size) }
        return Response(status: status, version: String(words[0]), fields: fields, body: Array(received[..<size]), head: head)
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let end: [UInt8] = [13, 10, 13, 10]
        return (0...(bytes.count - 4)).first { bytes[$0] == 13 && bytes[$0..<($0 + 4)].elementsEqual(end) }.map { $0 + 4 }
    }

    /// What has come, or comes next; nothing at the end.
    func receiveSome() throws -> [UInt8] {
        while received.isEmpty, !hasEnded { try more() }
        defer { received = [] }
        return received
    }

    /// Reads to the end of the connection.
    ///
    /// - Returns: what still came.
    func readToEnd() throws -> [UInt8] {
        while !hasEnded { try more() }
        defer { received = [] }
        return received
    }
}

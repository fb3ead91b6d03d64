/// What an HTTP/2 client sends, byte by byte (RFC 9113; header fields as literals of RFC 7541, 6.2.2).
public enum HTTP2Bytes {
    public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    public static let settings = frame(4)
    public static let acknowledgement = frame(4, flags: 1)
    /// The preface and the settings that a connection begins with.
    public static let opening = preface + settings

    public static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF), type, flags, 0, 0, 0, stream] + payload
    }

    /// A GET without a body: one HEADERS frame, and CONTINUATION frames behind it for what is longer than 16 KiB.
    public static func get(_ path: String, stream: UInt8 = 1, _ fields: [(String, String)] = []) -> [UInt8] {
        let all = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)] + fields
        let block: [UInt8] = all.flatMap { name, value -> [UInt8] in [0] + text(name) + text(value) }
        let parts = stride(from: 0, to: block.count, by: 16 << 10).map { Array(block[$0..<min($0 + 16 << 10, block.count)]) }
        return parts.enumerated().flatMap { index, part in
            frame(index == 0 ? 1 : 9, flags: (index == 0 ? 1 : 0) | (index == parts.count - 1 ? 4 : 0), stream: stream, part)
        }
    }

    /// A string with its length before it (RFC 7541, 5.1 and 5.2).
    private static func text(_ text: String) -> [UInt8] {
        var length = text.utf8.count
        guard length >= 127 else { return [UInt8(length)] + text.utf8 }
        var bytes: [UInt8] = [127]
        length -= 127
        while length >= 128 {
            bytes.append(UInt8(length % 128 + 128))
            length /= 128
        }
        return bytes + [UInt8(length)] + text.utf8
    }
}

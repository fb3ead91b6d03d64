/// One value a line (NDJSON). Lines end with a line feed; empty ones are passed over.
struct LineFramer: RowFramer {
    private var line = 0

    init() {}

    mutating func next(in window: inout ByteWindow) throws -> RowFrame? {
        while true {
            line += 1
            guard let length = try lineLength(in: &window) else { return try tooLong(in: &window) }
            let bytes = UnsafeBufferPointer(rebasing: window.bytes.prefix(length))
            if bytes.isEmpty, window.bytes.isEmpty { return nil }
            window.consume(min(length + 1, window.bytes.count))
            if !bytes.allSatisfy(\.isJSONSpace) { return .row(line: line, bytes: bytes) }
        }
    }

    /// Nil where the line is too long.
    private func lineLength(in window: inout ByteWindow) throws -> Int? {
        var searched = 0
        while true {
            let bytes = window.bytes
            if let feed = bytes.first(0x0A, from: searched) { return feed <= RowLimits.bytes ? feed : nil }
            searched = bytes.count
            if searched > RowLimits.bytes { return nil }
            guard try window.more() else { return searched }
        }
    }

    private func tooLong(in window: inout ByteWindow) throws -> RowFrame {
        let raw = window.bytes.excerpt
        _ = try window.skipLine(orAtCarriageReturn: false)
        return .unusable(line: line, reason: RowLimits.tooLong, raw: raw)
    }
}

extension UInt8 {
    /// White space as RFC 8259 has it.
    var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The part of a stream that is in memory: from the start of the row being read to what was read last.
///
/// It grows only while one row is longer than it, and gives that memory back afterwards. Positions are counted from
/// the row's start, so they stay right when the bytes move.
struct ByteWindow: ~Copyable {
    /// Bytes asked for at a time.
    static let chunk = 1 << 18

    private let read: (UnsafeMutableRawBufferPointer) throws -> Int
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity = Self.chunk
    private var start = 0
    private var end = 0
    private(set) var isAtEnd = false
    private(set) var bytesRead = 0

    init(read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
        self.read = read
        base = .allocate(capacity: Self.chunk)
    }

    deinit { base.deallocate() }

    /// What is here. Valid until the next call of ``more()``.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base + start, count: end - start) }

    /// Moves the row's start; the bytes before it stay readable until the next call of ``more()``.
    mutating func consume(_ count: Int) { start += count }

    /// Reads on. False at the stream's end.
    /// - Throws: what `read` throws; ``ImportFileError`` where it claims more than it was asked for.
    mutating func more() throws -> Bool {
        if isAtEnd { return false }
        makeRoom()
        let room = UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        let count = try read(room)
        guard count >= 0, count <= room.count else { throw ImportFileError(line: 0, "the file can't be read") }
        isAtEnd = count == 0
        end += count
        bytesRead += count
        return count > 0
    }

    private mutating func makeRoom() {
        let held = end - start
        if capacity > Self.chunk, held <= Self.chunk / 2 {
            move(to: Self.chunk)
        } else if held > capacity - capacity / 4 {
            move(to: capacity * 2)
        } else if capacity - end < capacity / 4 {
            memmove(base, base + start, held)
            start = 0
            end = held
        }
    }

    private mutating func move(to newCapacity: Int) {
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
        let held = end - start
        memcpy(moved, base + start, held)
        base.deallocate()
        base = moved
        capacity = newCapacity
        start = 0
        end = held
    }
}

extension ByteWindow {
    /// Drops a UTF-8 byte order mark from the start of the stream.
    /// - Throws: ``ImportFileError`` for UTF-16 and UTF-32 and what is compressed, which their first bytes give away.
    mutating func skipByteOrderMark() throws {
        while bytes.count < 3, try more() {}
        let head = bytes.prefix(3)
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
            throw ImportFileError(line: 1, "the file is UTF-16 or UTF-32; save it as UTF-8")
        }
        if let packed = Self.packed.first(where: { head.starts(with: $0.start) }) {
            throw ImportFileError(
                line: 1, "the file is compressed (\(packed.name)); unpack it: \(packed.command) FILE | hirewire import KIND -")
        }
        if head.elementsEqual([0xEF, 0xBB, 0xBF]) { consume(3) }
    }

    /// No text begins with one of these.
    private static let packed: [(start: [UInt8], name: String, command: String)] = [
        ([0x1F, 0x8B], "gzip", "zcat"), ([0x28, 0xB5, 0x2F], "zstd", "zstdcat"), ([0xFD, 0x37, 0x7A], "xz", "xzcat"),
        ([0x50, 0x4B, 0x03], "zip", "unzip -p"),
    ]

    /// Drops bytes up to the next line break, and it; there may be none before the stream's end.
    /// - Returns: the byte that broke the line, or nil at the end.
    mutating func skipLine(from position: Int = 0, orAtCarriageReturn: Bool) throws -> UInt8? {
        consume(position)
        while true {
            let found = orAtCarriageReturn ? bytes.firstLineBreak(from: 0) : bytes.first(0x0A, from: 0)
            if let found {
                let byte = bytes[found]
                consume(found + 1)
                return byte
            }
            consume(bytes.count)
            guard try more() else { return nil }
        }
    }
}

import CZlib
import Domain
import NIOCore

/// Compresses bodies in the gzip format (RFC 1952), with compressors that are kept: to make one takes as long as a page.
public final class Gzip: Sendable {
    /// zlib's own choice: a page of 100 matches shrinks to less than a fifth, which faster levels miss.
    private static let level: Int32 = 6
    /// For what is long: several times as fast for up to half as many bytes more, so that it keeps up with its connection.
    private static let levelOfLong: Int32 = 1
    /// More bytes are long.
    private static let long = 256 << 10
    /// Below so many bytes an answer fits into a packet anyway.
    public static let least = 1_000

    private final class Compressor {
        var stream = z_stream()
        init?(level: Int32 = Gzip.level) {
            guard hirewire_gzip_begin(&stream, level) == Z_OK else { return nil }
        }
        deinit { deflateEnd(&stream) }
    }

    /// One owner at a time: the pool's lock hands it over.
    private struct Lent: @unchecked Sendable {
        let compressor: Compressor
    }

    private let idle = ThreadShards<[Lent]> { [] }

    public init() {}

    /// Nil where it can't be done; then the body goes as it is.
    public func compress(_ body: ByteBuffer) -> ByteBuffer? {
        guard let lent = idle.withLock({ $0.popLast() }) ?? Compressor().map(Lent.init) else { return nil }
        defer { idle.withLock { if $0.count < 4 { $0.append(lent) } } }
        let compressor = lent.compressor
        let level = body.readableBytes > Self.long ? Self.levelOfLong : Self.level
        guard deflateReset(&compressor.stream) == Z_OK else { return nil }
        guard deflateParams(&compressor.stream, level, Z_DEFAULT_STRATEGY) == Z_OK else { return nil }
        let most = Int(deflateBound(&compressor.stream, UInt(body.readableBytes)))
        var out = ByteBufferAllocator().buffer(capacity: most)
        let isDone = body.withUnsafeReadableBytes { input in
            out.withUnsafeMutableWritableBytes { output in
                // zlib does not write to its input.
                compressor.stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
                compressor.stream.avail_in = UInt32(input.count)
                compressor.stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
                compressor.stream.avail_out = UInt32(output.count)
                return deflate(&compressor.stream, Z_FINISH) == Z_STREAM_END
            }
        }
        guard isDone else { return nil }
        out.moveWriterIndex(forwardBy: Int(compressor.stream.total_out))
        return out
    }

    /// One long body, compressed piece by piece. Used by one thread at a time.
    public final class Stream {
        private let compressor: Compressor

        public init?() {
            guard let compressor = Compressor(level: Gzip.levelOfLong) else { return nil }
            self.compressor = compressor
        }

        public enum Flush: Sendable {
            /// What zlib keeps back comes with a later piece.
            case none
            /// All that was given can be read from what was written.
            case sync
            /// The end of the body.
            case finish
        }

        public func compress(_ bytes: UnsafeRawBufferPointer, _ flush: Flush, into out: inout ByteBuffer) {
            let mode =
                switch flush {
                case .none: Z_NO_FLUSH
                case .sync: Z_SYNC_FLUSH
                case .finish: Z_FINISH
                }
            // zlib does not write to its input.
            compressor.stream.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            compressor.stream.avail_in = UInt32(bytes.count)
            var isFull = true
            while isFull {
                out.writeWithUnsafeMutableBytes(minimumWritableBytes: 32 << 10) { room in
                    compressor.stream.next_out = room.bindMemory(to: UInt8.self).baseAddress
                    compressor.stream.avail_out = UInt32(room.count)
                    deflate(&compressor.stream, mode)
                    isFull = compressor.stream.avail_out == 0
                    return room.count - Int(compressor.stream.avail_out)
                }
            }
        }
    }

    /// Whether an `Accept-Encoding` field (RFC 9110, 12.5.3) asks for gzip: takes it, named or by `*`, and not rather no
    /// coding.
    public static func isAccepted(by field: String) -> Bool {
        var (gzip, identity, other): (Double?, Double?, Double?)
        for part in field.utf8.split(separator: UInt8(ascii: ",")).prefix(20) {
            var pieces = part.split(separator: UInt8(ascii: ";")).map { piece in
                String(decoding: piece.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self).lowercased()
            }[...]
            let name = pieces.popFirst()
            let weight = pieces.last { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch name {
            case "gzip", "x-gzip": gzip = weight
            case "identity": identity = weight
            case "*": other = weight
            default: break
            }
        }
        let weight = gzip ?? other ?? 0
        return weight > 0 && weight >= identity ?? 0
    }
}

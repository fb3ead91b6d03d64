import CZlib
import Domain
import NIOCore

/// Compresses bodies in the gzip format (RFC 1952), with compressors that are kept: to make one takes as long as a page.
public final class Gzip: Sendable {
    /// zlib's own choice: a page of 100 matches shrinks to less than a fifth, which faster levels miss.
    private static let level: Int32 = 6
    /// Below so many bytes an answer fits into a packet anyway.
    public static let least = 1_000

    private final class Compressor {
        var stream = z_stream()
        init?() {
            guard hirewire_gzip_begin(&stream, Gzip.level) == Z_OK else { return nil }
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
        guard deflateReset(&compressor.stream) == Z_OK else { return nil }
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

    /// Whether an `Accept-Encoding` field (RFC 9110, 12.5.3) takes gzip, named or by `*`, and not with a weight of 0.
    public static func isAccepted(by field: String) -> Bool {
        var other = false
        for part in field.utf8.split(separator: UInt8(ascii: ",")).prefix(20) {
            let pieces = part.split(separator: UInt8(ascii: ";"))
            guard let first = pieces.first else { continue }
            let name = String(decoding: first.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self).lowercased()
            let isRefused = pieces.dropFirst().contains { piece in
                let text = String(decoding: piece.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self).lowercased()
                return text.hasPrefix("q=") && Double(text.dropFirst(2)) == 0
            }
            if name == "gzip" || name == "x-gzip" { return !isRefused }
            if name == "*" { other = !isRefused }
        }
        return other
    }
}

import Crypto
import Domain
import HTTPSupport

/// A weak validator (RFC 9110, 8.8).
struct EntityTag: Sendable {
    let hash: UInt64
    /// `W/"…"`.
    let text: String
    /// Without the `W/`: `If-None-Match` compares weakly (RFC 9110, 13.1.2), and some clients drop it.
    var opaque: Substring { text.dropFirst(2) }

    init(_ digest: SHA256.Digest) {
        let bytes = Array(digest.prefix(16))
        hash = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        text = "W/\"" + Base64.encodeURLSafe(bytes) + "\""
    }
}

extension PublicCore {
    /// The organization's counter of visible changes, what is asked, and who may read what, in one digest: so a client
    /// that has the tag has the answer, and it is known without running a query. Nil where the answer is no
    /// representation of records.
    func entityTag(
        _ route: Route, _ request: IncomingRequest, _ asked: Asked, _ key: APIKey, _ reader: any StoreReader
    ) throws -> EntityTag? {
        switch route {
        case .list, .record, .resume: break
        default: return nil
        }
        // The counter before the data: a tag may be older than its body, never newer.
        let counter = try reader.changeCounter(of: key.organization)
        var words = (
            try reader.identity, UInt64(bitPattern: counter), UInt64(bitPattern: key.organization.value), UInt64(key.scopes.rawValue),
            documents.salt, UInt64(asked.notation?.rawValue.utf8.first ?? 0)
        )
        var hash = SHA256()
        withUnsafeBytes(of: &words) { hash.update(bufferPointer: $0) }
        var target = request.target
        target.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return EntityTag(hash.finalize())
    }
}

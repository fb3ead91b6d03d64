import Crypto
import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird

/// What a change answers, so that it can be kept for a repeat.
struct ChangeAnswer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// Whom it tells of.
    var candidates: [ULID] = []
}

/// Changes under an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the answer is committed together with
/// the change that it tells of, so a repeat finds both or neither.
///
/// Kept are answers of changes that took place. A refusal changed nothing and may tell of what was sent, so it is not
/// kept: its repeat is asked anew.
extension PushAPI {
    /// - Parameters:
    ///   - digest: of the body; asked where there is an `Idempotency-Key`.
    ///   - alone: in a transaction of its own, for a change that may be refused half-way.
    func commit(
        _ call: PushCall, digest: @autoclosure () -> SHA256.Digest, alone: Bool = false,
        _ change: @escaping @Sendable (any PushWriter, Organization) throws -> ChangeAnswer
    ) async throws -> Answer {
        let key = try idempotencyKey(call, digest())
        let number = call.caller.organization
        let run: @Sendable (any PushWriter) throws -> (KeptAnswer, isRepeat: Bool) = { writer in
            guard let organization = try writer.organization(number) else { throw Problem.notFound }
            if let key {
                switch try writer.answer(to: key) {
                case .first: break
                case .answered(let answer): return (answer, true)
                case .other:
                    throw Problem(.idempotencyKeyReused, "This Idempotency-Key was given with another request; make a new one.")
                case .erased: throw Problem(.gone, "What this request pushed was erased since.")
                }
            }
            let made = try change(writer, organization)
            let answer = KeptAnswer(status: made.status, headers: made.headers, body: made.body, candidates: made.candidates)
            if let key { try writer.keep(answer, for: key) }
            return (answer, false)
        }
        let (kept, isRepeat) = try await alone ? writes.commitAlone(run) : writes.commit(run)
        if call.caller.readsPersonal, !kept.body.isEmpty, let kind = call.route.answeredKind,
            RecordForm(kind: kind, projection: .detail, personal: true).showsPersonal
        {
            note(kept.candidates, toldTo: call)
        }
        var headers = kept.headers
        if isRepeat { headers.append(("Idempotency-Replayed", "true")) }
        return Answer(status: kept.status, headers: headers, body: ByteBuffer(bytes: kept.body), route: "-")
    }

    private func idempotencyKey(_ call: PushCall, _ digest: @autoclosure () -> SHA256.Digest) throws -> IdempotencyKey? {
        let given = call.request.headers[values: .idempotencyKey]
        guard let first = given.first else { return nil }
        var text = Substring(first)
        // A structured field's string (RFC 8941), or its content alone, as many clients send it.
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        guard given.count == 1, (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(.invalidRequest, "Idempotency-Key is one text of 1 to 255 visible ASCII characters, such as a UUID.")
        }
        var asked = SHA256()
        for part in [call.method.rawValue, call.path, call.parameters["reason"] ?? "", call.parameters["file_name"] ?? ""]
            + [call.request.headers[.ifMatch] ?? "", call.request.headers[.contentType] ?? ""]
        {
            asked.update(data: Array(part.utf8) + [0])
        }
        digest().withUnsafeBytes { asked.update(bufferPointer: $0) }
        return IdempotencyKey(
            organization: call.caller.organization, name: Array(SHA256.hash(data: Array("\(call.caller.name) \(text)".utf8))),
            fingerprint: Array(asked.finalize()))
    }
}

extension ByteBuffer {
    var digest: SHA256.Digest { withUnsafeReadableBytes { SHA256.hash(data: $0) } }
}

extension HTTPField.Name {
    static let idempotencyKey = Self("Idempotency-Key")!
}

import Crypto
import Domain
import HTTPSupport

/// The right to be forgotten.
extension PushAPI {
    /// Erases at once from all records, and answers 202 until that is true of the files too. A repeat tells how far it is.
    func erase(_ name: RecordName, for call: PushCall) async throws -> Answer {
        let number = call.caller.organization
        return try await commit(call, digest: SHA256.hash(data: [])) { writer, organization in
            let id: RecordID
            switch try writer.find(name, of: .candidate, in: number) {
            case .missing: throw Problem.notFound
            case .deleted(let buried): id = buried.recordID
            case .living(let record): id = record.recordID
            }
            if let known = try writer.erasure(of: id.ulid, in: number) { return ChangeAnswer(known) }
            guard try writer.erase(id.ulid, in: organization), let erasure = try writer.erasure(of: id.ulid, in: number)
            else { throw Problem.notFound }
            return ChangeAnswer(erasure)
        }
    }

    func erasure(_ name: RecordName, for call: PushCall) throws -> Answer {
        try reads.read { reader in
            let id = try reader.id(name, of: .candidate, in: call.caller.organization)
            guard let erasure = try reader.erasure(of: id.ulid, in: call.caller.organization) else { throw Problem.notFound }
            let answer = ChangeAnswer(erasure)
            return Answer(status: answer.status, headers: answer.headers, body: .init(bytes: answer.body), route: "-")
        }
    }
}

extension ChangeAnswer {
    init(_ erasure: Erasure) {
        let id = RecordID(kind: .candidate, ulid: erasure.candidate)
        body = Array(
            JSONValue.object([
                .init("id", .string(id.description)), .init("status", .string(erasure.doneAt == nil ? "erasing" : "erased")),
                .init("requested_at", .string(erasure.requestedAt.description)),
                .init("done_at", erasure.doneAt.map { .string($0.description) } ?? .null),
            ]).text.utf8)
        headers = [("Content-Type", "application/json"), ("Location", "\(PushRoute.base)/candidates/\(id)/erase")]
        if erasure.doneAt == nil {
            status = 202
            headers.append(("Retry-After", "1"))
        }
    }
}

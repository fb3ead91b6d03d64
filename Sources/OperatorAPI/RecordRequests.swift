import Crypto
import Domain
import HTTPSupport
import HTTPTypes

/// One record: create or replace, change, delete, read back.
extension PushAPI {
    /// PUT replaces, PATCH changes what it names.
    func store(_ name: RecordName, of kind: RecordKind, for call: PushCall) async throws -> Answer {
        let replaces = call.method == .put
        let (json, bytes) = try await call.readJSON()
        let input = try RecordInput.pushed(kind: kind, json: json, as: replaces ? name : nil)
        let (precondition, reason) = (try call.precondition(), call.parameters["reason"])
        return try await commit(call, digest: bytes.digest) { writer, organization in
            let outcome =
                try replaces
                ? writer.put(name, input, precondition, reason: reason, in: organization)
                : writer.patch(name, input, precondition, reason: reason, in: organization)
            return ChangeAnswer(outcome, for: call.caller)
        }
    }

    func delete(_ name: RecordName, of kind: RecordKind, for call: PushCall) async throws -> Answer {
        let precondition = try call.precondition()
        return try await commit(call, digest: SHA256.hash(data: [])) { writer, organization in
            try writer.remove(name, of: kind, precondition, in: organization)
            return ChangeAnswer(status: 204)
        }
    }

    func readBack(_ name: RecordName, of kind: RecordKind, for call: PushCall) throws -> Answer {
        try reads.read { reader in
            let organization = call.caller.organization
            let id = try reader.id(name, of: kind, in: organization)
            let form = ListForm(kind: kind, detail: true, personal: call.caller.readsPersonal)
            var out = ByteWriter(capacity: 1_024)
            switch try reader.record(id, of: organization, form: form, into: &out) {
            case .missing: throw Problem.notFound
            case .deleted: throw Problem.deleted
            case .found(let hidden):
                out.appendEnd(masked: form.masked, hidden.contains(.own))
                let version = try JSONParser.parse(out.text)["version"]?.text ?? ""
                let tag = ("ETag", "\"\(version)\"")
                guard try call.wantsToRead(version: version) else {
                    return Answer(status: 304, headers: [tag], body: .init(), route: "-")
                }
                note(reader.takeTold(), toldTo: call)
                return Answer(
                    status: 200, headers: [("Content-Type", "application/json"), tag], body: .init(bytes: out.bytes), route: "-")
            }
        }
    }
}

extension PushAPI {
    /// Notes whose personal data an answer holds.
    func note(_ candidates: [ULID], toldTo call: PushCall) {
        let way = PersonalRead.Way(organization: call.caller.organization, keyID: call.caller.keyID, route: call.route.pattern)
        audit.note(.init(candidates), by: way, at: time.now)
    }
}

extension StoreReader {
    /// - Throws: ``Problem`` where an `external_id` is nobody's.
    func id(_ name: RecordName, of kind: RecordKind, in organization: OrganizationNumber) throws -> RecordID {
        switch name {
        case .id(let id): return id
        case .externalID(let externalID):
            guard let id = try id(of: kind, externalID: externalID, in: organization) else { throw Problem.notFound }
            return id
        }
    }
}

extension Problem {
    static let deleted = Problem(.gone, "The record was deleted.")
}

extension PushWriter {
    /// Creates or replaces. A deleted record is revived under its `external_id`, as an import does, and not under its id.
    func put(
        _ name: RecordName, _ input: RecordInput, _ precondition: Precondition, reason: String?, in organization: Organization
    ) throws -> ChangeOutcome {
        let stored = try find(name, of: input.kind, in: organization.number)
        try precondition.check(stored)
        if case .living(let record) = stored { try input.checkResume(against: record) } else { try input.checkResume(against: nil) }
        var options = ChangeOptions()
        options.mode = .replace
        options.reason = reason
        switch (name, stored) {
        case (.id, .deleted): throw Problem.deleted
        case (.id, .missing): throw Problem.notFound
        default: return try apply(input, to: stored, in: organization, options: options)
        }
    }

    /// Changes the fields that are given, as a JSON Merge Patch (RFC 7396).
    func patch(
        _ name: RecordName, _ input: RecordInput, _ precondition: Precondition, reason: String?, in organization: Organization
    ) throws -> ChangeOutcome {
        let record = try living(name, of: input.kind, precondition, in: organization)
        try input.checkResume(against: record)
        var options = ChangeOptions()
        options.reason = reason
        return try apply(input.merged(into: record), to: .living(record), in: organization, options: options)
    }

    func remove(_ name: RecordName, of kind: RecordKind, _ precondition: Precondition, in organization: Organization) throws {
        let record = try living(name, of: kind, precondition, in: organization)
        guard try delete(record.recordID, in: organization, options: ChangeOptions()) else { throw Problem.notFound }
    }

    /// - Throws: ``Problem`` where it is not there, or not at the version that is asked for.
    func living(
        _ name: RecordName, of kind: RecordKind, _ precondition: Precondition, in organization: Organization
    ) throws -> Record {
        let stored = try find(name, of: kind, in: organization.number)
        switch stored {
        case .missing: throw Problem.notFound
        case .deleted: throw Problem.deleted
        case .living(let record):
            try precondition.check(stored)
            return record
        }
    }
}

extension RecordInput {
    /// A file's size is its bytes', which nobody says without them; said again as it was read, it is overlooked.
    fileprivate func checkResume(against record: Record?) throws(InputFaults) {
        guard kind == .candidate, resume == nil else { return }
        let size = kind.schema.position("resume.size")
        guard case .integer(let given)? = values[size], record?.values[size] != .integer(given) else { return }
        throw InputFaults(faults + [InputFault("/resume/size", "is told by the file; send its bytes with PUT …/resume, or as content")])
    }

    /// What a record shows of itself and nobody sets; overlooked, so that a record that was read can be pushed back.
    private static let readOnly: Set = ["id", "version", "created_at", "updated_at", "deleted_at", "rank", "masked"]

    /// - Parameter name: the `external_id` that the address names is the record's.
    /// - Throws: ``Problem`` for what was read with something hidden: to push it back would clear that.
    static func pushed(kind: RecordKind, json: JSONValue, as name: RecordName?) throws(Problem) -> RecordInput {
        if case .array(let masked)? = json["masked"], !masked.isEmpty {
            throw Problem(
                .invalidRecord, "This was read with a key that does not see all of it; to push it back would clear the rest.",
                error: [.init("pointer", .string("/masked")), .init("message", .string("names what was hidden"))])
        }
        var input = RecordInput(kind: kind, reading: json, overlooking: readOnly)
        guard case .externalID(let externalID) = name else { return input }
        if let given = input.externalID, !given.utf8.elementsEqual(externalID.utf8) {
            input.faults.append(InputFault("/external_id", "is not the one in the address; to change it, PATCH the record by its id"))
        }
        input.externalID = externalID
        if externalID.utf8.count > longestExternalID || externalID.utf8.contains(0) {
            input.faults.append(InputFault("/external_id", "is 1 to \(longestExternalID) bytes, without NUL"))
        }
        return input
    }
}

extension ChangeAnswer {
    /// The record as it is now; its version is its entity tag.
    init(_ outcome: ChangeOutcome, for caller: Caller) {
        let record = outcome.record
        let form = RecordForm(kind: record.kind, projection: .detail, personal: caller.readsPersonal)
        var out = ByteWriter(capacity: 1_024)
        let hidesExternalID = RecordRow.write(record, by: form, to: &out)
        out.appendEnd(masked: form.masked, hidesExternalID)
        body = Array(out.bytes)
        headers = [("Content-Type", "application/json"), ("ETag", "\"\(record.version)\"")]
        if case .created = outcome {
            status = 201
            headers.append(("Location", "\(PushRoute.base)/\(record.kind.plural)/\(record.recordID)"))
        }
        candidates = record.candidates
    }
}

extension Record {
    /// Whom it tells of.
    var candidates: [ULID] { kind == .candidate ? [id] : reference("candidate_id").map { [$0] } ?? [] }
}

extension ByteWriter {
    /// The end of a record: what was hidden of it.
    mutating func appendEnd(masked: [String], _ hidesExternalID: Bool) {
        append(",\"masked\":")
        JSONValue.array(((hidesExternalID ? ["external_id"] : []) + masked).map(JSONValue.string)).write(to: &self)
        append("}")
    }
}

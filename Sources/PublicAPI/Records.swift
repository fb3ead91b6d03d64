import Domain
import HTTPSupport
import NIOCore

/// Single records and what belongs to them.
extension PublicCore {
    static let matchesOfCandidate = 10
    static let matchesOfJob = 100

    func record(_ call: Call, kind: RecordKind, id text: String, _ reader: any StoreReader) throws -> Answer {
        let embeds = ListDefinition.of(kind)?.embeds ?? []
        let expanded = try call.expanded(from: embeds)
        guard let id = RecordID(text, kind: kind) else { throw Problem.notFound }
        let personal = call.readsPersonal
        let form = ListForm(kind: kind, detail: true, personal: personal, embedding: embeds, expanded: expanded)
        return try scratch.use { out in
            var masked = try form.names(of: found(reader.record(id, of: call.key.organization, form: form, into: &out))) + form.masked
            switch kind {
            case .candidate: try candidateParts(call, id.ulid, reader, &out, &masked)
            case .job: try jobParts(call, id.ulid, reader, &out, &masked)
            default: break
            }
            out.append(",\"masked\":")
            out.append(names: personal ? [] : masked)
            out.append("}")
            return call.reply.body(out)
        }
    }

    private func found(_ lookup: Lookup) throws -> HiddenIDs {
        switch lookup {
        case .found(let hidden): return hidden
        case .deleted: throw Problem(.gone, "The record was deleted.")
        case .missing: throw Problem.notFound
        }
    }

    private func candidateParts(
        _ call: Call, _ id: ULID, _ reader: any StoreReader, _ out: inout ByteWriter, _ masked: inout [String]
    ) throws {
        var applications = ListQuery(kind: .application, sort: .updated)
        applications.conditions = [.equals(field: "candidate_id", anyOf: [.reference(id)])]
        applications.limit = ListDefinition.largestPage
        try part("applications", applications, embedding: [.job], call, reader, &out, &masked)
        var matches = ListQuery(kind: .match, sort: ListSort(field: "score", descending: true))
        matches.conditions = [.equals(field: "candidate_id", anyOf: [.reference(id)])]
        matches.limit = Self.matchesOfCandidate
        let more = try part("matched_jobs", matches, embedding: [.job], call, reader, &out, &masked)
        out.append(more ? ",\"truncated\":true" : ",\"truncated\":false")
    }

    private func jobParts(
        _ call: Call, _ id: ULID, _ reader: any StoreReader, _ out: inout ByteWriter, _ masked: inout [String]
    ) throws {
        var matches = ListQuery(kind: .match, sort: ListSort(field: "score", descending: true))
        matches.conditions = [.equals(field: "job_id", anyOf: [.reference(id)])]
        matches.limit = Self.matchesOfJob
        let more = try part("matched_candidates", matches, embedding: [.candidate], call, reader, &out, &masked)
        var broadcasts = ListQuery(kind: .broadcast, sort: .updated)
        broadcasts.conditions = [.equals(field: "job_id", anyOf: [.reference(id)])]
        broadcasts.limit = ListDefinition.largestPage
        try part("broadcasts", broadcasts, embedding: [], call, reader, &out, &masked)
        out.append(more ? ",\"truncated\":true" : ",\"truncated\":false")
    }

    /// Writes related records as an array under `name`. Returns whether there are more.
    @discardableResult
    private func part(
        _ name: String, _ query: ListQuery, embedding: [RecordKind], _ call: Call, _ reader: any StoreReader,
        _ out: inout ByteWriter, _ masked: inout [String]
    ) throws -> Bool {
        out.append(",")
        out.append(quoted: name)
        out.append(":[")
        let form = ListForm(kind: query.kind, personal: call.readsPersonal, embedding: embedding)
        let end = try reader.list(query, of: call.key.organization, form: form, into: &out)
        out.append("]")
        masked += form.names(of: end.hidden, in: name + ".")
        return end.hasMore
    }

    /// The résumé's bytes, as a download that no browser runs.
    func resume(_ call: Call, id text: String, _ reader: any StoreReader) throws -> Answer {
        try call.refuseParameters()
        guard call.readsPersonal else {
            throw Problem(.insufficientScope, "This needs the scope 'read:pii'.", error: [.init("scope", .string("read:pii"))])
        }
        guard let id = RecordID(text, kind: .candidate) else { throw Problem.notFound }
        let (lookup, file) = try reader.resume(id.ulid, of: call.key.organization)
        _ = try found(lookup)
        guard let file else { throw Problem(.notFound, "The candidate has no résumé file.") }
        note([id.ulid], call)
        var answer = call.reply.body(ByteBuffer(bytes: file.bytes), type: Self.mediaType(file.mediaType))
        answer.headers.append(("Content-Disposition", Self.disposition(file.fileName)))
        answer.headers.append(("Content-Security-Policy", "default-src 'none'; sandbox"))
        return answer
    }

    /// A media type fit for a header, or the one that says nothing.
    private static func mediaType(_ text: String?) -> String {
        guard let text, (3...100).contains(text.utf8.count), text.contains("/"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x2C })
        else { return "application/octet-stream" }
        return text
    }

    /// RFC 6266, the name in UTF-8 by RFC 8187.
    private static func disposition(_ name: String?) -> String {
        let name = name ?? "resume"
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in name.utf8.prefix(300) {
            let isPlain = (byte >= 48 && byte <= 57) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 45 || byte == 46 || byte == 95
            encoded += isPlain ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return "attachment; filename*=UTF-8''" + String(decoding: encoded, as: UTF8.self)
    }

    /// The calling key itself.
    func keyAnswer(_ call: Call, _ reader: any StoreReader) throws -> Answer {
        try call.refuseParameters()
        let key = call.key
        let usage = try reader.usage(of: key.keyID)
        func text(_ time: Timestamp?) -> JSONValue { time.map { .string($0.description) } ?? .null }
        let value = JSONValue.object([
            .init("key_id", .string(key.keyID)), .init("name", .string(key.name)),
            .init("organization", .string(key.organizationName)), .init("scopes", .array(key.scopes.words.map(JSONValue.string))),
            .init("rate_limit", .object([.init("requests", .number(String(key.rateLimit))), .init("per_seconds", .number("60"))])),
            .init("created_at", text(key.createdAt)), .init("expires_at", text(key.expiresAt)),
            .init("last_used_at", text(usage?.lastUsedAt)), .init("usage_count", .number(String(usage?.count ?? 0))),
        ])
        return call.reply.body(ByteBuffer(string: value.text), cache: "no-store")
    }
}

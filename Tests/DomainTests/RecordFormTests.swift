import TestSupport
import Testing

@testable import Domain

@Suite("What a reader sees of a record")
struct RecordFormTests {
    static let sentinel = "zsentinelz"

    /// A record whose personal fields all hold the sentinel, under an `external_id` that looks like an address.
    static func record(_ kind: RecordKind, marking isMarked: (Field) -> Bool) -> Record {
        let values = kind.schema.fields.map { field -> FieldValue in
            let mark = isMarked(field) ? sentinel + field.column : "open"
            switch field.form {
            case .text: return .text(mark)
            case .choice(let words): return .text(words[0])
            case .integer(let range): return .integer(isMarked(field) ? min(71_077_017, range.upperBound) : 1)
            case .number: return .number(1.5)
            case .time: return .time(Timestamp(microseconds: 0))
            case .list: return .list([mark])
            case .object: return .json("{\"a\":{\"\(mark)\":\"\(mark)\"}}")
            case .array: return .json(#"[{"name":"Kim","email":"\#(mark)"},"\#(mark)@x",{"to":["\#(mark)\u0040x"],"\#(mark)@y":1}]"#)
            case .json: return .json("[\"\(mark)\"]")
            case .reference: return .reference(ULID(high: 1, low: 1))
            }
        }
        return Record(
            kind: kind, id: ULID(high: 5, low: 6), externalID: sentinel + "@mail.example", version: 3,
            createdAt: Timestamp(microseconds: 1),
            updatedAt: Timestamp(microseconds: 2), values: values)
    }

    static func isPersonal(_ field: Field) -> Bool { field.privacy != .open }

    private func written(_ record: Record, _ form: RecordForm) -> String {
        var out = ByteWriter()
        RecordRow.write(record, by: form, to: &out)
        return out.text + "}"
    }

    @Test("Without read:pii nothing personal is in any form, whatever fields are asked for", arguments: RecordKind.allCases)
    func masked(kind: RecordKind) throws {
        let record = Self.record(kind, marking: Self.isPersonal)
        for projection in Projection.allCases {
            let names = Set(kind.schema.fields.map { $0.group ?? $0.name } + ["id", "external_id"])
            for only in [nil] + names.map({ Optional([$0]) }) + [names] {
                let text = written(record, RecordForm(kind: kind, projection: projection, personal: false, only: only))
                #expect(!text.contains(Self.sentinel) && !text.contains("71077017"), "\(projection) \(only ?? []): \(text)")
                _ = try JSONParser.parse(text)
            }
            let hidden = kind.schema.fields.filter { Self.isPersonal($0) }.indices.count
            let whole = written(record, RecordForm(kind: kind, projection: .detail, personal: true))
            #expect(whole.contains(Self.sentinel + "@mail.example") && (hidden == 0 || whole.components(of: Self.sentinel) > 1))
        }
    }

    @Test("Events hold nothing personal in their masked data", arguments: RecordKind.allCases)
    func events(kind: RecordKind) {
        let record = Self.record(kind, marking: Self.isPersonal)
        let drafts = EventRules.events(before: nil, after: record, threshold: 0, reason: "r") + [EventDraft.deleted(record)]
        for draft in drafts {
            let (candidate, job) = (Self.record(.candidate, marking: Self.isPersonal), Self.record(.job, marking: Self.isPersonal))
            let masked = EventMask.masked(draft.data(candidate: candidate, job: job), subject: kind)
            #expect(!masked.contains(Self.sentinel) && masked != "null", "\(draft.type): \(masked)")
            #expect(draft.holdsPersonal(candidate: candidate, job: job) == (draft.data(candidate: candidate, job: job) != masked))
        }
    }

    /// The forms are the rule: what is made of the whole text later is what they would have written.
    @Test("Masked data is what the masked forms write", arguments: RecordKind.allCases)
    func sameAsForms(kind: RecordKind) throws {
        var random = SeededGenerator("masked \(kind)")
        let nasty = ["", "a@b", "\"@\\\"", "\\", "{\"email\":\"x@y\"}", "},\"email\":1", "é\u{1}\n\"", "null", "[]"]
        func value(_ form: Field.Form) -> FieldValue {
            if random.chance(30) { return .null }
            let text = random.pick(nasty)
            let quoted = JSONValue.string(text).text
            switch form {
            case .text: return .text(text)
            case .choice(let words): return .text(random.pick(words))
            case .integer: return .integer(7)
            case .number: return .number(1.5)
            case .time: return .time(Timestamp(microseconds: 0))
            case .list: return .list([text, random.pick(nasty)])
            case .object: return .json("{\"email\":[{},{\"a\":\(quoted)}],\(quoted):[[]]}")
            case .array: return .json("[{\"name\":\(quoted),\"email\":\"k@x\"},\(quoted),{\"email\":{\"a\":[\(quoted)]}},[],1.5e3]")
            case .json: return .json(random.pick([quoted, "1e2", "true", "[\(quoted)]", "{}"]))
            case .reference: return .reference(ULID(high: 1, low: 1))
            }
        }
        func record(_ kind: RecordKind) -> Record {
            Record(
                kind: kind, id: ULID(high: 5, low: 6), externalID: random.chance(20) ? nil : random.pick(nasty), version: 3,
                createdAt: Timestamp(microseconds: 1), updatedAt: Timestamp(microseconds: 2),
                values: kind.schema.fields.map { value($0.form) })
        }
        func data(_ subject: Record, _ related: [(RecordKind, Record?)], _ extra: String, personal: Bool) -> String {
            let parts: [(RecordKind, Record?, Projection)] = [(kind, subject, .detail)] + related.map { ($0.0, $0.1, .brief) }
            let members = parts.map { kind, record, projection in
                let text = record.map { written($0, RecordForm(kind: kind, projection: projection, personal: personal)) }
                return "\"\(kind.singular)\":\(text ?? "null")"
            }
            return "{" + members.joined(separator: ",") + extra + "}"
        }
        for _ in 0..<300 {
            let subject = record(kind)
            let related = [RecordKind.candidate, .job].filter { kind.relates(to: $0) }.map { ($0, random.chance(20) ? nil : record($0)) }
            let extra = random.pick(["", ",\"from\":\"a@b\",\"to\":null,\"reason\":\"\\\"x\""])
            let whole = data(subject, related, extra, personal: true)
            #expect(EventMask.masked(whole, subject: kind) == data(subject, related, extra, personal: false), "\(whole)")
        }
    }

    @Test("Data that is cut, or none at all, is masked as a whole; a test's tells of nobody")
    func brokenData() {
        let record = Self.record(.interview, marking: Self.isPersonal)
        let whole = #"{"interview":"# + written(record, RecordForm(kind: .interview, projection: .detail, personal: true)) + "}"
        #expect(EventMask.masked(whole, subject: .interview) != "null")
        for length in 0..<whole.utf8.count {
            #expect(EventMask.masked(String(whole.utf8.prefix(length)) ?? "", subject: .interview) == "null")
        }
        #expect(EventMask.masked(whole + " ", subject: .interview) == "null")
        #expect(EventMask.masked(#"{"endpoint":{"id":"a@b"}}"#, subject: nil) == #"{"endpoint":{"id":"a@b"}}"#)
    }

    @Test("What is not personal is given to every key alike", arguments: RecordKind.allCases)
    func open(kind: RecordKind) throws {
        let record = Self.record(kind, marking: { _ in false })
        for projection in Projection.allCases {
            let forms = [true, false].map { RecordForm(kind: kind, projection: projection, personal: $0) }
            let (whole, masked) = (try JSONParser.parse(written(record, forms[0])), try JSONParser.parse(written(record, forms[1])))
            guard case .object(let left) = whole, case .object(let right) = masked else { throw JSONError(message: "no object", offset: 0) }
            #expect(left.map(\.name) == right.map(\.name), "the same names in the same order")
            for field in kind.schema.fields where field.privacy == .open && field.group == nil && whole[field.name] != nil {
                #expect(whole[field.name].map { masked[field.name]?.isEquivalent(to: $0) == true } == true, "\(field.name)")
            }
            #expect(forms[0].masked == [])
        }
    }

    @Test("The names of what is hidden are told, and only of what was asked for")
    func maskedNames() {
        func masked(_ kind: RecordKind, _ projection: Projection, _ only: Set<String>? = nil) -> [String] {
            RecordForm(kind: kind, projection: projection, personal: false, only: only).masked
        }
        let candidate = ["email", "phone", "profile_url", "share_url", "external_user_id", "resume", "custom"]
        #expect(masked(.candidate, .list) == candidate && masked(.candidate, .detail) == candidate && masked(.candidate, .brief) == [])
        #expect(masked(.candidate, .list, ["email", "skills"]) == ["email"])
        #expect(masked(.interview, .list) == ["interviewers.email", "session_token"])
        #expect(masked(.interview, .detail).contains("result.summary") && !masked(.interview, .detail).contains("result.overall_grade"))
        #expect(masked(.job, .list) == ["custom"] && masked(.match, .detail) == [] && masked(.call, .list) == ["summary", "recording_url"])
        let form = ListForm(kind: .match, personal: false, embedding: [.candidate, .job], expanded: [.candidate])
        #expect(form.masked == candidate.map { "candidate." + $0 })
    }

    @Test("An external_id is hidden where it looks like an address, and the writer says so")
    func externalID() {
        var record = Self.record(.job, marking: { _ in false })
        let form = RecordForm(kind: .job, projection: .list, personal: false)
        for (id, isHidden) in [("a@b", true), ("plain", false), ("", false)] {
            record.externalID = id.isEmpty ? nil : id
            var out = ByteWriter()
            #expect(RecordRow.write(record, by: form, to: &out) == isHidden)
            #expect(out.text.contains("\"external_id\":" + (isHidden || id.isEmpty ? "null" : "\"\(id)\"")))
        }
    }

    @Test("Names come in the documented order; a group is null when nothing in it is known, also what is hidden")
    func order() throws {
        var record = Self.record(.interview, marking: { _ in false })
        for field in RecordKind.interview.schema.fields where field.group == "result" && field.name != "result.summary" {
            record[field.name] = .null
        }
        let seen = try JSONParser.parse(written(record, RecordForm(kind: .interview, projection: .detail, personal: false)))
        guard case .object(let members)? = seen["result"] else { throw JSONError(message: "no result", offset: 0) }
        #expect(
            members.map(\.name) == RecordKind.interview.schema.fields.filter { $0.group == "result" }.map(\.member),
            "its presence is no secret")
        record["result.summary"] = .null
        let none = try JSONParser.parse(written(record, RecordForm(kind: .interview, projection: .detail, personal: true)))
        guard case .object(let all) = none, case .null? = none["result"] else { throw JSONError(message: "a result", offset: 0) }
        #expect(
            all.map(\.name) == ["id", "external_id", "version", "created_at", "updated_at", "deleted_at"]
                + RecordKind.interview.schema.topLevelNames)
    }

    @Test("fields keeps the named ones and id, in the documented order")
    func only() throws {
        let record = Self.record(.candidate, marking: { _ in false })
        let text = written(
            record, RecordForm(kind: .candidate, projection: .list, personal: true, only: ["status", "full_name", "resume"]))
        guard case .object(let members) = try JSONParser.parse(text) else { throw JSONError(message: text, offset: 0) }
        #expect(members.map(\.name) == ["id", "full_name", "status", "resume"])
        #expect(
            written(record, RecordForm(kind: .candidate, projection: .list, personal: true, only: []))
                == "{\"id\":\"cand_\(record.id.text)\"}")
    }
}

extension String {
    /// How often `part` stands in it.
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}

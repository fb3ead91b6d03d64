import Testing

@testable import Domain

@Suite("What is searched for")
struct SearchQueryTests {
    /// Terms joined by `|`, a prefix marked by a star.
    @Test(
        "Words, prefixes and phrases; whatever is not well formed is words",
        arguments: [
            ("ada lovelace", "ada|lovelace"), ("  ada\t", "ada"), ("ada*", "ada*"), ("ad*", "ad*"), ("a*", "a"), ("*", ""),
            ("**ada**", "ada*"), ("\"ada lovelace\"", "ada lovelace"),
            ("\"ada", "ada"), ("ada\"", "ada"), ("\"\"", ""), ("\"ada\"lovelace", "ada|lovelace"), ("ada\"b c\"", "ada|b c"),
            ("\"ada love*\"", "ada love"), ("c++ c#", "c++|c#"),
            ("-", ""), ("!!! …", ""), ("", ""), ("AND OR", "AND|OR"), ("東京", "東京"), ("a b*", "a|b"), ("東*", "東"), ("x\u{0}y", "xy"),
        ])
    func terms(text: String, expected: String) {
        #expect(SearchQuery(text).terms.map { $0.text + ($0.isPrefix ? "*" : "") }.joined(separator: "|") == expected)
    }

    @Test("Of very many words the first are taken")
    func many() { #expect(SearchQuery(String(repeating: "word ", count: 500)).terms.count == SearchQuery.mostTerms) }
}

@Suite("What a change makes of a record, without a store")
struct RecordChangeTests {
    private func apply(_ json: String, to before: Record?, _ kind: RecordKind = .candidate, mode: ChangeMode = .merge) throws -> Record {
        let input = try RecordInput(kind: kind, json: JSONParser.parse(json))
        let values = try RecordChange.values(of: before, after: input, mode: mode)
        return Record(
            kind: kind, id: ULID(high: 1, low: 1), externalID: nil, version: 1, createdAt: .earliest, updatedAt: .earliest, values: values)
    }

    /// Inputs one after the other, each with the full name after it.
    @Test(
        "A full name that nobody gave follows the first and the last name",
        arguments: [
            [
                (#"{"first_name":"Ada","last_name":"Ng"}"#, "Ada Ng"), (#"{"last_name":"Oh"}"#, "Ada Oh"), (#"{"first_name":null}"#, "Oh"),
                (#"{"last_name":null}"#, "-"),
            ],
            [
                (#"{"full_name":"A. Ng","first_name":"Ada"}"#, "A. Ng"), (#"{"last_name":"Oh"}"#, "A. Ng"),
                (#"{"full_name":null}"#, "Ada Oh"), (#"{"last_name":"Ng"}"#, "Ada Ng"),
            ],
            [
                ("{}", "-"), (#"{"first_name":"Ada"}"#, "Ada"), (#"{"full_name":"Ada"}"#, "Ada"), (#"{"status":"offer"}"#, "Ada"),
                (#"{"last_name":"Ng"}"#, "Ada Ng"),
            ],
            [(#"{"first_name":"Ada","full_name":"X"}"#, "X"), (#"{"full_name":"Ada"}"#, "Ada"), (#"{"first_name":"Bo"}"#, "Bo")],
        ])
    func fullName(steps: [(String, String)]) throws {
        var record: Record?
        for (json, expected) in steps {
            record = try apply(json, to: record)
            #expect((record?.text("full_name") ?? "-") == expected, "\(json)")
        }
    }

    @Test("A replacement derives the full name from what it brings")
    func replaced() throws {
        let before = try apply(#"{"first_name":"Ada","last_name":"Ng","full_name":"X"}"#, to: nil)
        #expect(try apply(#"{"first_name":"Bo"}"#, to: before, mode: .replace).text("full_name") == "Bo")
    }

    @Test("Required fields can be neither left out nor cleared; a salary's ends are in order")
    func required() throws {
        #expect(throws: InputFaults.self) { try apply("{}", to: nil, .job) }
        let job = try apply(#"{"title":"T","salary_max":10}"#, to: nil, .job)
        for json in [#"{"title":null}"#, #"{"title":""}"#, #"{"salary_min":11}"#] {
            #expect(throws: InputFaults.self) { try apply(json, to: job, .job) }
        }
        #expect(try apply(#"{"salary_min":10}"#, to: job, .job)["salary_min"] == .number(10))
        let fault = #expect(throws: InputFaults.self) { try apply(#"{"score":5}"#, to: nil, .match) }
        #expect(fault?.faults.map(\.pointer) == ["/candidate_id", "/job_id"])
    }

    @Test("Which way an interview's status may go", arguments: [nil] + RecordSchema.interviewStatuses.map(Optional.init), [false, true])
    func interviewStatus(before: String?, wasCompleted: Bool) throws {
        let id = "cand_00000000000000000000000001"
        let existing = try before.map { try apply(#"{"candidate_id":"\#(id)","status":"\#($0)"}"#, to: nil, .interview) }
        for after in RecordSchema.interviewStatuses {
            let input = try RecordInput(kind: .interview, json: JSONParser.parse(#"{"candidate_id":"\#(id)","status":"\#(after)"}"#))
            let taken = (try? RecordChange.values(of: existing, after: input, mode: .merge, wasCompleted: wasCompleted)) != nil
            let isBack = ["scheduled", "in_progress"].contains(after) && (wasCompleted || before == "completed")
            #expect(taken == !isBack, "\(before ?? "new") to \(after)")
        }
    }

    @Test(
        "What can't be a field's value is refused with its place",
        arguments: [
            (RecordKind.candidate, #"{"emial":"x"}"#, "/emial"), (.candidate, #"{"status":"gone"}"#, "/status"),
            (.candidate, #"{"status":1}"#, "/status"),
            (.candidate, #"{"skills":"a"}"#, "/skills"), (.candidate, #"{"skills":[1]}"#, "/skills"),
            (.candidate, #"{"custom":[]}"#, "/custom"),
            (.candidate, #"{"years_experience":101}"#, "/years_experience"),
            (.candidate, #"{"years_experience":"ten"}"#, "/years_experience"),
            (.candidate, #"{"full_name":"a\u0000b"}"#, "/full_name"), (.candidate, #"{"full_name":{}}"#, "/full_name"),
            (.candidate, #"{"resume":1}"#, "/resume"),
            (.candidate, #"{"resume":{"pages":1}}"#, "/resume/pages"), (.candidate, #"{"resume":{"content":"%"}}"#, "/resume/content"),
            (.candidate, #"{"external_id":[]}"#, "/external_id"),
            (.job, #"{"title":"t","openings":1.5}"#, "/openings"), (.job, #"{"title":"t","posted_at":"2026"}"#, "/posted_at"),
            (.job, #"{"title":"t","salary_currency":"EURO"}"#, "/salary_currency"),
            (.match, #"{"candidate_id":"job_00000000000000000000000001"}"#, "/candidate_id"), (.match, #"{"score":1e999}"#, "/score"),
            (.interview, #"{"interviewers":{}}"#, "/interviewers"),
            (.candidate, "[]", ""), (.candidate, "null", ""),
        ])
    func faults(kind: RecordKind, json: String, pointer: String) throws {
        let value = try JSONParser.parse(json)
        let fault = #expect(throws: InputFaults.self) { try RecordInput(kind: kind, json: value) }
        #expect(fault?.faults.first?.pointer == pointer)
    }

    @Test("All faults of an object are told at once")
    func allFaults() throws {
        let value = try JSONParser.parse(#"{"status":"x","nope":1,"resume":{"size":-1,"pages":2}}"#)
        let fault = #expect(throws: InputFaults.self) { try RecordInput(kind: .candidate, json: value) }
        #expect(fault?.faults.map(\.pointer) == ["/status", "/nope", "/resume/size", "/resume/pages"])
    }
}

@Suite("Which change raises which event")
struct EventRulesTests {
    private func record(_ kind: RecordKind, _ values: [String: FieldValue]) -> Record {
        var record = Record(
            kind: kind, id: ULID(high: 1, low: 1), externalID: nil, version: 1, createdAt: .earliest, updatedAt: .earliest,
            values: kind.schema.fields.map(\.initial))
        for (name, value) in values { record[name] = value }
        return record
    }

    /// All pairs of statuses, the one before being nothing for a new record.
    private func raised(_ kind: RecordKind, _ before: String?, _ after: String) -> [String] {
        EventRules.events(
            before: before.map { record(kind, ["status": .text($0)]) }, after: record(kind, ["status": .text(after)]), threshold: 70
        )
        .map(\.type.rawValue)
    }

    @Test("Interviews: each way between two statuses")
    func interviews() {
        for before in [nil] + RecordSchema.interviewStatuses.map(Optional.init) {
            for after in RecordSchema.interviewStatuses {
                let named = ["scheduled": "interview.scheduled", "completed": "interview.completed", "abandoned": "interview.abandoned"][
                    after]
                #expect(
                    raised(.interview, before, after) == (before == after ? [] : [named].compactMap(\.self)),
                    "\(before ?? "new") to \(after)")
            }
        }
    }

    @Test("Candidates and jobs: each way between two statuses")
    func statuses() {
        for before in [nil] + RecordSchema.candidateStatuses.map(Optional.init) {
            for after in RecordSchema.candidateStatuses {
                #expect(
                    raised(.candidate, before, after)
                        == (before == nil ? ["candidate.created"] : before == after ? [] : ["candidate.status_changed"]))
            }
        }
        for before in [nil] + RecordSchema.jobStatuses.map(Optional.init) {
            for after in RecordSchema.jobStatuses {
                let tells = before == nil ? after == "open" : before != after && after != "draft"
                #expect(raised(.job, before, after) == (tells ? ["job.status_changed"] : []), "\(before ?? "new") to \(after)")
            }
        }
    }

    @Test("Matches: the threshold itself counts as reached", arguments: [0.0, 70, 100])
    func matches(threshold: Double) {
        for before in [nil, 0, 69.99, 70, 70.01, 100] as [Double?] {
            for after in [0, 69.99, 70, 70.01, 100] {
                let events = EventRules.events(
                    before: before.map { record(.match, ["score": .number($0)]) }, after: record(.match, ["score": .number(after)]),
                    threshold: threshold)
                #expect((events.count == 1) == (after >= threshold && (before ?? -1) < threshold), "\(before ?? -1) to \(after)")
            }
        }
    }

    @Test("Every type has a summary, and its subject's name stands in its data")
    func types() throws {
        for type in EventType.allCases {
            #expect(!type.summary.isEmpty)
            #expect((type.subject == nil) == (type == .webhookTest))
        }
        let deleted = EventDraft.deleted(record(.candidate, [:])).data(candidate: nil, job: nil)
        #expect(deleted == #"{"candidate":{"id":"cand_\#(ULID(high: 1, low: 1).text)"}}"#)
    }
}

@Suite("Base 64, check sums, suggestions")
struct SmallPartsTests {
    @Test("CRC-32 has the published check value")
    func checksum() { #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926) }

    @Test("Base 64 has the published vectors, and one text for each value")
    func base64() {
        for (text, plain) in [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"),
        ] {
            #expect(Base64.decode(text).map { String(decoding: $0, as: UTF8.self) } == plain)
            #expect(Base64.encodeURLSafe(Array(plain.utf8)) == text.filter { $0 != "=" })
        }
        for wrong in ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Z g=", "Zm-v", "Zm_v"] {
            #expect(Base64.decode(wrong) == nil, "\(wrong)")
        }
        for wrong in ["Zg==", "Zh", "Z", "Zm+v", "Zm/v"] { #expect(Base64.decodeURLSafe(wrong) == nil, "\(wrong)") }
    }

    @Test("A near word is suggested, a far one is not")
    func suggestions() {
        let known = ["updated_after", "updated_before", "status", "q"]
        for (word, expected) in [
            ("updated_afer", "updated_after"), ("udpated_after", "updated_after"), ("stauts", "status"), ("zebra", nil), ("Q", "q"),
        ] {
            #expect(Suggestion.closest(to: word, in: known) == expected, "\(word)")
        }
        #expect(
            Suggestion.closest(to: String(repeating: "a", count: 10_000), in: known) == nil && Suggestion.closest(to: "x", in: []) == nil)
    }
}

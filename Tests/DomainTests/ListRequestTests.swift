import TestSupport
import Testing

@testable import Domain

@Suite("A list's parameters are read strictly")
struct ListRequestTests {
    private func read(_ kind: RecordKind, _ query: String) throws -> ListRequest {
        let parameters = query.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return RequestParameter(sides[0], sides.count == 2 ? sides[1] : "")
        }
        return try ListRequest(parameters, definition: #require(ListDefinition.of(kind)))
    }

    private func fault(_ kind: RecordKind, _ query: String) -> String? {
        do { _ = try read(kind, query) } catch let fault as ParameterFault {
            switch fault {
            case .unknown(let name, let suggestion): return "unknown \(name)" + (suggestion.map { " -> \($0)" } ?? "")
            case .repeated(let name): return "repeated \(name)"
            case .invalid(let name, _, _, let maximum): return "invalid \(name)" + (maximum.map { " \($0)" } ?? "")
            case .invalidCursor: return "invalid cursor"
            case .cursorMismatch: return "mismatch"
            }
        } catch { return "\(error)" }
        return nil
    }

    private static let job = RecordID(kind: .job, ulid: ULID(high: 1, low: 1)).description
    private static let candidate = RecordID(kind: .candidate, ulid: ULID(high: 1, low: 1)).description

    @Test(
        "What can't be taken is refused by name",
        arguments: [
            ("limit=0", "invalid limit 1000"), ("limit=1001", "invalid limit 1000"), ("limit=", "invalid limit 1000"),
            ("limit=1e2", "invalid limit 1000"),
            ("limit=-5", "invalid limit 1000"), ("limit=+5", "invalid limit 1000"), ("limit= 5", "invalid limit 1000"),
            ("limit=٥", "invalid limit 1000"),
            ("limit=99999999999999999999", "invalid limit 1000"), ("limit=5&limit=5", "repeated limit"),
            ("updated_afer=x", "unknown updated_afer -> updated_after"),
            ("Status=new", "unknown Status -> status"), ("=", "unknown "), ("zebra=1", "unknown zebra"), ("status=New", "invalid status"),
            ("status=new,", "invalid status"),
            ("status=", "invalid status"), ("status=new&status=offer", "repeated status"), ("sort=email", "invalid sort"),
            ("sort=--created_at", "invalid sort"),
            ("sort=", "invalid sort"), ("sort=score", "invalid sort"), ("sort=full_name,created_at", "invalid sort"),
            ("fields=email,nope", "invalid fields"),
            ("fields=", "invalid fields"), ("fields=resume.text", "invalid fields"), ("expand=job", "unknown expand"),
            ("count=all", "invalid count"),
            ("include_deleted=1", "invalid include_deleted"), ("ids=", "invalid ids"), ("ids=\(job)", "invalid ids"),
            ("ids=\(candidate),", "invalid ids"),
            ("job_id=\(candidate)", "invalid job_id"), ("job_id=x", "invalid job_id"), ("min_score=101", "invalid min_score 100"),
            ("min_score=nan", "invalid min_score 100"),
            ("min_score=-0.1", "invalid min_score 100"), ("min_score=", "invalid min_score"),
            ("min_experience=inf", "invalid min_experience 100"),
            ("updated_after=yesterday", "invalid updated_after"), ("created_before=", "invalid created_before"), ("q=", "invalid q"),
            ("location=", "invalid location"),
            ("location=a\u{0}b", "invalid location"), ("q=a\nb", "invalid q"), ("source=\u{1F}sort=-x", "invalid source"),
            ("include_deleted=true&sort=created_at", "invalid sort"),
            ("include_deleted=true&sort=-full_name", "invalid sort"), ("cursor=", "invalid cursor"), ("cursor=abc", "invalid cursor"),
            ("after=3", "unknown after"),
            ("q=" + String(repeating: "a", count: 1_001), "invalid q 1000"),
        ])
    func refused(query: String, expected: String) {
        #expect(fault(.candidate, query)?.hasPrefix(expected) == true, "\(fault(.candidate, query) ?? "taken")")
    }

    @Test("Too many ids and too long filters are refused before anything is done with them")
    func tooMany() {
        let ids = (0..<101).map { RecordID(kind: .candidate, ulid: ULID(high: 1, low: UInt64($0))).description }
        #expect(fault(.candidate, "ids=" + ids.joined(separator: ",")) == "invalid ids 100")
        #expect(fault(.candidate, "ids=" + ids.dropLast().joined(separator: ",")) == nil)
        #expect(fault(.candidate, "ids=" + Array(repeating: ids[0], count: 10_000).joined(separator: ",")) == "invalid ids 100")
        #expect(fault(.application, "status=" + Array(repeating: "a", count: 101).joined(separator: ",")) == "invalid status")
        #expect(
            fault(.candidate, (0..<40).map { "location=" + String(repeating: "x", count: 90) + "\($0)" }.joined(separator: "&"))
                == "invalid limit")
    }

    @Test("Every list takes each of its parameters, and no other list's own", arguments: ListDefinition.all.map(\.kind))
    func taken(kind: RecordKind) throws {
        let definition = try #require(ListDefinition.of(kind))
        for other in ListDefinition.all {
            for name in other.parameters where !definition.parameters.contains(name) {
                #expect(fault(kind, "\(name)=x")?.hasPrefix("unknown \(name)") == true)
            }
        }
        for sort in definition.sorts { #expect(try read(kind, "sort=-\(sort)").query.sort == ListSort(field: sort, descending: true)) }
        #expect(try read(kind, "fields=" + definition.fieldNames.joined(separator: ",")).fields == Set(definition.fieldNames))
        if !definition.embeds.isEmpty { #expect(try read(kind, "expand=candidate,job").expanded == [.candidate, .job]) }
    }

    @Test("The default sort is by change, but for the best matches first")
    func defaultSort() throws {
        for definition in ListDefinition.all {
            #expect(try read(definition.kind, "").query.sort.text == (definition.kind == .match ? "-score" : "updated_at"))
        }
        for query in ["updated_after=2026-01-01T00:00:00Z", "include_deleted=true"] {
            #expect(try read(.match, query).query.sort == .updated)
        }
        #expect(try read(.match, "updated_after=2026-01-01T00:00:00Z&sort=-score").query.sort.text == "-score")
        #expect(try read(.match, "updated_before=2026-01-01T00:00:00Z").query.sort.text == "-score")
    }

    @Test("Values are read as they are meant: comma lists, repeated texts, a space for the plus of an offset")
    func values() throws {
        #expect(
            try read(.candidate, "status=new,offer,new").query.conditions == [
                .equals(field: "status", anyOf: [.text("new"), .text("offer")])
            ])
        #expect(
            try read(.candidate, "location=Austin, TX&location=Rome").query.conditions == [
                .matches(field: "location", anyOf: ["Austin, TX", "Rome"])
            ])
        #expect(try read(.candidate, "skill=a&skill=b&skill=a").query.conditions == [.skills(["a", "b"])])
        #expect(try read(.job, "employment_type=a,b").query.conditions == [.matches(field: "employment_type", anyOf: ["a", "b"])])
        #expect(
            try read(.candidate, "updated_after=2026-01-01T01:00:00 01:00").query.updatedAfter == Timestamp(year: 2026, month: 1, day: 1))
        let (job, id) = (Self.job, ULID(high: 1, low: 1))
        #expect(try read(.candidate, "min_score=70&job_id=\(job)").query.conditions == [.bestScore(70, jobs: [id]), .appliedTo([id])])
        #expect(try read(.candidate, "min_score=7e1").query.conditions == [.bestScore(70, jobs: [])])
        #expect(try read(.candidate, "include_deleted=false").query.includeDeleted == false)
    }

    // MARK: Cursors

    private let position = ListPosition(
        value: .null, updatedAt: Timestamp(microseconds: 1_700_000_000_000_000), asOf: Timestamp(microseconds: 1_800_000_000_000_000))

    @Test(
        "A cursor works alone, and with the same filters in any spelling",
        arguments: [
            ("", ""), ("", "sort=updated_at"), ("sort=updated_at", ""), ("", "include_deleted=false"),
            ("status=new,offer", "status=offer,new"),
            ("min_score=50", "min_score=50.0"), ("updated_after=2026-01-01T00:00:00Z", "updated_after=2026-01-01T01:00:00.000 01:00"),
            ("skill=a&status=new", "status=new&skill=a"), ("location=a&location=b", "location=b&location=a"), ("q=a=b", "q=a=b"),
            ("sort=-updated_at", "sort=-updated_at"),
            ("count=exact", "fields=email"), ("q=x", "q=x&sort=updated_at"),
        ])
    func sameFilters(first: String, later: String) throws {
        let request = try read(.candidate, first)
        let cursor = request.cursor(after: position)
        for query in ["cursor=\(cursor)", "cursor=\(cursor)&\(later)", "\(first)&cursor=\(cursor)&limit=3"] {
            let next = try read(.candidate, query)
            #expect(
                next.query.position == position && next.canonical == request.canonical && next.query.sort == request.query.sort, "\(query)")
            #expect(next.query.includeDeleted == request.query.includeDeleted && next.query.updatedAfter == request.query.updatedAfter)
            #expect(next.query.conditions.count == request.query.conditions.count)
        }
    }

    @Test(
        "Words that are compared without regard to case are the same walk in any case and order, each once",
        arguments: [
            (RecordKind.application, "status=Hired,new", "status=NEW,hired"), (.application, "stage=Phone", "stage=PHONE,phone"),
            (.interview, "type=b,A", "type=a,B"), (.call, "purpose=ÉCRAN", "purpose=écran"),
            (.candidate, "location=Austin, TX", "location=austin, tx"),
            (.candidate, "skill=Swift&skill=C", "skill=c&skill=SWIFT"), (.job, "department=a&department=A", "department=A"),
        ])
    func anyCase(kind: RecordKind, first: String, later: String) throws {
        let cursor = try read(kind, first).cursor(after: position)
        let with = try read(kind, "\(later)&sort=updated_at&cursor=\(cursor)")
        let alone = try read(kind, "cursor=\(cursor)")
        #expect(with.query.position == position && alone.query.position == position)
        #expect(with.canonical == alone.canonical && alone.query.conditions.count == 1)
    }

    @Test(
        "A cursor of other filters or another sort is refused",
        arguments: [
            ("", "status=new"), ("status=new", "status=offer"), ("status=new", "sort=-updated_at"), ("sort=-updated_at", "sort=updated_at"),
            ("location=a", "location=A,"),
            ("", "include_deleted=true"), ("status=new", "source=x"), ("sort=-updated_at", "status=new"),
            ("updated_after=2026-01-01T00:00:00Z", "sort=updated_at"),
        ])
    func otherFilters(first: String, later: String) throws {
        let cursor = try read(.candidate, first).cursor(after: position)
        #expect(fault(.candidate, "cursor=\(cursor)&\(later)") == "mismatch")
    }

    @Test("A cursor of another list, or with a place that the sort can't have, is refused")
    func otherList() throws {
        let scored = ListPosition(value: .number(5), updatedAt: position.updatedAt, asOf: position.asOf)
        #expect(fault(.candidate, "cursor=" + (try read(.match, "").cursor(after: scored))) == "invalid cursor")
        #expect(fault(.match, "cursor=" + (try read(.candidate, "").cursor(after: position))) == "invalid cursor")
        // The same sort, and no filters.
        #expect(fault(.job, "cursor=" + (try read(.candidate, "").cursor(after: position))) == "invalid cursor")
        #expect(fault(.job, "cursor=" + (try read(.candidate, "skill=x").cursor(after: position))) == "invalid cursor")
        #expect(fault(.candidate, "cursor=" + (try read(.candidate, "sort=full_name").cursor(after: position))) == "invalid cursor")
        #expect(
            fault(.candidate, "ids=\(Self.candidate)&cursor=" + (try read(.candidate, "ids=\(Self.candidate)").cursor(after: position)))
                == "invalid cursor")
    }
}

@Suite("A cursor comes back as it went, or not at all")
struct CursorTests {
    private static let values: [FieldValue] = [
        .null, .text(""), .text("Zoë \u{1F}\u{0}=&"), .number(0), .number(-1.5), .number(99.999), .time(.earliest),
        .time(Timestamp(microseconds: 1)), .time(.latest),
    ]

    @Test("Round trip", arguments: values)
    func roundTrip(value: FieldValue) throws {
        for canonical in ["", "q=é\u{1F}status=new"] {
            let position = ListPosition(value: value, updatedAt: .latest, asOf: Timestamp(microseconds: 7))
            let text = Cursor(kind: .candidate, canonical: canonical, position: position).text
            #expect(
                text.utf8.allSatisfy { $0 == 45 || $0 == 95 || ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 122) }, "URL-safe")
            let read = try #require(Cursor(text: text))
            #expect(read.position == position && read.canonical == canonical)
        }
    }

    @Test("A cut or changed one is refused")
    func tampering() {
        let position = ListPosition(
            value: .text("Ng"), updatedAt: Timestamp(microseconds: 1_700_000_000_000_000),
            asOf: Timestamp(microseconds: 1_800_000_000_000_000))
        let text = Array(Cursor(kind: .candidate, canonical: "status=new", position: position).text.utf8)
        for end in 0..<text.count { #expect(Cursor(text: String(decoding: text[..<end], as: UTF8.self)) == nil) }
        for index in text.indices {
            for byte in UInt8(0x20)...0x7E where byte != text[index] {
                var changed = text
                changed[index] = byte
                if Cursor(text: String(decoding: changed, as: UTF8.self)) != nil { Issue.record("\(byte) at \(index)") }
            }
        }
        for junk in ["=", "é", "AAAA", String(repeating: "A", count: 10_000), String(decoding: text, as: UTF8.self) + "="] {
            #expect(Cursor(text: junk) == nil)
        }
    }

    @Test("One forged with a right check sum is still read with care")
    func forged() {
        var random = SeededGenerator("forged cursors")
        for _ in 0..<5_000 {
            var bytes = [UInt8(1)] + (0..<Int.random(in: 16...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            if Bool.random(using: &random) { bytes.replaceSubrange(1..<17, with: [UInt8](repeating: 0, count: 16)) }
            if Bool.random(using: &random), bytes.count > 17 { bytes[17] = UInt8.random(in: 0...4, using: &random) }
            let sum = CRC32.checksum(bytes)
            let text = Base64.encodeURLSafe(bytes + [UInt8(truncatingIfNeeded: sum >> 8), UInt8(truncatingIfNeeded: sum)])
            guard let cursor = Cursor(text: text) else { continue }
            #expect(cursor.position.updatedAt >= .earliest && cursor.position.asOf <= .latest)
            // The canonical part may be anything: reading it as parameters is as strict as ever.
            for definition in ListDefinition.all { _ = try? ListRequest([RequestParameter("cursor", text)], definition: definition) }
        }
    }

    @Test("The events' cursor is bound to its filters in the same way")
    func events() throws {
        let id = RecordID(kind: .candidate, ulid: ULID(high: 1, low: 2)).description
        func read(_ pairs: (String, String)...) throws -> EventRequest { try EventRequest(pairs.map { RequestParameter($0.0, $0.1) }) }
        let cursor = try read(("type", "candidate.created,call.uploaded"), ("candidate_id", id), ("limit", "7")).cursor(after: 41)
        for request in [
            try read(("cursor", cursor)),
            try read(("cursor", cursor), ("type", "call.uploaded,candidate.created"), ("candidate_id", id), ("wait", "3")),
        ] {
            #expect(request.query.after == 41 && request.query.types.count == 2 && request.query.candidates.count == 1)
        }
        #expect(throws: ParameterFault.self) { try read(("cursor", cursor), ("type", "call.uploaded")) }
        #expect(throws: ParameterFault.self) { try read(("cursor", String(cursor.dropLast()))) }
        for (name, value) in [
            ("wait", "31"), ("wait", "-1"), ("after", "x"), ("after", "-1"), ("limit", "0"), ("type", "nope"), ("type", ""),
            ("candidate_id", "x"), ("sort", "x"), ("after", "99999999999999999999"),
        ] {
            #expect(throws: ParameterFault.self, "\(name)=\(value)") { try read((name, value)) }
        }
    }
}

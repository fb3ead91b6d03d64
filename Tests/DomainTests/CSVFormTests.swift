import Testing

@testable import Domain

@Suite("Cells of CSV")
struct CSVFormTests {
    private func cell(_ text: String) -> String {
        var out = ByteWriter()
        var text = text
        text.withUTF8 { out.append(cell: $0) }
        return out.text
    }

    @Test(
        "A text has quotes where RFC 4180 needs them",
        arguments: [
            ("plain", "plain"), ("", "\"\""), ("two words", "two words"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("\"", "\"\"\"\""), ("line\nline", "\"line\nline\""),
            ("a long text without any of it, but here", "\"a long text without any of it, but here\""),
            (" led", "\" led\""), ("trailed ", "\"trailed \""), ("Zürich", "Zürich"), ("1;2", "1;2"), ("12345678,", "\"12345678,\""),
        ])
    func quotes(text: String, written: String) { #expect(cell(text) == written) }

    @Test(
        "What a spreadsheet would run is made a text",
        arguments: ["=1+1", "+49 30", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "=cmd|' /C calc'!A0", "=\"a,b\""])
    func formulas(text: String) {
        let written = cell(text)
        #expect(written == "\"'" + text.replacing("\"", with: "\"\"") + "\"")
    }

    @Test("Texts that only look like it in their middle stay as they are", arguments: ["a=b", "1+1", "c-d", "e@f.example", "＂", "ﬀ", "％"])
    func harmless(text: String) { #expect(cell(text) == text) }

    private func candidate(_ change: (String) -> FieldValue?) -> Record {
        Record(
            kind: .candidate, id: ULID(high: 1, low: 1), externalID: "ada@example.org", version: 3, createdAt: .earliest,
            updatedAt: .earliest, values: RecordKind.candidate.schema.fields.map { change($0.name) ?? .null })
    }

    private func cells(_ record: Record, personal: Bool = true, only: Set<String>? = nil) -> [String: String] {
        let form = CSVForm(kind: record.kind, projection: .list, personal: personal, only: only)
        var out = ByteWriter()
        _ = form.write(RecordRow(record, projection: .list), to: &out)
        return Dictionary(
            uniqueKeysWithValues: zip(form.names, out.text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)))
    }

    @Test(
        "A list is its texts joined, or JSON where a text has the separator",
        arguments: [
            ([], "\"\""), (["Swift"], "\"Swift\""), (["Swift", "SQL"], "\"Swift;SQL\""), (["=1"], "\"'=1\""),
            (["C++", "=1"], "\"C++;=1\""),
            (["a\"b"], "\"a\"\"b\""), (["＝1"], "\"'＝1\""), (["back\\slash"], "back\\slash"),
        ])
    func lists(texts: [String], written: String) {
        #expect(cells(candidate { $0 == "skills" ? .list(texts) : nil })["skills"] == written)
    }

    @Test("A list with the separator in a text is JSON")
    func separatorInside() {
        let form = CSVForm(kind: .candidate, projection: .list, personal: true, only: ["skills"])
        var out = ByteWriter()
        _ = form.write(RecordRow(candidate { $0 == "skills" ? .list(["a;b", "c"]) : nil }, projection: .list), to: &out)
        #expect(out.text.hasSuffix(",\"[\"\"a;b\"\",\"\"c\"\"]\""))
    }

    @Test("What is unknown or hidden is an empty cell, and a hidden external_id is told of")
    func unknown() {
        let record = candidate { $0 == "email" ? .text("ada@example.org") : $0 == "resume.size" ? .integer(5) : nil }
        let all = cells(record)
        #expect(all["headline"] == "" && all["email"] == "ada@example.org" && all["resume.size"] == "5" && all["version"] == "3")
        let masked = cells(record, personal: false)
        #expect(masked["email"] == "" && masked["external_id"] == "" && masked["resume.size"] == "")
        #expect(Set(all.keys) == Set(masked.keys))
        let form = CSVForm(kind: .candidate, projection: .list, personal: false)
        var out = ByteWriter()
        #expect(form.write(RecordRow(record, projection: .list), to: &out))
    }

    @Test("Only the fields asked for, and id, have a column", arguments: ListDefinition.all.map(\.kind))
    func fields(kind: RecordKind) throws {
        let definition = try #require(ListDefinition.of(kind))
        for name in definition.fieldNames where !definition.embeds.map(\.singular).contains(name) {
            let names = CSVForm(kind: kind, projection: .list, personal: true, only: [name]).names
            #expect(names.first == "id" && names.dropFirst().allSatisfy { $0 == name || $0.hasPrefix(name + ".") })
            #expect(name == "id" || names.count > 1)
        }
        let form = CSVForm(kind: kind, projection: .list, personal: true)
        #expect(Set(form.names).count == form.names.count)
    }

    @Test("A tombstone has as many cells, four of them known", arguments: ListDefinition.all.map(\.kind))
    func tombstones(kind: RecordKind) {
        let form = CSVForm(kind: kind, projection: .list, personal: true)
        var out = ByteWriter()
        form.writeTombstone(Tombstone(id: ULID(high: 1, low: 1), version: 7, updatedAt: .earliest, deletedAt: .earliest), to: &out)
        let cells = out.text.split(separator: ",", omittingEmptySubsequences: false)
        #expect(cells.count == form.names.count)
        let known = zip(form.names, cells).filter { !$0.1.isEmpty }.map(\.0)
        #expect(known == ["id", "version", "updated_at", "deleted_at"])
    }
}

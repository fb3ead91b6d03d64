import Foundation
import Testing

/// What an import stores, and what it tells of the rows that it does not take.
@Suite struct ImportTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func load(_ kind: String, _ lines: [String], _ options: String...) throws -> Finished {
        try folder.write(lines.joined(separator: "\n") + "\n", to: "\(kind).ndjson")
        return try Program.run(
            ["import", kind, folder("\(kind).ndjson"), "--database", folder("import.db"), "--rejects", folder("rejects.ndjson"), "--json"]
                + options)
    }

    @Test func aRecordThatTheStoreRefusesIsNamedByItsElementOfTheRow() throws {
        // given: a row of two interviews, both completed
        try folder.write(
            #"{"each":"talks","fields":{"external_id":"id","candidate_external_id":"$.candidate","status":"status"}}"#, to: "mapping.json")
        func row(_ status: String) -> String {
            #"{"candidate":"c1","talks":[{"id":"i1","status":"completed"},{"id":"i2","status":"\#(status)"}]}"#
        }
        #expect(try load("candidates", [#"{"external_id":"c1","full_name":"Kim"}"#]).exitCode == 0)
        #expect(try load("interviews", [row("completed")], "--mapping", folder("mapping.json")).exitCode == 0)

        // when: the second of them goes back, in the second line
        let again = try load("interviews", ["", row("scheduled")], "--mapping", folder("mapping.json"))

        // then
        #expect(again.exitCode == 1)
        let summary = try #require(try again.lines.first)
        #expect(summary["unchanged"].int == 1 && summary["rejected"].int == 1)
        let rejected = try JSON([UInt8](Data(contentsOf: URL(fileURLWithPath: folder("rejects.ndjson")))))
        #expect(rejected["line"].int == 2 && rejected["row"].string == row("scheduled"))
        #expect(rejected["reason"].string?.hasPrefix("talks[1]: /status: a completed interview does not go back") == true, "\(rejected)")
    }

    @Test func rowsWithoutAnExternalIDAreTakenWithAWarning() throws {
        let named = try load("jobs", [#"{"external_id":"j1","title":"Baker"}"#])
        #expect(named.exitCode == 0 && named.errors.isEmpty, "\(named.errors)")
        let unnamed = try load("jobs", [#"{"title":"Baker"}"#, #"{"external_id":"j1","title":"Baker"}"#, #"{"title":"Cook"}"#])
        #expect(unnamed.exitCode == 0 && unnamed.errors.contains("2 of the created have no external_id"), "\(unnamed.errors)")
    }

    @Test func aFileIsNeverOverwrittenByItsOwnRejects() throws {
        // given
        #expect(try load("jobs", ["no JSON"]).exitCode == 1)
        let rejects = try Data(contentsOf: URL(fileURLWithPath: folder("rejects.ndjson")))

        // when
        let again = try Program.run(
            ["import", "jobs", folder("rejects.ndjson"), "--database", folder("import.db"), "--rejects", folder("rejects.ndjson")])

        // then
        #expect(again.exitCode == 1 && again.errors.contains("--rejects"), "\(again.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder("rejects.ndjson"))) == rejects)
    }

    @Test func aFastImportDoesNotRunAheadOfTheClock() throws {
        // when: as fast as it goes
        let made = try load("candidates", (0..<20_000).map { #"{"external_id":"\#($0)"}"# }, "--no-events")
        #expect(try made.lines.first?["created"].int == 20_000)
        let now = Date()

        // then: the list's high-water mark, just after the last updated_at, is behind
        let server = try Server(folder("import.db"))
        let page = try server.get("/api/v1/candidates?limit=1&sort=-updated_at", key: server.makeKey().token).json
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let asOf = try format.parse(#require(page["meta"]["as_of"].string))
        #expect(asOf <= now.addingTimeInterval(0.001), "the fraction is read in milliseconds")
    }
}

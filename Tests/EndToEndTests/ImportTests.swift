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

    @Test func whatComesBeforeABrokenEndIsStoredAndTold() throws {
        // given: a bad row near the start, and a file that ends inside a row
        var rows = (0..<3_000).map { #"{"external_id":"\#($0)","full_name":"Kim"}"# }
        rows[3] = #"{"external_id":"3","nosuch":1}"#
        try folder.write("[" + rows.joined(separator: ",\n") + ",\n{\"external_id\":\"z\", \"fu", to: "broken.json")
        func load(_ options: String...) throws -> Finished {
            try Program.run(
                [
                    "import", "candidates", folder("broken.json"), "--database", folder("import.db"), "--rejects", folder("rejects.ndjson"),
                    "--json",
                ] + options)
        }

        // then: a dry run keeps nothing and says so
        let tried = try load("--dry-run")
        #expect(tried.exitCode == 1 && tried.errors.contains("nothing was kept"), "\(tried.errors)")

        // when
        let made = try load()

        // then
        let summary = try #require(try made.lines.first)
        #expect(made.exitCode == 1 && made.errors.contains("line 3001") && made.errors.contains("is stored"), "\(made.errors)")
        #expect(summary["created"].int == 2_999 && summary["rejected"].int == 1, "\(summary)")
        #expect(summary["error"].string?.contains("line 3001") == true)
        let check = try Program.run(["check", "--database", folder("import.db"), "--json"])
        #expect(try check.lines.first?["records"]["candidates"].int == 2_999)
        let rejected = try JSON([UInt8](Data(contentsOf: URL(fileURLWithPath: folder("rejects.ndjson")))))
        #expect(rejected["line"].int == 4)
    }

    @Test func aDryRunCountsAsTheRealOne() throws {
        // given: repeats long after the first, in other batches: equal, with less, and different
        var rows = (0..<3_000).map { #"{"external_id":"c\#($0)","full_name":"Kim \#($0)","skills":["a","b"],"years_experience":2.5}"# }
        rows[5] = #"{"external_id":"c5","resume":{"file_name":"cv.txt","media_type":"text/plain","content":"aGVsbG8="}}"#
        rows += [rows[5], rows[7], #"{"external_id":"c8","full_name":"Kim 8"}"#, #"{"external_id":"c9","full_name":"Lee"}"#]
        func counts(_ finished: Finished) throws -> [Int?] {
            let summary = try #require(try finished.lines.first)
            return ["created", "updated", "unchanged", "rejected"].map { summary[$0].int }
        }

        // when
        let tried = try counts(load("candidates", rows, "--dry-run"))

        // then
        #expect(tried == [3_000, 0, 3, 1])
        let reason = try JSON([UInt8](Data(contentsOf: URL(fileURLWithPath: folder("rejects.ndjson")))))["reason"].string
        #expect(reason?.contains("differs from line 10") == true, "\(reason ?? "")")
        #expect(try counts(load("candidates", rows)) == tried)
    }

    @Test func rejectedRowsGoNowhereThatIsNeeded() throws {
        // given
        #expect(try load("candidates", [#"{"external_id":"c1"}"#]).exitCode == 0)
        try folder.write(#"{"fields":{"external_id":"id"}}"#, to: "mapping.json")
        try folder.write("no JSON", to: "bad.ndjson")

        // then
        for place in ["import.db", "import.db-wal", "import.db-shm", "mapping.json", "bad.ndjson"] {
            guard FileManager.default.fileExists(atPath: folder(place)) else { continue }
            let refused = try Program.run([
                "import", "candidates", folder("bad.ndjson"), "--database", folder("import.db"), "--mapping", folder("mapping.json"),
                "--rejects", folder(place),
            ])
            #expect(refused.exitCode == 1 && refused.errors.contains("another place with --rejects"), "\(place): \(refused.errors)")
        }
        #expect(try Program.run(["check", "--database", folder("import.db")]).exitCode == 0)
    }

    @Test func aRejectedRowIsShownWhole() throws {
        // given: quotes gone wrong, and bytes that are no UTF-8
        var bytes = Data("external_id,full_name\na\"b,Kim\n\"c\"d,Lee\ne,Zo".utf8)
        bytes.append(0xEB)
        bytes.append(contentsOf: "\nf,Ann\n".utf8)
        try bytes.write(to: URL(fileURLWithPath: folder("rows.csv")))

        // when
        let made = try Program.run([
            "import", "candidates", folder("rows.csv"), "--database", folder("import.db"), "--rejects", folder("rejects.ndjson"), "--json",
        ])

        // then
        #expect(try made.lines.first?["created"].int == 1)
        let lines = try String(contentsOfFile: folder("rejects.ndjson"), encoding: .utf8).split(separator: "\n")
        let rejected = try lines.map { try JSON(Array($0.utf8)) }
        #expect(rejected.map { $0["row"].string } == ["a\"b,Kim", "\"c\"d,Lee", "e,Zo\u{FFFD}"], "\(lines)")
        #expect(rejected.map { $0["row_base64"].string } == [nil, nil, "ZSxab+s="])
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

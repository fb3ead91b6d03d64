import Foundation
import Testing

/// A process that is killed leaves a sound database.
@Suite(.serialized) struct CrashTests {
    private static let rows = 12_000
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Candidates, some with what is stored in other tables and the full-text index.
    private func generate(_ name: String, rows: Int = rows, generation: Int = 1) throws -> String {
        var text = ""
        for row in 0..<rows {
            text += "{\"external_id\":\"c\(row)\",\"full_name\":\"Person \(row) of \(generation)\",\"headline\":\"engineer number \(row)\","
            text += "\"skills\":[\"Swift\",\"SQL \(row % 50)\"],\"status\":\"new\",\"custom\":{\"n\":\(row)}}\n"
        }
        return try folder.write(text, to: name)
    }

    private func check(_ database: String) throws -> JSON {
        let finished = try Program.run(["check", "--json", "--database", database])
        #expect(finished.exitCode == 0, "\(finished.output) \(finished.errors)")
        let report = try #require(try finished.lines.first)
        #expect(report["healthy"].bool == true && report["problems"].array?.isEmpty == true)
        return report
    }

    private func load(_ database: String, _ file: String) throws -> ChildProcess {
        try ChildProcess(
            Program.path, ["import", "candidates", file, "--json", "--database", database, "--rejects", folder("rejects.ndjson")])
    }

    private static func size(_ database: String) -> Int {
        ["", "-wal"].compactMap { try? FileManager.default.attributesOfItem(atPath: database + $0)[.size] as? Int }.reduce(0, +)
    }

    @Test(arguments: 0..<6)
    func anImportThatIsKilledLeavesWholeBatchesAndIsTakenUpAgain(round: Int) throws {
        // given
        let (database, file) = (folder("import.db"), try generate("people.ndjson"))
        _ = try Program.run(["organizations", "list", "--database", database])
        let process = try load(database, file)

        // when: at a random size, so at a random moment of the work
        let wanted = Int.random(in: 100_000...12_000_000)
        _ = poll(seconds: 60, every: 0.001) { Self.size(database) > wanted || process.exitCode != nil }
        process.signal(SIGKILL)
        try process.wait()

        // then
        guard FileManager.default.fileExists(atPath: database) else { return }
        let report = try check(database)
        let stored = try #require(report["records"]["candidates"].int)
        #expect(report["events"].int == stored)

        // when
        let again = try Finished(load(database, file))

        // then
        let summary = try #require(try again.lines.first)
        #expect(again.exitCode == 0 && summary["unchanged"].int == stored && summary["created"].int == Self.rows - stored, "\(summary)")
        #expect(try check(database)["records"]["candidates"].int == Self.rows)
    }

    @Test func aServerThatIsKilledUnderLoadLeavesASoundDatabaseAndAllThatWasTold() throws {
        // given: readers, an import and key usage at once
        let database = folder("serve.db")
        let server = try Server(database)
        let key = try server.makeKey()
        let import1 = try load(database, generate("first.ndjson", rows: 5_000))
        let connections = try (0..<16).map { _ in try server.connect() }
        let request = Server.request("GET", "/api/v1/candidates?limit=50&q=engineer", key: key.token)
        var seen = Set<String>()
        for round in 0..<10 {
            for connection in connections { connection.send(request) }
            for connection in connections {
                let page = try connection.receive().json
                for record in page["data"].array ?? [] { if let id = record["id"].string { seen.insert(id) } }
            }
            if round == 0 { #expect(try server.makeKey().id.isEmpty == false) }
        }

        // when: both in the middle of it
        for connection in connections { connection.send(request + request) }
        server.stop(SIGKILL)
        import1.signal(SIGKILL)
        try import1.wait()

        // then
        let report = try check(database)
        #expect(report["records"]["candidates"].int ?? 0 >= seen.count)
        let second = try Server(database)
        #expect(try second.get("/api/v1/key", key: key.token).status == 200)
        for id in seen.prefix(50) { #expect(try second.get("/api/v1/candidates/\(id)", key: key.token).status == 200) }
        let finished = try Finished(load(database, generate("second.ndjson", rows: 5_000, generation: 2)))
        #expect(finished.exitCode == 0)
        #expect(try check(database)["records"]["candidates"].int == 5_000)
    }

    @Test func anImportThatIsInterruptedLeavesWholeBatchesAndSaysSo() throws {
        // given
        let (database, file) = (folder("stopped.db"), try generate("many.ndjson", rows: 100_000))
        let process = try load(database, file)
        #expect(poll(seconds: 60, every: 0.001) { Self.size(database) > 2_000_000 || process.exitCode != nil })

        // when
        process.signal(SIGINT)

        // then
        let finished = try Finished(process)
        let summary = try #require(try finished.lines.first)
        #expect(finished.exitCode == 130 && summary["stopped"].bool == true, "\(finished.exitCode) \(finished.output)")
        #expect(try check(database)["records"]["candidates"].int == summary["created"].int)
    }
}

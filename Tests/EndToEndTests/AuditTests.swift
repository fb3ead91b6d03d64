import Foundation
import Testing

/// Which key read whose personal data.
@Suite struct AuditTests {
    private let folder: Folder
    private let server: Server
    private let personal: Key
    private let plain: Key
    private let ids: [String]

    init() throws {
        folder = try Folder()
        server = try Server(folder("audit.db"))
        let rows = (1...3).map { #"{"external_id":"c\#($0)","full_name":"Ada \#($0)","email":"ada\#($0)@example.com"}"# }
        try folder.write(rows.joined(separator: "\n") + "\n", to: "candidates.ndjson")
        try server.command("import", "candidates", folder("candidates.ndjson"))
        personal = try server.makeKey("--scope", "read:pii", "--scope", "ingest")
        plain = try server.makeKey()
        ids = try server.get("/api/v1/candidates", key: plain.token).json["data"].array?.compactMap { $0["id"].string } ?? []
    }

    /// The reads of a candidate, once they are stored.
    private func reads(_ candidate: String, atLeast count: Int = 1) throws -> [JSON] {
        var lines: [JSON] = []
        _ = try poll(seconds: 10, every: 0.2) {
            lines = try Program.run(["audit", "--candidate", candidate, "--json", "--database", server.database]).lines
            return lines.count >= count
        }
        return lines
    }

    @Test func everyWayOfReadingIsToldWithItsKeyItsTimeAndItsAddress() throws {
        // given
        let calls = "{\"external_id\":\"k1\",\"candidate_external_id\":\"c1\",\"summary\":\"friendly\"}\n"
        try folder.write(calls, to: "calls.ndjson")
        try server.command("import", "calls", folder("calls.ndjson"))

        // when
        let paths = ["/api/v1/candidates", "/api/v1/candidates/\(ids[0])", "/api/v1/calls", "/api/v1/events"]
        for path in paths { #expect(try server.get(path, key: personal.token).status == 200) }
        let push = try Connection(server.operatorPort)
        push.send(Server.request("GET", "/operator/v1/candidates/c1", key: personal.token))
        #expect(try push.receive().status == 200)

        // then
        let reads = try reads(ids[0], atLeast: 5)
        #expect(
            Set(reads.compactMap { $0["route"].string }) == [
                "/api/v1/candidates", "/api/v1/candidates/{id}", "/api/v1/calls", "/api/v1/events", "/operator/v1/candidates/{id}",
            ])
        for read in reads {
            #expect(read["key_id"].string == personal.id && read["candidate_id"].string == ids[0])
            #expect(try #require(read["first_at"].string) <= #require(read["last_at"].string))
        }
        #expect(try self.reads(ids[1]).compactMap { $0["route"].string }.contains("/api/v1/candidates/{id}") == false)
    }

    @Test func whatAPushIsAnsweredIsARead() throws {
        // given
        func push(_ method: String, _ path: String, _ body: String, key: Key, type: String = "application/json") throws -> Response {
            let connection = try Connection(server.operatorPort)
            let fields = ["Content-Type: \(type)", "Content-Length: \(body.utf8.count)"]
            connection.send(Server.request(method, "/operator/v1" + path, key: key.token, fields) + body)
            return try connection.receive()
        }
        let blind = try server.makeKey("--scope", "ingest")

        // when: nothing changes, and the whole record comes back
        #expect(try push("PATCH", "/candidates/c1", "{}", key: personal).text.contains("ada1@example.com"))
        #expect(try push("PUT", "/candidates/c2/resume", "text", key: personal, type: "text/plain").status == 200)
        #expect(try push("PATCH", "/candidates/c3", "{}", key: blind).status == 200)

        // then
        #expect(try reads(ids[0]).compactMap { $0["route"].string } == ["/operator/v1/candidates/{id}"])
        #expect(try reads(ids[1]).compactMap { $0["route"].string } == ["/operator/v1/candidates/{id}/resume"])
        #expect(try reads(ids[2], atLeast: 0).isEmpty)
    }

    @Test func whatHoldsNothingPersonalIsNotToldOf() throws {
        // when: a key without the scope, fields without personal ones, a page that did not change, and no page at all
        _ = try server.get("/api/v1/candidates", key: plain.token)
        _ = try server.get("/api/v1/candidates?fields=id,status", key: personal.token)
        _ = try server.get("/api/v1/candidates?limit=0", key: personal.token)
        let tag = try #require(try server.get("/api/v1/candidates?fields=id", key: personal.token)["ETag"])
        #expect(try server.get("/api/v1/candidates?fields=id", key: personal.token, ["If-None-Match: \(tag)"]).status == 304)
        _ = try server.get("/api/v1/candidates/\(ids[2])", key: personal.token)

        // then: the last alone, though it was stored after the others
        #expect(try reads(ids[2]).compactMap { $0["route"].string } == ["/api/v1/candidates/{id}"])
        #expect(try reads(ids[0], atLeast: 0).isEmpty)
    }

    @Test func aPageFromTheCacheCountsEachTime() throws {
        for _ in 0..<50 { #expect(try server.get("/api/v1/candidates?limit=2", key: personal.token).status == 200) }
        #expect(
            try poll(seconds: 10, every: 0.2) {
                try reads(ids[0]).compactMap { $0["requests"].int }.reduce(0, +) == 50
            })
        #expect(try reads(ids[2], atLeast: 0).isEmpty)
    }

    @Test func whatWasReadIsStoredWhenTheServerStops() throws {
        _ = try server.get("/api/v1/candidates/\(ids[1])", key: personal.token)
        #expect(server.stop() == 0)
        #expect(try reads(ids[1]).count == 1)
    }

    @Test func anErasedCandidatesReadsAreStillToldByTheirID() throws {
        _ = try server.get("/api/v1/candidates/\(ids[0])", key: personal.token)
        #expect(try reads(ids[0]).count == 1)
        try server.command("erase", "c1")
        #expect(try reads(ids[0]).count == 1)
    }

    @Test func readsGoWhenTheirTimeIsOver() throws {
        _ = try server.get("/api/v1/candidates/\(ids[0])", key: personal.token)
        #expect(try reads(ids[0]).count == 1)
        server.stop()
        Thread.sleep(forTimeInterval: 1.1)
        let later = try Server(server.database, ["--audit-retention", "1s"])
        #expect(try poll(seconds: 10, every: 0.2) { try reads(ids[0], atLeast: 0).isEmpty })
        later.stop()
    }

    @Test func anotherOrganizationsReadsAreItsOwn() throws {
        try server.command("organizations", "add", "other")
        _ = try server.get("/api/v1/candidates/\(ids[0])", key: personal.token)
        #expect(try reads(ids[0]).count == 1)
        let other = try Program.run(["audit", "--organization", "other", "--json", "--database", server.database])
        #expect(other.exitCode == 0)
        #expect(try other.lines.isEmpty)
    }
}

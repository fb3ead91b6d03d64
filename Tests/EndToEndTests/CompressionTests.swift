import Foundation
import Testing

/// gzip, where a client takes it.
@Suite struct CompressionTests {
    private func shared() throws -> (Server, String) {
        let shared = try SharedServer.running
        return (shared.server, shared.personal.token)
    }

    /// What `gzip` itself makes of a body.
    private func unpacked(_ body: [UInt8]) throws -> [UInt8] {
        let folder = try Folder()
        try Data(body).write(to: URL(fileURLWithPath: folder("body.gz")))
        let done = try Finished(ChildProcess("/bin/sh", ["-c", "gzip -dc < body.gz > body"], folder: folder.path))
        guard done.exitCode == 0 else { throw Trouble("gzip: \(done.errors)") }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder("body"))))
    }

    @Test(arguments: ["gzip", "deflate, gzip;q=0.5", "GZIP", "*", "br, *;q=0.1", "x-gzip"])
    func aPageIsCompressedForWhoTakesThat(_ accepted: String) throws {
        let (server, key) = try shared()
        let plain = try server.get("/api/v1/candidates?limit=100", key: key)
        let packed = try server.get("/api/v1/candidates?limit=100", key: key, ["Accept-Encoding: \(accepted)"])
        #expect(plain["Content-Encoding"] == nil && packed["Content-Encoding"] == "gzip")
        #expect(packed["Content-Length"] == String(packed.body.count))
        #expect(try unpacked(packed.body) == plain.body)
        #expect(packed["ETag"] == plain["ETag"] && packed["Vary"] == plain["Vary"])
    }

    @Test(arguments: ["matches", "interviews"])
    func aPageOfAHundredShrinksToAFifthOrLess(_ kind: String) throws {
        let (server, key) = try shared()
        let plain = try server.get("/api/v1/\(kind)?limit=100", key: key)
        let packed = try server.get("/api/v1/\(kind)?limit=100", key: key, ["Accept-Encoding: gzip"])
        #expect(packed.body.count * 5 <= plain.body.count, "\(plain.body.count) to \(packed.body.count) bytes")
    }

    @Test(arguments: [
        "", "identity", "gzip;q=0", "gzip; q=0.0, *", "*;q=0", "deflate", "gzipped", ",;,", "gzip;q=0.5, identity",
        "identity;q=0.9, gzip; q=0.8, *",
    ])
    func whoDoesNotTakeItGetsThePageAsItIs(_ accepted: String) throws {
        let (server, key) = try shared()
        let answer = try server.get("/api/v1/candidates?limit=100", key: key, ["Accept-Encoding: \(accepted)"])
        #expect(answer.status == 200 && answer["Content-Encoding"] == nil)
        #expect(try answer.json["data"].array?.count == 100)
    }

    @Test func aPolledPageComesFromTheCacheInBothForms() throws {
        let (server, key) = try shared()
        let path = "/api/v1/jobs?limit=20"
        var bodies: Set<[UInt8]> = []
        for _ in 0..<4 {
            bodies.insert(try server.get(path, key: key).body)
            let packed = try server.get(path, key: key, ["Accept-Encoding: gzip"])
            #expect(packed["Content-Encoding"] == "gzip")
            bodies.insert(try unpacked(packed.body))
        }
        #expect(bodies.count == 1)
    }

    @Test func smallAnswersRefusalsAndUnchangedPagesAreNotCompressed() throws {
        let (server, key) = try shared()
        let gzip = "Accept-Encoding: gzip"
        #expect(try server.get("/api/v1/candidates?limit=1&fields=id", key: key, [gzip])["Content-Encoding"] == nil)
        let refused = try server.get("/api/v1/candidates?limit=0", key: key, [gzip])
        #expect(refused.status == 400 && refused["Content-Encoding"] == nil)
        let tag = try #require(try server.get("/api/v1/candidates", key: key, [gzip])["ETag"])
        let unchanged = try server.get("/api/v1/candidates", key: key, [gzip, "If-None-Match: \(tag)"])
        #expect(unchanged.status == 304 && unchanged["Content-Encoding"] == nil && unchanged.body.isEmpty)
        let head = try server.ask("HEAD", "/api/v1/candidates", key: key, [gzip])
        #expect(head["Content-Encoding"] == "gzip" && head.body.isEmpty)
    }

    @Test(arguments: ["/openapi.yaml", "/openapi.json", "/docs", "/api/v1/candidates?limit=1000"])
    func largeAnswersAreTheSameWhenUnpacked(_ path: String) throws {
        let (server, key) = try shared()
        let key1 = path.hasPrefix("/api") ? key : nil
        let packed = try server.get(path, key: key1, ["Accept-Encoding: gzip"])
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(try unpacked(packed.body) == server.get(path, key: key1).body)
    }
}

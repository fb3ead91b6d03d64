import Foundation
import Testing

/// What is answered when the database can't be read any more, or not for now.
@Suite struct LostDatabaseTests {
    private let folder: Folder
    private let server: Server
    private let key: String

    init() throws {
        folder = try Folder()
        server = try Server(folder("lost.db"), ["--demo"])
        key = try server.makeKey("--scope", "read:pii").token
    }

    private func isUnavailable(_ response: Response) throws -> Bool {
        let body = try response.json
        return response.status == 503 && body["code"].string == "unavailable" && response["Content-Type"] == "application/problem+json"
            && (response["Retry-After"].flatMap { Int($0) } ?? 0) >= 1 && body["request_id"].string == response["X-Request-Id"]
            && body["detail"].string?.contains(folder.path) == false
    }

    @Test func aDatabaseThatAnotherHoldsIs503AndIsReadAgainAfterwards() throws {
        // given: what a reader must share is held as one that shuts out all readers holds it (sqlite.org/walformat.html, 2.3.1)
        let script = """
            import fcntl, sys, time
            file = open(sys.argv[1] + '-shm', 'r+b')
            while True:
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 123)
                    break
                except OSError:
                    time.sleep(0.01)
            print('held', flush=True)
            time.sleep(120)
            """
        #expect(try server.get("/api/v1/candidates?limit=1", key: key).status == 200)
        let holder = try ChildProcess("python3", ["-c", script, server.database])
        defer { holder.signal(SIGKILL) }
        #expect(poll(seconds: 20) { holder.output.contains("held") })

        // when
        let list = try server.connect(patience: 60)
        list.send(Server.request("GET", "/api/v1/candidates?limit=7", key: key))

        // then
        #expect(try isUnavailable(list.receive()))
        holder.signal(SIGKILL)
        try holder.wait()
        #expect(try server.get("/api/v1/candidates?limit=7", key: key).status == 200)
        #expect(server.process.exitCode == nil)
    }

    @Test func aDatabaseThatIsLostIs503AndTheServerGoesOn() throws {
        // given
        let known = try server.get("/api/v1/candidates?limit=3", key: key)
        #expect(known.status == 200)

        // when: the file and its journal are cut to nothing
        for suffix in ["", "-wal"] { #expect(truncate(server.database + suffix, 0) == 0) }

        // then
        for target in ["/api/v1/calls?limit=5", "/api/v1/interviews?sort=-scheduled_at", "/api/v1/jobs?q=engineer&count=exact"] {
            #expect(try isUnavailable(server.get(target, key: key)), "\(target)")
        }
        #expect(try server.get("/docs").status == 200 && server.get("/api/v1").status == 200)
        #expect(server.process.exitCode == nil)
        #expect(poll(seconds: 10) { server.process.errors.contains("SQLite") }, "the cause is in the log")
    }

    @Test func aPositionOlderThanTheRetentionIs410() throws {
        // given: what the demo did is older than a second
        let last = try #require(try server.get("/api/v1/events?after=1000000", key: key).json["meta"]["last_sequence"].int)
        #expect(last > 1)
        server.stop()
        Thread.sleep(forTimeInterval: 1.1)

        // when
        let later = try Server(server.database, ["--event-retention", "1s"])
        #expect(try poll(seconds: 20) { try later.get("/api/v1/events?after=0", key: key).status == 410 })

        // then
        for target in [
            "/api/v1/events?after=0", "/api/v1/events?after=\(last - 1)&wait=30", "/api/v1/events?after=0&type=candidate.created",
        ] {
            let response = try later.get(target, key: key)
            #expect(response.status == 410 && response.code == "events_expired", "\(response.text)")
            #expect(response["Content-Type"] == "application/problem+json")
        }
        let feed = try later.get("/api/v1/events", key: key)
        #expect(try feed.status == 200 && feed.json["data"].array?.isEmpty == true && feed.json["meta"]["last_sequence"].int == last)
        let on = try later.get("/api/v1/events?after=\(last)", key: key)
        #expect(try on.status == 200 && on.json["data"].array?.isEmpty == true)
    }
}

import Foundation
import Testing

/// Connections that take their time, on a server of their own.
@Suite struct SlowConnectionTests {
    private let folder: Folder
    private let server: Server

    init() throws {
        folder = try Folder()
        server = try Server(folder("slow.db"))
    }

    @Test func aConnectionThatHasNotSentItsRequestInTenSecondsIsClosed() throws {
        // given
        let silent = try server.connect(patience: 25)
        let half = try server.connect(patience: 25)
        half.send("GET /healthz HTTP/1.1\r\nHost: a\r\n")
        let bodiless = try server.connect(patience: 25)
        bodiless.send(Server.request("GET", "/healthz", ["Content-Length: 10"]) + "abc")
        let afterOne = try server.connect(patience: 25)
        afterOne.send(Server.request("GET", "/healthz"))
        #expect(try afterOne.receive().status == 200)
        afterOne.send("GET /hea")
        let behindOne = try server.connect(patience: 25)
        behindOne.send(Server.request("GET", "/healthz") + "GET /hea")
        #expect(try behindOne.receive().status == 200)
        let late = try server.connect(patience: 25)
        let kept = try server.connect()
        kept.send(Server.request("GET", "/healthz"))
        #expect(try kept.receive().status == 200)
        let dripping = try server.connect(patience: 25)
        dripping.send("GET /healthz HTTP/1.1\r\n")
        let start = ContinuousClock.now

        // when
        var isOpen = true
        var dripped = 0
        while isOpen, ContinuousClock.now - start < .seconds(25) {
            dripping.send("X-\(dripped): 1\r\n")
            dripped += 1
            if dripped == 12 { late.send("GET /healthz HTTP/1.1\r\nHo") }
            isOpen = !dripping.isReadable(within: 0.5)
        }
        let dripTime = ContinuousClock.now - start

        // then: counted from the connection's beginning, not from the first byte
        #expect(late.isReadable(within: max(0.01, 14 - (ContinuousClock.now - start) / .seconds(1))), "late is still open")
        #expect(!isOpen && dripTime > .seconds(8) && dripTime < .seconds(20), "\(dripTime)")
        for (name, connection) in [
            ("silent", silent), ("half a head", half), ("half a body", bodiless), ("later", afterOne), ("behind", behindOne),
        ] {
            let left = 20 - (ContinuousClock.now - start) / .seconds(1)
            #expect(connection.isReadable(within: max(0.01, left)), "\(name) is still open")
        }
        // between two requests more time is given
        #expect(!kept.isReadable(within: 0))
        kept.send(Server.request("GET", "/healthz"))
        #expect(try kept.receive().status == 200)
    }

    @Test func idleConnectionsDoNotStopTheOthers() throws {
        // given: ten thousand of them, or as many as these tests may open
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(10_000, Int(limit.rlim_cur) - 2_500)
        let key = try server.makeKey()
        let start = ContinuousClock.now

        // when
        var idle: [Connection] = []
        for _ in 0..<count {
            let connection = try server.connect()
            connection.send("GET /healthz HTTP/1.1\r\n")
            idle.append(connection)
        }

        // then
        for _ in 0..<20 { #expect(try server.get("/api/v1/candidates", key: key.token).status == 200) }
        let open = ContinuousClock.now - start < .seconds(8) ? idle.filter { !$0.isReadable(within: 0) }.count : count
        #expect(open == count, "\(count - open) were closed early")
    }
}

import Foundation
import Testing

/// Connections to the operator listener that do not behave.
@Suite struct OperatorConnectionTests {
    private let folder: Folder
    private let server: Server
    private let key: Key

    init() throws {
        folder = try Folder()
        server = try Server(folder("connections.db"), ["--access-log", "on"])
        key = try server.makeKey("--scope", "ingest")
    }

    @Test func whoWaitsForLeaveToSendABodyGetsIt() throws {
        // given
        let body = #"{"title":"Baker"}"#
        let connection = try Connection(server.operatorPort, patience: 5)
        let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)", "Expect: 100-continue"]

        // when
        connection.send(Server.request("PUT", "/operator/v1/jobs/j1", key: key.token, fields))

        // then
        #expect(try connection.receive(isHead: true).status == 100)
        connection.send(body)
        #expect(try connection.receive().status == 201)
        // The connection goes on.
        connection.send(Server.request("GET", "/operator/v1/jobs/j1", key: key.token))
        #expect(try connection.receive().status == 200)
    }

    @Test func aRefusalBeforeTheBodysEndIsTheLastOnItsConnection() throws {
        let connection = try Connection(server.operatorPort, patience: 5)
        connection.send(Server.request("PUT", "/operator/v1/jobs/j1", key: nil, ["Content-Length: 1000000000"]))
        let refused = try connection.receive()
        #expect(refused.status == 401 && refused["Connection"] == "close")
        #expect(try connection.readToEnd().isEmpty)
    }

    @Test func whoLeavesInTheMiddleOfABodyIsNoErrorOfOurs() throws {
        do {
            let connection = try Connection(server.operatorPort)
            connection.send(
                Server.request(
                    "PUT", "/operator/v1/jobs/j1", key: key.token, ["Content-Type: application/json", "Content-Length: 100"]) + "{")
            Thread.sleep(forTimeInterval: 0.2)
        }
        #expect(poll(seconds: 5) { server.process.errors.contains("/operator/v1/jobs/{id}") })
        #expect(!server.process.errors.contains("cause=") && !server.process.errors.contains("status=500"))
    }

    @Test func halfAHeadIsNotWaitedForLongerThanTenSeconds() throws {
        let connection = try Connection(server.operatorPort, patience: 14)
        connection.send("GET /healthz HTTP/1.1\r\nHost:")
        #expect(try connection.readToEnd().isEmpty)
    }
}

import Domain
import Foundation
import Testing
import Webhooks

/// `listen`: a receiver to try things out with.
@Suite struct ListenTests {
    private let secret = "whsec_" + Data(repeating: 5, count: 32).base64EncodedString()
    private static let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))

    /// A `hirewire listen` on a free port.
    private final class Listener {
        let process: ChildProcess
        let ready: JSON
        let port: Int

        init(_ options: [String], isJSON: Bool = true) throws {
            process = try ChildProcess(
                Program.path, ["listen", "--port", "0"] + (isJSON ? ["--json"] : []) + options, environment: ["NO_COLOR": ""])
            let process = process
            _ = poll(seconds: 30) {
                process.output.contains("\n\n") || (isJSON && process.output.contains("\n")) || process.exitCode != nil
            }
            ready = isJSON ? try JSON(Array((process.output.split(separator: "\n").first ?? "").utf8)) : try JSON(Array("{}".utf8))
            let found = process.output.firstMatch(of: #/http://127\.0\.0\.1:(\d+)//#).flatMap { Int($0.1) }
            guard let found else { throw Trouble("listen did not start: \(process.errors)") }
            port = found
        }

        deinit { process.signal(SIGKILL) }

        func post(_ body: [UInt8], _ headers: [(name: String, value: String)]) throws -> Response {
            let connection = try Connection(port)
            let fields = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
            connection.send("POST /hook HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\(fields)\r\n")
            connection.send(body)
            return try connection.receive()
        }

        func delivery(_ index: Int) throws -> JSON {
            let process = process
            #expect(poll(seconds: 10) { process.output.split(separator: "\n").count >= index + 2 })
            return try JSON(Array(process.output.split(separator: "\n")[index + 1].utf8))
        }
    }

    private func signed(_ dialect: DialectName, _ body: [UInt8], secret: String) throws -> [(name: String, value: String)] {
        let dialect = Dialect.of(dialect)
        let message = DeliveryMessage(
            delivery: DeliveryID(ULID(high: 1, low: 2)), event: EventID(ULID(high: 3, low: 4)), type: .interviewCompleted, body: body,
            sentAt: Self.now)
        return dialect.headers(for: message, keys: try dialect.keys(secret: secret), version: "test")
    }

    @Test(arguments: DialectName.allCases)
    func whatOurDialectSignedIsAcceptedAndWhatWasChangedIsNot(dialect: DialectName) throws {
        // given
        let listener = try Listener(["--dialect", dialect.rawValue, "--secret", secret, "--status", "202"])
        let body = Array(#"{"type":"interview.completed","n":1.0}"#.utf8)
        let headers = try signed(dialect, body, secret: secret)

        // when
        let right = try listener.post(body, headers)
        let changed = try listener.post(Array(#"{"type":"interview.completed","n":2.0}"#.utf8), headers)
        let foreign = try listener.post(
            body, try signed(dialect, body, secret: "whsec_" + Data(repeating: 6, count: 32).base64EncodedString()))

        // then
        #expect(right.status == 202 && changed.status == 401 && foreign.status == 401)
        #expect(changed.text.hasPrefix("refused: "))
        let (first, second) = (try listener.delivery(0), try listener.delivery(1))
        #expect(first["verified"].bool == true && first["reason"].isNull && first["status"].int == 202)
        #expect(first["body"]["type"].string == "interview.completed" && first["at"].string != nil && first["path"].string == "/hook")
        #expect(first["headers"]["content-type"].string == "application/json")
        #expect(second["verified"].bool == false && second["reason"].string != nil && second["status"].int == 401)
        #expect(listener.ready["secret"].isNull && !listener.process.output.contains(secret))
    }

    @Test func itMakesASecretAndSaysHowToPointAnEndpointAtIt() throws {
        // given
        let shell = try Shell()
        let listener = try Listener([])
        let made = try #require(listener.ready["secret"].string)
        let words = try #require(listener.ready["add"].string).split(separator: " ").map(String.init)

        // when
        let added = try shell.lines(Array(words.dropFirst()))

        // then
        #expect(added.first?["secret"].string == made)
        #expect(added.first?["url"].string == "http://127.0.0.1:\(listener.port)/")
        #expect(listener.ready["serve"].string == "hirewire serve --webhook-allow-http --webhook-allow-cidr 127.0.0.0/8")
        let body = Array("{}".utf8)
        #expect(try listener.post(body, signed(.standard, body, secret: made)).status == 200)
    }

    @Test func peopleReadPlainLinesWhereThereIsNoTerminal() throws {
        // given
        let listener = try Listener(["--secret", secret], isJSON: false)
        let body = Array(#"{"type":"job.status_changed","data":{"a":1}}"#.utf8)

        // when
        _ = try listener.post(body, signed(.standard, body, secret: secret))
        let process = listener.process

        // then
        #expect(poll(seconds: 10) { process.output.contains("\"a\": 1") })
        #expect(process.output.contains("✓ verified  POST /hook  job.status_changed  → 200"))
        #expect(!process.output.contains("\u{1B}"))
        process.signal(SIGINT)
        #expect(try process.wait(seconds: 10) == 0)
    }

    @Test func itAnswersLateAndTakesOneMebibyte() throws {
        // given
        let listener = try Listener(["--secret", secret, "--delay", "1s"])
        let body = Array("{}".utf8)
        let headers = try signed(.standard, body, secret: secret)

        // when
        let start = ContinuousClock.now
        let late = try listener.post(body, headers)

        // then
        #expect(late.status == 200 && ContinuousClock.now - start >= .seconds(1))
        #expect(try listener.post([UInt8](repeating: 32, count: 1 << 20), headers).status == 401)
        #expect(try listener.post([UInt8](repeating: 32, count: 1 << 20 + 1), headers).status == 413)
        let connection = try Connection(listener.port)
        connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try connection.receive().status == 405)
    }

    @Test(arguments: [
        ["--port", "70000"], ["--status", "99"], ["--delay", "soon"], ["--dialect", "x"], ["--secret", "short"],
        ["--dialect", "talentsprout"],
    ])
    func badUsageIsRefused(options: [String]) throws {
        let finished = try Program.run(["listen"] + options)
        #expect(finished.exitCode == 2 && finished.output.isEmpty)
    }

    @Test func aTakenPortIsAFailureInWords() throws {
        let listener = try Listener([])
        let finished = try Program.run(["listen", "--port", "\(listener.port)"])
        #expect(finished.exitCode == 1 && finished.errors.contains("taken by another process"))
    }
}

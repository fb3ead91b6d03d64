import Foundation
import Testing

/// Who may push, how often, and what they see of it.
@Suite struct PushCredentialTests {
    private let folder: Folder
    private let pusher: Pusher
    private var server: Server { pusher.server }

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("credentials.db")))
    }

    private func ask(_ fields: [String], _ target: String = Pusher.base + "/candidates/x", from source: String = "127.0.0.1") throws
        -> Response
    {
        let connection = try pusher.connect(from: source)
        connection.send(Server.request("GET", target, fields))
        return try connection.receive()
    }

    private func bearer(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }

    @Test func onlyAKeyThatMayPushIsTaken() throws {
        // given
        let (reader, revoked, expired) = (
            try server.makeKey("--scope", "read:pii"), try server.makeKey("--scope", "ingest"),
            try server.makeKey("--scope", "ingest", "--expires", "1s")
        )
        try server.command("keys", "revoke", revoked.id)
        let from = "127.0.0.61"

        // then
        let none = try ask([], from: from)
        #expect(none.status == 401 && none.code == "unauthorized" && none["WWW-Authenticate"] == "Bearer realm=\"hirewire\"")
        let read = try ask(bearer(reader.token), from: from)
        #expect(
            try read.status == 403 && read.code == "insufficient_scope" && read.json["errors"][0]["scope"].string == "ingest",
            "\(read.text)")
        #expect(try poll(seconds: 5, every: 0.3) { try ask(bearer(expired.token), from: "127.0.0.62").status == 401 })
        let wrong = String(pusher.key.token.dropLast()) + (pusher.key.token.hasSuffix("0") ? "1" : "0")
        for token in [revoked.token, expired.token, wrong, "x", "hwop_" + String(repeating: "a", count: 40)] {
            let answer = try ask(bearer(token), from: from)
            #expect(answer.status == 401 && answer.code == "invalid_token" && answer["WWW-Authenticate"]?.contains("invalid_token") == true)
            #expect(!answer.text.contains(token) || token == "x")
        }
        #expect(try ask(bearer(pusher.key.token) + bearer(pusher.key.token), from: from).status == 400)
        let pair = Data("\(pusher.key.id):\(pusher.key.secret)".utf8).base64EncodedString()
        #expect(try ask(["Authorization: Basic \(pair)"], from: from).status == 404)
        #expect(try ask(bearer(pusher.key.token), from: from).status == 404)
    }

    @Test func failingCredentialsAreCountedByAddressAndHarmNobodyElse() throws {
        // given
        let from = "127.0.0.63"
        var over = try ask(bearer("wrong"), from: from)
        let (isLimited, told) = try isLimited(after: 19, refilledEvery: 3) { _ in
            over = try ask(bearer("wrong"), from: from)
            return over.status
        }

        // then
        #expect(isLimited, told)
        #expect(over.status == 429 && over.code == "rate_limited" && Int(over["Retry-After"] ?? "").map { $0 >= 1 && $0 <= 60 } == true)
        #expect(try ask(bearer(pusher.key.token), from: from).status == 404)
        #expect(try ask([], from: from).status == 401)
        #expect(try ask(bearer("wrong"), from: "127.0.0.64").status == 401)
    }

    @Test func neitherListenerHasTheOthersAddresses() throws {
        _ = try pusher.stored("/jobs/x", #"{"title":"T"}"#)
        for path in ["/jobs/x", "/capabilities", ""] {
            #expect(try server.get(Pusher.base + path, key: pusher.key.token).status == 404, "\(path)")
        }
        for path in ["/api/v1/jobs", "/api/v1/key", "/api/v1", "/openapi.json", "/operator/v2", "/operator"] {
            let answer = try ask(bearer(pusher.key.token), path)
            #expect(answer.status == 404 && answer["Content-Type"] == "application/problem+json", "\(path) \(answer.status)")
        }
        // A key that pushes alone reads nothing there.
        let ingest = try Pusher(server, ["--scope", "ingest"])
        #expect(try server.get("/api/v1/jobs", key: ingest.key.token).status == 403)
    }

    @Test func neitherListenerTakesTheOthersCredentials() throws {
        // given
        let visitor = try OperatorVisitor.signedIn(server)
        let token = try OperatorVisitor.newToken(server)
        let signedIn = try OperatorVisitor.signedIn(server)

        // then: the operator's token opens nothing of the public API
        let told = try server.get("/api/v1/jobs", key: token)
        #expect(told.status == 401 && told.code == "invalid_token")
        // nor a session the push API, nor a key the pages
        #expect(try ask(["Cookie: hirewire_session=\(signedIn.cookie ?? "")"]).status == 401)
        #expect(try ask(["Cookie: hirewire_session=\(visitor.cookie ?? "")"]).status == 401)
        for path in ["/keys", "/webhooks", "/data/candidates", "/deliveries"] {
            let answer = try ask(bearer(pusher.key.token), path)
            #expect(answer.status == 303 && answer["Location"]?.hasPrefix("/?next=") == true, "\(path)")
        }
    }

    @Test func oneAllowanceHoldsForBothListeners() throws {
        // given
        let few = try Pusher(server, ["--scope", "ingest", "--scope", "read"], limit: 4)
        let first = try few.get("/jobs/x")
        #expect(first.status == 404 && first["RateLimit-Policy"] == "\"default\";q=4;w=60" && first["RateLimit"]?.contains("r=3") == true)
        for _ in 0..<2 { #expect(try server.get("/api/v1/jobs", key: few.key.token).status == 200) }
        #expect(try few.put("/jobs/x", #"{"title":"T"}"#).status == 201)

        // then
        let over = try few.put("/jobs/x", #"{"title":"U"}"#)
        #expect(
            over.status == 429 && over.code == "rate_limited" && Int(over["Retry-After"] ?? "").map { $0 >= 1 && $0 <= 15 } == true,
            "\(over.text)")
        #expect(try server.get("/api/v1/jobs?limit=3", key: few.key.token).status == 429)
        #expect(try pusher.get("/jobs/x").json["title"].string == "T")
    }

    @Test func whatIsHiddenIsNamedWhereItStands() throws {
        // given: a candidate whose external_id is an address, and a match that names it
        let pusher = try Pusher(server, ["--scope", "ingest", "--scope", "read:pii"])
        #expect(try pusher.put("/candidates/" + Pusher.escaped("kim@example.com"), #"{"full_name":"Kim"}"#).status == 201)
        #expect(try pusher.put("/jobs/hidden-job", #"{"title":"Cook"}"#).status == 201)
        let body = #"{"candidate_external_id":"kim@example.com","job_external_id":"hidden-job","score":70}"#
        let match = try pusher.put("/matches/hidden-match", body).json
        let key = try server.makeKey().token
        func masked(_ target: String, _ part: String?) throws -> [String] {
            let json = try server.get(target, key: key).json
            return (part.map { json[$0]["masked"] } ?? json["masked"]).array?.compactMap(\.string) ?? []
        }

        // then
        let job = try #require(match["job_id"].string)
        let candidate = try #require(match["candidate_id"].string)
        #expect(try masked("/api/v1/matches?job_id=\(job)", "meta") == ["candidate.external_id"])
        #expect(try masked("/api/v1/matches/\(#require(match["id"].string))", nil) == ["candidate.external_id"])
        #expect(try masked("/api/v1/jobs/\(job)", nil).contains("matched_candidates.candidate.external_id"))
        #expect(try masked("/api/v1/candidates/\(candidate)", nil).first == "external_id")
        #expect(try masked("/api/v1/events?limit=1", "meta").contains("data.candidate.external_id"))
        let lines = try server.get("/api/v1/matches?job_id=\(job)&format=csv", key: key)
        #expect(lines["X-Masked"] == "candidate.external_id")
    }

    @Test func whoMayNotReadSeesNothingPersonalAndCanNotClearIt() throws {
        // given
        let blind = try Pusher(server, ["--scope", "ingest"])
        let path = "/candidates/" + Pusher.escaped("zoe@example.com")
        let body = #"{"full_name":"Zoë","email":"zoe@example.com","custom":{"secret":1}}"#

        // when
        let answers = [try blind.put(path, body), try blind.get(path), try blind.patch(path, #"{"headline":"h"}"#)]

        // then
        for answer in answers {
            let record = try answer.json
            #expect(answer.status < 300 && record["full_name"].string == "Zoë", "\(answer.text)")
            #expect(record["email"].isNull && record["custom"].isNull && record["external_id"].isNull && !answer.text.contains("zoe@"))
            let masked = record["masked"].array?.compactMap(\.string) ?? []
            #expect(masked.contains("email") && masked.contains("custom") && masked.contains("external_id"), "\(masked)")
        }
        let batch = try blind.post(
            "/batch", #"{"records":[{"kind":"candidate","external_id":"zoe@example.com","method":"PATCH","data":{}}]}"#)
        #expect(try batch.status == 200 && batch.json["results"][0]["external_id"].isNull && !batch.text.contains("zoe@"))

        // when: it is pushed back as it was read
        for back in [try blind.put(path, answers[2].text), try blind.patch(path, answers[2].text)] {
            // then
            #expect(back.status == 422 && Array(back.faults.keys) == ["/masked"], "\(back.text)")
        }
        let whole = try pusher.get(path).json
        #expect(whole["email"].string == "zoe@example.com" && whole["custom"]["secret"].int == 1 && whole["masked"].array?.isEmpty == true)
    }
}

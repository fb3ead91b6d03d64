import Foundation
import Testing

/// What the operator does is told in the log.
@Suite struct OperatorActionTests {
    @Test func theLogTellsWhoDidWhatToWhichIdAndNoSecret() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("actions.db"), ["--access-log", "on"])
        let token = try OperatorVisitor.newToken(server)
        var visitor = OperatorVisitor(server: server)
        func log() -> [String] {
            server.process.errors.split(separator: "\n").filter { $0.contains("operator action") }.map(String.init).sorted()
        }
        #expect(try visitor.signIn("hwop_wrong").status == 403)
        #expect(try visitor.signIn(token).status == 303)

        // when: on the pages, and by the API
        let made = try visitor.post("/keys", ["name": "Nora Secret", "scope": "ingest", "rate_limit": "9", "expires": "never"])
        let key = try #require(made.text.firstMatch(of: #/rk_[a-z0-9]{16}_[A-Za-z0-9]{49}/#).map { String($0.0) })
        let id = String(key.split(separator: "_")[1])
        let added = try visitor.post("/webhooks", ["url": "https://one.example/hush?q=nora", "all_events": "yes"])
        let endpoint = try #require(added.text.firstMatch(of: #/ep_[0-9A-Z]{26}/#).map { String($0.0) })
        #expect(try visitor.post("/webhooks/\(endpoint)/state", ["state": "paused"]).status == 303)
        #expect(try visitor.post("/keys", ["name": ""]).status == 422)
        #expect(try visitor.post("/keys/nobody/revoke").status == 404)
        let api = Pusher(server, key: Key(token: token, id: "-"))
        #expect(try api.post("/organizations", #"{"name":"Acme"}"#).status == 201)
        #expect(try api.post("/webhooks/\(endpoint)/enable", "{}").status == 200)
        #expect(try api.delete("/keys/\(id)").status == 200 && api.get("/keys").status == 200)
        #expect(try api.put("/candidates/nora@example.com", #"{"full_name":"Nora"}"#).status == 201)
        #expect(try api.post("/candidates/nora@example.com/erase", "").status == 202)
        #expect(try visitor.post("/sign-out").status == 303)

        // then
        let expected = [
            ("session.refused", "nobody", ""), ("session.begin", "session", ""), ("key.create", "session", id),
            ("webhook.create", "session", endpoint), ("webhook.disable", "session", endpoint),
            ("organization.create", "operator token", "org_"), ("webhook.enable", "operator token", endpoint),
            ("key.revoke", "operator token", id), ("candidate.erase", "operator token", "cand_"), ("session.end", "session", ""),
        ]
        #expect(poll(seconds: 5) { log().count == expected.count }, "\(log())")
        for (line, (action, actor, subject)) in zip(log(), expected) {
            #expect(line.contains(" notice operator action action=\(action) by="), "\(line)")
            #expect(
                line.contains(actor) && (subject.isEmpty || line.contains(subject)) && line.contains("client=127.0.0.1 request_id="),
                "\(line)")
        }
        // and: pages are requests, by their pattern
        let all = server.process.errors
        #expect(all.contains("path=/keys/{id}/revoke route=/keys/{id}/revoke status=404"))
        for secret in [key, token, "hwop_wrong", "Nora", "nora", "hush", "whsec_", visitor.cookie ?? "?"] {
            #expect(!all.contains(secret), "\(secret)")
        }
    }
}

import Foundation
import Testing

/// Organizations, keys and endpoints over the operator's API.
@Suite struct ManagementTests {
    private let folder: Folder
    private let server: Server
    private let token: String

    init() throws {
        folder = try Folder()
        server = try Server(folder("management.db"), ["--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"])
        token = try #require(try server.command("operator-token", "--rotate")["operator_token"].string)
    }

    private func ask(_ method: String, _ path: String, _ body: String? = nil, key: String? = nil) throws -> Response {
        let connection = try Connection(server.operatorPort)
        let fields = body.map { ["Content-Type: application/json", "Content-Length: \($0.utf8.count)"] } ?? []
        connection.send(Server.request(method, "/operator/v1" + path, key: key ?? token, fields) + (body ?? ""))
        return try connection.receive()
    }

    @Test func aKeyIsMadeRotatedAndEnded() throws {
        // when
        let made = try ask("POST", "/keys", #"{"name":"bi","scopes":["read:pii"],"rate_limit":500,"expires_at":"90d"}"#)

        // then
        let (key, id) = (try #require(made.json["key"].string), try #require(made.json["key_id"].string))
        #expect(made.status == 201 && made["Location"] == "/operator/v1/keys/\(id)")
        #expect(try server.get("/api/v1/candidates", key: key).status == 200)
        #expect(try !ask("GET", "/keys").text.contains(key))
        #expect(try ask("GET", "/keys/\(id)").json["rate_limit"].int == 500)

        // when
        let rotated = try #require(try ask("POST", "/keys/\(id)/rotate", #"{"overlap":"0s"}"#).json["key"].string)
        #expect(try poll(seconds: 2) { try server.get("/api/v1/candidates", key: key).status == 401 })
        #expect(try server.get("/api/v1/candidates", key: rotated).status == 200)
        #expect(try ask("DELETE", "/keys/\(id)").json["revoked_at"].string != nil)
        #expect(try poll(seconds: 1) { try server.get("/api/v1/candidates", key: rotated).status == 401 })
        #expect(try ask("DELETE", "/keys/\(id)").status == 404)
    }

    @Test func anEndpointIsMadeTestedPausedEditedAndRemoved() throws {
        // given
        let receiver = try Receiver(folder)

        // when
        let body = #"{"url":"\#(receiver.url("/hook"))","events":["candidate.created"],"schedule":["1s"],"attempts":2}"#
        let made = try ask("POST", "/webhooks", body)

        // then
        let id = try #require(made.json["id"].string)
        #expect(made.status == 201)
        #expect(try made.json["secret"].string?.hasPrefix("whsec_") == true)
        #expect(try ask("POST", "/webhooks/\(id)/test").status == 202)
        #expect(receiver.receives(1, at: "/hook"))
        #expect(try ask("POST", "/webhooks/\(id)/disable").json["state"].string == "disabled")
        #expect(try ask("POST", "/webhooks/\(id)/enable").json["state"].string == "active")
        let edited = try ask("PATCH", "/webhooks/\(id)", #"{"events":null,"timeout":"3s","schedule":null}"#)
        #expect(try edited.json["all_events"].bool == true && edited.json["timeout"].string == "3s")
        let secret = try ask("POST", "/webhooks/\(id)/rotate-secret").json["secret"].string
        #expect(try secret != made.json["secret"].string)
        #expect(try !ask("GET", "/webhooks/\(id)").text.contains(secret ?? "whsec_"))
        #expect(try ask("DELETE", "/webhooks/\(id)").status == 204)
        #expect(try ask("GET", "/webhooks/\(id)").status == 404)
    }

    @Test func anOrganizationIsMadeWithItsPlanAndSeesNothingOfAnother() throws {
        // when
        let made = try ask("POST", "/organizations", #"{"name":"acme","display_name":"Acme","plan":{"webhooks":false,"max_keys":1}}"#)

        // then
        #expect(made.status == 201)
        #expect(try made.json["plan"]["webhooks"].bool == false && made.json["plan"]["max_keys"].int == 1)
        let mine = try #require(try ask("POST", "/keys", #"{"name":"mine"}"#).json["key_id"].string)
        #expect(try ask("GET", "/keys/\(mine)?organization=acme").status == 404)
        #expect(try ask("DELETE", "/keys/\(mine)?organization=acme").status == 404)
        #expect(try ask("POST", "/webhooks?organization=acme", #"{"url":"https://example.com/"}"#).code == "not_in_plan")
        #expect(try ask("POST", "/keys?organization=acme", #"{"name":"one"}"#).status == 201)
        #expect(try ask("POST", "/keys?organization=acme", #"{"name":"two"}"#).code == "not_in_plan")
        #expect(try ask("PATCH", "/organizations/acme", #"{"plan":{"max_keys":null},"match_threshold":80}"#).status == 200)
        #expect(try ask("POST", "/keys?organization=acme", #"{"name":"two"}"#).status == 201)
        #expect(try ask("GET", "/keys?organization=nobody").status == 404)
    }

    @Test func onlyTheOperatorManages() throws {
        let ingest = try server.makeKey("--scope", "ingest", "--scope", "read:pii")
        let reader = try server.makeKey()
        for path in ["/keys", "/webhooks", "/organizations"] {
            #expect(try ask("GET", path, key: ingest.token).code == "insufficient_scope")
            #expect(try ask("GET", path, key: reader.token).status == 403)
        }
        #expect(try ask("POST", "/keys", #"{"name":"mine"}"#, key: ingest.token).status == 403)
        // A rotated token counts no longer.
        try server.command("operator-token", "--rotate")
        #expect(try poll(seconds: 1.5) { try ask("GET", "/keys").status == 401 })
    }

    /// Every documented member is known: what is wrong with it is its value. Nothing else is.
    @Test func theMembersThatAreTakenAreTheDocumentedOnes() throws {
        let schemas = try ask("GET", "/openapi.json").json["components"]["schemas"]
        func members(_ name: String) -> Set<String> {
            let own = schemas[name]
            let parts = own["allOf"].array?.map { part in
                part["$ref"].string.map { members(String($0.split(separator: "/").last ?? "")) } ?? part["properties"].keys
            }
            return (parts ?? []).reduce(own["properties"].isAbsent ? [] : own["properties"].keys) { $0.union($1) }
        }
        let key = try #require(try ask("POST", "/keys", #"{"name":"k"}"#).json["key_id"].string)
        let endpoint = try #require(try ask("POST", "/webhooks", #"{"url":"https://example.com/"}"#).json["id"].string)
        for (schema, method, path) in [
            ("NewOrganization", "POST", "/organizations"), ("OrganizationChange", "PATCH", "/organizations/default"),
            ("NewKeyInput", "POST", "/keys"), ("Overlap", "POST", "/keys/\(key)/rotate"), ("NewEndpoint", "POST", "/webhooks"),
            ("EndpointChange", "PATCH", "/webhooks/\(endpoint)"), ("Overlap", "POST", "/webhooks/\(endpoint)/rotate-secret"),
        ] {
            let names = members(schema)
            let wrong = "{" + (names.sorted() + ["zzz"]).map { "\"\($0)\":[{}]" }.joined(separator: ",") + "}"
            let answer = try ask(method, path, wrong)
            let unknown = answer.faults.filter { $0.value.contains("no such member") }.keys
            #expect(answer.status == 422 && !names.isEmpty && Array(unknown) == ["/zzz"], "\(schema): \(answer.text)")
            #expect(Set(answer.faults.keys) == Set((names.union(["zzz"])).map { "/" + $0 }), "\(schema): \(answer.text)")
        }
    }

    @Test func whatIsToldOnceHasNoIdempotencyKey() throws {
        let connection = try Connection(server.operatorPort)
        let fields = ["Content-Type: application/json", "Content-Length: 14", "Idempotency-Key: k"]
        connection.send(Server.request("POST", "/operator/v1/keys", key: token, fields) + #"{"name":"mine"}"#.prefix(14))
        let refused = try connection.receive()
        #expect(refused.status == 400 && refused.code == "invalid_request" && refused.text.contains("Idempotency-Key"))
        #expect(try ask("GET", "/keys").json["data"].array?.isEmpty == true)
    }

    @Test func allFaultsOfABodyAreToldAtOnce() throws {
        let refused = try ask("POST", "/keys", #"{"name":"","scopes":["write"],"rate_limit":0,"expires_at":"yesterday","nmae":1}"#)
        let pointers = try refused.json["errors"].array?.compactMap { $0["pointer"].string }
        #expect(refused.status == 422)
        #expect(Set(pointers ?? []) == ["/name", "/scopes", "/rate_limit", "/expires_at", "/nmae"])
        let endpoint = try ask("POST", "/webhooks", #"{"url":"ftp://example.com","secret":"short"}"#)
        #expect(try Set(endpoint.json["errors"].array?.compactMap { $0["pointer"].string } ?? []) == ["/url", "/secret"])
    }
}

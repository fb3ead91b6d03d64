import Foundation
import Testing

/// The operator's pages doing their work.
@Suite struct OperatorPagesTests {
    @Test func whatWasCountedOutlivesTheProcess() throws {
        // given
        let folder = try Folder()
        let database = folder("counts.db")
        let first = try Server(database)
        let key = try first.makeKey()
        for _ in 0..<7 { #expect(try first.get("/api/v1/key", key: key.token).status == 200) }
        for _ in 0..<3 { #expect(try first.get("/api/v1/nothing", key: key.token).status == 404) }

        // when
        first.stop()
        let second = try Server(database)
        #expect(try second.get("/api/v1/key", key: key.token).status == 200)

        // then
        let visitor = try OperatorVisitor.signedIn(second)
        for span in ["hour", "day"] {
            #expect(
                try poll(seconds: 10) {
                    let page = try visitor.get("/?over=\(span)").text
                    return page.contains("<strong>8</strong> successful") && page.contains("<strong>3</strong> refused")
                }, "\(span)")
        }
    }

    @Test func aKeyMadeOnAPageReadsTheAPIAndOneRevokedThereDoesNot() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("keys.db"))
        let visitor = try OperatorVisitor.signedIn(server)

        // when
        let made = try visitor.post("/keys", ["name": "BI", "scope": "read:pii", "rate_limit": "77", "expires": "30d"])
        let key = try #require(made.text.firstMatch(of: #/rk_[a-z0-9]{16}_[A-Za-z0-9]{49}/#).map { String($0.0) })

        // then
        let told = try server.get("/api/v1/key", key: key).json
        #expect(told["name"].string == "BI" && told["rate_limit"]["requests"].int == 77)
        #expect(told["scopes"].array?.compactMap(\.string) == ["read", "read:pii"])
        #expect(!(try visitor.get("/keys")).text.contains(key))

        // when
        let id = key.split(separator: "_")[1]
        #expect(try visitor.post("/keys/\(id)/revoke")["Location"] == "/keys?done=revoked")

        // then
        #expect(try poll(seconds: 1) { try server.get("/api/v1/key", key: key).status == 401 })
        #expect(try visitor.post("/keys/\(id)/revoke").status == 404)
        for wrong in [["name": ""], ["scope": "everything"], ["rate_limit": "0"], ["expires": "2020-01-01"]] {
            let form = ["name": "x", "scope": "read", "rate_limit": "1", "expires": "never"].merging(wrong) { $1 }
            #expect(try visitor.post("/keys", form).status == 422, "\(wrong)")
        }
    }

    @Test func aPageThatIsLoadedAgainMakesNoOtherKeyAndShowsNoneTwice() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("once.db"))
        let visitor = try OperatorVisitor.signedIn(server)
        func once(_ path: String) throws -> String {
            let number = try visitor.get(path).text.firstMatch(of: #/name="once" value="([^"]+)"/#)
            return try #require(number.map { String($0.1) }, "\(path)")
        }
        let number = try once("/keys")
        #expect(try once("/keys") != number)
        let form = ["name": "one", "scope": "read", "rate_limit": "10", "expires": "never", "once": number]

        // when
        let (first, again) = (try visitor.post("/keys", form), try visitor.post("/keys", form))

        // then
        #expect(first.status == 200 && first.text.contains("rk_"))
        #expect(again.status == 409 && !again.text.contains("rk_") && again.text.contains("sent before"))
        let keys = try Program.run(["keys", "list", "--json", "--database", server.database]).lines
        #expect(keys.count == 1)

        // and: a form with a fault may be corrected, by its next number
        let faulty = try visitor.post("/keys", ["name": "", "scope": "read", "rate_limit": "1", "expires": "never", "once": once("/keys")])
        let next = try #require(faulty.text.firstMatch(of: #/name="once" value="([^"]+)"/#).map { String($0.1) })
        #expect(faulty.status == 422)
        #expect(try visitor.post("/keys", form.merging(["name": "two", "once": next]) { $1 }).status == 200)

        // and: so it is wherever something is shown once, and after another start too
        let id = try #require(keys[0]["key_id"].string)
        let endpoint = try #require(try server.command("webhooks", "add", "--url", "https://once.example/")["id"].string)
        server.stop()
        let restarted = try Server(server.database)
        let still = OperatorVisitor(server: restarted, cookie: visitor.cookie)
        for (path, form) in [
            ("/keys/\(id)/rotate", ["overlap": "0s"]), ("/webhooks/\(endpoint)/secret", ["overlap": "0s"]),
            ("/webhooks", ["url": "https://two.example/", "all_events": "yes"]),
        ] {
            let form = form.merging(["once": "n-\(path)"]) { $1 }
            #expect(try still.get(path == "/webhooks" ? "/webhooks/new" : path).text.contains("name=\"once\""), "\(path)")
            #expect(try still.post(path, form).status == 200 && still.post(path, form).status == 409, "\(path)")
        }
        #expect(try still.post("/keys", ["once": number]).status == 409)
        #expect(try Program.run(["webhooks", "list", "--json", "--database", server.database]).lines.count == 2)
    }

    @Test func aReplayIsDoneByItsFormAndNotByItsPage() throws {
        // given
        let folder = try Folder()
        let receiver = try Receiver(folder)
        let server = try Server(folder("replay.db"), ["--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"])
        let endpoint = try #require(try server.command("webhooks", "add", "--url", receiver.url("/hook"))["id"].string)
        try folder.write(#"{"external_id":"c","full_name":"Ada"}"# + "\n", to: "one.ndjson")
        try server.command("import", "candidates", folder("one.ndjson"))
        #expect(receiver.receives(1, at: "/hook"))
        let visitor = try OperatorVisitor.signedIn(server)
        let path = "/webhooks/\(endpoint)/replay"
        #expect(try poll(seconds: 5) { try visitor.get("/deliveries?status=succeeded").text.contains("dlv_") })

        // when
        let form = ["status": "succeeded", "since": "1h", "once": "run-1"]
        let answer = try visitor.post(path, form)

        // then
        let shown = try #require(answer["Location"])
        #expect(answer.status == 303 && shown.hasPrefix(path + "?"))
        for _ in 0..<2 { #expect(try visitor.get(shown).text.contains("<strong>1</strong> deliveries go out again")) }
        #expect(receiver.receives(2, at: "/hook"))
        #expect(try visitor.post(path, form).status == 409)
        #expect(!receiver.receives(3, at: "/hook", seconds: 1))
    }

    @Test func aWaitingRequestIsAnsweredByTheEventThatComes() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("events.db"))
        let visitor = try OperatorVisitor.signedIn(server)
        let connection = try Connection(server.operatorPort)
        connection.send(
            "GET /events/after?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: hirewire_session=\(visitor.cookie ?? "")\r\n\r\n")
        #expect(!connection.isReadable(within: 0.5))

        // when
        let file = try folder.write(#"{"external_id":"c","full_name":"Ada <b>Lovelace"}"#, to: "candidates.ndjson")
        try server.command("import", "candidates", file)

        // then
        let answer = try connection.receive()
        #expect(answer.status == 200 && answer["Hirewire-Last"] == "1")
        #expect(answer.text.contains("Ada &lt;b&gt;Lovelace") && answer.text.contains("candidate.created"))
    }

    @Test func quotationMarksWithAccentsEndNoAttribute() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("accents.db"))
        let visitor = try OperatorVisitor.signedIn(server)

        // when
        let page = try visitor.get("/data/candidates?location=%22%CC%81%20autofocus%3D%3C%CC%81b").text

        // then
        #expect(page.contains("value=\"&quot;\u{301} autofocus=&lt;\u{301}b\""))
    }

    @Test func theDocumentationHasTheContractsOwnSnippets() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("docs.db"))
        let visitor = try OperatorVisitor.signedIn(server)

        // when
        let page = try visitor.get("/docs").text

        // then
        for dialect in ["Standard", "Rejento", "Tenzo", "TalentSprout", "Kendo"] {
            #expect(page.contains("def verify_\(dialect.lowercased())(") && page.contains("function verify\(dialect)("))
            #expect(page.contains("func verify\(dialect)("))
        }
    }

    @Test func whatThePlanDoesNotHaveIsRefusedInWords() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("plan.db"))
        try server.command("organizations", "edit", "default", "--max-keys", "1")
        let visitor = try OperatorVisitor.signedIn(server)
        let form = ["name": "one", "scope": "read", "rate_limit": "1", "expires": "never"]
        #expect(try visitor.post("/keys", form).status == 200)

        // when
        let refused = try visitor.post("/keys", form)

        // then
        #expect(refused.status == 403 && refused.text.contains("<h1>Not in the plan</h1>"))
        #expect(refused.text.contains("<p>The plan has room for 1 key, and all of it is taken; revoke one."), "\(refused.text)")
    }

    @Test func thePlanIsSetOnTheOrganizationsPage() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("plan.db"))
        let visitor = try OperatorVisitor.signedIn(server)
        let organization = try #require(try server.command("organizations", "list")["id"].string)
        let path = "/organizations/\(organization)"

        // when: webhooks are not ticked
        let form = ["match_threshold": "70", "api": "yes", "rate_limit": "55", "max_keys": "3", "max_endpoints": ""]
        #expect(try visitor.post(path, form).status == 303)

        // then
        let plan = try server.command("organizations", "list")["plan"]
        #expect(plan["api"].bool == true && plan["webhooks"].bool == false && plan["rate_limit"].int == 55)
        #expect(plan["max_keys"].int == 3 && plan["max_endpoints"].isNull)
        #expect(try visitor.get("/organizations").text.contains("no webhooks, 55/min, 3 keys"))
        #expect(try visitor.post(path, form.merging(["max_keys": "1"]) { $1 }).status == 303)
        #expect(try visitor.get("/organizations").text.contains("no webhooks, 55/min, 1 key<"))
        let refused = try visitor.post(path, form.merging(["rate_limit": "many"]) { $1 })
        #expect(refused.status == 422 && refused.text.contains("many"))
    }

    @Test func whatTheOperatorReadsIsToldInTheAudit() throws {
        // given
        let folder = try Folder()
        let server = try Server(folder("audit.db"))
        try folder.write("{\"external_id\":\"c1\",\"full_name\":\"Ada\",\"email\":\"ada@example.com\"}\n", to: "one.ndjson")
        try server.command("import", "candidates", folder("one.ndjson"))
        let visitor = try OperatorVisitor.signedIn(server)

        // when
        #expect(try visitor.get("/data/candidates").status == 200)
        var deliveries: [String] = []
        for options in [["--include-pii"], []] {
            let added = ["webhooks", "add", "--url", "https://example.com/\(options.count)", "--events", "candidate.created"] + options
            let endpoint = try #require(try Program.run(added + ["--json", "--database", server.database]).lines.first?["id"].string)
            try server.command("webhooks", "disable", endpoint)
            try server.command("webhooks", "replay", endpoint)
            deliveries.append(try #require(try server.command("webhooks", "deliveries", "--endpoint", endpoint)["id"].string))
        }
        #expect(try visitor.get("/deliveries/\(deliveries[0])").text.contains("ada@example.com"))
        #expect(try !visitor.get("/deliveries/\(deliveries[1])").text.contains("ada@example.com"))

        // then
        func reads() throws -> [JSON] {
            try Program.run(["audit", "--candidate", "c1", "--json", "--database", server.database]).lines
        }
        #expect(try poll(seconds: 10, every: 0.2) { try reads().count >= 2 })
        #expect(try reads().allSatisfy { $0["key_id"].isNull && $0["requests"].int == 1 })
        #expect(try Set(reads().compactMap { $0["route"].string }) == ["/data/{kind}", "/deliveries/{id}"])
    }

    @Test func aFilterThatCannotBeReadIsNotOverlooked() throws {
        let folder = try Folder()
        let visitor = try OperatorVisitor.signedIn(Server(folder("filters.db")))
        for filter in ["status=bogus", "type=bogus", "endpoint=ep_1", "before=x", "since=x", "until=x"] {
            let answer = try visitor.get("/deliveries?\(filter)")
            #expect(answer.status == 422 && answer.text.contains("id=\"faults\""), "\(filter)")
        }
        for filter in ["status=held", "status=failed", "type=webhook.test", "since=6h", "before="] {
            #expect(try visitor.get("/deliveries?\(filter)").status == 200, "\(filter)")
        }
        for filter in ["type=bogus", "candidate_id=x", "job_id=cand_1", "before=0", "before=x"] {
            #expect(try visitor.get("/events?\(filter)").status == 404, "\(filter)")
        }
        // The field is marked, and a list that was not looked for is not called empty.
        let wrong = [("min_experience=x", "min_experience"), ("status=new&status=old", "status"), ("updated_after=x", "updated_after")]
        for (filter, field) in wrong {
            let list = try visitor.get("/data/candidates?\(filter)")
            let marked = list.text.firstMatch(of: try Regex("name=\"\(field)\"[^>]* aria-invalid=\"true\""))
            #expect(list.status == 422 && marked != nil && !list.text.contains("No candidates"), "\(filter)")
        }
        #expect(try !visitor.get("/data/candidates?status=new").text.contains("aria-invalid"))
        // What the API takes more of stays in the form.
        let list = try visitor.get("/data/candidates?status=new,screening&skill=Swift&skill=C%2B%2B").text
        #expect(list.contains("<option selected>new,screening</option>"))
        #expect(list.contains("name=\"skill\" value=\"Swift\"") && list.contains("name=\"skill\" value=\"C++\""))
    }
}

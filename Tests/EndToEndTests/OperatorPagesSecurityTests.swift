import Foundation
import Testing

/// The operator's pages against who is not the operator.
@Suite struct OperatorPagesSecurityTests {
    private let folder: Folder
    private let server: Server
    private static let pages = [
        "/keys", "/webhooks", "/webhooks/new", "/deliveries", "/events", "/events/after?after=0", "/data/candidates", "/organizations",
        "/docs",
    ]

    init() throws {
        folder = try Folder()
        server = try Server(folder("operator.db"))
    }

    // MARK: Signing in

    @Test func theRightTokenGivesASessionThatIsItsOwn() throws {
        // given
        var visitor = OperatorVisitor(server: server)
        let token = try OperatorVisitor.newToken(server)
        let before = try visitor.get("/")
        visitor.cookie = OperatorVisitor.cookie(before)

        // when
        let answer = try visitor.signIn(token)

        // then
        let field = try #require(answer["Set-Cookie"])
        #expect(answer.status == 303 && answer["Location"] == "/")
        for part in ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] { #expect(field.contains(part)) }
        #expect(OperatorVisitor.cookie(answer) != OperatorVisitor.cookie(before))
        #expect(try visitor.get("/").text.contains("<h1>Overview</h1>"))
        let stored = try String(decoding: Data(contentsOf: URL(fileURLWithPath: server.database + "-wal")), as: UTF8.self)
        #expect(!stored.contains(token) && !stored.contains(visitor.cookie ?? "?"))
    }

    @Test func aCookieThatSomebodyPlantedIsNeverASession() throws {
        // given
        var visitor = OperatorVisitor(server: server, cookie: String(repeating: "A", count: 43))

        // when
        let answer = try visitor.signIn(OperatorVisitor.newToken(server))

        // then
        #expect(answer.status == 303)
        #expect(visitor.cookie != String(repeating: "A", count: 43))
        let planter = OperatorVisitor(server: server, cookie: String(repeating: "A", count: 43))
        #expect(try planter.get("/keys").status == 303)
    }

    @Test func wrongTokensAreLimitedAndTheRightOneIsNot() throws {
        // given
        let token = try OperatorVisitor.newToken(server)
        var (visitor, other) = (
            OperatorVisitor(server: server, source: "127.0.0.51"), OperatorVisitor(server: server, source: "127.0.0.52")
        )

        // when
        var last: Response?
        let (isLimited, told) = try isLimited(after: 10, refilledEvery: 6) { attempt in
            last = try visitor.signIn("hwop_\(attempt)")
            return last?.status ?? 0
        }

        // then
        #expect(isLimited, told)
        #expect(last?["Retry-After"].flatMap { Int($0) } ?? 0 > 0)
        #expect(try other.signIn("hwop_wrong").status == 403)
        #expect(try visitor.signIn(token).status == 303)
    }

    @Test func anotherTokenEndsTheSessionsOfTheOldOneWithinASecond() throws {
        // given
        let visitor = try OperatorVisitor.signedIn(server)
        #expect(try visitor.get("/keys").status == 200)

        // when
        _ = try OperatorVisitor.newToken(server)

        // then
        #expect(try poll(seconds: 1) { try visitor.get("/keys").status == 303 })
    }

    @Test func whoSignsOutIsOut() throws {
        // given
        let visitor = try OperatorVisitor.signedIn(server)

        // when
        let answer = try visitor.post("/sign-out")

        // then
        #expect(answer.status == 303 && answer["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(try visitor.get("/keys").status == 303)
    }

    // MARK: Without a session

    @Test func withoutASessionEveryPageLeadsToTheSignIn() throws {
        let visitor = OperatorVisitor(server: server)
        for page in Self.pages where !page.hasPrefix("/events/after") {
            let answer = try visitor.get(page)
            #expect(answer.status == 303 && answer["Location"]?.hasPrefix("/?next=") == true, "\(page)")
            #expect(!answer.text.contains("Overview"))
        }
        #expect(try visitor.get("/events/after?after=0").status == 401)
        for key in [nil, String(repeating: "x", count: 43), "x"] {
            let stranger = OperatorVisitor(server: server, cookie: key)
            #expect(try stranger.ask("POST", "/keys", body: "name=x&scope=read").status == 403)
            #expect(try stranger.get("/").text.contains("Operator"))
        }
        #expect(try OperatorVisitor(server: server).get("/?next=//evil.example").text.contains("evil") == false)
    }

    @Test func aBrowserIsSentBackToWhereItWantedToGoAndNowhereElse() throws {
        // given
        var visitor = OperatorVisitor(server: server)
        let token = try OperatorVisitor.newToken(server)

        // when
        let page = try visitor.get("/?next=/data/jobs?status=open")
        visitor.cookie = OperatorVisitor.cookie(page)
        func signIn(next: String) throws -> Response {
            try visitor.ask(
                "POST", "/sign-in",
                body: OperatorVisitor.form(["token": OperatorVisitor.formToken(page) ?? "", "operator_token": token, "next": next]))
        }

        // then
        #expect(try signIn(next: "/data/jobs?status=open")["Location"] == "/data/jobs?status=open")
        for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nX: y"] {
            #expect(try signIn(next: next)["Location"] == "/")
        }
    }

    // MARK: Forms of others

    @Test func aFormOfAnotherSiteIsRefused() throws {
        let visitor = try OperatorVisitor.signedIn(server)
        for fields in [
            ["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
            ["Origin: null", "Sec-Fetch-Site: cross-site"], ["Origin: http://127.0.0.1:1"],
        ] {
            let answer = try visitor.post("/keys", ["name": "evil", "scope": "read", "rate_limit": "1", "expires": "never"], fields)
            #expect(answer.status == 403, "\(fields)")
        }
        #expect(try visitor.get("/keys").text.contains("evil") == false)
    }

    @Test func aFormWithoutItsTokenIsRefused() throws {
        let (visitor, other) = (try OperatorVisitor.signedIn(server), OperatorVisitor(server: server))
        let strange = OperatorVisitor.formToken(try other.get("/")) ?? ""
        for token in ["", "x", strange] {
            let body = OperatorVisitor.form(["token": token, "name": "evil", "scope": "read", "rate_limit": "1", "expires": "never"])
            #expect(try visitor.ask("POST", "/keys", body: body).status == 403)
        }
        #expect(try visitor.get("/keys").text.contains("evil") == false)
        // The same form with its token is taken.
        let made = try visitor.post(
            "/keys", ["name": "good", "scope": "read", "rate_limit": "1", "expires": "never"], ["Sec-Fetch-Site: same-origin"])
        #expect(made.status == 200 && made.text.contains("rk_"))
    }

    @Test func anotherNameForThisServerIsRefused() throws {
        let visitor = try OperatorVisitor.signedIn(server)
        for host in ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "[evil.example]", ""]
        {
            #expect(try visitor.get("/", host: host).status != 200, "\(host)")
        }
        for host in ["localhost", "LOCALHOST:8081", "127.0.0.1", "[::1]:8081", "10.0.0.5:80"] {
            #expect(try visitor.get("/", host: host).status == 200, "\(host)")
        }
    }

    @Test func aFormThatIsTooLargeIsRefused() throws {
        let visitor = try OperatorVisitor.signedIn(server)
        let answer = try visitor.ask("POST", "/keys", body: "name=" + String(repeating: "x", count: 70_000))
        #expect(answer.status == 413)
    }

    // MARK: What every page says

    @Test func everyPageIsNobodyElsesAndRunsNothingOfOthers() throws {
        let visitor = try OperatorVisitor.signedIn(server)
        for page in Self.pages + ["/", "/nothing-of-ours/../keys"] where !page.hasPrefix("/events/after") {
            let answer = try visitor.get(page)
            guard answer.status == 200 else { continue }
            let policy = try #require(answer["Content-Security-Policy"])
            for part in [
                "default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                "form-action 'self'",
            ] {
                #expect(policy.contains(part), "\(page)")
            }
            #expect(!policy.contains("unsafe"))
            #expect(answer["Cache-Control"] == "no-store" && answer["X-Content-Type-Options"] == "nosniff")
            #expect(answer["Referrer-Policy"] == "no-referrer")
            #expect(!answer.text.contains("<script>") && !answer.text.contains(" style=") && !answer.text.contains("onclick"))
        }
        let style = try visitor.get("/assets/style.css?1")
        #expect(style.status == 200 && style["Content-Type"] == "text/css; charset=utf-8")
        #expect(try visitor.get("/assets/layout.mustache").status == 404 && visitor.get("/assets/..%2Fstyle.css").status == 404)
        #expect(try visitor.ask("HEAD", "/keys").status == 200)
    }

    @Test func thePublicListenerHasNoneOfThem() throws {
        let visitor = try OperatorVisitor.signedIn(server)
        for page in ["/keys", "/webhooks", "/sign-in", "/data/candidates", "/assets/style.css"] {
            #expect(try server.get(page, ["Cookie: hirewire_session=\(visitor.cookie ?? "")"]).status == 404)
        }
    }

    // MARK: Another organization's

    @Test func whatIsAnotherOrganizationsIsNotThere() throws {
        // given
        try server.command("organizations", "add", "other")
        let endpoint = try #require(
            try server.command("webhooks", "add", "--url", "https://other.example/", "--organization", "other")["id"].string)
        let delivery = try #require(try server.command("webhooks", "test", endpoint)["id"].string)
        let key = try server.makeKey("--organization", "other")
        let job = try folder.write(#"{"external_id":"j","title":"Other's"}"#, to: "jobs.ndjson")
        try server.command("import", "jobs", job, "--organization", "other")
        let event = try #require(try server.command("events", "--organization", "other", "--limit", "1")["id"].string)
        let visitor = try OperatorVisitor.signedIn(server)

        // then
        for page in [
            "/webhooks/\(endpoint)", "/webhooks/\(endpoint)/edit", "/webhooks/\(endpoint)/secret", "/webhooks/\(endpoint)/replay",
            "/deliveries/\(delivery)", "/keys/\(key.id)/revoke", "/keys/\(key.id)/rotate", "/events/\(event)",
        ] {
            #expect(try visitor.get(page).status == 404, "\(page)")
        }
        for form in [
            "/webhooks/\(endpoint)/state", "/webhooks/\(endpoint)/test", "/webhooks/\(endpoint)/remove", "/webhooks/\(endpoint)/edit",
            "/webhooks/\(endpoint)/secret", "/webhooks/\(endpoint)/replay", "/deliveries/\(delivery)/redeliver", "/keys/\(key.id)/revoke",
            "/keys/\(key.id)/rotate",
        ] {
            #expect(try visitor.post(form, ["state": "paused", "url": "https://evil.example/"]).status == 404, "\(form)")
        }
        #expect(try visitor.get("/deliveries?endpoint=\(endpoint)").status == 404)
        #expect(try visitor.get("/data/jobs").text.contains("Other&#39;s") == false)
        #expect(try server.get("/api/v1/key", key: key.token).status == 200)
    }
}

/// Where the operator listener may be.
@Suite struct OperatorListenerTests {
    @Test func itIsRefusedWhereOthersReachItUnlessAskedForByName() throws {
        // given
        let folder = try Folder()
        let database = folder("remote.db")

        // then
        for host in ["0.0.0.0", "::", "192.0.2.7", "operator.example"] {
            let refused = try Program.run(["serve", "--database", database, "--operator-host", host, "--port", "0", "--operator-port", "0"])
            #expect(refused.exitCode == 2 && refused.errors.contains("--operator-allow-remote"), "\(host)")
        }
        let server = try Server(database, ["--operator-host", "0.0.0.0", "--operator-allow-remote"])
        #expect(try Connection(server.operatorPort).isReadable(within: 0) == false)
    }

    @Test func theTokenIsShownAtTheFirstStartAlone() throws {
        // given
        let folder = try Folder()
        let database = folder("first.db")
        func start() throws -> (output: String, errors: String) {
            let process = try ChildProcess(
                Program.path, ["serve", "--database", database, "--port", "0", "--operator-port", "0", "--access-log", "off"])
            _ = poll(seconds: 30) { process.output.contains("Developer Tools:") || process.exitCode != nil }
            process.signal(SIGTERM)
            _ = try process.wait(seconds: 30)
            return (process.output, process.errors)
        }

        // when
        let (first, second) = (try start(), try start())

        // then
        #expect(first.errors.contains("hwop_") && !first.output.contains("hwop_"))
        #expect(!second.errors.contains("hwop_") && !second.output.contains("hwop_"))
        #expect(second.output.contains("Developer Tools: http://127.0.0.1:"))
    }
}

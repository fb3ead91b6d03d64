import Foundation
import Testing

/// Walks, pages and what a poller relies on, on a server of their own.
@Suite struct PagingTests {
    private let folder: Folder
    private let server: Server
    private let key: String
    private static let publicURL = "https://api.example.com/base"

    init() throws {
        folder = try Folder()
        server = try Server(folder("paging.db"), ["--demo"])
        key = try server.makeKey("--scope", "read:pii").token
    }

    private func page(_ target: String) throws -> JSON {
        let response = try server.get(target, key: key)
        #expect(response.status == 200, "\(response.text.prefix(300))")
        return try response.json
    }

    private func ids(_ page: JSON) -> [String] { page["data"].array?.compactMap { $0["id"].string } ?? [] }

    @Test(
        arguments: [
            ("candidates?limit=7", 200), ("candidates?limit=33&sort=-full_name", 200), ("jobs?limit=4&sort=title", 25),
            ("matches?limit=100", 500),
            ("matches?limit=90&expand=candidate,job&sort=updated_at", 500), ("interviews?limit=50&sort=scheduled_at", 108),
            ("applications", 352),
            ("calls?limit=43", 43), ("candidates?limit=1000", 200), ("candidates?limit=10&q=engineer", nil), ("events?limit=100", nil),
        ] as [(String, Int?)])
    func aWalkMeetsEachRecordOnceByNextAndByCursor(list: String, count: Int?) throws {
        // when: once along `next`, once with the cursor alone
        let start = "/api/v1/" + list
        let byNext = try walk(start) { page in page["next"].string }
        let byCursor = try walk(start) { page in
            page["next_cursor"].string.map { start.prefix { $0 != "?" } + "?cursor=" + $0 }
        }

        // then
        #expect(Set(byNext).count == byNext.count && !byNext.isEmpty)
        if let count { #expect(byNext.count == count) }
        #expect(byNext == byCursor)
    }

    private func walk(_ start: String, _ next: (JSON) -> String?) throws -> [String] {
        var met: [String] = []
        var target: String? = start
        while let asked = target {
            let response = try server.get(asked, key: key)
            #expect(response.status == 200, "\(asked): \(response.text.prefix(300))")
            let page = try response.json
            met += ids(page)
            #expect(page["has_more"].bool == (page["next"].string != nil))
            #expect(page["next"].isNull == page["next_cursor"].isNull)
            let link = page["next"].string.map { "<\($0)>; rel=\"next\"" }
            #expect(response["Link"] == link)
            target = next(page)
            if met.count > 5_000 { throw Trouble("the walk has no end") }
        }
        return met
    }

    @Test func theLimitMayChangeBetweenPages() throws {
        // given
        let whole = ids(try page("/api/v1/candidates?limit=60&sort=full_name"))
        let first = try page("/api/v1/candidates?limit=10&sort=full_name")
        let cursor = first["next_cursor"].string ?? ""

        // when
        let second = try page("/api/v1/candidates?limit=50&sort=full_name&cursor=\(cursor)")
        let alone = try page("/api/v1/candidates?limit=50&fields=id&cursor=\(cursor)")

        // then
        #expect(ids(first) + ids(second) == whole)
        #expect(ids(alone) == ids(second))
        #expect(second["meta"]["as_of"].string == first["meta"]["as_of"].string)
    }

    @Test func aPagesKeysComeInTheDocumentedOrder() throws {
        // when
        let first = try server.get("/api/v1/candidates?limit=1", key: key).text
        let last = try server.get("/api/v1/candidates?limit=1000", key: key)

        // then
        #expect(first.hasPrefix("{\"data\":[{\"id\":\"cand_"))
        #expect(first.contains("],\"has_more\":true,\"meta\":{\"as_of\":\"") && first.hasSuffix("\"}"))
        #expect(last.text.hasSuffix("\"},\"next\":null,\"next_cursor\":null}"))
        #expect(last["Link"] == nil)
        let record = try #require(
            first.range(
                of:
                    #"^\{"data":\[\{"id":"[^"]+","external_id":[^,]+,"version":\d+,"created_at":"[^"]+","updated_at":"[^"]+","deleted_at":null,"first_name":"#,
                options: .regularExpression))
        #expect(record.lowerBound == first.startIndex)
    }

    @Test func nextRepeatsWhatWasWrittenAndIsAPath() throws {
        let next = try page("/api/v1/candidates?location=London,%20ON&limit=1&status=new,screening,hired,rejected,interviewing")["next"]
            .string
        if let next {
            #expect(
                next.hasPrefix("/api/v1/candidates?location=London,%20ON&limit=1&status=new,screening,hired,rejected,interviewing&cursor="))
        }
        let plain = try #require(try page("/api/v1/candidates?updated_after=2020-01-01T00:00:00%2B01:00&limit=1")["next"].string)
        #expect(plain.hasPrefix("/api/v1/candidates?updated_after=2020-01-01T00:00:00%2B01:00&limit=1&cursor="))
        #expect(try page(plain)["data"].array?.count == 1)
    }

    @Test func nextIsAbsoluteWithAPublicURL() throws {
        // given
        let other = try Server(folder("public.db"), ["--demo", "--public-url", Self.publicURL])
        let key = try #require(other.key)

        // when
        let response = try other.get("/api/v1/jobs?limit=1", key: key)

        // then
        let next = try #require(try response.json["next"].string)
        #expect(next.hasPrefix(Self.publicURL + "/api/v1/jobs?limit=1&cursor="))
        #expect(response["Link"] == "<\(next)>; rel=\"next\"")
        #expect(try other.get("/api/v1").json["links"]["jobs"].string == Self.publicURL + "/api/v1/jobs")
        #expect(try other.get(String(next.dropFirst(Self.publicURL.count)), key: key).status == 200)
    }

    @Test func anUnchangedPageIs304AndCostsATenth() throws {
        // given: a bucket of its own, too slow to refill meanwhile
        let key = try server.makeKey(limit: 10).token
        let first = try server.get("/api/v1/candidates?limit=5", key: key)
        let tag = try #require(first["ETag"])
        #expect(tag.hasPrefix("W/\"") && first["Cache-Control"] == "private, no-cache" && first["Last-Modified"] == nil)

        // when
        var answers: [Response] = []
        for _ in 0..<10 { answers.append(try server.get("/api/v1/candidates?limit=5", key: key, ["If-None-Match: \"x\", \(tag)"])) }

        // then
        for answer in answers {
            #expect(answer.status == 304 && answer.body.isEmpty && answer["ETag"] == tag && answer["Content-Type"] == nil)
        }
        #expect(first["RateLimit"]?.hasPrefix("\"default\";r=9;t=") == true)
        #expect(answers.last?["RateLimit"]?.hasPrefix("\"default\";r=8;t=") == true, "\(answers.last?["RateLimit"] ?? "")")
        #expect(try server.get("/api/v1/candidates?limit=5", key: key, ["If-None-Match: \(tag.dropFirst(2))"]).status == 304)
        let other = try server.get("/api/v1/candidates?limit=6", key: key, ["If-None-Match: \(tag)"])
        #expect(other.status == 200 && other["ETag"] != tag)
    }

    @Test func aChangeMakesAnotherTagAndIsFoundByPollingAgain() throws {
        // given
        let target = "/api/v1/candidates?limit=1000"
        let first = try server.get(target, key: key)
        let tag = try #require(first["ETag"])
        let asOf = try #require(try first.json["meta"]["as_of"].string)
        let id = try #require(ids(try first.json).first)
        #expect(try page("/api/v1/candidates?updated_after=\(asOf)")["data"].array?.isEmpty == true)

        // when
        try server.command("set", "candidate", id, "headline=Changed just now")

        // then
        let second = try server.get(target, key: key, ["If-None-Match: \(tag)"])
        #expect(second.status == 200 && second["ETag"] != tag)
        let changed = try page("/api/v1/candidates?updated_after=\(asOf)")
        #expect(ids(changed) == [id])
        #expect(changed["data"][0]["headline"].string == "Changed just now" && changed["data"][0]["version"].int == 2)

        // when
        try server.command("delete", "candidate", id)

        // then
        let tombstone = try page("/api/v1/candidates?include_deleted=true&updated_after=\(try #require(changed["meta"]["as_of"].string))")[
            "data"]
        #expect(tombstone[0]["id"].string == id && tombstone[0]["deleted_at"].string != nil && tombstone[0]["headline"].isNull)
        #expect(try server.get("/api/v1/candidates/\(id)", key: key).status == 410)
    }

    @Test func fieldsAreKeptExpandIsWholeAndCountIsExact() throws {
        // when
        let few = try page("/api/v1/candidates?fields=full_name,status&limit=3")["data"][0]
        let brief = try page("/api/v1/matches?limit=1")
        let whole = try page("/api/v1/matches?limit=1&expand=candidate,job&count=exact")

        // then
        #expect(few.keys == ["id", "full_name", "status"])
        #expect(brief["data"][0]["candidate"].keys == ["id", "external_id", "full_name", "status"])
        #expect(brief["data"][0]["job"].keys == ["id", "external_id", "title", "status"])
        #expect(brief["meta"].keys == ["as_of"])
        #expect(whole["data"][0]["candidate"]["skills"].array != nil && whole["data"][0]["job"]["department"].isAbsent == false)
        #expect(whole["meta"]["total"].int == 500)
    }

    @Test func idsAnswerOnePage() throws {
        let some = ids(try page("/api/v1/candidates?limit=5"))
        for limit in [1, 100] {
            let answer = try page("/api/v1/candidates?limit=\(limit)&ids=" + some.joined(separator: ","))
            #expect(Set(ids(answer)) == Set(some) && answer["has_more"].bool == false && answer["next"].isNull)
        }
    }

    @Test func aPlusBeforeATimesOffsetIsReadAsAPlus() throws {
        let plus = try page("/api/v1/candidates?limit=1&updated_after=2020-01-01T00:00:00+02:00")
        #expect(plus["data"].array?.count == 1)
    }

    @Test func aWaitingFeedAnswersWhenSomethingHappens() throws {
        // given
        let last = try #require(try page("/api/v1/events?limit=1000&after=1000000")["meta"]["last_sequence"].int)
        let id = try #require(ids(try page("/api/v1/candidates?limit=2")).last)
        let connection = try server.connect()
        connection.send(Server.request("GET", "/api/v1/events?wait=30&after=\(last)", key: key))
        #expect(!connection.isReadable(within: 0.3))

        // when
        try server.command("set", "candidate", id, "status=withdrawn")

        // then
        #expect(connection.isReadable(within: 5))
        let feed = try connection.receive().json
        #expect(feed["data"][0]["type"].string == "candidate.status_changed" && feed["data"][0]["subject"]["id"].string == id)
        #expect(feed["data"][0]["data"]["to"].string == "withdrawn")
    }
}

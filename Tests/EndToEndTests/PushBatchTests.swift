import Domain
import Foundation
import Testing

/// Many records in one transaction, or none of them.
@Suite struct PushBatchTests {
    private let folder: Folder
    private let pusher: Pusher

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("batch.db")))
    }

    private static func batch(_ records: [String]) -> String { "{\"records\":[" + records.joined(separator: ",") + "]}" }

    /// Candidates, jobs and applications of theirs, in that order.
    private static func mixed(_ count: Int, prefix: String = "") -> [String] {
        let groups = (0..<count / 4).map { group in
            [
                #"{"kind":"candidate","external_id":"\#(prefix)c\#(group)","data":{"full_name":"Person \#(group)","skills":["Swift"]}}"#,
                #"{"kind":"jobs","external_id":"\#(prefix)j\#(group)","data":{"title":"Job \#(group)"}}"#,
                #"{"kind":"application","external_id":"\#(prefix)a\#(group)","method":"put","data":{"candidate_external_id":"\#(prefix)c\#(group)","job_external_id":"\#(prefix)j\#(group)"}}"#,
                #"{"kind":"match","external_id":"\#(prefix)m\#(group)","data":{"candidate_external_id":"\#(prefix)c\#(group)","job_external_id":"\#(prefix)j\#(group)","score":91}}"#,
            ]
        }
        return groups.flatMap(\.self)
    }

    @Test func aThousandRecordsOfManyKindsAreOneChange() throws {
        // when
        let body = Self.batch(Self.mixed(1_000))
        let answer = try pusher.post("/batch", body)

        // then
        let results = try #require(try answer.json["results"].array)
        #expect(answer.status == 200 && results.count == 1_000, "\(answer.text.prefix(500))")
        #expect(results.allSatisfy { $0["outcome"].string == "created" && $0["version"].int == 1 })
        #expect(results[2]["kind"].string == "application" && results[2]["external_id"].string == "a0")
        let application = try pusher.get("/applications/a249").json
        #expect(application["candidate_id"].string == results[996]["id"].string && application["id"].string == results[998]["id"].string)
        // Each candidate, open job and good match tells of itself.
        #expect(try pusher.server.get("/api/v1/events?limit=1", key: pusher.key.token).json["meta"]["last_sequence"].int != nil)
        let events = try pusher.events()
        #expect(events.count == 750)

        // when
        let again = try pusher.post("/batch", body)

        // then
        let same = try #require(try again.json["results"].array)
        #expect(same.allSatisfy { $0["outcome"].string == "unchanged" && $0["version"].int == 1 })
        #expect(try pusher.events().count == events.count)
    }

    @Test func aBatchCreatesChangesAndDeletes() throws {
        // given
        let id = try #require(try pusher.stored("/candidates/old", #"{"full_name":"Old","headline":"h"}"#)["id"].string)
        _ = try pusher.stored("/jobs/j", #"{"title":"T"}"#)

        // when
        let answer = try pusher.post(
            "/batch",
            Self.batch([
                #"{"kind":"candidate","id":"\#(id)","method":"PATCH","if_match":1,"reason":"why","data":{"status":"offer"}}"#,
                #"{"kind":"candidate","id":"\#(id)","method":"PUT","if_match":2,"data":{"full_name":"New"}}"#,
                #"{"kind":"job","external_id":"j","method":"DELETE","if_match":1}"#,
                #"{"kind":"training","external_id":7}"#,
            ]))

        // then
        let results = try #require(try answer.json["results"].array, "\(answer.text)")
        #expect(results.map { $0["outcome"].string } == ["updated", "updated", "deleted", "created"])
        #expect(results[1]["version"].int == 3 && results[3]["external_id"].string == "7")
        let candidate = try pusher.get("/candidates/old").json
        #expect(candidate["full_name"].string == "New" && candidate["headline"].isNull && candidate["status"].string == "new")
        #expect(try pusher.get("/jobs/j").status == 410 && pusher.get("/trainings/7").status == 200)
        #expect(try pusher.events().contains { $0["data"]["reason"].string == "why" })
    }

    @Test func oneBadRecordChangesNothingAndEveryFaultIsNamed() throws {
        // given
        _ = try pusher.stored("/candidates/c", #"{"full_name":"N"}"#)
        let (events, before) = (try pusher.events().count, try pusher.get("/candidates/c").text)
        let bad = [
            #"{"kind":"job","external_id":"j","data":{"titel":"T"}}"#,
            #"{"kind":"application","external_id":"a","data":{"candidate_external_id":"c","job_external_id":"nobody"}}"#,
            #"{"kind":"candidate","external_id":"c","if_match":7,"data":{}}"#,
            #"{"kind":"candidate","external_id":"missing","method":"PATCH","data":{}}"#,
            #"{"kind":"person","external_id":"p"}"#, #"{"kind":"job","data":{"title":"T"}}"#, #"{"kind":"job","id":"cand_1","data":{}}"#,
            #"{"kind":"job","external_id":"x","method":"POST"}"#, #"{"kind":"job","external_id":"x","title":"T"}"#, "7",
            #"{"kind":"candidate","external_id":"m","data":{"masked":["email"]}}"#,
            #"{"kind":"candidate","external_id":"x","if_match":"1"}"#,
        ]

        // when
        let answer = try pusher.post(
            "/batch", Self.batch([#"{"kind":"candidate","external_id":"c","data":{"full_name":"Changed"}}"#] + Self.mixed(40) + bad))

        // then
        #expect(answer.status == 422 && answer.code == "invalid_record")
        let first = 41
        let pointers = [
            "data/titel", "data/title", "data/job_external_id", "", "", "kind", "external_id", "id", "method", "title", "", "data",
            "if_match",
        ]
        let places = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        let expected = zip(places, pointers).map { "/records/\(first + $0)" + ($1.isEmpty ? "" : "/" + $1) }
        #expect(Set(answer.faults.keys) == Set(expected), "\(answer.text)")
        #expect(answer.faults["/records/43"]?.contains("precondition_failed") == true)
        #expect(try pusher.get("/candidates/c").text == before && pusher.events().count == events)
        #expect(try pusher.count(.candidate) == 1 && pusher.count(.job) == 0 && pusher.count(.application) == 0)
    }

    @Test func allFaultsOfOneElementAreNamedAtOnce() throws {
        // when
        let answer = try pusher.post(
            "/batch",
            Self.batch([
                #"{"kind":"job","external_id":"x","method":"POST","if_match":"1","op":1,"data":{"titel":"T","openings":-1}}"#,
                #"{"kind":"person","method":7,"reason":""}"#,
            ]))

        // then
        let expected = ["0/method", "0/if_match", "0/op", "0/data/titel", "0/data/openings", "1/kind", "1/method", "1/reason"]
        #expect(answer.status == 422 && Set(answer.faults.keys) == Set(expected.map { "/records/" + $0 }), "\(answer.text)")
        #expect(answer.faults["/records/1/kind"]?.hasPrefix("'person' is not one of candidate, job,") == true, "\(answer.text)")
    }

    @Test func whatIsNoBatchIsRefused() throws {
        let many = Self.batch((0...1_000).map { #"{"kind":"training","external_id":"t\#($0)"}"# })
        for body in [many, "{}", "[]", #"{"records":[]}"#, #"{"records":{}}"#, "7"] {
            let answer = try pusher.post("/batch", body)
            #expect(answer.status == 422 && Array(answer.faults.keys) == ["/records"], "\(body.prefix(40)): \(answer.text)")
        }
        #expect(try pusher.count(.training) == 0)
        let unknown = try pusher.post("/batch", #"{"records":[{"kind":"training","external_id":"t"}],"dry_run":true}"#)
        #expect(unknown.status == 422 && Array(unknown.faults.keys) == ["/dry_run"], "\(unknown.text)")
        // Larger than one record's body may be, and taken.
        let text = String(repeating: "x", count: 190_000)
        let large = (0..<80).map { #"{"kind":"job","external_id":"l\#($0)","data":{"title":"T","description":"\#(text)"}}"# }
        #expect(try pusher.post("/batch", Self.batch(large)).status == 200)
        let over = try pusher.post("/batch", Self.batch(large + large.prefix(10)))
        #expect(over.status == 413 && over.code == "body_too_large")
    }

    @Test func aServerThatIsKilledHasDoneABatchWholeOrNotAtAll() throws {
        let database = folder("killed.db")
        var server = try Server(database)
        let key = try Pusher(server).key
        var (done, lost, longest) = (0, 0, 0.5)
        // Until both have been seen, and some twenty times.
        for round in 0..<60 where round < 20 || done == 0 || lost == 0 {
            // given
            let pusher = Pusher(server, key: key)
            let request = pusher.request("POST", "/batch", Array(Self.batch(Self.mixed(1_000, prefix: "r\(round)-")).utf8))
            let connection = try pusher.connect()

            // when
            connection.send(request)
            Thread.sleep(forTimeInterval: Double.random(in: 0...longest))
            server.stop(SIGKILL)
            let wasTold = (try? connection.receive().status) == 200

            // then
            server = try Server(database)
            let again = Pusher(server, key: key)
            let first = try again.get("/candidates/r\(round)-c0").status
            let last = try again.get("/matches/r\(round)-m249").status
            #expect(first == last && [200, 404].contains(first))
            #expect(first == 200 || !wasTold)
            if first == 200 { done += 1 } else { lost += 1 }
            // Towards when it is as often done as not, however fast the machine is.
            longest = first == 200 ? max(0.02, longest * 0.8) : min(2, longest * 1.5)
            #expect(try again.count(.candidate) == done * 250 && again.count(.match) == done * 250)
        }
        print("batches killed: \(done) were done, \(lost) were not")
        #expect(done > 0 && lost > 0)
    }
}

import Foundation
import Testing

/// The interview's result: where what was pushed in goes out again.
@Suite struct PushStoryTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private static let result = #"""
        {"question_completion_rate":100,"overall_grade":85,"summary":"Zoë performed well 🎉","question_results":[{"question":"Why?","score":4}],
         "transcript":[{"speaker":"agent","text":"Hello"},{"speaker":"candidate","text":"Hi"}],"sms_transcript":"See you",
         "recording_url":"https://example.com/r","interview_url":"https://example.com/i","scores":{"n":0.30000000000000004},
         "started_at":"2030-01-01T10:00:00Z","ended_at":"2030-01-02T00:13:00Z","duration_seconds":51180,"call_id":"uuid-1"}
        """#

    @Test func whatIsPushedInComesOutAsAResultThatItsSubscriberVerifies() throws {
        // given: a subscriber with the service's own verification
        let receiver = try Receiver(folder)
        let sender = try Sender(folder)
        let secret = "the secret of ours, 30 letters or more"
        let made = try sender.subscribe(receiver, "/tenzo", "--dialect", "tenzo", "--secret", secret)
        try receiver.check("/tenzo", dialect: "tenzo", secret: secret)
        let pusher = try Pusher(sender.server)
        let document = Array("%PDF-1.7 Zoë".utf8)

        // when: a job, a candidate with a résumé, an application and an interview are pushed, and then the result
        let job = try pusher.stored("/jobs/job-1", #"{"title":"Software Engineer","status":"open"}"#)
        let candidate = try pusher.stored(
            "/candidates/cand-1", #"{"first_name":"Zoë","last_name":"東京","email":"zoe@example.com","phone":"+15551234567"}"#)
        #expect(try pusher.send("PUT", "/candidates/cand-1/resume?file_name=cv.pdf", document, type: "application/pdf").status == 200)
        let application = try pusher.stored(
            "/applications/app-123", #"{"candidate_external_id":"cand-1","job_external_id":"job-1","stage":"Applied"}"#)
        let interview = try pusher.stored(
            "/interviews/int-1", #"{"application_external_id":"app-123","scheduled_at":"2030-01-01T10:00:00Z"}"#)
        #expect(receiver.hits(at: "/tenzo").isEmpty)
        let posted = try pusher.post("/interviews/int-1/result", Self.result)

        // then: it is stored
        #expect(posted.status == 200 && posted["ETag"] == "\"2\"", "\(posted.text)")
        let id = try #require(interview["id"].string)
        let stored = try pusher.get("/interviews/\(id)").json
        #expect(stored["status"].string == "completed" && stored["duration_seconds"].int == 51_180 && stored["call_id"].string == "uuid-1")
        #expect(stored["candidate_id"].string == candidate["id"].string && stored["job_id"].string == job["id"].string)
        #expect(posted.text.contains(#""scores":{"n":0.30000000000000004}"#) && stored["result"]["transcript"][1]["text"].string == "Hi")
        for path in ["applications/app-123", "jobs/job-1"] {
            let read = try pusher.get("/\(path)")
            #expect(try pusher.get("/\(path.prefix { $0 != "/" })/\(read.json["id"].string ?? "")").text == read.text)
        }
        #expect(try pusher.get("/applications/app-123").json["candidate_id"].string == application["candidate_id"].string)
        let open = try pusher.server.get("/api/v1/interviews/\(id)", key: pusher.key.token).json
        #expect(open["result"]["summary"].string == "Zoë performed well 🎉" && open["candidate"]["full_name"].string == "Zoë 東京")
        let resume = try pusher.server.get("/api/v1/candidates/\(candidate["id"].string ?? "")/resume", key: pusher.key.token)
        #expect(resume.body == document)

        // and: the subscriber has it, flat, and accepts it
        #expect(receiver.receives(1, at: "/tenzo"))
        let hit = try #require(receiver.hits(at: "/tenzo").first)
        #expect(hit.verdicts["python"]?["accepted"] == true && hit.verdicts["python"]?["changed body"] == false)
        let body = try hit.json
        let texts = [
            "application_remote_id": "app-123", "candidate_name": "Zoë 東京", "candidate_phone": "+15551234567",
            "candidate_email": "zoe@example.com",
            "call_id": "uuid-1", "job_name": "Software Engineer", "call_duration": "853m", "tenzo_interview_url": "https://example.com/i",
            "call_summary": "Zoë performed well 🎉", "call_transcript": "agent: Hello\ncandidate: Hi", "sms_transcript": "See you",
            "recording_url": "https://example.com/r",
        ]
        for (name, text) in texts { #expect(body[name].string == text, "\(name): \(body[name])") }
        #expect(
            body["question_completion_rate"].int == 100 && body["overall_grade"].int == 85 && body["question_results"][0]["score"].int == 4)
        #expect(body.keys == Set(texts.keys).union(["question_completion_rate", "overall_grade", "question_results"]))
        #expect(try sender.settles(made) && sender.deliveries(made).count == 1)
    }

    @Test func aResultCompletesItsInterviewOnce() throws {
        // given
        let pusher = try Pusher(Server(folder("results.db")))
        _ = try pusher.stored("/interviews/x", #"{"status":"in_progress","title":"T"}"#)

        // when
        let first = try pusher.post("/interviews/x/result", Self.result)
        let again = try pusher.post("/interviews/x/result", Self.result)
        let corrected = try pusher.post("/interviews/x/result", #"{"overall_grade":50}"#)

        // then: what the last one does not say is not known any more
        #expect(first.status == 200 && again.text == first.text)
        let result = try corrected.json
        #expect(result["version"].int == 3 && result["result"]["overall_grade"].int == 50 && result["result"]["summary"].isNull)
        #expect(result["title"].string == "T" && result["duration_seconds"].int == 51_180)
        #expect(try pusher.events().filter { $0["type"].string == "interview.completed" }.count == 1)
    }

    @Test func faultsOfAResultPointIntoWhatWasSent() throws {
        let pusher = try Pusher(Server(folder("results.db")))
        _ = try pusher.stored("/interviews/x", "{}")
        let answer = try pusher.post(
            "/interviews/x/result",
            #"{"overall_grade":101,"grade":1,"a/b":1,"scores":[],"duration_seconds":-1,"started_at":"now","status":"completed"}"#)
        #expect(
            answer.status == 422
                && Set(answer.faults.keys) == [
                    "/overall_grade", "/grade", "/a~1b", "/scores", "/duration_seconds", "/started_at", "/status",
                ],
            "\(answer.text)")
        for body in ["[]", "null", "7"] { #expect(try pusher.post("/interviews/x/result", body).faults.keys.contains(""), "\(body)") }
        #expect(try pusher.get("/interviews/x").json["status"].string == "scheduled")
        #expect(try pusher.post("/interviews/nobody/result", "{}").status == 404)
        #expect(try pusher.delete("/interviews/x").status == 204)
        #expect(try pusher.post("/interviews/x/result", "{}").status == 410)
    }
}

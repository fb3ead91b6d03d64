import Foundation
import Testing

/// Every dialect from a change of the data to a receiver that checks as the service's own subscribers do.
@Suite struct DialectDeliveryTests {
    private static let types: [(dialect: String, types: Set<String>)] = [
        (
            "standard",
            [
                "candidate.created", "candidate.status_changed", "candidate.matched", "candidate.deleted", "job.status_changed",
                "interview.scheduled", "interview.completed", "interview.abandoned", "ai_call.completed", "call.uploaded",
                "ai.training.completed",
            ]
        ),
        (
            "rejento",
            [
                "candidate.created", "candidate.matched", "interview.scheduled", "interview.completed", "candidate.status_changed",
                "ai_call.completed",
            ]
        ),
        ("tenzo", ["interview.completed"]),
        ("talentsprout", ["interview.completed", "interview.abandoned"]),
        ("kendo", ["call.uploaded", "ai.training.completed"]),
    ]

    private let folder: Folder
    private let receiver: Receiver
    private let sender: Sender

    init() throws {
        folder = try Folder()
        let certificates = try Certificates(folder)
        receiver = try Receiver(folder, certificates: certificates)
        sender = try Sender(folder, ["--webhook-ca", certificates.authority, "--webhook-allow-cidr", "127.0.0.0/8"])
    }

    /// Changes that raise every type of event.
    private func changeEverything() throws {
        try sender.importAll("jobs", [#"{"external_id":"j1","title":"Bäcker 東京","status":"open"}"#])
        try sender.importAll("candidates", [Sender.candidate("c1"), #"{"external_id":"c2","full_name":"Zoë \"Q\" O’Neil \\ 東京 🎉"}"#])
        try sender.command("set", "candidate", "c2", "status=interviewing", "--reason", "a good call")
        try sender.importAll("matches", [#"{"external_id":"m1","candidate_external_id":"c2","job_external_id":"j1","score":91.5}"#])
        let people = #""candidate_external_id":"c2","job_external_id":"j1""#
        try sender.importAll(
            "interviews",
            [
                #"{"external_id":"i1",\#(people),"status":"scheduled","scheduled_at":"2030-01-01T10:00:00Z"}"#,
                #"{"external_id":"i2",\#(people),"status":"in_progress"}"#,
            ])
        try sender.importAll(
            "interviews",
            [
                #"{"external_id":"i1","status":"completed","result":{"overall_grade":81,"summary":"Zoë 🎉","scores":{"n":0.30000000000000004}}}"#,
                #"{"external_id":"i2","status":"abandoned"}"#,
            ])
        try sender.importAll("calls", [#"{"external_id":"k1",\#(people),"status":"completed","ai_score":77.5,"agent_name":"Zoë"}"#])
        try sender.importAll(
            "trainings", [#"{"external_id":"t1","agent_name":"Marlow","ai_score":58,"completed_at":"2026-09-07T15:17:23Z"}"#])
        try sender.command("delete", "candidate", "c1")
    }

    @Test func everyEventOfEveryDialectIsAcceptedByItsReceiversAndNothingThatWasChanged() throws {
        // given: a receiver for each, which answers 401 to what its check refuses, over TLS
        var subscribers: [(subscriber: Subscriber, dialect: String, types: Set<String>)] = []
        for (dialect, types) in Self.types {
            let url = receiver.url("/\(dialect)", via: "good", host: "localhost")
            let given = ["tenzo"].contains(dialect) ? ["--secret", "the secret of ours, 30 letters or more"] : []
            var subscriber = try sender.subscribe(url, "/\(dialect)", ["--dialect", dialect] + given)
            if let secret = given.last { subscriber = Subscriber(id: subscriber.id, secret: secret, path: subscriber.path) }
            try receiver.check(subscriber.path, dialect: dialect, secret: subscriber.secret)
            subscribers.append((subscriber, dialect, types))
        }

        // when
        try changeEverything()
        for (subscriber, _, _) in subscribers { try sender.command("webhooks", "test", subscriber.id) }

        // then
        for (subscriber, dialect, types) in subscribers {
            #expect(try sender.settles(subscriber))
            let deliveries = try sender.deliveries(subscriber)
            #expect(deliveries.allSatisfy { $0["status"].string == "succeeded" && $0["attempts"].int == 1 }, "\(dialect): \(deliveries)")
            #expect(Set(deliveries.compactMap { $0["type"].string }) == types.union(["webhook.test"]), "\(dialect)")
            let hits = receiver.hits(at: subscriber.path)
            #expect(hits.count == deliveries.count, "\(dialect)")
            let isTimed = ["standard", "talentsprout"].contains(dialect)
            for hit in hits { judge(hit, dialect, isTimed: isTimed) }
            // An attempt is counted once it is recorded.
            let isCounted = try poll(seconds: 10) {
                try sender.metric("hirewire_webhook_attempts_total{dialect=\"\(dialect)\",outcome=\"succeeded\"}") == Double(hits.count)
            }
            #expect(isCounted, "\(dialect)")
        }
        try checkLog(subscribers.map(\.subscriber))
    }

    /// A line for each attempt, without what is no business of a log's readers.
    private func checkLog(_ subscribers: [Subscriber]) throws {
        sender.server.stop()
        let log = sender.server.process.errors
        let lines = log.split(separator: "\n").filter { $0.contains("webhook attempt") }
        #expect(lines.count == receiver.hits.count)
        for word in ["Zoë", "東京", receiver.url("", via: "good", host: "localhost")] + subscribers.map(\.secret) {
            #expect(!log.contains(word), "the log shows \(word)")
        }
    }

    private func judge(_ hit: Receiver.Hit, _ dialect: String, isTimed: Bool) {
        let expected = ["accepted": true, "changed body": false, "changed secret": false, "old": !isTimed, "ahead": !isTimed]
        #expect(hit.verdicts["python"] == expected, "\(dialect), Python: \(hit)")
        if hit.verdicts["node"]?.isEmpty == true {
            print("NOT TESTED: node is not installed, so its receivers did not run")
        } else {
            #expect(hit.verdicts["node"] == expected, "\(dialect), Node: \(hit)")
        }
        guard dialect == "standard" else { return }
        if hit.verdicts["library"]?.isEmpty == true {
            print("NOT TESTED: the Standard Webhooks library is not installed; Tests/run installs it")
        } else {
            #expect(hit.verdicts["library"] == ["accepted": true, "changed body": false, "changed secret": false], "\(hit)")
        }
    }
}

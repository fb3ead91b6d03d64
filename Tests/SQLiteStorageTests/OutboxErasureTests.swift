import Domain
import Foundation
import Testing

@testable import SQLiteStorage

@Suite("Outbox: erasure, deletion, examination")
struct OutboxErasureTests {
    private let outbox: OutboxBench
    private let endpoint: Endpoint

    init() throws {
        outbox = try OutboxBench()
        endpoint = try outbox.add(personal: true)
    }

    private func candidate() throws -> RecordID {
        let id = try outbox.bench.put(.candidate, #"{"external_id":"c","full_name":"Quuxine Erased","email":"quuxine@one.example"}"#).id
        try outbox.bench.put(.interview, #"{"external_id":"i","candidate_external_id":"c","status":"scheduled"}"#)
        try outbox.bench.put(.candidate, #"{"external_id":"c","status":"offer"}"#)
        try outbox.bench.put(.candidate, #"{"external_id":"other"}"#)
        return id
    }

    @Test("Erasing ends what is pending and empties what was sent; the deletion alone goes out")
    func erased() throws {
        let id = try candidate()
        let sent = try outbox.due(endpoint)
        try outbox.record(sent[0], .succeeded, outbox.attempt(body: "thanks for quuxine"))
        #expect(try outbox.bench.engine.erase(id, in: outbox.bench.organization))
        #expect(try outbox.types(endpoint) == [.candidateCreated, .candidateDeleted])
        #expect(try sent.map { try outbox.state($0.id).status } == [.succeeded, .erased, .erased, .pending])
        #expect(try sent.map { try outbox.outbox.delivery($0.id)?.body == nil } == [true, true, true, false])
        let attempt = try #require(try outbox.outbox.delivery(sent[0].id)?.attempts.first?.attempt)
        #expect(attempt.responseBody.isEmpty && attempt.responseHeaders.isEmpty && attempt.responseStatus == 200)
        // What was in flight is recorded, without what was answered.
        try outbox.record(sent[1], .succeeded, outbox.attempt(body: "quuxine"))
        let late = try #require(try outbox.outbox.delivery(sent[1].id))
        #expect(late.summary.status == .erased && late.attempts.first?.attempt.responseBody == [])
        for delivery in sent.prefix(3) { #expect(throws: InputFaults.self) { try outbox.outbox.redeliver(delivery.id) } }
        try outbox.bench.engine.scrub()
        let bytes = Data(try outbox.bench.engine.storedBytes())
        for word in ["uuxine", "quuxine@one.example"] { #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word)") }
    }

    @Test("Erasing what was deleted before does the same")
    func afterDeletion() throws {
        let id = try candidate()
        let sent = try outbox.due(endpoint)
        try outbox.bench.delete(id)
        #expect(try outbox.due(endpoint).count == 5, "deletion leaves what is pending as it is")
        #expect(try outbox.due(endpoint).first?.body == sent.first?.body)
        #expect(try outbox.bench.engine.erase(id, in: outbox.bench.organization))
        #expect(try outbox.types(endpoint) == [.candidateCreated, .candidateDeleted])
    }

    @Test("A body that several share goes with the erasure of all")
    func shared() throws {
        let second = try outbox.add(personal: true)
        let id = try candidate()
        _ = try outbox.bench.engine.erase(id, in: outbox.bench.organization)
        #expect(try outbox.types(second) == [.candidateCreated, .candidateDeleted] && outbox.count("bodies") == 2)
    }

    @Test("The examination finds nothing in a sound outbox, and what has come apart")
    func check() throws {
        _ = try candidate()
        #expect(try Maintenance.check(outbox.database.path).problems == [])
        try outbox.damage("DELETE FROM bodies WHERE number = 1")
        #expect(try problems().contains { $0.contains("lost their body") })
        try outbox.damage("UPDATE deliveries SET body = NULL WHERE number = 1")
        #expect(try problems().contains { $0.contains("pending deliveries have no body") })
        try outbox.damage("UPDATE deliveries SET endpoint = 9, event = 9 WHERE number = 2")
        #expect(try problems().contains { $0.contains("no endpoint") } && problems().contains { $0.contains("bodies have no delivery") })
        try outbox.damage("UPDATE endpoints SET dialect = 'klingon'")
        #expect(try problems().contains { $0.contains("dialect") })
        #expect(throws: StoreError.self) { try outbox.outbox.endpoints() }
    }

    private func problems() throws -> [String] { try Maintenance.check(outbox.database.path).problems }
}

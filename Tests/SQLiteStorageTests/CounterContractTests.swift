import Domain
import Testing

@Suite("Storage contract: the counter of visible changes")
struct CounterContractTests {
    @Test("It moves at each change that a reader could see, and at nothing else")
    func moves() throws {
        let bench = try Workbench()
        let other = try bench.inOrganization("other")
        let key = try bench.engine.addKey(in: bench.organization)
        var last = try bench.counter()
        func expect(_ moves: Bool, _ what: String, _ body: () throws -> Void) throws {
            try body()
            let now = try bench.counter()
            #expect((now > last) == moves, "\(what)")
            last = now
        }
        try expect(true, "a new record") { try bench.put(.candidate, #"{"external_id":"c"}"#) }
        try expect(false, "the same again") { try bench.put(.candidate, #"{"external_id":"c"}"#) }
        try expect(true, "a change") { try bench.put(.candidate, #"{"external_id":"c","status":"offer"}"#) }
        try expect(true, "history") { try bench.put(.candidate, #"{"external_id":"h"}"#, isHistory: true) }
        try expect(false, "a refused change") { _ = try? bench.put(.job, "{}") }
        try expect(false, "another organization's record") { try other.put(.candidate, #"{"external_id":"c"}"#) }
        try expect(false, "a key's use") {
            try bench.engine.writing.record(usage: [key: KeyUsage(count: 3, lastUsedAt: bench.clock.shown)])
        }
        try expect(false, "a new key") { _ = try bench.engine.addKey(in: bench.organization) }
        try expect(true, "an application") {
            try bench.put(.job, #"{"external_id":"j","title":"T"}"#)
            try bench.put(.application, #"{"candidate_external_id":"c","job_external_id":"j"}"#)
        }
        let id = try bench.put(.candidate, #"{"external_id":"c"}"#).id
        try expect(true, "a deletion") { try bench.delete(id) }
        try expect(false, "a deletion of nothing") { try bench.delete(id) }
        try expect(true, "an erasure") { _ = try bench.engine.erase(id, in: bench.organization) }
    }

    @Test("Another connection sees it move after each commit, and the commit mark with it")
    func seen() throws {
        let bench = try Workbench()
        let reopened = try bench.reopened()
        let (counter, mark) = (try reopened.counter(), reopened.engine.reading.commitMark)
        #expect(try reopened.counter() == counter && reopened.engine.reading.commitMark == mark)
        try bench.put(.candidate, "{}")
        #expect(try reopened.counter() > counter)
        #expect(reopened.engine.reading.commitMark != mark)
    }

    @Test("A key's use is added up, and the last use never goes back")
    func usage() throws {
        let bench = try Workbench()
        let key = try bench.engine.addKey(in: bench.organization)
        let (early, late) = (Timestamp(rfc3339: "2026-01-01T00:00:00Z")!, Timestamp(rfc3339: "2026-01-02T00:00:00Z")!)
        try bench.engine.writing.record(usage: [key: KeyUsage(count: 3, lastUsedAt: late)])
        try bench.engine.writing.record(usage: [
            key: KeyUsage(count: 4, lastUsedAt: early), "0000000000000000": KeyUsage(count: 1, lastUsedAt: late),
        ])
        let stored = try #require(try bench.reopened().engine.reading.read { try $0.key(key) })
        #expect(stored.usageCount == 7 && stored.lastUsedAt == late)
    }
}

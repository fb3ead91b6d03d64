import Dispatch
import Domain
import NIOPosix
import Synchronization
import Testing

@testable import PublicAPI

@Suite("Answers that take long take turns")
struct SlowAnswersTests {
    private final class Log: Sendable {
        let begun = Mutex<[String]>([])
        func note(_ name: String) { begun.withLock { $0.append(name) } }
        var names: [String] { begun.withLock { $0 } }
    }

    private func owner(_ organization: Int64, _ key: String) -> SlowAnswers.Owner {
        SlowAnswers.Owner(organization: OrganizationNumber(organization), keyID: key)
    }

    private func wait(for log: Log, _ count: Int) {
        let deadline = DispatchTime.now() + 10
        while log.names.count < count, DispatchTime.now() < deadline { usleep(1_000) }
        // Long enough for one too many to begin.
        usleep(50_000)
    }

    @Test("A key has half of the threads at most, an organization all but one, and the keys that wait take turns")
    func turns() async throws {
        let pool = NIOThreadPool(numberOfThreads: 6)
        pool.start()
        let slow = SlowAnswers(on: pool, threads: 4)
        let (log, gate) = (Log(), DispatchSemaphore(value: 0))
        func submit(_ owner: SlowAnswers.Owner, _ name: String) {
            #expect(
                slow.submit(owner) {
                    log.note(name)
                    gate.wait()
                })
        }
        for number in 0..<4 { submit(owner(1, "a"), "a\(number)") }
        wait(for: log, 2)
        #expect(log.names.sorted() == ["a0", "a1"])
        for number in 0..<3 { submit(owner(1, "b"), "b\(number)") }
        wait(for: log, 3)
        #expect(log.names.last == "b0" && log.names.count == 3)
        submit(owner(2, "c"), "c0")
        wait(for: log, 4)
        #expect(log.names.last == "c0" && log.names.count == 4)
        // Each that ends makes place for one: of the first organization's keys in turn.
        for ended in 1...8 {
            gate.signal()
            usleep(50_000)
            #expect(log.names.count - ended <= 4)
        }
        #expect(log.names.count == 8 && Set(log.names) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "c0"])
        #expect(try #require(log.names.firstIndex(of: "b1")) < #require(log.names.firstIndex(of: "a3")))
        try await pool.shutdownGracefully()
    }
}

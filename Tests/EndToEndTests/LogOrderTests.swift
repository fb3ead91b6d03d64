import Testing

@testable import Server

/// Lines of all threads are written in the order of their times.
@Suite struct LogOrderTests {
    private func line(_ second: Int, _ text: String) -> String { "{\"time\":\"2026-01-01T00:00:\(second + 10).000000Z\",\(text)}\n" }

    @Test func linesOfSeveralThreadsAreMergedByTheirTimes() {
        let parts = [
            [line(1, "a"), line(4, "b"), line(4, "c")], [], [line(0, "d")], [line(2, "e"), line(3, "f"), line(9, "g"), "short\n"],
        ]
        let merged = String(decoding: LogOutput.merge(parts.map { Array($0.joined().utf8) }), as: UTF8.self)
        let expected = [line(0, "d"), line(1, "a"), line(2, "e"), line(3, "f"), line(4, "b"), line(4, "c"), line(9, "g"), "short\n"]
        #expect(merged == expected.joined())
        #expect(LogOutput.merge([]).isEmpty)
    }
}

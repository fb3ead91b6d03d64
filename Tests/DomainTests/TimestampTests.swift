import Foundation
import TestSupport
import Testing

@testable import Domain

@Suite("Times: RFC 3339 in, UTC with six digits out")
struct TimestampTests {
    @Test(
        "What RFC 3339 allows is read",
        arguments: [
            ("2026-01-31T09:00:00Z", "2026-01-31T09:00:00.000000Z"), ("2026-01-31t09:00:00z", "2026-01-31T09:00:00.000000Z"),
            ("2026-01-31 09:00:00Z", "2026-01-31T09:00:00.000000Z"), ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
            ("2000-02-29T23:59:59.999999Z", "2000-02-29T23:59:59.999999Z"), ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00.000000Z"),
            ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000000Z"), ("2026-01-01T00:00:00 02:00", "2025-12-31T22:00:00.000000Z"),
            ("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000000Z"), ("2026-01-01T00:00:00-23:59", "2026-01-01T23:59:00.000000Z"),
            ("2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.100000Z"), ("2026-01-01T00:00:00.12345678912Z", "2026-01-01T00:00:00.123456Z"),
            ("2026-01-01T00:00:00.9999999Z", "2026-01-01T00:00:00.999999Z"), ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"), ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"), ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000000Z"),
        ])
    func read(text: String, expected: String) throws {
        #expect(try #require(Timestamp(rfc3339: text)).description == expected)
    }

    @Test(
        "Anything else is not",
        arguments: [
            "", "2026", "2026-01-31", "2026-01-31T09:00:00", "2026-01-31T09:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00+01:60",
            "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "2026-1-1T00:00:00Z", "+2026-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
            "２０２６-01-01T00:00:00Z", "2026-01-01T00:00:00Z\u{0}", "2026-01-01T00:00:00\u{2212}01:00", "2026/01/01T00:00:00Z",
        ])
    func refused(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("Every time prints as it is read, and as Foundation prints it")
    func roundTrip() {
        var random = SeededGenerator("times")
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
        for _ in 0..<5_000 {
            let time = Timestamp(
                microseconds: Int64.random(in: Timestamp.earliest.microseconds...Timestamp.latest.microseconds, using: &random))
            #expect(time.description.utf8.count == 27)
            #expect(Timestamp(rfc3339: time.description) == time)
            guard time.microseconds >= 0 else { continue }
            let date = Date(timeIntervalSince1970: Double(time.microseconds / 1_000_000))
            #expect(time.description.prefix(19) == date.formatted(style).prefix(19))
        }
        for edge in [Timestamp.earliest, .latest, Timestamp(microseconds: 0), Timestamp(microseconds: -1)] {
            #expect(Timestamp(rfc3339: edge.description) == edge)
        }
    }

    @Test("Days follow one another through four hundred years of calendar")
    func days() {
        var day = Timestamp(year: 1899, month: 12, day: 31)
        for year in 1900..<2300 {
            for month in 1...12 {
                for number in 1...31 where DateScanner.exists(year: year, month: month, day: number) {
                    let next = Timestamp(year: year, month: month, day: number)
                    if next.microseconds - day.microseconds != 86_400_000_000 { Issue.record("\(next) after \(day)") }
                    day = next
                }
            }
        }
        #expect(day.description == "2299-12-31T00:00:00.000000Z")
    }
}

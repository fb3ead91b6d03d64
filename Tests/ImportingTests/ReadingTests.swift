import Domain
import Importing
import Testing

/// Dates and numbers as people write them.
@Suite struct ReadingTests {
    private func posted(_ text: String, _ reading: String) throws -> String? {
        let mapping = #"{"fields": {"posted_at": {"from": "x", \#(reading)}}}"#
        let row = JSONValue.object([.init("x", .string(text))]).text
        return try RowTexts.of(row, .job, .ndjson, mapping: mapping).first
    }

    @Test(arguments: [
        ("2019-03-19", #""date": "iso""#, "2019-03-19T00:00:00.000000Z"),
        ("2019-03-19T10:20:30.5", #""date": "iso""#, "2019-03-19T10:20:30.500000Z"),
        ("2019-03-19 10:20:30+02:00", #""date": "iso", "zone": "-05:00""#, "2019-03-19T08:20:30.000000Z"),
        ("2019-03-19", #""date": "iso", "zone": "-05:00""#, "2019-03-19T05:00:00.000000Z"),
        ("2019-03-19", #""date": "iso", "zone": "America/New_York""#, "2019-03-19T04:00:00.000000Z"),
        ("2019-01-19", #""date": "iso", "zone": "America/New_York""#, "2019-01-19T05:00:00.000000Z"),
        ("3/9/2019", #""date": "M/d/yyyy""#, "2019-03-09T00:00:00.000000Z"),
        ("19.03.99", #""date": ["iso", "dd.MM.yy"]"#, "1999-03-19T00:00:00.000000Z"),
        ("Mar 9, 2019 12:05 AM", #""date": "MMM d, yyyy h:mm a""#, "2019-03-09T00:05:00.000000Z"),
        (
            "Tuesday 9 September 2019 at 1:05pm", #""date": "EEEE d MMMM yyyy 'at' h:mma""#,
            "2019-09-09T13:05:00.000000Z"
        ),
        (
            "2019-03-19T10:20:30.1234567+0200", #""date": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSX""#,
            "2019-03-19T08:20:30.123456Z"
        ),
        ("20190319102030Z", #""date": "yyyyMMddHHmmssX""#, "2019-03-19T10:20:30.000000Z"),
        ("1552990830", #""date": "unix""#, "2019-03-19T10:20:30.000000Z"),
        ("1552990830123", #""date": "unix_ms""#, "2019-03-19T10:20:30.123000Z"),
        ("2019-03-19T10:20:30Z", #""date": "rfc3339""#, "2019-03-19T10:20:30.000000Z"),
    ])
    func datesAreReadInTheFormsNamed(text: String, reading: String, expected: String) throws {
        #expect(try posted(text, reading) == "1: posted_at=\(expected)")
    }

    @Test(arguments: [
        ("2019-02-29", #""date": "iso""#), ("2019-03-19T25:00:00", #""date": "iso""#),
        ("2019-03-19x", #""date": "iso""#),
        ("13/01/2019", #""date": "MM/dd/yyyy""#), ("3/9/2019", #""date": "MM/dd/yyyy""#),
        ("13:00 PM 2019-03-19", #""date": "h:mm a yyyy-MM-dd""#), ("March", #""date": "MMM d yyyy""#),
        ("1e30", #""date": "unix""#), ("2019-03-19T10:20:30", #""date": "rfc3339""#),
    ])
    func datesThatDoNotFitAreRefused(text: String, reading: String) throws {
        #expect(try posted(text, reading)?.hasPrefix("1: ! /posted_at: '\(text)' does not fit the date format") == true)
    }

    @Test func clockChangesAreReadAsOneMoment() throws {
        let zone = #""date": "yyyy-MM-dd HH:mm", "zone": "America/New_York""#
        // Skipped: 02:30 on the day the clocks go forward.
        #expect(try posted("2019-03-10 01:59", zone) == "1: posted_at=2019-03-10T06:59:00.000000Z")
        #expect(try posted("2019-03-10 02:30", zone) == "1: posted_at=2019-03-10T07:30:00.000000Z")
        #expect(try posted("2019-03-10 03:00", zone) == "1: posted_at=2019-03-10T07:00:00.000000Z")
        // Shown twice: 01:30 on the day they go back; the first is meant.
        #expect(try posted("2019-11-03 01:30", zone) == "1: posted_at=2019-11-03T05:30:00.000000Z")
        #expect(try posted("2019-11-03 02:00", zone) == "1: posted_at=2019-11-03T07:00:00.000000Z")
    }

    private func salary(_ text: String, _ reading: String = "true") throws -> String? {
        let mapping = #"{"fields": {"salary_min": {"from": "x", "number": \#(reading)}}}"#
        let row = JSONValue.object([.init("x", .string(text))]).text
        return try RowTexts.of(row, .job, .ndjson, mapping: mapping).first
    }

    @Test(arguments: [
        ("61387.2", "61387.2"), ("$1,234.50", "1234.5"), ("1 234 567 €", "1234567.0"), ("US$ 80k", "80000.0"),
        ("$81.5K", "81500.0"), ("EUR 1'000", "1000.0"), ("12,34,567", "1234567.0"), ("85 %", "85.0"), (" 007 ", "7.0"),
        ("100 zł", "100.0"), (".5", "0.5"), ("+5", "5.0"), ("1,000 USD", "1000.0"),
    ])
    func numbersAreReadWithWhatStandsAroundThem(text: String, expected: String) throws {
        #expect(try salary(text) == "1: salary_min=\(expected)")
    }

    @Test func aDecimalCommaIsReadWhereItIsNamed() throws {
        #expect(try salary("1.234,50 €", #"{"decimal": ","}"#) == "1: salary_min=1234.5")
        #expect(try salary("1.234", #"{"decimal": ","}"#) == "1: salary_min=1234.0")
    }

    @Test(arguments: [
        "1,50", "1,2345", "80,000-90,000", "10 years", "10x", "1.2.3", "$", "k", "--1", "1,", ",1", "٣", "1e5", "0x10",
    ])
    func whatIsNoNumberIsRefused(text: String) throws {
        #expect(try salary(text) == "1: ! /salary_min: '\(text)' is not a number")
    }

    @Test func aNegativeNumberStaysNegative() throws {
        #expect(try salary("-$5")?.hasPrefix("1: ! /salary_min: should be from 0") == true)
        #expect(try salary("€ -5")?.hasPrefix("1: ! /salary_min: should be from 0") == true)
    }
}

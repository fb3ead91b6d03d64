import Domain
import Importing
import Testing

/// What is wrong with a mapping is said before a row is read.
@Suite struct MappingDocumentTests {
    private func faults(_ document: String, kind: RecordKind = .job) throws -> [String] {
        let json = try JSONParser.parse(document)
        do throws(InputFaults) {
            _ = try Mapping(json: json, kind: kind)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test(arguments: [
        (#"[]"#, "should be an object, not an array"),
        (#"{}"#, "\"fields\" is missing"),
        (#"{"fields": {}}"#, "/fields: names no field"),
        (#"{"feilds": {}, "fields": {"title": "a"}}"#, "/feilds: no such member; did you mean 'fields'?"),
        (#"{"fields": {"titel": "a"}}"#, "/fields/titel: no such field of jobs; did you mean 'title'?"),
        (#"{"fields": {"title": "a", "title": "b"}}"#, "/fields/title: stands here twice"),
        (#"{"fields": {"title": 5}}"#, "/fields/title: should be a path or an object, not a number"),
        (#"{"fields": {"title": ""}}"#, "/fields/title: should be a path"),
        (
            #"{"fields": {"title": {"form": "a"}}}"#,
            "/fields/title/form: no such member; did you mean 'from'?; /fields/title: should have exactly one of "
                + "from, constant, join, object, list, first"
        ),
        (
            #"{"fields": {"title": {"from": "a", "constant": "b"}}}"#,
            "/fields/title: should have exactly one of from, constant, join, object, list, first"
        ),
        (#"{"fields": {"title": {"from": "a", "with": "-"}}}"#, "/fields/title/with: belongs to \"join\""),
        (
            #"{"fields": {"title": {"join": []}}}"#,
            "/fields/title/join: should be an array with an element at least"
        ),
        (
            #"{"fields": {"title": {"join": ["a"], "omit_empty": 1}}}"#,
            "/fields/title/omit_empty: should be true or false, not a number"
        ),
        (
            #"{"fields": {"title": {"from": "a", "split": ""}}}"#,
            "/fields/title/split: should be what stands between the parts"
        ),
        (#"{"fields": {"posted_at": {"from": "a", "zone": "UTC"}}}"#, "/fields/posted_at/zone: belongs to \"date\""),
        (
            #"{"fields": {"posted_at": {"from": "a", "date": "iso", "number": true}}}"#,
            "/fields/posted_at/date: a number is no date"
        ),
        (
            #"{"zone": "EST", "fields": {"title": "a"}}"#,
            "/zone: 'EST' is no time zone, such as UTC, +02:00 or Europe/Berlin"
        ),
        (
            #"{"zone": "America/New_Yorc", "fields": {"title": "a"}}"#,
            "/zone: 'America/New_Yorc' is no time zone, such as UTC, +02:00 or Europe/Berlin"
        ),
        (#"{"separator": "!", "fields": {"title": "a"}}"#, "/separator: should be \",\", \";\", \"|\" or a tab"),
        (#"{"each": {"where": []}, "fields": {"title": "a"}}"#, "/each: \"in\" is missing"),
        (#"{"where": {"is": "a"}, "fields": {"title": "a"}}"#, "/where: \"from\" is missing"),
        (
            #"{"where": [{"from": "a"}], "fields": {"title": "a"}}"#,
            "/where/0: should have one of is, starts_with, contains, present, before, since"
        ),
        (
            #"{"where": [{"from": "a", "before": "soon"}], "fields": {"title": "a"}}"#,
            "/where/0/before: should be a date such as \"2019-03-19\", with or without a time"
        ),
        (
            #"{"where": [{"from": "a", "is": "b", "date": "iso"}], "fields": {"title": "a"}}"#,
            "/where/0/date: belongs to \"before\" and \"since\""
        ),
        (
            #"{"fields": {"status": {"first": [{"from": "a", "translate": {"o/c": "opne"}}], "otherwise": "closed"}}}"#,
            "/fields/status/first/0/translate/o~1c: 'opne' is not one of draft, open, paused, closed, filled; "
                + "did you mean 'open'?"
        ),
        (
            #"{"fields": {"status": {"constant": "shut"}}}"#,
            "/fields/status/constant: 'shut' is not one of draft, open, paused, closed, filled"
        ),
    ])
    func aFaultIsNamedWithItsPlace(document: String, expected: String) throws {
        #expect(try faults(document).joined(separator: "; ") == expected)
    }

    @Test(arguments: ["yyyy-mm-dd", "yyyy-MM-dd'T", "dd.MM", "yyyy-MM-dd z", "QQQ"])
    func aDateFormatThatIsNoneIsRefused(format: String) throws {
        let found = try faults(#"{"fields": {"posted_at": {"from": "a", "date": ["iso", "\#(format)"]}}}"#)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/fields/posted_at/date/1: '\(format)' is no date format") == true)
    }

    @Test func aRelationIsGivenOnce() throws {
        #expect(
            try faults(#"{"fields": {"job_id": "a", "job_external_id": "b"}}"#, kind: .match)
                == ["/fields/job_external_id: the relation is given by its id already"])
    }

    @Test func everyFaultIsToldAtOnce() throws {
        #expect(try faults(#"{"x": 1, "where": [{}], "fields": {"a": "b", "title": null}}"#).count == 4)
    }
}

import Domain
import Importing
import Testing

@Suite struct ObjectTests {
    @Test func everyLineOfNDJSONIsARecord() throws {
        let file = """
            {"external_id": "c1", "first_name": "Ann", "skills": ["Swift"], "custom": {"a": [1, null]}}

            {"skills": null, "first_name": "", "external_id": 7, "resume": {"file_name": "cv.pdf"}}\r
            \t
            {"external_id": "c3", "resume.file_name": "x.pdf"}
            """
        #expect(
            try RowTexts.of(file, .candidate, .ndjson) == [
                #"1: external_id=c1 first_name=Ann skills=[Swift] custom={"a":[1,null]}"#,
                "3: external_id=7 first_name=null skills=null resume.file_name=cv.pdf",
                "5: external_id=c3 resume.file_name=x.pdf",
            ])
    }

    @Test func anEmptyNDJSONFileHasNoRows() throws {
        #expect(try RowTexts.of("", .candidate, .ndjson).isEmpty)
        #expect(try RowTexts.of("\n\n", .candidate, .ndjson).isEmpty)
    }

    @Test func linesThatAreNoRecordAreRefusedAlone() throws {
        let file = """
            {"title": "a"}
            {"title": "b"
            [1]
            {"title": "c",}
            {"titel": "d"}
            {"title": "e"} x
            {"title": "f", "status": "on", "openings": -1}
            {"title": "g"}
            """
        #expect(
            try RowTexts.of(file, .job, .ndjson) == [
                "1: title=a",
                "2: ! not JSON: a comma or } is missing at byte 14 of the row",
                "3: ! a record is a JSON object, not an array",
                "4: ! not JSON: a member's name is missing at byte 15 of the row",
                "5: ! /titel: no such field; did you mean 'title'?",
                "6: ! not JSON: something after the value at byte 16 of the row",
                "7: ! /status: 'on' is not one of draft, open, paused, closed, filled; "
                    + "/openings: should be from 0 to 1000000",
                "8: title=g",
            ])
    }

    @Test func anArrayIsReadElementByElement() throws {
        let file = """
            [
              {"title": "a, ] }"},
              {
                "title": "b",
                "custom": {"x": [[1], {}], "y": "\\"]"}
              }, {"title": 5},
              7,
              {"title":}
            ,{"title":"d"}
            ]

            """
        #expect(
            try RowTexts.of(file, .job, .json) == [
                "2: title=a, ] }",
                #"3: title=b custom={"x":[[1],{}],"y":"\"]"}"#,
                "6: title=5",
                "7: ! a record is a JSON object, not a number",
                "8: ! not JSON: not a JSON value at byte 10 of the row",
                "9: title=d",
            ])
    }

    @Test func aFaultInALongElementSaysItsLine() throws {
        let rows = try RowTexts.of("[\n{\n\"title\": \"a\",\n\"status\" \"b\"\n}]", .job, .json)
        #expect(rows == ["2: ! not JSON: a colon is missing at byte 26 of the row (line 4)"])
    }

    @Test func aSingleObjectIsOneRecord() throws {
        #expect(try RowTexts.of(" \n{\"title\": \"a\"} \n", .job, .json) == ["2: title=a"])
        #expect(try RowTexts.of("[]", .job, .json).isEmpty)
    }

    @Test func valuesMissingBesideCommasAreReported() throws {
        let missing = "not JSON: a value is missing beside a comma"
        #expect(
            try RowTexts.of("[{\"title\":\"a\"},\n]", .job, .json) == ["1: title=a", "2: ! \(missing)"])
        #expect(
            try RowTexts.of("[,{\"title\":\"a\"},,{\"title\":\"b\"}]", .job, .json)
                == ["1: ! \(missing)", "1: title=a", "1: ! \(missing)", "1: title=b"])
    }

    @Test(arguments: [
        ("", 1, "the file is empty, which is not JSON"),
        ("\n\"a\"", 2, "neither a JSON array of objects nor an object"),
        ("{}\n{}", 2, "something after the JSON value; one object a line is NDJSON"),
        ("[{}]\n]", 2, "something after the JSON value; one object a line is NDJSON"),
        ("[\n{}", 2, "the file ends before its array is closed"),
        ("[{},\n", 2, "the file ends before its array is closed"),
        ("[{},\n{\"title\": \"a\n\n", 2, "the file ends inside the value that starts here"),
        (
            "[{},\n{\"a\": [1}\n}]", 2,
            "the brackets of the value that starts here do not match (line 2); nothing after it was read"
        ),
        (
            "[{},\n{\"a\": 1\n]", 2,
            "the brackets of the value that starts here do not match (line 3); nothing after it was read"
        ),
    ])
    func aFileThatIsNotJSONSaysWhere(file: String, line: Int, message: String) throws {
        let failure = #expect(throws: ImportFileError.self) { try RowTexts.of(file, .job, .json) }
        #expect(failure?.line == line)
        #expect(failure?.message == message)
    }

    @Test func formatsAreToldByTheFileName() {
        #expect(FileFormat(fileName: "a/b.v2.CSV") == .csv)
        #expect(FileFormat(fileName: "x.jsonl") == .ndjson)
        #expect(FileFormat(fileName: "x.ndjson") == .ndjson)
        #expect(FileFormat(fileName: "x.json") == .json)
        #expect(FileFormat(fileName: "csv") == nil)
        #expect(FileFormat(fileName: "x.txt") == nil)
    }
}

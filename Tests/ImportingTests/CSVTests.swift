import Domain
import Importing
import Testing

@Suite struct CSVTests {
    @Test func columnsWithFieldNamesBecomeFields() throws {
        let file = """
            external_id,first_name,skills,years_experience,custom,resume.file_name
            c1,Ann,Swift; SQL ;,3.5,"{""a"": 1}",cv.pdf

            """
        #expect(
            try RowTexts.of(file, .candidate, .csv) == [
                #"2: external_id=c1 first_name=Ann skills=[Swift,SQL] years_experience=3.5 resume.file_name=cv.pdf custom={"a":1}"#
            ])
    }

    @Test func anEmptyCellClearsAndAnAbsentColumnKeeps() throws {
        let rows = try RowTexts.of("external_id,first_name,skills,custom\nc1,,,\n", .candidate, .csv)
        #expect(rows == ["2: external_id=c1 first_name=null skills=null custom=null"])
    }

    @Test func relationsAreGivenByEitherId() throws {
        let id = "cand_01ARZ3NDEKTSV4RRFFQ69G5FAV"
        let file = "external_id,candidate_id,job_external_id\na1,\(id),j1\na2,,\n"
        #expect(
            try RowTexts.of(file, .application, .csv) == [
                "2: external_id=a1 candidate_id=01ARZ3NDEKTSV4RRFFQ69G5FAV job_id=<j1>",
                "3: external_id=a2 candidate_id=null job_id=null",
            ])
    }

    @Test func aRésuméIsItsBase64Cell() throws {
        let file = "external_id,resume.content,resume.media_type\nc1,aGVsbG8=,text/plain\nc2,hello,\nc3,,\n"
        #expect(
            try RowTexts.of(file, .candidate, .csv) == [
                "2: external_id=c1 resume.media_type=text/plain resume.size=5 (5 bytes)",
                "3: ! /resume/content: should be the file's bytes in base 64 (RFC 4648)",
                "4: external_id=c3 resume.media_type=null resume.size=null",
            ])
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func rowsEndWithAnyLineBreakAndCellsMayHoldOne(lineBreak: String) throws {
        let file = ["external_id,title", "j1,\"a", "b\"", "", "j2,\"say \"\"hi\"\", twice\"", "j3,\"\""]
            .joined(separator: lineBreak)
        let expected = ["2: external_id=j1 title=a\(lineBreak)b", "5: external_id=j2 title=say \"hi\", twice"]
        #expect(try RowTexts.of(file, .job, .csv) == expected + ["6: external_id=j3 title=null"])
        #expect(try RowTexts.of(file + lineBreak, .job, .csv) == expected + ["6: external_id=j3 title=null"])
    }

    @Test func rowsWithTooManyOrTooFewCellsAreRefused() throws {
        let file = "external_id,title\nj1\nj2,b,c\nj3,d\n\"j4\n\",\"e\n\",f\n"
        #expect(
            try RowTexts.of(file, .job, .csv) == [
                "2: ! 1 cell, but the header has 2",
                "3: ! 3 cells, but the header has 2",
                "4: external_id=j3 title=d",
                "5: ! 3 cells, but the header has 2; the row takes 3 lines: is a quote unclosed?",
            ])
    }

    @Test func aLoneQuoteCostsItsOwnRow() throws {
        let file = "external_id,title\nj1,a\"b\nj2,\"c\"d\nj3,e\n"
        #expect(
            try RowTexts.of(file, .job, .csv) == [
                "2: ! a quote inside a cell that does not start with one",
                "3: ! text after the closing quote of a cell that starts on line 3",
                "4: external_id=j3 title=e",
            ])
    }

    @Test func anUnclosedQuoteCostsItsOwnRow() throws {
        let plain = "external_id,title\nj1,\"a\nj2,b\nj3,c\n"
        #expect(
            try RowTexts.of(plain, .job, .csv) == [
                "2: ! the quote that opens on line 2 is never closed", "3: external_id=j2 title=b",
                "4: external_id=j3 title=c",
            ])
        let quoted = "external_id,title\nj1,\"a\nj2,b\nj3,\"c\"\nj4,\"d\"\n"
        #expect(
            try RowTexts.of(quoted, .job, .csv) == [
                "2: ! text after the closing quote of a cell that starts on line 2 and ends on line 4",
                "3: external_id=j2 title=b", "4: external_id=j3 title=c", "5: external_id=j4 title=d",
            ])
        let last = "external_id,title\nj1,a\nj2,\"b"
        #expect(
            try RowTexts.of(last, .job, .csv) == [
                "2: external_id=j1 title=a", "3: ! the quote that opens on line 3 is never closed",
            ])
    }

    @Test func everyFaultOfARowIsNamed() throws {
        let file = "external_id,status,salary_min,posted_at,custom\nj1,opn,ten,yesterday,{\n"
        let rows = try RowTexts.of(file, .job, .csv)
        #expect(rows.count == 1)
        for name in ["/status: 'opn'", "/salary_min: 'ten'", "/posted_at: 'yesterday'", "/custom: not JSON"] {
            #expect(rows[0].contains(name))
        }
    }

    @Test func aHeaderAloneHasNoRows() throws {
        #expect(try RowTexts.of("external_id,title", .job, .csv).isEmpty)
        #expect(try RowTexts.of("\n\nexternal_id,title\n\n\n", .job, .csv).isEmpty)
    }

    @Test func anUnknownColumnRefusesTheFileWithAHint() throws {
        let failure = #expect(throws: ImportFileError.self) {
            try RowTexts.of("external_id,titel,Foo Bar\n", .job, .csv)
        }
        #expect(failure?.line == 1)
        #expect(
            failure?.message
                == "no such field of jobs: 'titel', 'Foo Bar' ('titel' may be 'title'); rename the columns or "
                + "say with --mapping which field each of them is")
    }

    @Test(arguments: [
        ("", "the file is empty; a CSV file starts with the names of its columns"),
        ("title, title\n", "the header names 'title' more than once"),
        ("a\"b\n", "the header can't be read: a quote inside a cell that does not start with one"),
        ("job_id,job_external_id\n", "both an id and an external id for one relation: 'job_external_id'"),
    ])
    func aHeaderThatCannotBeUsedRefusesTheFile(file: String, message: String) throws {
        let failure = #expect(throws: ImportFileError.self) { try RowTexts.of(file, .match, .csv) }
        #expect(failure?.message == message)
    }

    @Test func semicolonsBetweenCellsAreHintedAt() throws {
        let failure = #expect(throws: ImportFileError.self) { try RowTexts.of("external_id;title\n", .job, .csv) }
        #expect(
            failure?.message.hasSuffix("cells are separated by commas unless a mapping names another \"separator\"")
                == true)
    }
}

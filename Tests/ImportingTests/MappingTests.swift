import Domain
import Importing
import Testing

@Suite struct MappingTests {
    @Test func columnsAreRenamedAndOthersIgnored() throws {
        let rows = try RowTexts.of(
            "Job.ID [x],Name,Other\n7,Cook,z\n,,\n", .job, .csv,
            mapping: #"{"fields": {"external_id": "Job.ID [x]", "title": "Name"}}"#)
        #expect(rows == ["2: external_id=7 title=Cook", "3: title=null"])
    }

    @Test func pathsReachIntoJSON() throws {
        let mapping = """
            {"fields": {"email": "emails[0].value", "skills": "tags[*].name", "headline": "['a.b']", "phone": "x.y",
             "custom": "."}}
            """
        let file = """
            {"emails": [{"value": "a@b.c"}], "tags": [{"name": "x"}, {"name": null}, {"name": "y"}, 5], "a.b": "h"}
            {"emails": [], "tags": {"name": "x"}, "x": null}
            {"emails": {"value": "a@b.c"}, "x": {"z": 1}}
            """
        let rows = try RowTexts.of(file, .candidate, .ndjson, mapping: mapping).map { $0.prefix { $0 != "{" } }
        #expect(
            rows == [
                "1: headline=h skills=[x,y] email=a@b.c custom=",
                "2: skills=[x] email=null phone=null custom=",
                "3: custom=",
            ])
    }

    @Test func constantsJoinsListsAndObjectsAreMade() throws {
        let mapping = """
            {"fields": {
              "external_id": {"join": ["a", "b"], "with": "-"},
              "full_name": {"join": ["a", {"constant": "of"}, "b"], "with": " ", "omit_empty": true},
              "source": {"constant": "import"},
              "skills": {"list": ["a", {"from": "b", "split": "/"}, {"when": {"from": "a", "is": "1"}, "constant": "one"}]},
              "custom": {"object": {"a": "a", "inner": {"object": {"b": {"from": "b", "split": "/"}}}}}
            }}
            """
        #expect(
            try RowTexts.of("a,b\n1,x/ y/\n,\n2,\n", .candidate, .csv, mapping: mapping) == [
                #"2: external_id=1-x/ y/ full_name=1 of x/ y/ source=import skills=[1,x,y,one] "#
                    + #"custom={"a":"1","inner":{"b":["x","y"]}}"#,
                #"3: full_name=of source=import skills=[] custom={"inner":{}}"#,
                #"4: external_id=2- full_name=2 of source=import skills=[2] custom={"a":"2","inner":{}}"#,
            ])
    }

    @Test func valuesAreTranslated() throws {
        let mapping = """
            {"fields": {"status": {"from": "s", "translate": {"O": "open", "C": "closed", "?": null}, "otherwise": "draft"},
             "department": {"from": "d", "translate": {"IT": "Information Technology"}},
             "required_skills": {"from": "k", "split": ",", "translate": {"js": "JavaScript", "n/a": null}}}}
            """
        #expect(
            try RowTexts.of("s,d,k\nO,IT,\"js, Swift,n/a\"\n?,HR,\nX,,\n,,\n", .job, .csv, mapping: mapping) == [
                "2: department=Information Technology status=open required_skills=[JavaScript,Swift]",
                "3: department=HR status=null required_skills=null",
                "4: department=null status=draft required_skills=null",
                "5: department=null status=draft required_skills=null",
            ])
    }

    @Test func theFirstRuleThatGivesSomethingWins() throws {
        let mapping = """
            {"fields": {"title": {"first": ["a", "b"]},
             "status": {"first": [{"when": {"from": "until", "before": "2019-03-19"}, "constant": "closed"}],
                        "otherwise": "open"}}}
            """
        #expect(
            try RowTexts.of("a,b,until\nx,y,2019-03-18\n,y,2019-03-19\n,,\nx,,soon\n", .job, .csv, mapping: mapping)
                == [
                    "2: title=x status=closed", "3: title=y status=open", "4: title=null status=open",
                    "5: ! /status: 'soon' does not fit the date format iso",
                ])
    }

    @Test func rowsAreSelected() throws {
        let mapping = """
            {"where": [
               {"any": [{"from": "kind", "is": ["a", "b"]}, {"from": "kind", "starts_with": "c"}]},
               {"not": {"from": "name", "contains": "test"}},
               {"from": "at", "since": "2020-01-01", "before": "2021-01-01T00:00:00Z"},
               {"from": "name", "present": true}],
             "fields": {"title": "name"}}
            """
        let file = """
            kind,name,at
            a,one,2020-01-01
            cx,two,2020-12-31T23:59:59Z
            d,three,2020-05-05
            a,a test,2020-05-05
            b,four,2021-01-01
            b,,2020-05-05
            b,five,
            b,six,never

            """
        #expect(
            try RowTexts.of(file, .job, .csv, mapping: mapping) == [
                "2: title=one", "3: title=two", "9: ! where: 'never' does not fit the date format iso",
            ])
    }

    @Test func eachElementIsARecordAndFaultsSayWhich() throws {
        let mapping = """
            {"each": {"in": "apps", "where": {"from": "jobs[0].id", "present": true}},
             "fields": {"external_id": "id", "candidate_external_id": "$.id", "job_external_id": "jobs[0].id",
                        "applied_at": "at"}}
            """
        let file = """
            {"id": 1, "apps": [{"id": 10, "jobs": [{"id": 5}]}, {"id": 11}, {"id": 12, "jobs": [{"id": 6}], "at": "x"}]}
            {"id": 2, "apps": {"id": 20, "jobs": [{"id": 5}]}}
            {"id": 3, "apps": null}
            {"id": 4, "apps": []}
            {"id": 5}
            """
        #expect(
            try RowTexts.of(file, .application, .ndjson, mapping: mapping) == [
                "1: external_id=10 candidate_id=<1> job_id=<5>",
                "1: ! apps[2]: /applied_at: 'x' is no RFC 3339 time, such as 2026-01-31T09:00:00Z",
                "2: external_id=20 candidate_id=<2> job_id=<5>",
                "5: ! each: the row has no 'apps'; \"where\" can leave such rows out",
            ])
    }

    @Test func theReaderTellsTheElementOfARow() throws {
        let mapping = try Mapping(json: JSONParser.parse(#"{"each": "a", "fields": {"title": "."}}"#), kind: .job)
        let reader = try RecordReader(
            kind: .job, format: .ndjson, mapping: mapping, read: RowTexts.stream(Array(#"{"a": ["x", "y"]}"#.utf8)))
        var elements: [Int?] = []
        while try reader.next() != nil { elements.append(reader.element) }
        #expect(elements == [0, 1])
        #expect(reader.element == nil)
    }

    @Test func cellsBecomeListsAndJSONAsTheFieldAsks() throws {
        let mapping = #"{"fields": {"summary": "s", "transcript": "t"}}"#
        #expect(
            try RowTexts.of("s,t\na;b,plain words\nc,\"[{\"\"a\"\":1}]\"\n", .call, .csv, mapping: mapping) == [
                #"2: summary=a;b transcript="plain words""#, #"3: summary=c transcript=[{"a":1}]"#,
            ])
        let lists = #"{"fields": {"required_skills": "k", "custom": "c"}}"#
        #expect(
            try RowTexts.of("k,c\na; b,{}\nc,x\n", .job, .csv, mapping: lists) == [
                "2: required_skills=[a,b] custom={}", "3: ! /custom: not JSON: not a JSON value at byte 1",
            ])
    }

    @Test func anotherSeparatorCanBeNamed() throws {
        let mapping = #"{"separator": ";", "fields": {"title": "Titel"}}"#
        #expect(try RowTexts.of("Titel;Ort\n\"a;b\";\"x\"\n", .job, .csv, mapping: mapping) == ["2: title=a;b"])
    }

    @Test func aMissingColumnRefusesTheFile() throws {
        let failure = #expect(throws: ImportFileError.self) {
            try RowTexts.of("Titel,Ort\n", .job, .csv, mapping: #"{"fields": {"title": "Title", "location": "Ort"}}"#)
        }
        #expect(failure?.message == "the file has no column 'Title', which the mapping reads ('Title' may be 'Titel')")
    }

    @Test func aMappingThatDoesNotFitTheFormatRefusesTheFile() throws {
        let each = #"{"each": "a", "fields": {"title": "b"}}"#
        #expect(throws: ImportFileError.self) { try RowTexts.of("a,b\n", .job, .csv, mapping: each) }
        let noPath = #"{"fields": {"title": "a[x"}}"#
        #expect(throws: ImportFileError.self) { try RowTexts.of("{}", .job, .json, mapping: noPath) }
        let jobs = try Mapping(json: JSONParser.parse(#"{"fields": {"title": "b"}}"#), kind: .job)
        #expect(throws: ImportFileError.self) {
            try RecordReader(kind: .candidate, format: .json, mapping: jobs, read: { _ in 0 })
        }
    }
}

import Domain
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite("Storage contract: full-text search and filters of text")
struct SearchContractTests {
    private func candidates(_ rows: [String]) throws -> Workbench {
        let bench = try Workbench()
        for (index, row) in rows.enumerated() { try bench.put(.candidate, #"{"external_id":"\#(index)","#.joining(row)) }
        return bench
    }

    private func found(_ bench: Workbench, _ name: String, _ value: String, personal: Bool = true) throws -> String {
        try bench.list(.candidate, [RequestParameter(name, value)], personal: personal).rows
            .compactMap { $0.string("external_id") }.sorted().joined(separator: " ")
    }

    @Test(
        "Words in any order, prefixes, phrases, and languages with signs",
        arguments: [
            ("ada", "0"), ("ADA", "0"), ("lovelace ada", "0"), ("ada hopper", ""), ("love*", "0"), ("lo*", "0"), ("l*", ""),
            ("\"analytical engine\"", "0"), ("\"engine analytical\"", ""), ("engine analytical", "0"), ("c++", "1"), ("C#", "2"),
            ("c", "3"), ("C+*", "1"), ("jose", "4"), ("JOSÉ", "4"), ("jose\u{301}", "4"), ("zürich", "4"), ("zurich", "4"),
            ("o'neill", "5"), ("neill", "5"), ("node.js", "6"), ("\"node js\"", "6"), ("東京", "7"), ("engine", "0 6"), ("", ""),
        ])
    func words(query: String, expected: String) throws {
        let bench = try candidates([
            #"{"full_name":"Ada Lovelace","headline":"Analytical Engine programmer"}"#, #"{"skills":["C++"]}"#, #"{"skills":["C#"]}"#,
            #"{"skills":["C"]}"#, #"{"full_name":"José","location":"Zürich"}"#, #"{"full_name":"Shay O'Neill"}"#,
            #"{"skills":["Node.js"],"headline":"search engine"}"#, #"{"location":"東京"}"#,
        ])
        if query.isEmpty {
            #expect(throws: ParameterFault.self) { try found(bench, "q", query) }
        } else {
            #expect(try found(bench, "q", query) == expected)
        }
    }

    @Test("Personal words are found by keys that may read them alone, alone or beside others")
    func personal() throws {
        let bench = try candidates([
            #"{"full_name":"Ada","email":"lovelace@mail.example","phone":"555 0199","external_user_id":"usr-77","resume":{"text":"difference engine"}}"#,
            #"{"full_name":"Lovelace"}"#,
        ])
        for (query, with, without) in [
            ("lovelace", "0 1", "1"), ("ada lovelace", "0", ""), ("ada", "0", "0"), ("mail", "0", ""), ("0199", "0", ""), ("usr*", "0", ""),
            ("\"difference engine\"", "0", ""), ("lovelace@mail.example", "0", ""),
        ] {
            #expect(try found(bench, "q", query) == with, "\(query)")
            #expect(try found(bench, "q", query, personal: false) == without, "\(query) without read:pii")
        }
        let job = try bench.put(.job, #"{"title":"Baker","custom":{"secret":"croissant"}}"#)
        #expect(try bench.list(.job, "q=baker").ids == [job.id.description] && bench.list(.job, "q=croissant").ids == [])
    }

    @Test("What the index marks for itself can't be asked for, and stands for nothing in a record")
    func marks() throws {
        let bench = try candidates([
            #"{"full_name":"Ada","email":"hidden@mail.example","skills":["Swift"]}"#,
            "{\"full_name\":\"\u{E003}hidden \(SearchIndex.token(ofSkill: "cobol"))\"}",
        ])
        for query in ["\u{E003}hidden", "\u{E003}hid*", "\"\u{E003}hidden\"", "hidden"] {
            #expect(try found(bench, "q", query, personal: false) == "", "\(query.debugDescription)")
        }
        #expect(try found(bench, "q", String(SearchIndex.token(ofSkill: "swift"))) == "")
        #expect(try found(bench, "skill", "cobol") == "" && found(bench, "skill", "SWIFT") == "0")
    }

    @Test("No phrase spans two fields")
    func spanning() throws {
        let bench = try candidates([#"{"full_name":"Ada","headline":"Lovelace prize","skills":["Go","Swift"]}"#])
        #expect(try found(bench, "q", "\"lovelace prize\"") == "0" && found(bench, "q", "ada lovelace") == "0")
        let spanning = try ["\"ada lovelace\"", "\"go swift\""].map { try found(bench, "q", $0) }
        #expect(spanning == ["", ""])
    }

    @Test("The index follows changes, deletion and revival")
    func follows() throws {
        let bench = try candidates([#"{"headline":"apples"}"#])
        try bench.put(.candidate, #"{"external_id":"0","headline":"pears"}"#)
        #expect(try found(bench, "q", "apples") == "" && found(bench, "q", "pears") == "0")
        let id = try bench.put(.candidate, #"{"external_id":"0"}"#).id
        try bench.delete(id)
        #expect(try found(bench, "q", "pears") == "")
        try bench.put(.candidate, #"{"external_id":"0","headline":"plums"}"#)
        #expect(try found(bench, "q", "pears") == "" && found(bench, "q", "plums") == "0")
    }

    @Test("No text is bad syntax: whatever is sent is searched as words")
    func neverThrows() throws {
        var random = SeededGenerator("search syntax")
        let bench = try candidates([#"{"full_name":"Ada","skills":["AND","NEAR","C++"]}"#])
        let pieces = [
            "\"", "*", "(", ")", "AND", "OR", "NOT", "NEAR(", "words:", "{words skills}:", "^", "+", "-", "ada", "'", ";", "--", "\\", "%",
            "é", "\u{301}", "🦊", "\u{FEFF}", "\u{200B}", "ﬁ", "٣", "़", " ", "c++", "\"ada", "ada*", "**", "\"\"", "\u{E000}", "\u{10FFFF}",
            "\t",
        ]
        for text in pieces + (0..<300).map({ _ in (0..<random.number(1...8)).map { _ in random.pick(pieces) }.joined() }) {
            for parameter in ["q", "skill"] {
                for personal in [true, false] {
                    #expect(throws: Never.self, "\(text.debugDescription)") { try found(bench, parameter, text, personal: personal) }
                }
            }
        }
        #expect(try found(bench, "q", "ada AND near") == "0")
        #expect(try found(bench, "q", "\"ada") == "0" && found(bench, "q", "ada\"") == "0")
        #expect(try found(bench, "q", "{words}: (ada OR bob)") == "", "signs are no operators")
    }

    /// Each row: texts that are one to a reader of any case.
    static let alike: [[String]] = [
        ["Straße", "STRASSE", "strasse", "STRAßE", "STRAẞE"], ["ΟΔΟΣ", "οδος", "οδοσ", "Οδός"].dropLast().map { $0 },
        ["École", "e\u{301}cole", "ÉCOLE", "E\u{301}COLE"], ["Łódź", "ŁÓDŹ", "łódz\u{301}"], ["Москва", "МОСКВА", "москва"],
        ["C++", "c++"], ["Austin, TX", "AUSTIN, tx"], ["ﬁnance", "FINANCE", "finance"], ["K2", "\u{212A}2", "k2"], ["Ǆ", "ǆ", "ǅ"],
        ["★", "★"], ["東京", "東京"], ["İ", "i\u{307}", "I\u{307}"], ["Ａ", "ａ"], ["a b", "A B"], ["ա", "Ա"], ["ᾼ", "αι", "ΑΙ"],
    ]

    @Test("Text filters are exact, without regard to case in Unicode's sense", arguments: ["location", "source", "skill"])
    func caseless(filter: String) throws {
        let texts = Self.alike.flatMap(\.self)
        let bench = try candidates(
            texts.map { text in
                let value = JSONValue.string(text).text
                return filter == "skill" ? #"{"skills":["other",\#(value)]}"# : #"{"\#(filter)":\#(value)}"#
            })
        for (group, row) in Self.alike.enumerated() {
            let first = Self.alike.prefix(group).reduce(0) { $0 + $1.count }
            let expected = (first..<first + row.count).map(String.init).sorted().joined(separator: " ")
            for text in row { #expect(try found(bench, filter, text) == expected, "\(text) of \(row)") }
        }
        for near in ["Ecole", "Strase", "Austin", "C+", "fnance", "ΟΔΟ", "Lodz", "C++ ", "a  b"] {
            #expect(try found(bench, filter, near) == "", "\(near)")
        }
    }

    @Test("Comma lists of words and repeated texts are alternatives; skills are all asked for")
    func several() throws {
        let bench = try candidates([
            #"{"source":"Fair","skills":["Swift","Go"]}"#, #"{"source":"referral","skills":["Go","Rust"]}"#,
            #"{"source":"Fair, 2026","skills":["swift"]}"#,
        ])
        func found(_ query: String) throws -> [String] { try bench.list(.candidate, query).rows.compactMap { $0.string("external_id") } }
        #expect(try found("source=fair&source=REFERRAL") == ["0", "1"])
        #expect(try found("source=fair, 2026") == ["2"])
        #expect(try found("skill=swift") == ["0", "2"] && found("skill=swift&skill=go") == ["0"] && found("skill=swift,go") == [])
        for type in ["Full-Time", "part-time", "Intern"] { try bench.put(.job, #"{"title":"\#(type)","employment_type":"\#(type)"}"#) }
        #expect(try bench.list(.job, "employment_type=full-time,INTERN").rows.compactMap { $0.string("title") } == ["Full-Time", "Intern"])
    }
}

import Domain
import Importing
import Testing

/// However the bytes come in, the rows are the same.
@Suite struct ChunkBoundaryTests {
    private static let table = """
        \u{FEFF}external_id,title,custom\r
        j1,Zoë 🦊,"{""a"": ""b\r
        c""}"\r
        j2,"a ""quoted"" word, and a comma",\r
        j3,lone"quote,\r
        \r
        j4,"two
        lines",\rj5,after a lone return,\r\rj6,,
        j7,"text"after,
        j8,"never closed,
        j9,last,
        """

    private static let lines = """
        \u{FEFF}{"external_id":"j1","title":"Zoë 🦊 \\u00e9\\ud83e\\udd8a \\"x\\""}\r

        {"title":"b","custom":{"a":[1,2.5e3,true,null]}}
        nonsense
        {"title":"d"}
        """

    private static let array = """
        \u{FEFF} [ {"external_id":"j1","title":"Zoë 🦊 \\\\"},
          {"title":"b ] } \\"","custom":{"a":[1,{"b":[]}]}} , 7,
          {"title":}, {"title":"c"},
          ]
        """

    @Test(arguments: [(FileFormat.csv, table), (.ndjson, lines), (.json, array)])
    func everyCutGivesTheSameRows(format: FileFormat, file: String) throws {
        let bytes = Array(file.utf8)
        let whole = try RowTexts.of(bytes, .job, format)
        #expect(whole.count >= 4)
        for cut in 1..<bytes.count {
            #expect(try RowTexts.of(bytes, .job, format, pieces: [cut, .max]) == whole, "cut at \(cut)")
        }
        for piece in [1, 2, 3, 7] {
            #expect(try RowTexts.of(bytes, .job, format, pieces: [piece]) == whole, "pieces of \(piece)")
        }
    }

    @Test(arguments: FileFormat.allCases)
    func rowsThatTheWindowHasToMoveForAreWhole(format: FileFormat) throws {
        // Rows of very different lengths, some longer than what is read at a time.
        let texts = [5, 100_000, 2, 200_000, 50_000, 1_500_000, 1, 30_000, 125_000].map {
            String(repeating: "é", count: $0)
        }
        let (file, firstLine) =
            switch format {
            case .csv: ("description\n" + texts.map { "\"\($0)\"\n" }.joined(), 2)
            case .ndjson: (texts.map { "{\"description\":\"\($0)\"}\n" }.joined(), 1)
            case .json: ("[" + texts.map { "{\"description\":\"\($0)\"}" }.joined(separator: ",\n") + "]", 1)
            }
        let expected = texts.enumerated().map { index, text in
            let isTooLong = text.unicodeScalars.count > 200_000
            return "\(index + firstLine): "
                + (isTooLong ? "! /description: longer than 200000 characters" : "description=\(text)")
        }
        #expect(try RowTexts.of(Array(file.utf8), .job, format, pieces: [65_536]) == expected)
    }
}

import Domain
import Importing
import Testing

@Suite struct HostileInputTests {
    private static let invalid: [[UInt8]] = [
        [0xFF], [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
        [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xC3, 0x28],
    ]

    @Test(arguments: invalid)
    func rowsThatAreNotUTF8AreRefusedByLine(bytes: [UInt8]) throws {
        let table =
            Array("external_id,title\nj1,Zoë Ünlü 日本 🦊\nj2,long enough for eight ".utf8) + bytes
            + Array("\nj3,c\n".utf8)
        #expect(
            try RowTexts.of(table, .job, .csv) == [
                "2: external_id=j1 title=Zoë Ünlü 日本 🦊", "3: ! not valid UTF-8 at byte 26 of the row",
                "4: external_id=j3 title=c",
            ])
        let lines = Array("{\"title\":\"é\"}\n{\"title\":\"".utf8) + bytes + Array("\"}\n{\"title\":\"c\"}".utf8)
        #expect(
            try RowTexts.of(lines, .job, .ndjson) == [
                "1: title=é", "2: ! not JSON: not UTF-8 at byte 11 of the row", "3: title=c",
            ])
    }

    @Test func aNULIsRefusedByLine() throws {
        #expect(
            try RowTexts.of("external_id,title\nj1,a\0b\nj2,c\n", .job, .csv) == [
                "2: ! a NUL byte at byte 5 of the row", "3: external_id=j2 title=c",
            ])
        #expect(
            try RowTexts.of("{\"title\":\"a\0\"}\n{\"title\":\"a\\u0000\"}\n", .job, .ndjson) == [
                "1: ! not JSON: a control character in a string at byte 12 of the row",
                "2: ! /title: holds a NUL character",
            ])
        #expect(throws: ImportFileError.self) { try RowTexts.of("ti\0tle\n", .job, .csv) }
    }

    @Test(arguments: FileFormat.allCases)
    func aByteOrderMarkIsPassedOver(format: FileFormat) throws {
        let file = format == .csv ? "\u{FEFF}title\na\n" : "\u{FEFF}{\"title\":\"a\"}"
        let rows = try RowTexts.of(file, .job, format)
        #expect(rows.count == 1)
        #expect(rows.first?.hasSuffix(": title=a") == true)
    }

    @Test(arguments: FileFormat.allCases)
    func aFileInUTF16IsRefused(format: FileFormat) throws {
        let failure = #expect(throws: ImportFileError.self) {
            try RowTexts.of([0xFF, 0xFE, 0x7B, 0x00], .job, format)
        }
        #expect(failure?.message == "the file is UTF-16 or UTF-32; save it as UTF-8")
    }

    @Test(arguments: FileFormat.allCases)
    func aCompressedFileIsRefusedAndNamed(format: FileFormat) throws {
        let failure = #expect(throws: ImportFileError.self) {
            try RowTexts.of([0x1F, 0x8B, 0x08, 0x00, 0x0A, 0x0A], .job, format)
        }
        #expect(failure?.message.contains("compressed (gzip)") == true)
    }

    @Test func aDepthBombIsRefusedAlone() throws {
        let bomb = "{\"custom\":" + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "}"
        let reason = "not JSON: nested deeper than 64 at byte 74 of the row"
        #expect(try RowTexts.of("\(bomb)\n{\"title\":\"a\"}", .job, .ndjson) == ["1: ! \(reason)", "2: title=a"])
        #expect(try RowTexts.of("[\(bomb),\n{\"title\":\"a\"}]", .job, .json) == ["1: ! \(reason)", "2: title=a"])
    }

    @Test func tooManyValuesAreRefusedAlone() throws {
        let many = "{\"custom\":{\"a\":[" + String(repeating: "0,", count: 1_000_000) + "0]}}"
        #expect(
            try RowTexts.of("\(many)\n{\"title\":\"a\"}", .job, .ndjson) == ["1: ! over 1000000 values", "2: title=a"])
    }

    @Test func aReasonStaysShort() throws {
        let members = (0..<30).map { "\"x\($0)\": 1" }.joined(separator: ",")
        let rows = try RowTexts.of("{\(members)}\n{\"\(String(repeating: "y", count: 50_000))\": 1}", .job, .ndjson)
        #expect(rows.count == 2)
        #expect(rows[0].hasSuffix("/x19: no such field; and 10 more"))
        #expect(rows[1].utf8.count < 200)
    }

    /// A head, one byte 34 million times, and a tail.
    private func longStream(
        _ head: String, _ filler: UInt8, _ tail: String
    ) -> (UnsafeMutableRawBufferPointer) throws -> Int {
        let first = RowTexts.stream(Array(head.utf8))
        let last = RowTexts.stream(Array(tail.utf8))
        var left = 34 << 20
        return { buffer in
            let count = try first(buffer)
            if count > 0 { return count }
            if left == 0 { return try last(buffer) }
            let filled = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left))
            filled.initializeMemory(as: UInt8.self, repeating: filler)
            left -= filled.count
            return filled.count
        }
    }

    private func rows(_ format: FileFormat, _ stream: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) throws
        -> [String]
    {
        let reader = try RecordReader(kind: .job, format: format, mapping: nil, read: stream)
        var texts: [String] = []
        while let row = try reader.next() {
            texts.append(RowTexts.text(row))
            if case .rejected(_, _, let raw) = row { #expect(raw.count == RecordReader.longestExcerpt) }
        }
        return texts
    }

    @Test func aRowThatIsTooLongIsRefusedAlone() throws {
        let reason = "the row is longer than 32 MB"
        let letter = UInt8(ascii: "x")
        #expect(
            try rows(.ndjson, longStream("{\"title\":\"", letter, "\"}\n{\"title\":\"b\"}\n"))
                == ["1: ! \(reason)", "2: title=b"])
        #expect(
            try rows(.json, longStream("[{\"title\":\"", letter, "\"},\n{\"title\":\"b\"}]"))
                == ["1: ! \(reason)", "2: title=b"])
        #expect(
            try rows(.csv, longStream("external_id,title\nj1,", letter, "\nj2,b\n"))
                == ["2: ! \(reason)", "3: external_id=j2 title=b"])
    }

    @Test func anUnclosedQuoteEndsAtTheRowsBound() throws {
        let reason = "the row is longer than 32 MB"
        let stream = longStream("external_id,title\nj1,\"a\nj2,b\n", UInt8(ascii: "x"), "\nj3,c\n")
        #expect(
            try rows(.csv, stream) == [
                "2: ! \(reason); the quote that opens on line 2 is not closed within that",
                "3: external_id=j2 title=b", "4: ! \(reason)", "5: external_id=j3 title=c",
            ])
    }

    @Test func aHeaderOfTooManyColumnsRefusesTheFile() throws {
        let names = (0...10_000).map { "c\($0)" }.joined(separator: ",")
        let failure = #expect(throws: ImportFileError.self) { try RowTexts.of(names + "\n", .job, .csv) }
        #expect(failure?.message == "over 10000 columns")
    }

    @Test func aReaderThatFailsIsHeard() throws {
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            try RecordReader(kind: .job, format: .csv, mapping: nil, read: { _ in throw Broken() })
        }
        #expect(throws: ImportFileError.self) {
            try RecordReader(kind: .job, format: .csv, mapping: nil, read: { $0.count + 1 })
        }
    }

    @Test func theExcerptIsTheRowAsItCame() throws {
        let reader = try RecordReader(
            kind: .job, format: .csv, mapping: nil, read: RowTexts.stream(Array("title\n\"a\nb\"\nc,d\n".utf8)))
        _ = try reader.next()
        #expect(reader.excerpt == Array("\"a\nb\"".utf8))
        guard case .rejected(4, _, let raw) = try reader.next() else {
            Issue.record("the second row has too many cells")
            return
        }
        #expect(raw == Array("c,d".utf8))
        let end = try reader.next()
        #expect(end == nil)
        #expect(reader.excerpt.isEmpty)
        #expect(reader.bytesRead == 16)
    }
}

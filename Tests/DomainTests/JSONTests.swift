import Foundation
import TestSupport
import Testing

@testable import Domain

@Suite("JSON is read strictly (RFC 8259) and kept as it came")
struct JSONTests {
    private func parse(_ bytes: [UInt8]) -> Result<JSONValue, JSONError> {
        bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) { return .success(try JSONParser.parse(buffer)) } catch { return .failure(error) }
        }
    }

    @Test(
        "What is JSON comes out compact, its numbers spelled as they were",
        arguments: [
            ("null", "null"), (" true ", "true"), ("\t\r\n false\n", "false"), ("[]", "[]"), ("{ }", "{}"), ("[ 1 , 2 ]", "[1,2]"),
            ("0", "0"),
            ("-0", "-0"), ("-0.0e-0", "-0.0e-0"), ("1E+2", "1E+2"),
            ("123456789012345678901234567890.10", "123456789012345678901234567890.10"),
            (#"{"b":1,"a":{"c":[]}}"#, #"{"b":1,"a":{"c":[]}}"#), (#"{"a":1,"a":2}"#, #"{"a":1,"a":2}"#), (#"{"":""}"#, #"{"":""}"#),
            (#""\u0041\/\b\f\n\r\t\"\\""#, #""A/\u0008\u000c\n\r\t\"\\""#), (#""\ud83e\udd8a""#, "\"🦊\""), (#""\u0000""#, #""\u0000""#),
            ("\"\u{7F}\u{2028}é\"", "\"\u{7F}\u{2028}é\""), (#""\uFFFD\ufb01""#, "\"\u{FFFD}\u{FB01}\""), (#""e\u0301""#, "\"e\u{301}\""),
        ])
    func read(text: String, expected: String) throws { #expect(try JSONParser.parse(text).text == expected) }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", " ", "nul", "True", "NaN", "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "[1,]", "[,1]",
            "[1 2]", "[",
            "]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\":1", "{\"a\" 1}", "{1:2}", "\"", "\"a", "'a'",
            "\"\\x\"", "\"\\u12\"",
            "\"\\u12G4\"", "\"\\ud83e\"", "\"\\udd8a\"", "\"\\ud83e\\u0041\"", "\"\\ud83ex\"", "\"\\udd8a\\ud83e\"", "\"a\u{0}b\"",
            "\"a\nb\"", "\"\t\"",
            "1 2", "[] []", "/* c */ 1", "1 // c", "\u{FEFF}1", "[1]x", "tru\"e\"", "\u{A0}1", "\u{0}", "1\u{0}",
        ])
    func refused(text: String) { #expect(throws: JSONError.self) { try JSONParser.parse(text) } }

    @Test(
        "Bytes that are not UTF-8 are refused wherever they stand",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC3], [0xC3, 0x28], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        for text in [
            bytes, [quote] + bytes + [quote], Array("{\"".utf8) + bytes + Array("\":1}".utf8), Array("\"\\n".utf8) + bytes + [quote],
        ] {
            #expect(throws: JSONError.self) { try parse(text).get() }
        }
    }

    @Test("So many values and no more, however they are nested")
    func count() throws {
        let half = JSONParser.maximumCount / 2
        func array(_ element: String, _ count: Int) -> String { "[" + repeatElement(element, count: count).joined(separator: ",") + "]" }
        #expect(try JSONParser.parse(array("0", JSONParser.maximumCount - 1)).text.utf8.count > half)
        for text in [array("0", JSONParser.maximumCount), array("[0]", half), array("{\"a\":0}", half)] {
            #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        }
    }

    @Test("Depth is bounded, and a bomb costs nothing")
    func depth() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(try JSONParser.parse(nested(JSONParser.maximumDepth)).text == nested(JSONParser.maximumDepth))
        #expect(throws: JSONError.self) { try JSONParser.parse(nested(JSONParser.maximumDepth + 1)) }
        for bomb in ["[", "{\"a\":", "[[{\"b\":["] {
            #expect(throws: JSONError.self) { try JSONParser.parse(String(repeating: bomb, count: 200_000)) }
        }
    }

    @Test("An error says at which byte")
    func offset() {
        #expect(throws: JSONError.self) { try JSONParser.parse("[1,x]") }
        do { _ = try JSONParser.parse("[\"é\",x]") } catch { #expect(error.offset == 6) }
    }

    @Test("Every cut of a text is refused, and every change of a byte read or refused, never worse")
    func mutations() {
        var random = SeededGenerator("json mutations")
        let text = Array(#"{"a":[1,-2.5e3,"é\ud83e\udd8a\n",true,null],"b":{"c":[{}]},"d":"x"}"#.utf8)
        for end in 0..<text.count { #expect(throws: JSONError.self) { try parse(Array(text[..<end])).get() } }
        for _ in 0..<3_000 {
            var changed = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard case .success(let value) = parse(changed) else { continue }
            // What is read is JSON to others too, but that they have no numbers so large.
            if value.text.contains(/[0-9][eE]\+?[0-9]{3}/) { continue }
            #expect((try? JSONSerialization.jsonObject(with: Data(value.text.utf8), options: .fragmentsAllowed)) != nil)
        }
    }

    @Test(
        "Equality is of values",
        arguments: [
            ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", true), ("1e2", "100", true), ("0", "-0", true), ("[1,2]", "[2,1]", false),
            ("\"1\"", "1", false),
            ("{\"a\":null}", "{}", false), ("null", "false", false), ("9007199254740993", "9007199254740992", false),
            ("1e400", "2e400", false),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}", true), ("\"é\"", "\"e\u{301}\"", false), ("{\"é\":1}", "{\"e\u{301}\":1}", false),
            ("0.1", "1e-1", true),
        ])
    func equality(left: String, right: String, isEqual: Bool) throws {
        let (left, right) = (try JSONParser.parse(left), try JSONParser.parse(right))
        #expect(left.isEquivalent(to: right) == isEqual && right.isEquivalent(to: left) == isEqual)
    }
}

@Suite("What is written is JSON")
struct ByteWriterTests {
    @Test("Any text is written so that others read the same")
    func texts() throws {
        var random = SeededGenerator("texts as JSON")
        let pieces: [String] =
            (0..<0x25).map { String(Unicode.Scalar($0)) } + [
                "\"", "\\", "/", "a", "abcdefgh", "é", "e\u{301}", "🦊", "\u{7F}", "\u{80}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFD}",
                "\u{10FFFF}", "漢字", "<", "&",
            ]
        for length in 0..<1_500 {
            let text = (0..<length % 40).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            var out = ByteWriter(capacity: 1)
            out.append("[")
            out.append(quoted: text)
            out.append("]")
            let read = try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String])
            // Foundation's reader drops U+FEFF, wherever it stands.
            if !text.unicodeScalars.contains("\u{FEFF}"), !read[0].utf8.elementsEqual(text.utf8) {
                Issue.record("\(text.debugDescription)")
            }
            guard case .array(let elements) = try JSONParser.parse(out.text), case .string(let own)? = elements.first else {
                throw JSONError(message: out.text, offset: 0)
            }
            if !own.utf8.elementsEqual(text.utf8) { Issue.record("\(text.debugDescription)") }
        }
    }

    @Test("A writer grows, is cut and is used again")
    func growth() {
        var out = ByteWriter(capacity: 1)
        for index in 0..<10_000 { out.append(integer: Int64(index)) }
        #expect(out.text == (0..<10_000).map(String.init).joined())
        out.truncate(to: 3)
        out.append(byte: 0x21)
        #expect(out.text == "012!" && out.count == 4)
        out.reset(keeping: 100)
        out.append(text: "again")
        #expect(out.text == "again")
    }

    @Test("Numbers read back the same")
    func numbers() {
        var random = SeededGenerator("numbers")
        func written(_ body: (inout ByteWriter) -> Void) -> String {
            var out = ByteWriter(capacity: 64)
            body(&out)
            return out.text
        }
        for integer in [Int64.min, -1, 0, 9, 10, 99, 100, .max]
            + (0..<500).map({ _ in Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random) })
        {
            #expect(written { $0.append(integer: integer) } == String(integer))
        }
        for (number, text) in [(0.0, "0"), (-0.0, "0"), (100, "100"), (-2.5, "-2.5"), (0.1, "0.1"), (1e15, "1000000000000000")] {
            #expect(written { $0.append(number: number) } == text)
        }
        for (number, text) in [(0.0, "0.0"), (-0.0, "0.0"), (100, "100.0"), (-2.5, "-2.5"), (1e15, "1000000000000000.0"), (1e20, "1e+20")] {
            #expect(written { $0.append(decimal: number) } == text)
        }
        for _ in 0..<2_000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            #expect(Double(written { $0.append(decimal: number) }) == number)
            let text = written { $0.append(number: number) }
            #expect(Double(text) == number)
            #expect((try? JSONParser.parse(text)) != nil, "\(text)")
        }
    }
}

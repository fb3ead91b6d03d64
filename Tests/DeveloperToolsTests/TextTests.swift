import Domain
import EmbeddedFiles
import Testing

@testable import DeveloperTools

@Suite struct TextTests {
    @Test(arguments: [
        ("plain", "plain"), ("<b> & \"q\" 'a'", "&lt;b&gt; &amp; &quot;q&quot; &#39;a&#39;"),
        // Each of these is one character to Swift, and a quotation mark or a bracket to a browser.
        ("\"\u{301}", "&quot;\u{301}"), ("<\u{338}", "&lt;\u{338}"), ("'\u{200D}x", "&#39;\u{200D}x"), ("a\u{0}b", "a\u{FFFD}b"),
    ])
    func nothingEndsAnElementOrAnAttribute(text: String, escaped: String) {
        #expect(EscapedHTML().escapeText(text).utf8.elementsEqual(escaped.utf8))
    }

    @Test func everyTemplateIsThereAndPutsNothingInUnescaped() {
        for name in Templates.names {
            let text = String(decoding: Templates.bytes("\(name).mustache"), as: UTF8.self)
            #expect(!text.isEmpty, "\(name)")
            #expect(
                !text.contains("{{{") && !text.contains("{{&") && !text.contains(" style=") && text.firstMatch(of: #/ on[a-z]+=/#) == nil,
                "\(name)")
        }
        _ = Templates(version: "test")
    }

    @Test func aSnippetIsTakenFromTheContractWithoutItsIndentation() {
        // given
        let yaml = """
            webhooks:
              one:
                description: |
                  Words.

                  ```python
                  def verify_tenzo(headers, body, secret):
                      return True
                  ```
                  ```json
                  {"verify_tenzo(": 1}
                  ```
            """

        // when
        let found = VerifyingSnippet.read(yaml).filter { $0.fence == "python" }

        // then
        #expect(found.map(\.code) == ["def verify_tenzo(headers, body, secret):\n    return True"])
        #expect(found.first?.dialect == .tenzo)
        #expect(VerifyingSnippet.all.count == 15)
    }

    @Test(arguments: [
        ("/keys", true), ("/data/jobs?status=open", true), ("//evil.example", false), ("https://evil.example", false),
        ("/\\evil.example", false), ("/a b", false), ("", false),
    ])
    func onlyAPathOfOursIsGoneTo(path: String, isSafe: Bool) {
        #expect((DeveloperTools.safe(path) != nil) == isSafe)
    }

    @Test func lengthsOfTimeAndNumbersAreReadAtAGlance() {
        let now = Timestamp(year: 2026, month: 1, day: 31)
        #expect(Shown.relative(now, now: now) == "now")
        #expect(Shown.relative(now.adding(milliseconds: -90_000), now: now) == "90 s ago")
        #expect(Shown.relative(now.adding(milliseconds: 7_200_000), now: now) == "in 2 h")
        #expect(Shown.number(1_234_567) == "1\u{202F}234\u{202F}567" && Shown.number(-123) == "-123" && Shown.number(12) == "12")
        #expect(Shown.visible("a\u{1B}[2Jb\u{202E}") == "a\\u{1b}[2Jb\\u{202e}")
        #expect(Shown.body(Array("{\"a\":[1]}".utf8)) == "{\n  \"a\": [\n    1\n  ]\n}")
    }
}

import Domain
import Foundation
import HTTPSupport
import Testing

@testable import PublicAPI

@Suite("YAML becomes JSON by the core schema of YAML 1.2")
struct ContractDocumentTests {
    private func json(_ yaml: String) throws -> String {
        String(decoding: try ContractDocument(yaml: yaml).json, as: UTF8.self)
    }

    @Test(
        "Plain scalars are resolved",
        arguments: [
            ("~", "null"), ("null", "null"), ("Null", "null"), ("true", "true"), ("False", "false"), ("0", "0"),
            ("-7", "-7"), ("+7", "7"), ("007", "7"), ("0o17", "15"), ("0x1F", "31"), ("1.50", "1.50"), (".5", "0.5"),
            ("1.", "1"), ("1e3", "1e3"), ("+1.5E+10", "1.5e10"), ("-.5e-2", "-0.5e-2"),
        ])
    func plainScalars(yaml: String, expected: String) throws {
        #expect(try json("a: \(yaml)") == "{\"a\":\(expected)}")
    }

    @Test(
        "What other versions of YAML read otherwise stays a text",
        arguments: [
            "yes", "no", "on", "off", "nUll", "0b11", "1_000", "12:30", "2026-01-01", "2026-01-01T00:00:00Z", "1.2.3", "-",
            "0x", "0o8", "0x+1", "1e", "e3", ".", "<<", "read:pii",
        ])
    func texts(yaml: String) throws {
        #expect(try json("a: \(yaml == "-" ? "'-'" : yaml)") == "{\"a\":\"\(yaml)\"}")
    }

    @Test("What is quoted or a block is a text")
    func quoted() throws {
        #expect(try json("a: '200'\nb: \"null\"\nc: !!str true\nd: |\n  1\n") == #"{"a":"200","b":"null","c":"true","d":"1\n"}"#)
    }

    @Test("Keys are texts and keep their order; anchors are written out")
    func mappings() throws {
        #expect(try json("200: &x {b: 1, a: [2]}\n404: *x\nnothing:") == #"{"200":{"b":1,"a":[2]},"404":{"b":1,"a":[2]},"nothing":null}"#)
    }

    @Test("The YAML is kept byte for byte")
    func bytes() throws {
        let text = "# Ünï\na: 1 # one\n"
        #expect(try ContractDocument(yaml: text).yaml == Array(text.utf8))
    }

    @Test(
        "What JSON can't say is refused",
        arguments: ["", "a: .inf", "a: -.INF", "a: .nan", "? [1]\n: 2", "a: 1\na: 2", "a: !!binary aGk=", "a: [1", "a: *b"])
    func refused(yaml: String) {
        #expect(throws: (any Error).self) { try ContractDocument(yaml: yaml) }
    }

    @Test("A document nested without end is refused")
    func depth() {
        let text = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(throws: (any Error).self) { try ContractDocument(yaml: text) }
    }
}

@Suite("HTML is safe whatever goes into it")
struct HTMLWriterTests {
    private func html(_ write: (inout HTMLWriter) -> Void) -> String {
        var writer = HTMLWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("Markup in texts is escaped")
    func texts() {
        #expect(
            html { $0.element("p", "<script>alert('&')</script>\u{0}") }
                == "<p>&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</p>")
    }

    @Test("A quote that a combining mark follows is escaped too")
    func combining() {
        let hostile = "\"\u{301} onclick=\"x\" '\u{301} <\u{301} >\u{301} &\u{301}"
        let written = html { $0.element("a", ["href": hostile], hostile) }
        #expect(!written.unicodeScalars.dropFirst(9).dropLast(4).contains("<"))
        #expect(written.utf8.filter { $0 == UInt8(ascii: "\"") }.count == 2)
        #expect(written.contains("&quot;\u{301}"))
    }
}

@Suite("Markdown is rendered, and nothing beyond it")
struct MarkdownTests {
    private func html(_ text: String) -> String {
        var writer = HTMLWriter()
        Markdown(text).write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test(
        "Blocks",
        arguments: [
            ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
            ("## A b!\ntext", "<h2 id=\"about-a-b\">A b!</h2><p>text</p>"),
            ("text\n- a\n  more\n- b\n\nend", "<p>text</p><ul><li>a\nmore</li><li>b</li></ul><p>end</p>"),
            ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
            ("```json\n<a>\n\n**x**\n```\nend", "<pre tabindex=\"0\"><code>&lt;a&gt;\n\n**x**</code></pre><p>end</p>"),
            ("```\nopen", "<pre tabindex=\"0\"><code>open</code></pre>"),
            ("#no heading", "<p>#no heading</p>"),
        ])
    func blocks(text: String, expected: String) {
        #expect(html(text) == expected)
    }

    @Test("Tables have as many cells in each row as the header")
    func tables() {
        #expect(
            Markdown("| a | b |\n|---|:-:|\n| 1 |\n| 2 | 3 | 4 |").blocks == [
                .table(header: ["a", "b"], rows: [["1", ""], ["2", "3"]])
            ])
        #expect(Markdown("| a | b |\n| 1 | 2 |").blocks == [.paragraph("| a | b |\n| 1 | 2 |")])
    }

    @Test(
        "Within a line",
        arguments: [
            ("`a<b` **c `d`** *e*", "<code>a&lt;b</code> <strong>c <code>d</code></strong> <em>e</em>"),
            ("[a **b**](/c?d&e)", "<a href=\"/c?d&amp;e\">a <strong>b</strong></a>"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("**open `open [open](", "**open `open [open]("),
            ("\\*a\\*", "*a*"),
            ("`\u{301}`", "<code>\u{301}</code>"),
        ])
    func inline(text: String, expected: String) {
        #expect(html(text) == "<p>\(expected)</p>")
    }

    @Test(
        "Links lead only to the web, to this origin and to this page",
        arguments: [
            "javascript:alert(1", "JaVaScRiPt:x", "data:text/html,x", "//evil.example", "/\\evil.example", " https://x", "",
        ])
    func links(target: String) {
        #expect(html("[a](\(target))") == "<p>a</p>")
    }

    @Test("Raw HTML is text")
    func rawHTML() {
        #expect(html("<script>x</script>") == "<p>&lt;script&gt;x&lt;/script&gt;</p>")
    }

    @Test("Unclosed marks and deep nesting take no time", .timeLimit(.minutes(1)))
    func hostile() {
        for piece in ["[", "[a](", "`", "**", "*a", "*a ", "[**", "`` ` "] {
            #expect(!html(String(repeating: piece, count: 50_000)).isEmpty)
        }
    }
}

@Suite("The documentation page")
struct DocumentationPageTests {
    private static func page(_ json: String) throws -> String {
        String(decoding: DocumentationPage(document: try JSONParser.parse(json)).html(), as: UTF8.self)
    }

    private static func contract() throws -> ContractDocument {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try ContractDocument(
            yaml: try String(contentsOf: root.appending(path: "openapi/public.yaml"), encoding: .utf8))
    }

    /// The values of an attribute in a page.
    private static func values(of attribute: String, in page: String) -> [String] {
        page.components(separatedBy: " \(attribute)=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }

    @Test("Hostile words of a document stay words")
    func hostile() throws {
        let word = #"<script>\"\u0301'><img src=x>"#
        let page = try Self.page(
            """
            {"openapi":"3.1.1","info":{"title":"\(word)","summary":"\(word)","version":"\(word)","description":"## \(word)"},
             "tags":[{"name":"\(word)","description":"\(word)"}],
             "paths":{"/\(word)":{"get":{"operationId":"\(word)","tags":["\(word)"],"summary":"\(word)",
              "parameters":[{"name":"\(word)","in":"query","description":"\(word)","example":"\(word)","schema":{"type":"\(word)",
               "enum":["\(word)"],"default":"\(word)"}}],
              "responses":{"200":{"description":"\(word)","headers":{"\(word)":{"description":"\(word)"}},
               "content":{"\(word)":{"example":{"\(word)":"\(word)"},"schema":{"$ref":"#/components/schemas/\(word)"}}}}}}}},
             "webhooks":{"\(word)":{"post":{"operationId":"\(word)","tags":["\(word)"],"summary":"\(word)","x-dialect":"\(word)",
              "x-event-types":["\(word)"],"x-example-secret":"\(word)","x-attempts":{"most":"\(word)","delays":["\(word)"]},
              "description":"\(word)\\n```python\\n\(word)\\n```","parameters":[{"name":"\(word)","in":"header","example":"\(word)"}],
              "requestBody":{"content":{"\(word)":{"examples":{"\(word)":{"summary":"\(word)","value":"\(word)"}}}}},
              "responses":{"\(word)":{"description":"\(word)"}}}}},
             "components":{"schemas":{"\(word)":{"properties":{"\(word)":{"x-scope":"\(word)"}}}}}}
            """)
        let scalars = page.unicodeScalars
        #expect(!String(scalars).contains("<script"))
        #expect(!String(scalars).contains("<img"))
    }

    @Test("References that go round or nowhere are written as far as they go")
    func cycles() throws {
        let page = try Self.page(
            """
            {"info":{"title":"x"},"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/a"}],
              "responses":{"200":{"$ref":"#/components/responses/none"},"404":{"$ref":"https://elsewhere.example"}}}}},
             "components":{"parameters":{"a":{"$ref":"#/components/parameters/b"},"b":{"$ref":"#/components/parameters/a"}},
              "schemas":{
               "Loop":{"$ref":"#/components/schemas/Loop"},
               "List":{"type":"array","items":{"$ref":"#/components/schemas/List"}},
               "Tree":{"allOf":[{"$ref":"#/components/schemas/Tree"}],"properties":{
                "self":{"$ref":"#/components/schemas/Tree"},"loop":{"$ref":"#/components/schemas/Loop"},
                "list":{"$ref":"#/components/schemas/List"}}}}}}
            """)
        #expect(page.contains("id=\"schema-Tree\""))
        #expect(page.contains("array of List"))
    }

    @Test("An empty document makes a page")
    func empty() throws {
        #expect(try Self.page("{}").contains("<main"))
        #expect(try Self.page("[1]").contains("<main"))
    }

    @Test("The contract's page has every operation and code, and each of its links leads somewhere")
    func contractPage() throws {
        let document = try Self.contract().value
        let page = String(decoding: DocumentationPage(document: document).html(), as: UTF8.self)
        let anchors = Self.values(of: "id", in: page)
        #expect(Set(anchors).count == anchors.count, "an id is on the page twice")
        let here = Self.values(of: "href", in: page).filter { $0.hasPrefix("#") }.map { String($0.dropFirst()) }
        #expect(Set(here).subtracting(anchors) == [])
        let reader = ContractReader(document)
        for operation in reader.operations + reader.webhooks.map(\.operation) { #expect(anchors.contains(operation.id)) }
        let codes = document["components"]?["schemas"]?["Problem"]?["x-codes"].asElements ?? []
        #expect(codes.count >= 19)
        for code in codes { #expect(anchors.contains("code-\(code.spelling)")) }
    }

    @Test("A webhook is written with its events, attempts, headers, example, snippets and answers")
    func webhook() throws {
        let page = try Self.page(
            """
            {"components":{},"webhooks":{"told":{"post":{"operationId":"receive","tags":["Webhooks"],"summary":"Told","security":[],
              "description":"About it.\\n\\n```python\\nif a < b: pass\\n```\\n\\n```swift\\nlet a = 1\\n```","x-dialect":"plain",
              "x-event-types":["a.b","c.d"],"x-attempts":{"most":4,"delays":[0,90,7200],"deadline":10},"x-example-secret":"s<",
              "parameters":[{"name":"X-Id","in":"header","required":true,"example":"id-1","schema":{"type":"string"}}],
              "requestBody":{"content":{"application/json":{"examples":{"one":{"summary":"One","value":{"a":1}}}}}},
              "responses":{"2XX":{"description":"Taken."},"default":{"description":"Again."}}}}}}
            """)
        #expect(page.contains("<h2 id=\"tag-webhooks\">") && page.contains("<h3 id=\"receive\">") && page.contains("dialect plain"))
        #expect(page.contains("<code>a.b</code>, <code>c.d</code>"))
        #expect(page.contains("At most 4, with no time, 90 s and 2 h between them") && page.contains("10 s for all of an attempt"))
        #expect(page.contains("Content-Type: application/json\nX-Id: id-1</code>"))
        #expect(page.contains("<span class=\"title\">Python</span>") && page.contains("<code>if a &lt; b: pass</code>"))
        #expect(page.contains("<span class=\"title\">Swift</span>") && page.contains("<code>s&lt;</code>"))
        #expect(page.contains(">2XX</span>") && page.contains(">any other</span>"))
        #expect(page.components(separatedBy: "About it.").count == 2, "snippets stand apart from the text")
    }

    @Test("The contract's page loads nothing and runs nothing")
    func selfContained() throws {
        let page = String(
            decoding: DocumentationPage(document: try Self.contract().value).html(), as: UTF8.self
        ).lowercased()
        for word in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import", " style=", "javascript:"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.components(separatedBy: "<style>").count == 2)
    }

    @Test("Every reference in the contract leads somewhere")
    func references() throws {
        let document = try Self.contract().value
        let reader = ContractReader(document)
        func check(_ value: JSONValue) {
            if value["$ref"] != nil {
                #expect(reader.resolved(value) != nil, "\(value.text)")
            }
            for member in value.asMembers { check(member.value) }
            for element in value.asElements { check(element) }
        }
        check(document)
    }

    @Test("The records in the contract have the fields of the schema, in its order")
    func recordFields() throws {
        let schemas = try Self.contract().value["components"]?["schemas"]
        for definition in ListDefinition.all {
            let name = definition.kind.singular.prefix(1).uppercased() + definition.kind.singular.dropFirst()
            let documented = schemas?[name]?["properties"].asMembers.map(\.name) ?? []
            #expect(documented == definition.fieldNames, "\(name)")
        }
    }
}

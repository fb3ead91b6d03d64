/// A page under construction. Markup comes only from literals of this program; everything else goes in escaped.
struct HTMLWriter {
    private(set) var bytes: [UInt8] = []

    /// A literal, as it is.
    mutating func markup(_ html: StaticString) {
        html.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func text(_ text: String) { self.text(text.utf8) }

    /// Escapes for text and for quoted attributes alike.
    ///
    /// Works on bytes and so by Unicode scalar: a quote that a combining mark follows is still a quote to a browser,
    /// though Swift takes the two for one character. NUL, which HTML forbids, is left out.
    mutating func text(_ utf8: some Sequence<UInt8>) {
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "&"): markup("&amp;")
            case UInt8(ascii: "<"): markup("&lt;")
            case UInt8(ascii: ">"): markup("&gt;")
            case UInt8(ascii: "\""): markup("&quot;")
            case UInt8(ascii: "'"): markup("&#39;")
            case 0: break
            default: bytes.append(byte)
            }
        }
    }

    mutating func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ content: (inout HTMLWriter) -> Void
    ) {
        open(name, attributes)
        content(&self)
        markup("</")
        markup(name)
        markup(">")
    }

    mutating func element(_ name: StaticString, _ content: (inout HTMLWriter) -> Void) { element(name, [:], content) }

    mutating func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ text: String) {
        element(name, attributes) { $0.text(text) }
    }

    mutating func element(_ name: StaticString, _ text: String) { element(name, [:], text) }

    /// The opening tag alone, for elements without content.
    mutating func open(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:]) {
        markup("<")
        markup(name)
        for (attribute, value) in attributes {
            markup(" ")
            markup(attribute)
            markup("=\"")
            text(value)
            markup("\"")
        }
        markup(">")
    }
}

extension HTMLWriter {
    /// A table, whose cells are stacked on a narrow screen; the roles keep it a table for those who hear it.
    ///
    /// - Parameters:
    ///   - anchor: the id of a row.
    ///   - cell: writes what stands in that row and column.
    mutating func table(
        _ header: [String], rows: Int, anchor: (Int) -> String? = { _ in nil },
        cell: (_ row: Int, _ column: Int, inout HTMLWriter) -> Void
    ) {
        element("table", ["role": "table"]) { table in
            table.element("thead", ["role": "rowgroup"]) { head in
                head.element("tr", ["role": "row"]) { line in
                    for name in header {
                        line.element("th", ["scope": "col", "role": "columnheader"]) {
                            MarkdownInline.write(name, to: &$0)
                        }
                    }
                }
            }
            table.element("tbody", ["role": "rowgroup"]) { body in
                for row in 0..<rows {
                    let write = { (line: inout HTMLWriter) in
                        for column in header.indices {
                            line.element("td", ["role": "cell"]) { cell(row, column, &$0) }
                        }
                    }
                    if let anchor = anchor(row) {
                        body.element("tr", ["role": "row", "id": anchor], write)
                    } else {
                        body.element("tr", ["role": "row"], write)
                    }
                }
            }
        }
    }
}

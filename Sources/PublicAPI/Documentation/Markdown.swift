/// The part of Markdown that the contract's descriptions use: paragraphs, headings, flat lists, fenced code and tables.
///
/// A text is read line by line, once; nothing nests but what ``MarkdownInline`` reads within a line. What is none of
/// these is a paragraph, so every text can be rendered.
struct Markdown {
    enum Block: Equatable {
        case paragraph(String)
        case heading(level: Int, text: String)
        case list(ordered: Bool, items: [String])
        /// The language as the fence names it; nothing where it names none.
        case code(String, language: String)
        case table(header: [String], rows: [[String]])
    }

    let blocks: [Block]

    init(_ text: String) {
        let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        var parser = BlockParser(lines: lines.map(Self.line))
        blocks = parser.read()
    }

    private static func line(_ bytes: Substring.UTF8View) -> ArraySlice<UInt8> {
        let line = Array(bytes)[...]
        return line.last == 0x0D ? line.dropLast() : line
    }

    /// - Parameter headingLevel: what `##` becomes; deeper ones follow.
    func write(to writer: inout HTMLWriter, headingLevel: Int = 2) {
        for block in blocks { Self.write(block, to: &writer, headingLevel: headingLevel) }
    }

    /// One block alone.
    static func write(_ block: Block, to writer: inout HTMLWriter, headingLevel: Int) {
        switch block {
        case .paragraph(let text): writer.element("p") { MarkdownInline.write(text, to: &$0) }
        case .heading(let level, let text):
            Self.writeHeading(text, level: headingLevel + level - 2, to: &writer)
        case .list(let ordered, let items):
            writer.element(ordered ? "ol" : "ul") { list in
                for item in items { list.element("li") { MarkdownInline.write(item, to: &$0) } }
            }
        case .code(let text, _): writer.element("pre", ["tabindex": "0"]) { $0.element("code", text) }
        case .table(let header, let rows):
            writer.table(header, rows: rows.count) { MarkdownInline.write(rows[$0][$1], to: &$2) }
        }
    }

    /// The headings of the top level (`##`), for a table of contents.
    var chapters: [String] {
        blocks.compactMap { if case .heading(2, let text) = $0 { text } else { nil } }
    }

    /// Where the chapter with that heading is on the page.
    static func anchor(_ heading: String) -> String {
        var anchor = "about"
        var gap = true
        for byte in heading.utf8 {
            let letter = byte | 0x20
            if (byte >= 48 && byte <= 57) || (letter >= 97 && letter <= 122) {
                if gap { anchor += "-" }
                anchor.unicodeScalars.append(Unicode.Scalar(byte >= 65 ? letter : byte))
                gap = false
            } else {
                gap = true
            }
        }
        return anchor
    }

    private static func writeHeading(_ text: String, level: Int, to writer: inout HTMLWriter) {
        let name: StaticString =
            switch level {
            case ...2: "h2"
            case 3: "h3"
            case 4: "h4"
            case 5: "h5"
            default: "h6"
            }
        writer.element(name, ["id": anchor(text)]) { MarkdownInline.write(text, to: &$0) }
    }
}

/// Takes lines off the front and makes blocks of them.
private struct BlockParser {
    private var lines: ArraySlice<ArraySlice<UInt8>>
    private var blocks: [Markdown.Block] = []
    private var paragraph: [UInt8] = []

    init(lines: [ArraySlice<UInt8>]) { self.lines = lines[...] }

    mutating func read() -> [Markdown.Block] {
        while let line = lines.first {
            lines.removeFirst()
            if line.isBlank {
                endParagraph()
            } else if line.starts(with: "```".utf8) {
                endParagraph()
                readCode(language: String(decoding: line.dropFirst(3).trimmed, as: UTF8.self))
            } else if let (level, text) = line.asHeading {
                endParagraph()
                blocks.append(.heading(level: level, text: text))
            } else if let first = line.asItem {
                endParagraph()
                readList(first)
            } else if let header = line.asCells, lines.first?.isTableRule ?? false {
                endParagraph()
                lines.removeFirst()
                readTable(header)
            } else {
                if !paragraph.isEmpty { paragraph.append(0x0A) }
                paragraph += line.trimmed
            }
        }
        endParagraph()
        return blocks
    }

    private mutating func endParagraph() {
        if !paragraph.isEmpty { blocks.append(.paragraph(String(decoding: paragraph, as: UTF8.self))) }
        paragraph = []
    }

    private mutating func readCode(language: String) {
        var text: [UInt8] = []
        while let line = lines.popFirst(), !line.starts(with: "```".utf8) {
            if !text.isEmpty { text.append(0x0A) }
            text += line
        }
        blocks.append(.code(String(decoding: text, as: UTF8.self), language: language))
    }

    /// Items of one sort, each with the indented lines that go on with it.
    private mutating func readList(_ first: (ordered: Bool, text: ArraySlice<UInt8>)) {
        var items = [Array(first.text)]
        while let line = lines.first {
            if let next = line.asItem, next.ordered == first.ordered {
                items.append(Array(next.text))
            } else if line.first == 0x20, !line.isBlank {
                items[items.count - 1] += [0x0A] + line.trimmed
            } else {
                break
            }
            lines.removeFirst()
        }
        blocks.append(.list(ordered: first.ordered, items: items.map { String(decoding: $0, as: UTF8.self) }))
    }

    private mutating func readTable(_ header: [String]) {
        var rows: [[String]] = []
        while let cells = lines.first?.asCells {
            // As many cells as the header has, whatever the row says.
            rows.append((0..<header.count).map { $0 < cells.count ? cells[$0] : "" })
            lines.removeFirst()
        }
        blocks.append(.table(header: header, rows: rows))
    }
}

extension ArraySlice<UInt8> {
    fileprivate var isBlank: Bool { allSatisfy { $0 == 0x20 || $0 == 0x09 } }

    fileprivate var trimmed: ArraySlice<UInt8> {
        var slice = drop { $0 == 0x20 || $0 == 0x09 }
        while let last = slice.last, last == 0x20 || last == 0x09 { slice.removeLast() }
        return slice
    }

    fileprivate var asHeading: (Int, String)? {
        let level = prefix { $0 == UInt8(ascii: "#") }.count
        guard (1...6).contains(level), dropFirst(level).first == 0x20 else { return nil }
        return (level, String(decoding: dropFirst(level).trimmed, as: UTF8.self))
    }

    /// `- text` or `1. text`.
    fileprivate var asItem: (ordered: Bool, text: ArraySlice<UInt8>)? {
        if starts(with: "- ".utf8) { return (false, dropFirst(2).trimmed) }
        let digits = prefix { $0 >= 48 && $0 <= 57 }.count
        guard (1...3).contains(digits), dropFirst(digits).starts(with: ". ".utf8) else { return nil }
        return (true, dropFirst(digits + 2).trimmed)
    }

    /// `| a | b |`
    fileprivate var asCells: [String]? {
        let line = trimmed
        guard line.count > 1, line.first == UInt8(ascii: "|"), line.last == UInt8(ascii: "|") else { return nil }
        return line.dropFirst().dropLast().split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
            .map { String(decoding: $0.trimmed, as: UTF8.self) }
    }

    /// `|---|---|`
    fileprivate var isTableRule: Bool {
        asCells?.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") } }
            ?? false
    }
}

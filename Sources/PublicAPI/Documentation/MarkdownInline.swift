/// What may stand within a line of ``Markdown``: `` `code` ``, `**strong**`, `*emphasis*`, `[links](#there)` and
/// backslashes. Everything else is text.
struct MarkdownInline {
    /// Strong text in a link in strong text, and no deeper.
    private static let deepest = 3

    private var rest: ArraySlice<UInt8>
    private let depth: Int
    /// Closing marks that do not come any more, so that unclosed ones cost one search and not one each.
    private var missing: Set<[UInt8]> = []
    private var plain: [UInt8] = []

    private init(_ text: ArraySlice<UInt8>, depth: Int) {
        rest = text
        self.depth = depth
    }

    static func write(_ text: String, to writer: inout HTMLWriter) {
        write(Array(text.utf8)[...], depth: 0, to: &writer)
    }

    private static func write(_ text: ArraySlice<UInt8>, depth: Int, to writer: inout HTMLWriter) {
        guard depth <= deepest else { return writer.text(text) }
        var parser = MarkdownInline(text, depth: depth)
        parser.write(to: &writer)
    }

    private mutating func write(to writer: inout HTMLWriter) {
        while let byte = rest.first {
            let done =
                switch byte {
                case UInt8(ascii: "\\"): takeEscape()
                case UInt8(ascii: "`"): takeCode(&writer)
                case UInt8(ascii: "*"): takeStrong(&writer) || takeEmphasis(&writer)
                case UInt8(ascii: "["): takeLink(&writer)
                default: false
                }
            if !done {
                plain.append(byte)
                rest.removeFirst()
            }
        }
        flush(&writer)
    }

    private mutating func flush(_ writer: inout HTMLWriter) {
        writer.text(plain)
        plain = []
    }

    /// The place of the next `mark`, from `start` on.
    private mutating func find(_ mark: String, from start: Int) -> Int? {
        let mark = Array(mark.utf8)
        guard start <= rest.endIndex, !missing.contains(mark) else { return nil }
        var place = start
        while place + mark.count <= rest.endIndex {
            if rest[place..<place + mark.count].elementsEqual(mark) { return place }
            place += 1
        }
        missing.insert(mark)
        return nil
    }

    private mutating func takeEscape() -> Bool {
        guard let next = rest.dropFirst().first, "\\`*[]|#-_<>".utf8.contains(next) else { return false }
        plain.append(next)
        rest.removeFirst(2)
        return true
    }

    private mutating func takeCode(_ writer: inout HTMLWriter) -> Bool {
        let start = rest.startIndex + 1
        guard let end = find("`", from: start), end > start else { return false }
        flush(&writer)
        writer.element("code") { $0.text(rest[start..<end]) }
        rest = rest[(end + 1)...]
        return true
    }

    private mutating func takeStrong(_ writer: inout HTMLWriter) -> Bool {
        guard rest.starts(with: "**".utf8) else { return false }
        let start = rest.startIndex + 2
        guard let end = find("**", from: start), end > start else { return false }
        flush(&writer)
        writer.element("strong") { Self.write(rest[start..<end], depth: depth + 1, to: &$0) }
        rest = rest[(end + 2)...]
        return true
    }

    private mutating func takeEmphasis(_ writer: inout HTMLWriter) -> Bool {
        let start = rest.startIndex + 1
        guard let end = find("*", from: start), end > start, rest[start] != 0x20, rest[end - 1] != 0x20 else {
            return false
        }
        flush(&writer)
        writer.element("em") { Self.write(rest[start..<end], depth: depth + 1, to: &$0) }
        rest = rest[(end + 1)...]
        return true
    }

    /// A link to where one may safely go; the text alone for any other.
    private mutating func takeLink(_ writer: inout HTMLWriter) -> Bool {
        let start = rest.startIndex + 1
        guard let middle = find("](", from: start), let end = find(")", from: middle + 2) else { return false }
        flush(&writer)
        let text = rest[start..<middle]
        let target = String(decoding: rest[(middle + 2)..<end], as: UTF8.self)
        if Self.isSafe(target) {
            writer.element("a", ["href": target]) { Self.write(text, depth: depth + 1, to: &$0) }
        } else {
            Self.write(text, depth: depth + 1, to: &writer)
        }
        rest = rest[(end + 1)...]
        return true
    }

    /// Addresses of the web, paths of this origin, places on this page: nothing that runs.
    static func isSafe(_ target: String) -> Bool {
        let target = target.utf8
        if target.starts(with: "https://".utf8) || target.starts(with: "http://".utf8) { return true }
        if target.first == UInt8(ascii: "#") { return true }
        let second = target.dropFirst().first
        return target.first == UInt8(ascii: "/") && second != UInt8(ascii: "/") && second != UInt8(ascii: "\\")
    }
}

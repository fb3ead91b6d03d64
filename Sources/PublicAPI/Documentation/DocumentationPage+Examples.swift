import Domain

extension DocumentationPage {
    /// The examples of a response's body: the first to be seen at once, the others behind a fold.
    func writeExamples(of response: JSONValue, to writer: inout HTMLWriter) {
        for media in response["content"].asMembers {
            if let example = media.value["example"] { writeExample(example, to: &writer) }
            for (index, member) in media.value["examples"].asMembers.enumerated() {
                guard let example = contract.resolved(member.value), let value = example["value"] else { continue }
                let title = example["summary"].asText ?? member.name
                if index == 0 {
                    writer.element("p", ["class": "caption"], title)
                    writeExample(value, to: &writer)
                } else {
                    writer.element("details", ["class": "more"]) { fold in
                        fold.element("summary", title)
                        writeExample(value, to: &fold)
                    }
                }
            }
        }
    }

    private func writeExample(_ value: JSONValue, to writer: inout HTMLWriter) {
        writer.element("pre", ["class": "json", "tabindex": "0", "role": "group", "aria-label": "Example"]) { box in
            box.element("code") { Self.write(value, indentation: 0, to: &$0) }
        }
    }

    /// How long an array or object may be to stand on one line.
    private static let longestLine = 72

    /// JSON to be read: indented, coloured by the kind of token.
    static func write(_ value: JSONValue, indentation: Int, to writer: inout HTMLWriter) {
        switch value {
        case .null, .bool, .number: writer.element("b", value.text)
        case .string: writer.element("i", value.text)
        case .array(let elements):
            write(elements.map { (nil, $0) }, "[", "]", of: value, indentation, to: &writer)
        case .object(let members):
            write(members.map { ($0.name, $0.value) }, "{", "}", of: value, indentation, to: &writer)
        }
    }

    private static func write(
        _ parts: [(name: String?, value: JSONValue)], _ open: StaticString, _ close: StaticString, of whole: JSONValue,
        _ indentation: Int, to writer: inout HTMLWriter
    ) {
        let flat = parts.allSatisfy { $0.value.isScalar } && indentation > 0 && whole.text.utf8.count <= longestLine
        writer.markup(open)
        for (index, part) in parts.enumerated() {
            if index > 0 { writer.markup(flat ? ", " : ",") }
            if !flat { breakLine(indentation + 1, &writer) }
            if let name = part.name {
                writer.text(JSONValue.string(name).text)
                writer.markup(": ")
            }
            write(part.value, indentation: indentation + 1, to: &writer)
        }
        if !flat, !parts.isEmpty { breakLine(indentation, &writer) }
        writer.markup(close)
    }

    private static func breakLine(_ indentation: Int, _ writer: inout HTMLWriter) {
        writer.markup("\n")
        for _ in 0..<indentation { writer.markup("  ") }
    }
}

extension JSONValue {
    fileprivate var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}

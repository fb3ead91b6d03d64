import Domain

extension Target {
    /// Reads a cell. An empty one clears.
    /// - Throws: ``JSONError`` for a cell that should be JSON and is not.
    func value(ofCell text: String) throws(JSONError) -> JSONValue {
        if text.isEmpty { return .null }
        switch cellForm {
        case .text: return .string(text)
        case .list: return .array(CellText.parts(of: text, separator: ";").map(JSONValue.string))
        case .json: return try JSONParser.parse(text)
        }
    }

    /// Reads a text that a mapping made of cells: where any JSON will do, a text that is none stays a text.
    func value(ofMapped text: String) throws(JSONError) -> JSONValue {
        if case .json = field?.field.form, let value = try? JSONParser.parse(text) { return value }
        if case .json = field?.field.form { return .string(text) }
        return try value(ofCell: text)
    }
}

enum CellText {
    /// The parts without the white space around them; empty ones are left out.
    static func parts(of text: String, separator: String) -> [String] {
        var parts: [String] = []
        var rest = text.utf8[...]
        while true {
            let found = firstRange(of: separator, in: rest)
            let part = trimmed(rest[..<(found?.lowerBound ?? rest.endIndex)])
            if !part.isEmpty { parts.append(String(Substring(part))) }
            guard let found else { return parts }
            rest = rest[found.upperBound...]
        }
    }

    static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let first = text.first, first.isJSONSpace { text.removeFirst() }
        while let last = text.last, last.isJSONSpace { text.removeLast() }
        return text
    }

    private static func firstRange(of word: String, in text: Substring.UTF8View) -> Range<String.Index>? {
        let word = word.utf8
        guard let first = word.first else { return nil }
        var start = text.startIndex
        while let index = text[start...].firstIndex(of: first) {
            if text[index...].starts(with: word) {
                return index..<text.index(index, offsetBy: word.count)
            }
            start = text.index(after: index)
        }
        return nil
    }

    /// A cell's bytes as text, doubled quotes as one.
    static func text(of bytes: UnsafeBufferPointer<UInt8>, hasQuotes: Bool) -> String {
        guard hasQuotes else { return String(decoding: bytes, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: bytes.count) { out in
            var count = 0
            var index = 0
            while index < bytes.count {
                out[count] = bytes[index]
                count &+= 1
                // The scanner let only pairs in.
                index &+= bytes[index] == 0x22 ? 2 : 1
            }
            return count
        }
    }
}

/// The `Accept` field (RFC 9110, 12.5.1), read as far as a choice among our types needs.
public struct Accept {
    private let ranges: [(range: Substring, isRefused: Bool)]

    public init(_ field: String) {
        ranges = field.split(separator: ",").prefix(50).map { part in
            let pieces = part.split(separator: ";")
            let range = (pieces.first ?? "").trimmed
            let refused = pieces.dropFirst().contains { piece in
                let text = piece.trimmed.lowercased()
                return text.hasPrefix("q=") && Double(text.dropFirst(2)) == 0
            }
            return (range, refused)
        }
    }

    public func meets(any types: [String]) -> Bool { ranges.isEmpty || types.contains(where: accepts) }

    /// The most specific range decides.
    private func accepts(_ type: String) -> Bool {
        let group = type.split(separator: "/")[0] + "/*"
        for wanted in [Substring(type), Substring(group), "*/*"] {
            if let range = ranges.first(where: { $0.range.lowercased() == wanted }) { return !range.isRefused }
        }
        return false
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}

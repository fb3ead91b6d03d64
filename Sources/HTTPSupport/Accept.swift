/// The `Accept` field (RFC 9110, 12.5.1), read as far as a choice among our types needs.
public struct Accept {
    private let ranges: [(range: String, quality: Double)]

    public init(_ field: String) {
        ranges = field.split(separator: ",").prefix(50).map { part in
            let pieces = part.split(separator: ";")
            var quality = 1.0
            for piece in pieces.dropFirst() {
                let text = piece.trimmed.lowercased()
                if text.hasPrefix("q=") { quality = Double(text.dropFirst(2)) ?? 1 }
            }
            return ((pieces.first ?? "").trimmed.lowercased(), quality)
        }
    }

    public func meets(any types: [String]) -> Bool { types.contains { quality(of: $0) > 0 } }

    /// How welcome a type is, from 0 (not at all) to 1: the most specific range decides.
    public func quality(of type: String) -> Double {
        guard !ranges.isEmpty else { return 1 }
        let group = type.split(separator: "/")[0] + "/*"
        for wanted in [type, String(group), "*/*"] {
            if let range = ranges.first(where: { $0.range == wanted }) { return range.quality }
        }
        return 0
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}

import Domain
import HTTPSupport

/// What of a request decides on the form of its answer and its cost, before the parameters are read as a whole.
struct Asked {
    /// Nil where none of our media types is acceptable.
    let notation: Notation?
    let isExport: Bool

    init(_ route: Route, _ target: Target, _ request: IncomingRequest) {
        guard route.isList else {
            notation = request.accept.map { Accept($0).meets(any: route) } ?? true ? .json : nil
            isExport = false
            return
        }
        // A `format` says it louder than a header that a tool sends by itself; a bad one is refused with the parameters.
        var format: Notation?
        var isExport = false
        for pair in target.pairs {
            if pair.hasPrefix("format=") { format = Notation(rawValue: String(pair.dropFirst(7))) ?? .json }
            if pair == "export=all" { isExport = true }
        }
        self.isExport = isExport
        // Pages are JSON unless something else is asked for, exports are lines.
        let offered = isExport ? [Notation.ndjson, .csv] : Notation.allCases
        if let format { notation = format } else { notation = request.accept.map { Accept($0).best(of: offered) } ?? offered[0] }
    }
}

/// The `Accept` field (RFC 9110, 12.5.1), read as far as a choice among our types needs.
struct Accept {
    private let ranges: [(range: String, quality: Double)]

    init(_ field: String) {
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

    func meets(any route: Route) -> Bool {
        // A résumé has whatever type its file has.
        if case .resume = route { return true }
        return ranges.isEmpty || route.mediaTypes.contains { quality(of: $0) > 0 }
    }

    /// The most welcome one, the first of equals; nil where none is.
    func best(of offered: [Notation]) -> Notation? {
        guard !ranges.isEmpty else { return offered.first }
        var best: (notation: Notation, quality: Double)?
        for notation in offered {
            let quality = ([notation.mediaType] + notation.aliases).map(quality).max() ?? 0
            if quality > best?.quality ?? 0 { best = (notation, quality) }
        }
        return best?.notation
    }

    /// The most specific range decides.
    private func quality(of type: String) -> Double {
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

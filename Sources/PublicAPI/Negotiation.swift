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
            // What is written as `%61ll` is `all`; hardly anything is, so that all else is compared as it stands.
            var pair = pair
            if pair.utf8.contains(UInt8(ascii: "%")), let read = try? Target.parameter(pair) { pair = "\(read.name)=\(read.value)" }
            if pair.utf8.starts(with: "format=".utf8) { format = Notation(rawValue: String(pair.dropFirst(7))) ?? .json }
            if pair.utf8.elementsEqual("export=all".utf8) { isExport = true }
        }
        self.isExport = isExport
        // Pages are JSON unless something else is asked for, exports are lines.
        let offered = isExport ? [Notation.ndjson, .csv] : Notation.allCases
        if let format { notation = format } else { notation = request.accept.map { Accept($0).best(of: offered) } ?? offered[0] }
    }
}

extension Accept {
    func meets(any route: Route) -> Bool {
        // A résumé has whatever type its file has.
        if case .resume = route { return true }
        return meets(any: route.mediaTypes)
    }

    /// The most welcome one, the first of equals; nil where none is.
    func best(of offered: [Notation]) -> Notation? {
        var best: (notation: Notation, quality: Double)?
        for notation in offered {
            let quality = ([notation.mediaType] + notation.aliases).map(quality).max() ?? 0
            if quality > best?.quality ?? 0 { best = (notation, quality) }
        }
        return best?.notation
    }
}

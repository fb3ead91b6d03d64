import Domain

/// The names in a CSV file's first row, without the white space around them.
struct TableHeader {
    let line: Int
    let names: [String]

    /// - Throws: ``ImportFileError`` where there is none, or a name stands twice.
    init(from framer: inout TableFramer, in window: inout ByteWindow) throws {
        switch try framer.next(in: &window) {
        case nil: throw ImportFileError(line: 1, "the file is empty; a CSV file starts with the names of its columns")
        case .unusable(let line, let reason, _):
            throw ImportFileError(line: line, "the header can't be read: \(reason)")
        case .row(let line, let bytes):
            if let fault = TextCheck.fault(in: bytes) {
                throw ImportFileError(line: line, "the header can't be read: \(fault)")
            }
            guard framer.scanner.cellCount <= RowLimits.columns else {
                throw ImportFileError(line: line, "over \(RowLimits.columns) columns")
            }
            let scanner = framer.scanner
            names = scanner.cells.indices.map { index in
                String(Substring(CellText.trimmed(scanner.text(ofCell: index, in: bytes)[...].utf8)))
            }
            self.line = line
        }
        var seen: Set<String> = []
        let twice = names.filter { !seen.insert($0).inserted }
        guard twice.isEmpty else {
            throw ImportFileError(line: line, "the header names \(Self.list(twice)) more than once")
        }
    }

    /// The columns' targets, where fields have their own names.
    /// - Throws: ``ImportFileError`` with every column that is no field of the kind.
    func targets(in table: TargetTable) throws(ImportFileError) -> [Int] {
        let known = table.names
        let unknown = names.filter { table.index(of: $0) == nil }
        guard unknown.isEmpty else {
            let hints = unknown.prefix(20).compactMap { name in
                Suggestion.closest(to: name, in: known).map { "'\(name)' may be '\($0)'" }
            }
            throw ImportFileError(
                line: line,
                "no such field of \(table.kind.plural): \(Self.list(unknown))"
                    + (hints.isEmpty ? "" : " (\(hints.joined(separator: ", ")))")
                    + "; rename the columns or say with --mapping which field each of them is\(separatorHint)")
        }
        let twice = table.relationsNamedTwice(in: names)
        guard twice.isEmpty else {
            throw ImportFileError(line: line, "both an id and an external id for one relation: \(Self.list(twice))")
        }
        return names.compactMap { table.index(of: $0) }
    }

    /// For files whose cells are separated by something else.
    var separatorHint: String {
        guard names.count == 1, names[0].contains(where: { $0 == ";" || $0 == "\t" || $0 == "|" }) else { return "" }
        return "; cells are separated by commas unless a mapping names another \"separator\""
    }

    /// At most 20 names, each cut at 60 characters.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).map { "'\($0.prefix(60))'" }.joined(separator: ", ")
        return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
    }
}

import Domain

/// What a mapping's rules read: the values of one row, by the index of the path in the mapping.
protocol RowValues {
    /// Nil where the row has no such thing.
    func value(_ path: Int) -> JSONValue?

    /// Whether its texts are cells, which may hold lists and JSON.
    var hasCells: Bool { get }
}

/// A row of JSON, or one element of it.
struct ObjectRow: RowValues {
    let paths: [FieldPath]
    let row: JSONValue
    let element: JSONValue
    var hasCells: Bool { false }

    func value(_ path: Int) -> JSONValue? { paths[path].value(row: row, element: element) }
}

/// A row of CSV.
struct TableCells: RowValues {
    let bytes: UnsafeBufferPointer<UInt8>
    let cells: [TableScanner.Cell]
    /// By path: the column.
    let columns: [Int]
    var hasCells: Bool { true }

    func value(_ path: Int) -> JSONValue? {
        let cell = cells[columns[path]]
        let text = UnsafeBufferPointer(rebasing: bytes[Int(cell.start)..<Int(cell.end)])
        return .string(CellText.text(of: text, hasQuotes: cell.hasQuotes))
    }
}

/// A mapping's paths as columns of one file.
struct TableBinding {
    let columns: [Int]

    /// - Throws: ``ImportFileError`` with every column that the mapping names and the header does not.
    init(_ mapping: Mapping, header: TableHeader) throws(ImportFileError) {
        guard mapping.each == nil else {
            throw ImportFileError(line: 0, "the mapping's \"each\" is for JSON; a row of CSV is one record")
        }
        let places = Dictionary(uniqueKeysWithValues: header.names.enumerated().map { ($1, $0) })
        let missing = mapping.paths.map(\.text).filter { places[$0] == nil }
        guard missing.isEmpty else {
            let hints = missing.prefix(20).compactMap { name in
                Suggestion.closest(to: name, in: header.names).map { "'\(name)' may be '\($0)'" }
            }
            throw ImportFileError(
                line: header.line,
                "the file has no column \(TableHeader.list(missing)), which the mapping reads"
                    + (hints.isEmpty ? "" : " (\(hints.joined(separator: ", ")))") + header.separatorHint)
        }
        columns = mapping.paths.compactMap { places[$0.text] }
    }
}

/// The records in one row, one after the other.
struct RowElements {
    private let paths: [FieldPath]
    private let row: JSONValue
    private let elements: [JSONValue]
    private let areCounted: Bool
    private var index = 0

    /// - Parameter areCounted: whether an element is told by its index.
    init(paths: [FieldPath], row: JSONValue, elements: [JSONValue], areCounted: Bool) {
        self.paths = paths
        self.row = row
        self.elements = elements
        self.areCounted = areCounted
    }

    mutating func next() -> (index: Int?, row: ObjectRow)? {
        guard index < elements.count else { return nil }
        defer { index += 1 }
        return (areCounted ? index : nil, ObjectRow(paths: paths, row: row, element: elements[index]))
    }
}

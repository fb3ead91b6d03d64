import Domain

/// The rows of a file of JSON values, whichever way they are framed.
final class ObjectRows<Framer: RowFramer>: RowSource {
    private let mapping: Mapping?
    private var names: MemberNames
    private var window: ByteWindow
    private var framer = Framer()
    private var line = 0
    private var current = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    /// What is left of a row that holds several records.
    private var elements: RowElements?
    private(set) var element: Int?

    var place: String? { mapping.flatMap { mapping in element.map { "\(mapping.eachText)[\($0)]" } } }
    var bytesRead: Int { window.bytesRead }
    var excerpt: [UInt8] { current.excerpt }

    init(kind: RecordKind, mapping: Mapping?, window: consuming ByteWindow) throws {
        var window = window
        try window.skipByteOrderMark()
        try mapping?.requirePaths()
        self.mapping = mapping
        names = MemberNames(kind: kind)
        self.window = window
    }

    func next() throws -> ImportedRow? {
        while true {
            if let row = nextElement() { return row }
            element = nil
            // Reading on may move the bytes away.
            current = UnsafeBufferPointer(start: nil, count: 0)
            guard let frame = try framer.next(in: &window) else { return nil }
            switch frame {
            case .unusable(let line, let reason, let raw):
                return .rejected(line: line, reason: reason, raw: raw)
            case .row(let line, let bytes):
                self.line = line
                current = bytes
                if let row = read(bytes) { return row }
            }
        }
    }

    /// Nil where the row is not selected, or its elements are now to be read.
    private func read(_ bytes: UnsafeBufferPointer<UInt8>) -> ImportedRow? {
        if RowLimits.holdsTooManyValues(bytes) { return rejected("over \(RowLimits.values) values") }
        do {
            let value = try JSONParser.parse(bytes)
            guard let mapping else { return .record(try names.record(from: value), line: line) }
            let row = ObjectRow(paths: mapping.paths, row: value, element: value)
            guard try mapping.selects(row) else { return nil }
            elements = try mapping.elements(of: row)
            return nil
        } catch let error as JSONError {
            let further = bytes.lineFeeds(before: min(error.offset, bytes.count))
            return rejected("not JSON: \(error) of the row\(further > 0 ? " (line \(line + further))" : "")")
        } catch let error as InputFaults {
            return rejected(error.reason)
        } catch {
            return rejected("\(error)")
        }
    }

    private func nextElement() -> ImportedRow? {
        guard let mapping else { return nil }
        while let (index, row) = elements?.next() {
            element = index
            do throws(InputFaults) {
                guard try mapping.selectsElement(row) else { continue }
                return .record(try mapping.record(from: row), line: line)
            } catch {
                return rejected((place.map { $0 + ": " } ?? "") + error.reason)
            }
        }
        elements = nil
        return nil
    }

    private func rejected(_ reason: String) -> ImportedRow {
        .rejected(line: line, reason: reason, raw: current.excerpt)
    }
}

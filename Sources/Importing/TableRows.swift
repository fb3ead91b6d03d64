import Domain

/// The rows of a CSV file with a header.
final class TableRows: RowSource {
    private enum Columns {
        /// By column: the index of its target.
        case named([Int])
        case mapped(Mapping, TableBinding)
    }

    private let table: TargetTable
    private let columns: Columns
    private let columnCount: Int
    private var window: ByteWindow
    private var framer: TableFramer
    private var current = UnsafeBufferPointer<UInt8>(start: nil, count: 0)

    var bytesRead: Int { window.bytesRead }
    var element: Int? { nil }
    var place: String? { nil }
    var excerpt: [UInt8] { current.excerpt }

    init(kind: RecordKind, mapping: Mapping?, window: consuming ByteWindow) throws {
        var window = window
        try window.skipByteOrderMark()
        var framer = TableFramer(separator: mapping?.separator ?? UInt8(ascii: ","))
        let header = try TableHeader(from: &framer, in: &window)
        table = mapping?.table ?? TargetTable(kind: kind)
        if let mapping {
            columns = .mapped(mapping, try TableBinding(mapping, header: header))
        } else {
            columns = .named(try header.targets(in: table))
        }
        columnCount = header.names.count
        self.window = window
        self.framer = framer
    }

    func next() throws -> ImportedRow? {
        // Reading on may move the bytes away.
        current = UnsafeBufferPointer(start: nil, count: 0)
        while let frame = try framer.next(in: &window) {
            switch frame {
            case .unusable(let line, let reason, let raw):
                return .rejected(line: line, reason: reason, raw: raw)
            case .row(let line, let bytes):
                current = bytes
                if let reason = fault(in: bytes) { return .rejected(line: line, reason: reason, raw: bytes.excerpt) }
                do throws(InputFaults) {
                    guard let record = try record(from: bytes) else { continue }
                    return .record(record, line: line)
                } catch {
                    return .rejected(line: line, reason: error.reason, raw: bytes.excerpt)
                }
            }
        }
        return nil
    }

    private func fault(in bytes: UnsafeBufferPointer<UInt8>) -> String? {
        if let fault = TextCheck.fault(in: bytes) { return fault }
        let count = framer.scanner.cellCount
        if count == columnCount { return nil }
        let breaks = framer.scanner.hasQuotedCells ? bytes.lineBreaks(before: bytes.count) : 0
        return "\(count) \(count == 1 ? "cell" : "cells"), but the header has \(columnCount)"
            + (breaks > 0 ? "; the row takes \(breaks + 1) lines: is a quote unclosed?" : "")
    }

    /// Nil where the mapping does not select the row.
    private func record(from bytes: UnsafeBufferPointer<UInt8>) throws(InputFaults) -> RecordInput? {
        switch columns {
        case .named(let targets): return try record(from: bytes, targets: targets)
        case .mapped(let mapping, let binding):
            let row = TableCells(bytes: bytes, cells: framer.scanner.cells, columns: binding.columns)
            return try mapping.selects(row) ? mapping.record(from: row) : nil
        }
    }

    private func record(from bytes: UnsafeBufferPointer<UInt8>, targets: [Int]) throws(InputFaults) -> RecordInput {
        var draft = RecordDraft(kind: table.kind, capacity: targets.count)
        for column in 0..<targets.count {
            let text = framer.scanner.text(ofCell: column, in: bytes)
            let index = targets[column]
            do throws(JSONError) {
                draft.set(table.targets[index], to: try table.targets[index].value(ofCell: text))
            } catch {
                draft.fail(table.targets[index].pointer, "not JSON: \(error)")
            }
        }
        return try draft.finish()
    }
}

extension TableScanner {
    func text(ofCell index: Int, in row: UnsafeBufferPointer<UInt8>) -> String {
        let cell = cells[index]
        let bytes = UnsafeBufferPointer(rebasing: row[Int(cell.start)..<Int(cell.end)])
        return CellText.text(of: bytes, hasQuotes: cell.hasQuotes)
    }
}

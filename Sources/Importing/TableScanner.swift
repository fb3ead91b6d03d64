/// Finds the cells of one CSV row (RFC 4180), in as many pieces as the row comes.
///
/// Rows end with a line feed, a carriage return and a line feed, or a lone carriage return.
struct TableScanner {
    /// A cell's text, counted from the row's start, without its quotes.
    struct Cell {
        let start: Int32
        let end: Int32
        /// Holds doubled quotes.
        let hasQuotes: Bool
    }

    enum Outcome {
        case incomplete
        /// The row ends before this position: at a line break, or at the stream's end.
        case row(length: Int)
        case broken(Fault)
    }

    enum Fault {
        case quoteInsideCell
        case textAfterQuotes
        case unclosedQuote
    }

    private enum Place {
        case cellStart
        case plain
        case quoted
        /// After a quote inside quotes: the cell's end or half of a doubled one.
        case quoteSeen
    }

    private(set) var cells: [Cell] = []
    /// Also those over ``RowLimits/columns``, which are not kept.
    private(set) var cellCount = 0
    /// Where to go on: all before it was looked at.
    private(set) var position = 0
    /// Where the cell being read starts, with its quote.
    private(set) var cellStart = 0
    /// Only quoted cells can hold line breaks.
    private(set) var hasQuotedCells = false

    private let separator: UInt8
    private var place = Place.cellStart
    private var hasQuotes = false

    var isInsideQuotes: Bool { place == .quoted }

    init(separator: UInt8) { self.separator = separator }

    mutating func startRow() {
        cells.removeAll(keepingCapacity: true)
        cellCount = 0
        position = 0
        hasQuotedCells = false
        place = .cellStart
    }

    /// - Parameter bytes: from the row's start, at least as many as the last time.
    mutating func advance(through bytes: UnsafeBufferPointer<UInt8>, isAtEnd: Bool) -> Outcome {
        while true {
            switch place {
            case .cellStart:
                guard position < bytes.count || isAtEnd else { return .incomplete }
                startCell(bytes)
            case .plain:
                position = plainEnd(bytes)
                guard position < bytes.count || isAtEnd else { return .incomplete }
                if position < bytes.count, bytes[position] == 0x22 { return .broken(.quoteInsideCell) }
                finishCell(from: cellStart, to: position)
                if !takeSeparator(bytes) { return .row(length: position) }
            case .quoted:
                guard let quote = bytes.first(0x22, from: position) else {
                    position = bytes.count
                    return isAtEnd ? .broken(.unclosedQuote) : .incomplete
                }
                position = quote + 1
                place = .quoteSeen
            case .quoteSeen:
                guard position < bytes.count || isAtEnd else { return .incomplete }
                if position < bytes.count, bytes[position] == 0x22 {
                    position += 1
                    hasQuotes = true
                    place = .quoted
                } else {
                    finishCell(from: cellStart + 1, to: position - 1)
                    if takeSeparator(bytes) { continue }
                    let ends = position == bytes.count || bytes[position] == 0x0A || bytes[position] == 0x0D
                    return ends ? .row(length: position) : .broken(.textAfterQuotes)
                }
            }
        }
    }

    @inline(__always)
    private mutating func startCell(_ bytes: UnsafeBufferPointer<UInt8>) {
        cellStart = position
        hasQuotes = false
        place = .plain
        if position < bytes.count, bytes[position] == 0x22 {
            hasQuotedCells = true
            place = .quoted
            position += 1
        }
    }

    @inline(__always)
    private mutating func finishCell(from start: Int, to end: Int) {
        cellCount += 1
        guard cellCount <= RowLimits.columns else { return }
        cells.append(
            Cell(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end), hasQuotes: hasQuotes))
    }

    @inline(__always)
    private mutating func takeSeparator(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == separator else { return false }
        position += 1
        place = .cellStart
        return true
    }

    /// The first separator, quote or line break; the bytes' end where there is none.
    @inline(__always)
    private func plainEnd(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        let patterns = (
            ByteOctet.filled(separator), ByteOctet.filled(0x22), ByteOctet.filled(0x0A), ByteOctet.filled(0x0D)
        )
        var index = position
        while index &+ 8 <= bytes.count {
            let octet = ByteOctet(start + index)
            let found =
                octet.matches(patterns.0) | octet.matches(patterns.1) | octet.matches(patterns.2)
                | octet.matches(patterns.3)
            if found != 0 { return index &+ ByteOctet.firstIndex(found) }
            index &+= 8
        }
        while index < bytes.count {
            let byte = start[index]
            if byte == separator || byte == 0x22 || byte == 0x0A || byte == 0x0D { return index }
            index &+= 1
        }
        return bytes.count
    }
}

/// Cuts a CSV stream into rows, and finds the next row again after a broken one.
///
/// After quotes that went wrong, reading goes on at the line after the one where the row started: an unclosed quote
/// costs its own row, not the rest of the file. No stretch is read more than twice for it: lines that a first reading
/// passed over inside quotes hold their quotes in pairs, so none of them can open quotes that stay open.
struct TableFramer {
    private(set) var scanner: TableScanner
    private var line = 1
    /// The last row ended with a carriage return, whose line feed may follow.
    private var mayStartWithFeed = false

    init(separator: UInt8) { scanner = TableScanner(separator: separator) }

    /// The next row that is not empty; its cells are the scanner's. Nil at the stream's end.
    mutating func next(in window: inout ByteWindow) throws -> RowFrame? {
        while true {
            try skipFeed(in: &window)
            scanner.startRow()
            var outcome = scanner.advance(through: window.bytes, isAtEnd: window.isAtEnd)
            while case .incomplete = outcome {
                if window.bytes.count > RowLimits.bytes { return try tooLong(in: &window) }
                _ = try window.more()
                outcome = scanner.advance(through: window.bytes, isAtEnd: window.isAtEnd)
            }
            switch outcome {
            case .incomplete: continue
            case .broken(let fault): return try recover(from: fault, in: &window)
            case .row(let length):
                if length == 0, window.bytes.isEmpty { return nil }
                if length > RowLimits.bytes { return try tooLong(in: &window) }
                let start = line
                let bytes = takeRow(length, in: &window)
                if !bytes.isEmpty { return .row(line: start, bytes: bytes) }
            }
        }
    }

    private mutating func skipFeed(in window: inout ByteWindow) throws {
        guard mayStartWithFeed else { return }
        if window.bytes.isEmpty { _ = try window.more() }
        if window.bytes.first == 0x0A { window.consume(1) }
        mayStartWithFeed = false
    }

    private mutating func takeRow(_ length: Int, in window: inout ByteWindow) -> UnsafeBufferPointer<UInt8> {
        let bytes = window.bytes
        if scanner.hasQuotedCells { line += bytes.lineBreaks(before: length) }
        line += 1
        if length < bytes.count {
            mayStartWithFeed = bytes[length] == 0x0D
            window.consume(length + 1)
        } else {
            window.consume(length)
        }
        return UnsafeBufferPointer(rebasing: bytes.prefix(length))
    }

    private mutating func recover(from fault: TableScanner.Fault, in window: inout ByteWindow) throws -> RowFrame {
        // What is passed over: the line of the fault, or the first one.
        let raw = try excerpt(toLineAt: fault == .quoteInsideCell ? scanner.position : 0, in: &window)
        let bytes = window.bytes
        let start = line
        let opened = start + bytes.lineBreaks(before: scanner.cellStart)
        let reason: String
        switch fault {
        case .quoteInsideCell:
            reason = "a quote inside a cell that does not start with one"
            line += bytes.lineBreaks(before: scanner.position)
            try skipLine(in: &window, from: scanner.position)
            return .unusable(line: start, reason: reason, raw: raw)
        case .textAfterQuotes:
            let here = start + bytes.lineBreaks(before: scanner.position)
            reason =
                "text after the closing quote of a cell that starts on line \(opened)"
                + (here > opened ? " and ends on line \(here)" : "")
        case .unclosedQuote:
            reason = "the quote that opens on line \(opened) is never closed"
        }
        try skipFirstLine(in: &window)
        return .unusable(line: start, reason: reason, raw: raw)
    }

    private func excerpt(toLineAt position: Int, in window: inout ByteWindow) throws -> [UInt8] {
        while window.bytes.firstLineBreak(from: position) == nil, window.bytes.count <= RecordReader.longestExcerpt,
            try window.more()
        {}
        let bytes = window.bytes
        return UnsafeBufferPointer(rebasing: bytes.prefix(bytes.firstLineBreak(from: position) ?? bytes.count)).excerpt
    }

    private mutating func tooLong(in window: inout ByteWindow) throws -> RowFrame {
        let start = line
        let raw = window.bytes.excerpt
        var reason = RowLimits.tooLong
        if scanner.isInsideQuotes {
            let opened = start + window.bytes.lineBreaks(before: scanner.cellStart)
            reason += "; the quote that opens on line \(opened) is not closed within that"
        }
        try skipFirstLine(in: &window)
        return .unusable(line: start, reason: reason, raw: raw)
    }

    /// Goes on after the first line break of the row.
    private mutating func skipFirstLine(in window: inout ByteWindow) throws { try skipLine(in: &window, from: 0) }

    private mutating func skipLine(in window: inout ByteWindow, from position: Int) throws {
        mayStartWithFeed = try window.skipLine(from: position, orAtCarriageReturn: true) == 0x0D
        line += 1
    }
}

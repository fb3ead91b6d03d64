import Domain

/// What one row of a file came to.
public enum ImportedRow: Sendable {
    /// - Parameter line: the physical line, from 1, on which the row starts.
    case record(RecordInput, line: Int)
    /// - Parameter raw: the row's bytes as they came, cut at ``RecordReader/longestExcerpt``.
    case rejected(line: Int, reason: String, raw: [UInt8])
}

/// Why a file as a whole can't be read, or not any further.
public struct ImportFileError: Error, Sendable, CustomStringConvertible {
    /// The physical line, from 1; 0 where the fault is at no line.
    public let line: Int
    public let message: String

    init(line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    public var description: String { line > 0 ? "line \(line): \(message)" : message }
}

extension InputFaults {
    /// At most 20 faults, and 2,000 characters of them: a hostile row has as many and as long ones as it likes.
    var reason: String {
        let shown = faults.prefix(20).map { $0.description.excerpt(500) }.joined(separator: "; ").excerpt(2_000)
        return faults.count > 20 ? "\(shown); and \(faults.count - 20) more" : shown
    }
}

extension String {
    /// The first so many Unicode scalars, with a mark where there are more.
    func excerpt(_ length: Int) -> String {
        guard utf8.count > length,
            let end = unicodeScalars.index(startIndex, offsetBy: length, limitedBy: endIndex), end < endIndex
        else { return self }
        return String(unicodeScalars[..<end]) + "…"
    }
}

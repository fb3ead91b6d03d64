import Domain

/// Reads records from a stream of CSV, NDJSON or JSON, one row in memory at a time.
///
/// Without a mapping the fields have their own names; see ``Mapping`` for everything else. A row that can't be taken
/// is given as ``ImportedRow/rejected(line:reason:raw:)`` and the reading goes on.
public final class RecordReader {
    /// How much of a row is kept to show, in bytes.
    public static let longestExcerpt = 4096

    private let rows: any RowSource

    /// Reads as far as the header.
    /// - Parameter read: fills the buffer from its start and returns how many bytes came; 0 at the end.
    /// - Throws: ``ImportFileError`` where the header or the mapping does not fit the kind; what `read` throws.
    public init(
        kind: RecordKind, format: FileFormat, mapping: Mapping?,
        read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
        if let mapping, mapping.kind != kind {
            throw ImportFileError(line: 0, "the mapping is for \(mapping.kind.plural), not for \(kind.plural)")
        }
        let window = ByteWindow(read: read)
        rows =
            switch format {
            case .csv: try TableRows(kind: kind, mapping: mapping, window: window)
            case .ndjson: try ObjectRows<LineFramer>(kind: kind, mapping: mapping, window: window)
            case .json: try ObjectRows<ElementFramer>(kind: kind, mapping: mapping, window: window)
            }
    }

    /// The next row that the mapping selects; nil at the end.
    /// - Throws: ``ImportFileError`` where the rest can't be read; what `read` throws.
    public func next() throws -> ImportedRow? { try rows.next() }

    /// Bytes taken from the stream so far.
    public var bytesRead: Int { rows.bytesRead }

    /// Which element of the mapping's `each` the last row was, from 0; nil where it was none.
    public var element: Int? { rows.element }

    /// That element in words, such as `applications[2]`.
    public var place: String? { rows.place }

    /// The bytes of the last row, as in ``ImportedRow/rejected(line:reason:raw:)``, for a record that is refused later.
    public var excerpt: [UInt8] { rows.excerpt }
}

/// A format's way from bytes to rows.
protocol RowSource: AnyObject {
    func next() throws -> ImportedRow?
    var bytesRead: Int { get }
    var element: Int? { get }
    var place: String? { get }
    var excerpt: [UInt8] { get }
}

/// A row's place in the file.
enum RowFrame {
    /// - Parameter bytes: valid until the next row is asked for.
    case row(line: Int, bytes: UnsafeBufferPointer<UInt8>)
    case unusable(line: Int, reason: String, raw: [UInt8])
}

/// Cuts a stream into the texts of JSON values.
protocol RowFramer {
    init()

    /// - Returns: nil at the stream's end.
    /// - Throws: ``ImportFileError`` where what follows can't be told apart; what the stream throws.
    mutating func next(in window: inout ByteWindow) throws -> RowFrame?
}

/// The bounds that keep a hostile file from taking the machine.
enum RowLimits {
    /// The longest row, in bytes: a résumé of 10 MB in base 64 and room beside it.
    static let bytes = 32 << 20
    static let columns = 10_000
    /// How many values one row of JSON may hold: in memory each takes some forty bytes, in the file as little as two.
    static let values = 1_000_000

    static let tooLong = "the row is longer than \(bytes >> 20) MB"
}

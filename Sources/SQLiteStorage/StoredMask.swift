import Domain

/// What `events.masked_data` says of those who may not read personal data.
enum StoredMask {
    /// NULL: they read `data`, for nothing in it is personal.
    case none
    /// Empty: they read what ``EventMask`` makes of `data`.
    case madeWhenRead
    /// They read this text; what was written before the masks were made when they are read.
    case stored

    static let madeWhenReadText = ""

    init(_ row: StatementRow, _ column: Int) {
        guard let text = row.knownText(column)?.bytes else {
            self = .none
            return
        }
        self = text.isEmpty ? .madeWhenRead : .stored
    }
}

/// The formats that records are read from.
public enum FileFormat: String, Sendable, CaseIterable {
    /// RFC 4180 with a header.
    case csv
    /// One JSON object a line (github.com/ndjson/ndjson-spec).
    case ndjson
    /// A JSON array of objects, or a single object.
    case json

    /// By the extension, in whatever case: `.csv`, `.ndjson` or `.jsonl`, `.json`. Nil for any other name.
    public init?(fileName: String) {
        guard let dot = fileName.lastIndex(of: ".") else { return nil }
        switch fileName[fileName.index(after: dot)...].lowercased() {
        case "csv": self = .csv
        case "ndjson", "jsonl": self = .ndjson
        case "json": self = .json
        default: return nil
        }
    }
}

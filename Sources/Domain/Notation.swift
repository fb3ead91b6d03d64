/// How the rows of a list go on the wire.
public enum Notation: String, Sendable, CaseIterable {
    /// A page: one JSON document with the rows in `data`.
    case json
    /// A JSON object a line, each line ended by a line feed (ndjson.org; the same as jsonlines.org).
    case ndjson
    /// A line of column names, then a line a row (RFC 4180): see ``CSVForm``.
    case csv

    public var mediaType: String {
        switch self {
        case .json: "application/json"
        case .ndjson: "application/x-ndjson"
        case .csv: "text/csv"
        }
    }

    init(parameter value: String) throws(ParameterFault) {
        guard let notation = Notation(rawValue: value) else {
            throw .invalid("format", message: "knows no '\(value.prefix(60))'", allowed: Self.allCases.map(\.rawValue))
        }
        self = notation
    }

    /// Other names that clients have for the media type.
    public var aliases: [String] {
        switch self {
        case .ndjson: ["application/ndjson", "application/jsonl", "application/x-jsonlines"]
        case .json, .csv: []
        }
    }
}

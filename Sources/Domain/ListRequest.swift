/// A parameter of a request, decoded, as it was written.
public struct RequestParameter: Sendable, Equatable {
    public let name: String
    public let value: String
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Why a request's parameters can't be taken.
public enum ParameterFault: Error, Sendable {
    case unknown(String, suggestion: String?)
    case repeated(String)
    case invalid(String, message: String, allowed: [String] = [], maximum: Int? = nil)
    case invalidCursor
    case cursorMismatch
}

/// A list request, parsed: the query, how its rows are to be written, and what a cursor must remember of it.
public struct ListRequest: Sendable {
    public var query: ListQuery
    /// The top-level names to keep; nil for all.
    public let fields: Set<String>?
    /// The related records to give whole.
    public let expanded: Set<RecordKind>
    /// Every row is asked for, in one answer.
    public let isExport: Bool
    /// The filters and the sort, in one spelling: equal for equal requests.
    public let canonical: String

    /// - Throws: ``ParameterFault``.
    public init(_ parameters: [RequestParameter], definition: ListDefinition) throws(ParameterFault) {
        var parser = ListRequestParser(definition: definition)
        try parser.read(parameters)
        query = parser.query
        fields = parser.fields
        expanded = parser.expanded
        isExport = parser.isExport
        canonical = parser.canonical
    }

    /// The cursor of the page after a row.
    public func cursor(after position: ListPosition) -> String {
        Cursor(kind: query.kind, canonical: canonical, position: position).text
    }
}

/// A record as the store holds it.
public struct Record: Sendable {
    public let kind: RecordKind
    public let id: ULID
    public var externalID: String?
    public var version: Int64
    public let createdAt: Timestamp
    public var updatedAt: Timestamp
    /// In the order of `kind.schema.fields`.
    public var values: [FieldValue]

    public init(
        kind: RecordKind, id: ULID, externalID: String?, version: Int64, createdAt: Timestamp, updatedAt: Timestamp,
        values: [FieldValue]
    ) {
        self.kind = kind
        self.id = id
        self.externalID = externalID
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.values = values
    }

    public var recordID: RecordID { RecordID(kind: kind, ulid: id) }

    public subscript(_ name: String) -> FieldValue {
        get { values[kind.schema.position(name)] }
        set { values[kind.schema.position(name)] = newValue }
    }

    public func text(_ name: String) -> String? {
        guard case .text(let value) = self[name] else { return nil }
        return value
    }

    public func reference(_ name: String) -> ULID? {
        guard let index = kind.schema.index(of: name), case .reference(let value) = values[index] else { return nil }
        return value
    }
}

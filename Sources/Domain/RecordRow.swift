/// A record in memory as a row, so that the one ``RecordForm`` writes stored and new records alike.
public final class RecordRow: RowSource {
    private let record: Record
    private let fields: [Int]
    private let base: Int
    /// The texts one after the other; nothing is added later, so that they stay where they are. `ends` says where each ends.
    private let texts: ByteWriter
    private let ends: [Int]
    /// Of the fields, in the same order.
    private let unknown: [Bool]

    /// Writes `record` by `form`, without the closing brace. See ``RecordForm/write(_:rank:to:)``.
    @discardableResult
    public static func write(_ record: Record, by form: RecordForm, to out: inout ByteWriter) -> Bool {
        form.write(RecordRow(record, projection: form.projection), to: &out)
    }

    public init(_ record: Record, projection: Projection) {
        self.record = record
        fields = projection.fields(of: record.kind)
        base = projection == .brief ? 2 : Projection.heading.count
        var texts = ByteWriter(capacity: 512)
        var ends: [Int] = []
        ends.reserveCapacity(fields.count + 1)
        var unknown: [Bool] = []
        unknown.reserveCapacity(fields.count)
        texts.append(text: record.externalID ?? "")
        ends.append(texts.count)
        for index in fields {
            var isUnknown = false
            switch record.values[index] {
            case .null: isUnknown = true
            case .text(let text), .json(let text): texts.append(text: text)
            case .list(let list): JSONValue.array(list.map(JSONValue.string)).write(to: &texts)
            default: break
            }
            ends.append(texts.count)
            unknown.append(isUnknown)
        }
        self.ends = ends
        self.unknown = unknown
        self.texts = texts
    }

    private func value(_ column: Int) -> FieldValue {
        switch column {
        case 0: .reference(record.id)
        case 1: record.externalID.map(FieldValue.text) ?? .null
        case _ where column >= base: record.values[fields[column - base]]
        case 2: .integer(record.version)
        case 3: .time(record.createdAt)
        default: .time(record.updatedAt)
        }
    }

    public func isNull(_ column: Int) -> Bool {
        if column >= base { unknown[column - base] } else { column == 1 && record.externalID == nil }
    }

    public func text(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        let place = column == 1 ? 0 : column - base + 1
        return UnsafeBufferPointer(rebasing: texts.bytes[(place == 0 ? 0 : ends[place - 1])..<ends[place]])
    }

    public func knownText(_ column: Int) -> KnownText? { isNull(column) ? nil : KnownText(bytes: text(column)) }

    public func integer(_ column: Int) -> Int64 {
        if case .integer(let value) = value(column) { return value }
        return 0
    }

    public func number(_ column: Int) -> Double {
        if case .number(let value) = value(column) { return value }
        return 0
    }

    public func ulid(_ column: Int) -> ULID {
        if case .reference(let value) = value(column) { return value }
        return ULID(high: 0, low: 0)
    }

    public func time(_ column: Int) -> Timestamp {
        if case .time(let value) = value(column) { return value }
        return Timestamp(microseconds: 0)
    }
}

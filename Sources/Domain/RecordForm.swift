/// One stored row, read by column: what a ``RecordForm`` takes its values from.
///
/// Columns count from the start of the form's ``RecordForm/projection``. Texts are valid until the row is left.
public protocol RowSource {
    func isNull(_ column: Int) -> Bool
    func text(_ column: Int) -> UnsafeBufferPointer<UInt8>
    /// The text, or nil for NULL: both by one look at the column.
    func knownText(_ column: Int) -> KnownText?
    func integer(_ column: Int) -> Int64
    func number(_ column: Int) -> Double
    func ulid(_ column: Int) -> ULID
    func time(_ column: Int) -> Timestamp
}

/// A text of a row, and what is known of it.
public struct KnownText {
    public let bytes: UnsafeBufferPointer<UInt8>
    /// It is known to be a JSON string as it stands, between quotes.
    public let isClean: Bool

    @inlinable
    public init(bytes: UnsafeBufferPointer<UInt8>, isClean: Bool = false) {
        self.bytes = bytes
        self.isClean = isClean
    }
}

/// Which of a record's columns are read, and in which order.
public enum Projection: UInt8, Sendable, Hashable, CaseIterable {
    /// What lists give.
    case list
    /// Everything.
    case detail
    /// `id`, `external_id`, the name or title, `status`: how a related record is shown.
    case brief

    /// The columns before a record's own fields; in ``brief`` only the first two of them that it names.
    public static let heading = ["id", "external_id", "version", "created_at", "updated_at"]

    /// Indices into the schema's fields.
    public func fields(of kind: RecordKind) -> [Int] { Self.fields[kind.index * Self.allCases.count + Int(rawValue)] }

    private static let fields = RecordKind.allCases.flatMap { kind in
        allCases.map { projection in
            let fields = kind.schema.fields
            return switch projection {
            case .detail: Array(fields.indices)
            case .list: fields.indices.filter { !fields[$0].detailOnly }
            case .brief: fields.indices.filter { ["full_name", "title", "status"].contains(fields[$0].name) }
            }
        }
    }
}

/// How a record of one kind is written for one reader: compiled once from the schema, what the key may read and the
/// `fields` asked for, then run for each row, from the row's columns straight into the response.
///
/// The steps are plain values over one run of literal bytes, so that writing a row counts no references.
public struct RecordForm: Sendable {
    @usableFromInline
    enum Code: UInt8, Sendable {
        /// The literal alone; it already holds the value.
        case literal
        case id
        case externalID
        /// As `externalID`, but an e-mail address is hidden.
        case maskedExternalID
        case integer
        case number
        case time
        case text
        case json
        case people
        case reference
        case rank
        /// An object, or `null` when nothing in it is known: `count` columns from `column` on, `skip` steps.
        case group
    }

    @usableFromInline
    struct Step: Sendable {
        @usableFromInline var code: Code
        @usableFromInline var column: Int32
        /// Where the literal before the value lies in `literals`.
        @usableFromInline var start: Int32
        @usableFromInline var length: Int32
        /// What stands before the value itself, such as `"cand_`.
        @usableFromInline var prefix: Int32
        @usableFromInline var count: Int32
        @usableFromInline var skip: Int32
    }

    public let kind: RecordKind
    public let projection: Projection
    /// The names that this form hides from its reader, in order.
    public let masked: [String]
    /// Personal data is written.
    public let showsPersonal: Bool
    @usableFromInline let steps: [Step]
    @usableFromInline let literals: [UInt8]
    private let tombstone: [(literal: [UInt8], value: FormBuilder.TombstoneValue)]

    /// - Parameters:
    ///   - personal: the reader may see personal data.
    ///   - only: the top-level names to keep (`id` always stays); nil for all.
    public init(kind: RecordKind, projection: Projection, personal: Bool, only: Set<String>? = nil) {
        var builder = FormBuilder(kind: kind, projection: projection, personal: personal, only: only)
        builder.build()
        self.kind = kind
        self.projection = projection
        masked = builder.masked
        showsPersonal = builder.showsPersonal
        steps = builder.steps
        literals = builder.literals
        tombstone = builder.tombstone
    }

    /// Writes the record without its closing brace, so that more members can follow.
    ///
    /// - Returns: whether an `external_id` was hidden because it looks like an e-mail address.
    @inlinable
    public func write<Row: RowSource>(_ row: Row, rank: Int64? = nil, to out: inout ByteWriter) -> Bool {
        var hidden = false
        steps.withUnsafeBufferPointer { steps in
            literals.withUnsafeBufferPointer { literals in
                var index = 0
                while index < steps.count {
                    let step = steps[index]
                    index &+= 1
                    out.append(UnsafeBufferPointer(rebasing: literals[Int(step.start)..<Int(step.start &+ step.length)]))
                    switch step.code {
                    case .literal: break
                    case .group:
                        if Self.isUnknown(row, step) {
                            out.append("null")
                            index &+= Int(step.skip)
                        }
                    case .rank:
                        if let rank { out.append(integer: rank) } else { out.append("null") }
                    default:
                        hidden = Self.write(step, row, literals, to: &out) || hidden
                    }
                }
            }
        }
        return hidden
    }

    @inlinable
    static func isUnknown<Row: RowSource>(_ row: Row, _ group: Step) -> Bool {
        for column in group.column..<group.column &+ group.count where !row.isNull(Int(column)) { return false }
        return true
    }

    /// Writes one column's value. Returns whether it was hidden for what it is.
    @inlinable
    @inline(__always)
    static func write<Row: RowSource>(
        _ step: Step, _ row: Row, _ literals: UnsafeBufferPointer<UInt8>, to out: inout ByteWriter
    ) -> Bool {
        let column = Int(step.column)
        switch step.code {
        case .maskedExternalID, .externalID, .text, .json, .people:
            if let text = row.knownText(column) { return write(text, step.code, to: &out) }
            out.append("null")
        case _ where row.isNull(column): out.append("null")
        case .integer: out.append(integer: row.integer(column))
        case .number: out.append(decimal: row.number(column))
        case .time: out.append(time: row.time(column))
        case .id, .reference:
            out.append(UnsafeBufferPointer(rebasing: literals[Int(step.prefix)..<Int(step.prefix &+ step.count)]))
            out.append(ulid: row.ulid(column))
            out.append(byte: 0x22)
        default: break
        }
        return false
    }

    /// Writes a text as its code says. Returns whether it was hidden for what it is.
    @inlinable
    @inline(__always)
    static func write(_ text: KnownText, _ code: Code, to out: inout ByteWriter) -> Bool {
        switch code {
        case .maskedExternalID where text.bytes.contains(0x40):
            out.append("null")
            return true
        case .json: out.append(text.bytes)
        case .people: writePeople(text.bytes, to: &out)
        default: if text.isClean { out.append(clean: text.bytes) } else { out.append(quoted: text.bytes) }
        }
        return false
    }

    /// An array of people without their e-mail addresses.
    @usableFromInline
    static func writePeople(_ text: UnsafeBufferPointer<UInt8>, to out: inout ByteWriter) {
        guard let value = try? JSONParser.parse(text), case .array(let people) = value else {
            out.append("null")
            return
        }
        JSONValue.array(people.map(\.withoutAddresses)).write(to: &out)
    }

    /// Writes what is left of a deleted record, without its closing brace.
    public func writeTombstone(_ left: Tombstone, to out: inout ByteWriter) {
        for (literal, value) in tombstone {
            out.append(literal)
            switch value {
            case .id:
                out.append(text: "\"\(kind.prefix)_")
                out.append(ulid: left.id)
                out.append("\"")
            case .version: out.append(integer: left.version)
            case .updatedAt: out.append(time: left.updatedAt)
            case .deletedAt: out.append(time: left.deletedAt)
            case .none: break
            }
        }
    }
}

/// What is left of a deleted record.
public struct Tombstone: Sendable {
    public let id: ULID
    public let version: Int64
    public let updatedAt: Timestamp
    public let deletedAt: Timestamp
    public init(id: ULID, version: Int64, updatedAt: Timestamp, deletedAt: Timestamp) {
        self.id = id
        self.version = version
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }
}

extension JSONValue {
    /// The value with each text that looks like an e-mail address, and each member `email`, made `null`; a member whose
    /// very name looks like one is left out.
    var withoutAddresses: JSONValue {
        switch self {
        case .string(let text): text.utf8.contains(0x40) ? .null : self
        case .array(let elements): .array(elements.map(\.withoutAddresses))
        case .object(let members):
            .object(
                members.filter { !$0.name.utf8.contains(0x40) }
                    .map { .init($0.name, $0.name == "email" ? .null : $0.value.withoutAddresses) })
        default: self
        }
    }
}

/// One stored row, read by column: what a ``RecordForm`` takes its values from.
///
/// Columns count from the start of the form's ``RecordForm/projection``. Texts are valid until the row is left.
public protocol RowSource {
    func isNull(_ column: Int) -> Bool
    func text(_ column: Int) -> UnsafeBufferPointer<UInt8>
    func integer(_ column: Int) -> Int64
    func number(_ column: Int) -> Double
    func ulid(_ column: Int) -> ULID
    func time(_ column: Int) -> Timestamp
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
    public func fields(of kind: RecordKind) -> [Int] {
        let fields = kind.schema.fields
        switch self {
        case .detail: return Array(fields.indices)
        case .list: return fields.indices.filter { !fields[$0].detailOnly }
        case .brief: return fields.indices.filter { ["full_name", "title", "status"].contains(fields[$0].name) }
        }
    }
}

/// How a record of one kind is written for one reader: compiled once from the schema, what the key may read and the
/// `fields` asked for, then run for each row, from the row's columns straight into the response.
public struct RecordForm: Sendable {
    @usableFromInline
    enum Code: Sendable {
        /// The key alone; its bytes already hold the value.
        case nothing
        case id
        case externalID(hideEmail: Bool)
        case integer
        case number
        case time
        case text
        case json
        case people
        case reference([UInt8])
        case group([Step])
        case rank
    }

    @usableFromInline
    struct Step: Sendable {
        @usableFromInline var key: [UInt8]
        @usableFromInline var code: Code
        @usableFromInline var column: Int
        @usableFromInline
        init(key: [UInt8], code: Code, column: Int) {
            self.key = key
            self.code = code
            self.column = column
        }
    }

    public let kind: RecordKind
    public let projection: Projection
    /// The names that this form hides from its reader, in order.
    public let masked: [String]
    @usableFromInline let steps: [Step]
    private let tombstone: [Step]

    /// - Parameters:
    ///   - personal: the reader may see personal data.
    ///   - only: the top-level names to keep (`id` always stays); nil for all.
    public init(kind: RecordKind, projection: Projection, personal: Bool, only: Set<String>? = nil) {
        var builder = FormBuilder(kind: kind, projection: projection, personal: personal, only: only)
        builder.build()
        self.kind = kind
        self.projection = projection
        masked = builder.masked
        steps = builder.steps
        tombstone = builder.tombstone
    }

    /// Writes the record without its closing brace, so that more members can follow.
    ///
    /// - Returns: whether an `external_id` was hidden because it looks like an e-mail address.
    @inlinable
    public func write<Row: RowSource>(_ row: Row, rank: Int64? = nil, to out: inout ByteWriter) -> Bool {
        var hidden = false
        for step in steps {
            hidden = Self.run(step, row, rank: rank, to: &out) || hidden
        }
        return hidden
    }

    @inlinable
    static func run<Row: RowSource>(_ step: Step, _ row: Row, rank: Int64?, to out: inout ByteWriter) -> Bool {
        out.append(step.key)
        switch step.code {
        case .nothing: return false
        case .id:
            out.reserve(27)
            row.ulid(step.column).write(to: out.base + out._count)
            out._count &+= 26
            out.append(byte: 0x22)
            return false
        case .rank:
            if let rank { out.append(integer: rank) } else { out.append("null") }
            return false
        case .group(let members):
            return writeGroup(members, row, to: &out)
        default: break
        }
        if row.isNull(step.column) {
            out.append("null")
            return false
        }
        switch step.code {
        case .externalID(let hideEmail):
            let text = row.text(step.column)
            if hideEmail, text.contains(0x40) {
                out.append("null")
                return true
            }
            out.append(quoted: text)
        case .integer: out.append(integer: row.integer(step.column))
        case .number: out.append(number: row.number(step.column))
        case .time: out.append(time: row.time(step.column))
        case .text: out.append(quoted: row.text(step.column))
        case .json: out.append(row.text(step.column))
        case .people: Self.writePeople(row.text(step.column), to: &out)
        case .reference(let prefix):
            out.append(prefix)
            out.reserve(27)
            row.ulid(step.column).write(to: out.base + out._count)
            out._count &+= 26
            out.append(byte: 0x22)
        default: break
        }
        return false
    }

    /// A group is an object, or `null` when nothing in it is known.
    @inlinable
    static func writeGroup<Row: RowSource>(_ members: [Step], _ row: Row, to out: inout ByteWriter) -> Bool {
        let known = members.contains { $0.column >= 0 && !row.isNull($0.column) }
        guard known else {
            out.append("null")
            return false
        }
        var hidden = false
        for member in members { hidden = run(member, row, rank: nil, to: &out) || hidden }
        out.append(byte: 0x7D)
        return hidden
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
        for step in tombstone {
            out.append(step.key)
            switch step.column {
            case 0:
                out.reserve(27)
                left.id.write(to: out.base + out._count)
                out._count &+= 26
                out.append(byte: 0x22)
            case 1: out.append(integer: left.version)
            case 2: out.append(time: left.updatedAt)
            case 3: out.append(time: left.deletedAt)
            default: break
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
    /// The value with each text that looks like an e-mail address, and each member `email`, made `null`.
    var withoutAddresses: JSONValue {
        switch self {
        case .string(let text): text.utf8.contains(0x40) ? .null : self
        case .array(let elements): .array(elements.map(\.withoutAddresses))
        case .object(let members):
            .object(members.map { .init($0.name, $0.name == "email" ? .null : $0.value.withoutAddresses) })
        default: self
        }
    }
}

/// Compiles a ``RecordForm``.
private struct FormBuilder {
    let kind: RecordKind
    let projection: Projection
    let personal: Bool
    let only: Set<String>?
    var steps: [RecordForm.Step] = []
    var tombstone: [RecordForm.Step] = []
    var masked: [String] = []
    /// Literal bytes that wait for the next step's key.
    private var pending: [UInt8] = []
    private var pendingTombstone: [UInt8] = []

    init(kind: RecordKind, projection: Projection, personal: Bool, only: Set<String>?) {
        self.kind = kind
        self.projection = projection
        self.personal = personal
        self.only = only
    }

    mutating func build() {
        add("id", .id, column: 0, opening: "{\"id\":\"\(kind.prefix)_", tombstone: 0)
        add("external_id", .externalID(hideEmail: !personal), column: 1)
        if projection != .brief {
            add("version", .integer, column: 2, tombstone: 1)
            add("created_at", .time, column: 3)
            add("updated_at", .time, column: 4, tombstone: 2)
            addDeletedAt()
        }
        addFields()
        if !pending.isEmpty { steps.append(.init(key: pending, code: .nothing, column: -1)) }
        if !pendingTombstone.isEmpty { tombstone.append(.init(key: pendingTombstone, code: .nothing, column: -1)) }
    }

    private func keeps(_ name: String) -> Bool { only.map { $0.contains(name) || name == "id" } ?? true }

    private mutating func add(
        _ name: String, _ code: RecordForm.Code, column: Int, opening: String? = nil, tombstone place: Int? = nil
    ) {
        guard keeps(name) else { return }
        let key = Array((opening ?? ",\"\(name)\":").utf8)
        steps.append(.init(key: pending + key, code: code, column: column))
        pending = []
        if let place {
            tombstone.append(.init(key: pendingTombstone + key, code: .nothing, column: place))
            pendingTombstone = []
        } else {
            pendingTombstone += key + Array("null".utf8)
        }
    }

    private mutating func addNull(_ name: String) {
        guard keeps(name) else { return }
        pending += Array(",\"\(name)\":null".utf8)
        pendingTombstone += Array(",\"\(name)\":null".utf8)
    }

    private mutating func addDeletedAt() {
        guard keeps("deleted_at") else { return }
        pending += Array(",\"deleted_at\":null".utf8)
        tombstone.append(.init(key: pendingTombstone + Array(",\"deleted_at\":".utf8), code: .nothing, column: 3))
        pendingTombstone = []
    }

    private mutating func addFields() {
        let schema = kind.schema
        let shown = projection.fields(of: kind)
        let base = projection == .brief ? 2 : Projection.heading.count
        var position = 0
        while position < shown.count {
            let field = schema.fields[shown[position]]
            guard let group = field.group else {
                addField(field, column: base + position)
                if kind == .match, field.name == "score" { add("rank", .rank, column: -1) }
                position += 1
                continue
            }
            var end = position
            while end < shown.count, schema.fields[shown[end]].group == group { end += 1 }
            addGroup(group, (position..<end).map { (schema.fields[shown[$0]], base + $0) })
            position = end
        }
    }

    private mutating func addField(_ field: Field, column: Int) {
        if field.privacy == .personal, !personal {
            if keeps(field.name) { masked.append(field.name) }
            return addNull(field.name)
        }
        if field.privacy == .emailsInside, !personal {
            if keeps(field.name) { masked.append(field.name + ".email") }
            return add(field.name, .people, column: column)
        }
        add(field.name, Self.code(of: field), column: column)
    }

    private mutating func addGroup(_ group: String, _ members: [(Field, Int)]) {
        guard keeps(group) else { return }
        let hidden = members.filter { $0.0.privacy == .personal && !personal }
        if hidden.count == members.count {
            masked.append(group)
            return addNull(group)
        }
        masked += hidden.map(\.0.name)
        var opening = "{"
        var inner: [RecordForm.Step] = []
        for (field, column) in members {
            let mask = field.privacy == .personal && !personal
            // A hidden member still tells that the group is there, so its column stays.
            let key = Array("\(opening)\"\(field.member)\":\(mask ? "null" : "")".utf8)
            inner.append(.init(key: key, code: mask ? .nothing : Self.code(of: field), column: column))
            opening = ","
        }
        add(group, .group(inner), column: -1)
    }

    private static func code(of field: Field) -> RecordForm.Code {
        switch field.form {
        case .text, .choice: .text
        case .integer: .integer
        case .number: .number
        case .time: .time
        case .list, .object, .array, .json: .json
        case .reference(let kind): .reference(Array("\"\(kind.prefix)_".utf8))
        }
    }
}

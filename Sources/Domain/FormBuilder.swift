/// Compiles a ``RecordForm``.
struct FormBuilder {
    /// What a tombstone's literal is followed by.
    enum TombstoneValue: Sendable { case none, id, version, updatedAt, deletedAt }

    private let kind: RecordKind
    private let projection: Projection
    private let personal: Bool
    private let only: Set<String>?
    private(set) var steps: [RecordForm.Step] = []
    private(set) var literals: [UInt8] = []
    private(set) var tombstone: [(literal: [UInt8], value: TombstoneValue)] = []
    private(set) var masked: [String] = []
    /// Personal data is written.
    private(set) var showsPersonal = false
    /// Literal bytes that wait for the next value.
    private var pending: [UInt8] = []
    private var pendingTombstone: [UInt8] = []

    init(kind: RecordKind, projection: Projection, personal: Bool, only: Set<String>?) {
        self.kind = kind
        self.projection = projection
        self.personal = personal
        self.only = only
    }

    mutating func build() {
        add("id", .id, column: 0, prefix: kind.prefix, buried: .id)
        add("external_id", personal ? .externalID : .maskedExternalID, column: 1)
        if projection != .brief {
            add("version", .integer, column: 2, buried: .version)
            add("created_at", .time, column: 3)
            add("updated_at", .time, column: 4, buried: .updatedAt)
            if keeps("deleted_at") {
                pending += key("deleted_at") + Array("null".utf8)
                bury("deleted_at", .deletedAt)
            }
        }
        addFields()
        if !pending.isEmpty { append(.literal, column: -1) }
        if !pendingTombstone.isEmpty { tombstone.append((pendingTombstone, .none)) }
    }

    private func keeps(_ name: String) -> Bool { only.map { $0.contains(name) || name == "id" } ?? true }

    private func key(_ name: String) -> [UInt8] { Array("\(name == "id" ? "{" : ",")\"\(name)\":".utf8) }

    private mutating func bury(_ name: String, _ value: TombstoneValue) {
        pendingTombstone += key(name)
        if value == .none {
            pendingTombstone += Array("null".utf8)
        } else {
            tombstone.append((pendingTombstone, value))
            pendingTombstone = []
        }
    }

    private mutating func add(
        _ name: String, _ code: RecordForm.Code, column: Int, prefix: String? = nil, buried: TombstoneValue = .none
    ) {
        guard keeps(name) else { return }
        pending += key(name)
        append(code, column: column, prefix: prefix)
        bury(name, buried)
    }

    private mutating func addNull(_ name: String) {
        guard keeps(name) else { return }
        pending += key(name) + Array("null".utf8)
        bury(name, .none)
    }

    /// Adds a step behind the literal bytes that wait.
    private mutating func append(_ code: RecordForm.Code, column: Int, prefix: String? = nil, count: Int = 0, skip: Int = 0) {
        let start = literals.count
        literals += pending
        pending = []
        let place = literals.count
        if let prefix { literals += Array("\"\(prefix)_".utf8) }
        steps.append(
            RecordForm.Step(
                code: code, column: Int32(column), start: Int32(start), length: Int32(place - start), prefix: Int32(place),
                count: Int32(prefix == nil ? count : literals.count - place), skip: Int32(skip)))
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
        if field.privacy == .personal, keeps(field.name) { showsPersonal = true }
        let (code, prefix) = Self.code(of: field)
        add(field.name, code, column: column, prefix: prefix)
    }

    /// A group's columns lie side by side; a hidden member's too, for it still tells that the group is there.
    private mutating func addGroup(_ group: String, _ members: [(field: Field, column: Int)]) {
        guard keeps(group) else { return }
        let hidden = members.filter { $0.field.privacy == .personal && !personal }
        if hidden.count == members.count {
            masked.append(group)
            return addNull(group)
        }
        masked += hidden.map(\.field.name)
        bury(group, .none)
        pending += key(group)
        let head = steps.count
        append(.group, column: members[0].column, count: members.count)
        var opening = "{"
        for (field, column) in members {
            pending += Array("\(opening)\"\(field.member)\":".utf8)
            opening = ","
            if field.privacy == .personal, !personal {
                pending += Array("null".utf8)
            } else {
                if field.privacy == .personal { showsPersonal = true }
                let (code, prefix) = Self.code(of: field)
                append(code, column: column, prefix: prefix)
            }
        }
        // The closing brace is a step of its own: it belongs to what is skipped.
        pending += [0x7D]
        append(.literal, column: -1)
        steps[head].skip = Int32(steps.count - head - 1)
    }

    private static func code(of field: Field) -> (RecordForm.Code, prefix: String?) {
        switch field.form {
        case .text, .choice: (.text, nil)
        case .integer: (.integer, nil)
        case .number: (.number, nil)
        case .time: (.time, nil)
        case .list, .object, .array, .json: (.json, nil)
        case .reference(let kind): (.reference, kind.prefix)
        }
    }
}

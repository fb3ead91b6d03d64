import Domain

/// A part of a mapping's document, with its place.
struct MappingNode {
    let value: JSONValue
    /// RFC 6901.
    let pointer: String

    init(_ value: JSONValue, pointer: String = "") {
        self.value = value
        self.pointer = pointer
    }

    func child(_ name: String, _ value: JSONValue) -> MappingNode {
        MappingNode(value, pointer: pointer + "/" + JSONPointer.escaped(name))
    }
}

/// An object's members by name.
struct MappingMembers {
    let node: MappingNode
    let names: [String]
    private let values: [String: JSONValue]

    init(node: MappingNode, values: [String: JSONValue], names: [String]) {
        self.node = node
        self.values = values
        self.names = names
    }

    subscript(_ name: String) -> MappingNode? { values[name].map { node.child(name, $0) } }

    var all: [(name: String, node: MappingNode)] { names.compactMap { name in self[name].map { (name, $0) } } }
}

/// Reads a mapping's document and notes everything that is wrong with it.
struct MappingParser {
    struct Document {
        let conditions: [Condition]
        let each: Mapping.Each?
        let fields: [(target: Int, rule: Rule)]
        let separator: UInt8
        let looseRelations: Set<Int>
    }

    private let table: TargetTable
    private(set) var faults: [InputFault] = []
    private(set) var paths: [FieldPath] = []
    private var pathIndices: [String: Int] = [:]
    private(set) var zone = ZoneRule.utc

    init(table: TargetTable) { self.table = table }

    mutating func fail(_ node: MappingNode, _ message: String) { faults.append(InputFault(node.pointer, message)) }

    mutating func document(_ node: MappingNode) -> Document? {
        guard let members = members(of: node, known: ["where", "each", "fields", "zone", "separator", "loose_relations"]) else {
            return nil
        }
        if let zone = members["zone"] { self.zone = self.zone(zone) ?? .utc }
        let conditions = members["where"].map { self.conditions($0) } ?? []
        let each = members["each"].flatMap { self.each($0) }
        let separator = members["separator"].flatMap { self.separator($0) } ?? UInt8(ascii: ",")
        let loose = members["loose_relations"].map { looseRelations($0) } ?? []
        guard let fields = members["fields"] else {
            fail(node, "\"fields\" is missing")
            return nil
        }
        return Document(conditions: conditions, each: each, fields: self.fields(fields), separator: separator, looseRelations: loose)
    }

    /// The schema's indices of the relations that may be named without being there.
    private mutating func looseRelations(_ node: MappingNode) -> Set<Int> {
        guard case .array(let names) = node.value else {
            fail(node, "should be an array, not \(node.value.typeName)")
            return []
        }
        var fields: Set<Int> = []
        for name in names {
            guard case .string(let text) = name, let relation = table.kind.schema.namedReference(text),
                !table.kind.schema.fields[relation.field].required
            else {
                fail(node, "names what is no relation of \(table.kind.plural) that may be absent")
                continue
            }
            fields.insert(relation.field)
        }
        return fields
    }

    private mutating func fields(_ node: MappingNode) -> [(target: Int, rule: Rule)] {
        guard let members = members(of: node, known: table.names, what: "field of \(table.kind.plural)") else {
            return []
        }
        if case .object(let given) = node.value, given.isEmpty { fail(node, "names no field") }
        for name in table.relationsNamedTwice(in: members.names) {
            fail(members[name] ?? node, "the relation is given by its id already")
        }
        var fields: [(target: Int, rule: Rule)] = []
        for (name, node) in members.all {
            guard let target = table.index(of: name), let rule = rule(node) else { continue }
            if case .choice(let words) = table.targets[target].field?.field.form { check(node, words: words) }
            fields.append((target, rule))
        }
        return fields
    }

    private mutating func each(_ node: MappingNode) -> Mapping.Each? {
        if case .string = node.value { return path(node).map { Mapping.Each(path: $0, conditions: []) } }
        guard let members = members(of: node, known: ["in", "where"]) else { return nil }
        guard let place = members["in"] else {
            fail(node, "\"in\" is missing")
            return nil
        }
        let conditions = members["where"].map { self.conditions($0) } ?? []
        return path(place).map { Mapping.Each(path: $0, conditions: conditions) }
    }

    private mutating func separator(_ node: MappingNode) -> UInt8? {
        if let text = text(node), let byte = text.utf8.first, [",", ";", "|", "\t"].contains(text) { return byte }
        fail(node, "should be \",\", \";\", \"|\" or a tab")
        return nil
    }
}

extension MappingParser {
    /// The members of an object all of whose names are known and different; the others are noted.
    mutating func members(of node: MappingNode, known: [String]?, what: String = "member") -> MappingMembers? {
        guard case .object(let members) = node.value else {
            fail(node, "should be an object, not \(node.value.typeName)")
            return nil
        }
        var values: [String: JSONValue] = [:]
        var names: [String] = []
        for member in members {
            if let known, !known.contains(member.name) {
                fail(
                    node.child(member.name, member.value),
                    "no such \(what)\(Suggestion.text(for: member.name, in: known))")
            } else if values.updateValue(member.value, forKey: member.name) != nil {
                fail(node.child(member.name, member.value), "stands here twice")
            } else {
                names.append(member.name)
            }
        }
        return MappingMembers(node: node, values: values, names: names)
    }

    mutating func elements(of node: MappingNode) -> [MappingNode]? {
        guard case .array(let elements) = node.value, !elements.isEmpty else {
            fail(node, "should be an array with an element at least")
            return nil
        }
        return elements.enumerated().map { node.child(String($0), $1) }
    }

    mutating func text(_ node: MappingNode) -> String? {
        if case .string(let text) = node.value { return text }
        fail(node, "should be a text, not \(node.value.typeName)")
        return nil
    }

    mutating func flag(_ node: MappingNode) -> Bool? {
        if case .bool(let value) = node.value { return value }
        fail(node, "should be true or false, not \(node.value.typeName)")
        return nil
    }

    /// The index of a path; the same text is the same path.
    mutating func path(_ node: MappingNode) -> Int? {
        guard let text = text(node) else { return nil }
        if text.isEmpty {
            fail(node, "should be a path")
            return nil
        }
        if let index = pathIndices[text] { return index }
        pathIndices[text] = paths.count
        paths.append(FieldPath(text))
        return paths.count - 1
    }

    mutating func zone(_ node: MappingNode) -> ZoneRule? {
        guard let text = text(node) else { return nil }
        if let zone = ZoneRule(text) { return zone }
        fail(node, "'\(text.prefix(60))' is no time zone, such as UTC, +02:00 or Europe/Berlin")
        return nil
    }
}

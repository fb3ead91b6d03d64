import Domain

/// Reads objects whose members have the fields' own names.
struct MemberNames {
    private let table: TargetTable
    /// The targets of the row before: most files give their members in one order.
    private var order: [Int] = []

    init(kind: RecordKind) { table = TargetTable(kind: kind) }

    /// - Throws: ``InputFaults`` with every fault of the object.
    mutating func record(from value: JSONValue) throws(InputFaults) -> RecordInput {
        guard case .object(let members) = value else {
            throw InputFaults([InputFault("", "a record is a JSON object, not \(value.typeName)")])
        }
        var draft = RecordDraft(kind: table.kind, capacity: members.count)
        for position in 0..<members.count {
            if let index = target(members[position].name, at: position) {
                draft.set(table.targets[index], to: members[position].value)
            } else {
                let name = members[position].name.excerpt(100)
                draft.fail(
                    "/" + JSONPointer.escaped(name), "no such field\(Suggestion.text(for: name, in: table.names))")
            }
        }
        return try draft.finish()
    }

    private mutating func target(_ name: String, at position: Int) -> Int? {
        if position < order.count, table.targets[order[position]].name == name { return order[position] }
        guard let index = table.index(of: name) else { return nil }
        if position < order.count {
            order[position] = index
        } else if position == order.count {
            order.append(index)
        }
        return index
    }
}

/// RFC 6901.
enum JSONPointer {
    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == 0x7E || $0 == 0x2F }) else { return name }
        return name.reduce(into: "") { text, character in
            switch character {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.append(character)
            }
        }
    }
}

extension JSONValue {
    /// The value after a JSON Merge Patch (RFC 7396, 2): members of `null` go, objects are merged, all else is replaced.
    public func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [Member] = []
        if case .object(let existing) = self { members = existing }
        for change in changes {
            let index = members.lastIndex { $0.name.utf8.elementsEqual(change.name.utf8) }
            if case .null = change.value {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index] = Member(change.name, members[index].value.merged(with: change.value))
            } else {
                members.append(Member(change.name, JSONValue.null.merged(with: change.value)))
            }
        }
        return .object(members)
    }
}

extension RecordInput {
    /// The input as a JSON Merge Patch of `record`: an object that is given is merged into the one that is there.
    public func merged(into record: Record) -> RecordInput {
        var input = self
        for (index, value) in values {
            guard case .json(let patch) = value, case .object(let changes)? = try? JSONParser.parse(patch) else { continue }
            var stored = JSONValue.null
            if case .json(let text) = record.values[index] { stored = (try? JSONParser.parse(text)) ?? .null }
            input.values[index] = .json(stored.merged(with: .object(changes)).text)
        }
        return input
    }
}

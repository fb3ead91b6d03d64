extension JSONValue {
    /// The value after a JSON Merge Patch (RFC 7396, 2): members of `null` go, objects are merged, all else is replaced.
    ///
    /// In a time that grows with both, and not with their product: each may have a hundred thousand members.
    public func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [Member?] = []
        // Names byte for byte, as elsewhere; of those that come twice the last counts.
        var places: [[UInt8]: Int] = [:]
        func put(_ member: Member, _ name: [UInt8]) {
            places[name] = members.count
            members.append(member)
        }
        if case .object(let existing) = self {
            for member in existing {
                let name = Array(member.name.utf8)
                if let place = places[name] { members[place] = nil }
                put(member, name)
            }
        }
        for change in changes {
            let name = Array(change.name.utf8)
            if case .null = change.value {
                if let place = places.removeValue(forKey: name) { members[place] = nil }
            } else if let place = places[name], let before = members[place] {
                members[place] = Member(change.name, before.value.merged(with: change.value))
            } else {
                put(Member(change.name, JSONValue.null.merged(with: change.value)), name)
            }
        }
        return .object(members.compactMap(\.self))
    }
}

extension RecordInput {
    /// Bytes.
    private static let largestMerged = 1 << 20

    /// The input as a JSON Merge Patch of `record`: an object that is given is merged into the one that is there.
    public func merged(into record: Record) -> RecordInput {
        var input = self
        for (index, value) in values {
            guard case .json(let patch) = value, case .object(let changes)? = try? JSONParser.parse(patch) else { continue }
            var stored = JSONValue.null
            if case .json(let text) = record.values[index] { stored = (try? JSONParser.parse(text)) ?? .null }
            let merged = stored.merged(with: .object(changes)).text
            input.values[index] = .json(merged)
            // A body is that large at most, so what many of them make together is no larger.
            if merged.utf8.count > Self.largestMerged {
                let name = record.kind.schema.fields[index].name
                input.faults.append(InputFault("/" + name, "is over \(Self.largestMerged >> 20) MB with what is there"))
            }
        }
        return input
    }
}

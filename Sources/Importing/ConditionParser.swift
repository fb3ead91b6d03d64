import Domain

/// The part of ``MappingParser`` that reads conditions.
extension MappingParser {
    private static let tests = ["is", "starts_with", "contains", "present", "before", "since"]

    /// One condition, or several that must all hold.
    mutating func conditions(_ node: MappingNode) -> [Condition] {
        if case .array = node.value { return (elements(of: node) ?? []).compactMap { condition($0) } }
        return condition(node).map { [$0] } ?? []
    }

    private mutating func condition(_ node: MappingNode) -> Condition? {
        for name in ["all", "any", "not"] where node.value[name] != nil {
            guard let inner = members(of: node, known: [name])?[name] else { return nil }
            switch name {
            case "all": return .all((elements(of: inner) ?? []).compactMap { condition($0) })
            case "any": return .any((elements(of: inner) ?? []).compactMap { condition($0) })
            default: return condition(inner).map { .not($0) }
            }
        }
        let known = ["from"] + Self.tests + ["date", "zone", "all", "any", "not"]
        guard let members = members(of: node, known: known) else { return nil }
        guard let subject = members["from"] else {
            fail(node, "\"from\" is missing")
            return nil
        }
        let given = Self.tests.compactMap { name in members[name].map { (name, $0) } }
        if given.isEmpty { fail(node, "should have one of \(Self.tests.joined(separator: ", "))") }
        let isDated = members["before"] != nil || members["since"] != nil
        for name in ["date", "zone"] where !isDated {
            if let misplaced = members[name] { fail(misplaced, "belongs to \"before\" and \"since\"") }
        }
        guard let reading = dateReading(members), let path = path(subject) else { return nil }
        return .value(path, given.compactMap { test($0, $1, reading) })
    }

    private mutating func test(_ name: String, _ node: MappingNode, _ reading: DateReading) -> Condition.Test? {
        switch name {
        case "is": return words(node).map { .equals($0) }
        case "starts_with": return text(node).map { .startsWith($0) }
        case "contains": return text(node).map { .contains($0) }
        case "present": return flag(node).map { .present($0) }
        default:
            let constant = DateReading(forms: [.iso], zone: reading.zone, text: "iso")
            guard let moment = try? constant.time(of: node.value) else {
                fail(node, "should be a date such as \"2019-03-19\", with or without a time")
                return nil
            }
            return name == "before" ? .before(moment, reading) : .since(moment, reading)
        }
    }

    private mutating func words(_ node: MappingNode) -> [String]? {
        let nodes = if case .array = node.value { elements(of: node) ?? [] } else { [node] }
        return nodes.compactMap { node in
            if let text = node.value.scalarText { return text }
            fail(node, "should be a text, a number or a boolean, not \(node.value.typeName)")
            return nil
        }
    }
}

import Domain

/// The part of ``MappingParser`` that reads rules.
extension MappingParser {
    private static let sources = ["from", "constant", "join", "object", "list", "first"]
    private static let steps = [
        "with", "omit_empty", "when", "split", "translate", "number", "date", "zone", "otherwise",
    ]

    mutating func rule(_ node: MappingNode) -> Rule? {
        if case .string = node.value { return path(node).map { Rule(source: .path($0)) } }
        guard case .object = node.value else {
            fail(node, "should be a path or an object, not \(node.value.typeName)")
            return nil
        }
        guard let members = members(of: node, known: Self.sources + Self.steps) else { return nil }
        let when = members["when"].map { Condition.all(conditions($0)) }
        let split = members["split"].flatMap { separatingText($0) }
        let translation = members["translate"].flatMap { self.translation($0) }
        let reading = self.reading(members)
        guard let source = source(members) else { return nil }
        return Rule(
            source: source, when: when, split: split, translation: translation, reading: reading,
            otherwise: members["otherwise"]?.value)
    }

    private mutating func source(_ members: MappingMembers) -> Rule.Source? {
        let given = Self.sources.filter { members[$0] != nil }
        guard given.count == 1, let name = given.first, let node = members[name] else {
            fail(members.node, "should have exactly one of \(Self.sources.joined(separator: ", "))")
            return nil
        }
        for step in ["with", "omit_empty"] where name != "join" {
            if let misplaced = members[step] { fail(misplaced, "belongs to \"join\"") }
        }
        switch name {
        case "from": return path(node).map { .path($0) }
        case "constant": return .constant(node.value)
        case "object":
            guard let inner = self.members(of: node, known: nil) else { return nil }
            return .object(inner.all.compactMap { name, node in rule(node).map { (name, $0) } })
        case "join":
            let glue = members["with"].flatMap { text($0) } ?? ""
            let omittingEmpty = members["omit_empty"].flatMap { flag($0) } ?? false
            return rules(node).map { .join($0, with: glue, omittingEmpty: omittingEmpty) }
        case "list": return rules(node).map { .list($0) }
        default: return rules(node).map { .first($0) }
        }
    }

    private mutating func rules(_ node: MappingNode) -> [Rule]? {
        elements(of: node).map { nodes in nodes.compactMap { rule($0) } }
    }

    private mutating func separatingText(_ node: MappingNode) -> String? {
        guard let text = text(node) else { return nil }
        if text.isEmpty { fail(node, "should be what stands between the parts") }
        return text.isEmpty ? nil : text
    }

    private mutating func translation(_ node: MappingNode) -> [String: JSONValue]? {
        members(of: node, known: nil).map { members in
            Dictionary(members.all.map { ($0.name, $0.node.value) }, uniquingKeysWith: { first, _ in first })
        }
    }

    private mutating func reading(_ members: MappingMembers) -> Rule.Reading? {
        if let node = members["number"] {
            for step in ["date", "zone"] {
                if let other = members[step] { fail(other, "a number is no date") }
            }
            return numberReading(node).map { .number($0) }
        }
        if let node = members["zone"], members["date"] == nil { fail(node, "belongs to \"date\"") }
        return members["date"] == nil ? nil : dateReading(members).map { .date($0) }
    }

    private mutating func numberReading(_ node: MappingNode) -> NumberReading? {
        if case .bool(true) = node.value { return NumberReading(decimal: ".") }
        guard let members = members(of: node, known: ["decimal"]) else { return nil }
        guard let decimal = members["decimal"] else { return NumberReading(decimal: ".") }
        if let text = text(decimal), text == "." || text == "," {
            return NumberReading(decimal: text == "." ? "." : ",")
        }
        fail(decimal, "should be \".\" or \",\"")
        return nil
    }

    /// What `date` and `zone` say; without `date` the forms of ISO 8601.
    mutating func dateReading(_ members: MappingMembers) -> DateReading? {
        let zone = members["zone"].flatMap { self.zone($0) } ?? self.zone
        guard let node = members["date"] else { return DateReading(forms: [.iso], zone: zone, text: "iso") }
        let nodes = if case .array = node.value { elements(of: node) ?? [] } else { [node] }
        var forms: [DateReading.Form] = []
        for node in nodes {
            guard let text = text(node) else { continue }
            if let form = DateReading.Form(text) {
                forms.append(form)
            } else {
                fail(
                    node,
                    "'\(text.prefix(60))' is no date format: rfc3339, iso, unix, unix_ms or a pattern of year, month and "
                        + "day such as yyyy-MM-dd'T'HH:mm:ss")
            }
        }
        let text = nodes.compactMap(\.value.scalarText).joined(separator: " or ")
        return forms.isEmpty ? nil : DateReading(forms: forms, zone: zone, text: text)
    }

    /// Notes the values that a rule could give and the field would refuse.
    mutating func check(_ node: MappingNode, words: [String], isLast: Bool = true) {
        guard case .object(let members) = node.value else { return }
        let isTranslated = node.value["translate"] != nil
        for member in members {
            let inner = node.child(member.name, member.value)
            switch (member.name, member.value) {
            case ("constant", _) where isLast && !isTranslated, ("otherwise", _) where isLast:
                checkWord(inner, words)
            case ("translate", .object(let table)) where isLast:
                for entry in table { checkWord(inner.child(entry.name, entry.value), words) }
            case ("first", .array(let rules)):
                for (index, rule) in rules.enumerated() {
                    check(inner.child(String(index), rule), words: words, isLast: isLast && !isTranslated)
                }
            default: break
            }
        }
    }

    private mutating func checkWord(_ node: MappingNode, _ words: [String]) {
        if node.value.isNothing { return }
        if case .string(let word) = node.value, words.contains(word) { return }
        let word = node.value.scalarText ?? node.value.typeName
        let hint = Suggestion.text(for: word, in: words)
        fail(node, "'\(word.prefix(60))' is not one of \(words.joined(separator: ", "))\(hint)")
    }
}

extension Rule {
    init(source: Source) {
        self.init(source: source, when: nil, split: nil, translation: nil, reading: nil, otherwise: nil)
    }
}

extension DateReading.Form {
    /// By its name in a mapping, or a pattern.
    init?(_ text: String) {
        switch text {
        case "rfc3339": self = .rfc3339
        case "iso": self = .iso
        case "unix": self = .unix(1e6)
        case "unix_ms": self = .unix(1e3)
        default:
            guard let pattern = DatePattern(text) else { return nil }
            self = .pattern(pattern)
        }
    }
}

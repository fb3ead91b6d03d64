import Domain

/// Where a mapping takes a value from: a column's name in CSV, a path in JSON.
///
/// In JSON: names with dots between them, `[0]` for an element, `[*]` for every element, `['a.b']` for a name with a
/// dot or bracket in it; `.` for the element itself, `$` for the whole row and `$.name` for a path from there.
struct FieldPath: Sendable {
    enum Step: Sendable {
        case name(String)
        case index(Int)
        /// Each element of an array; anything else counts as an array of one.
        case every
    }

    let text: String
    /// From the row, not from the element of `each`.
    let startsAtRow: Bool
    /// Nil where the text is no path; as a column's name it may do.
    let steps: [Step]?

    init(_ text: String) {
        self.text = text
        startsAtRow = text == "$" || text.hasPrefix("$.") || text.hasPrefix("$[")
        var rest = Substring(text)
        if startsAtRow { rest.removeFirst() }
        if text == "." || rest.isEmpty {
            steps = text.isEmpty ? nil : []
        } else {
            steps = Self.steps(of: rest, followsStep: startsAtRow)
        }
    }

    private static func steps(of text: Substring, followsStep: Bool) -> [Step]? {
        var rest = text
        var steps: [Step] = []
        while !rest.isEmpty {
            if rest.first == "[" {
                guard let step = bracket(&rest) else { return nil }
                steps.append(step)
                continue
            }
            if !steps.isEmpty || followsStep {
                guard rest.first == "." else { return nil }
                rest.removeFirst()
            }
            let name = rest.prefix { $0 != "." && $0 != "[" }
            if name.isEmpty { return nil }
            steps.append(.name(String(name)))
            rest = rest.dropFirst(name.count)
        }
        return steps
    }

    /// `[12]`, `[*]`, `['name']` or `["name"]`.
    private static func bracket(_ text: inout Substring) -> Step? {
        var rest = text.dropFirst()
        let step: Step
        if let quote = rest.first, quote == "'" || quote == "\"" {
            rest.removeFirst()
            guard let end = rest.firstIndex(of: quote) else { return nil }
            step = .name(String(rest[..<end]))
            rest = rest[rest.index(after: end)...]
        } else {
            let inside = rest.prefix { $0 != "]" }
            if inside == "*" {
                step = .every
            } else if !inside.isEmpty, inside.utf8.allSatisfy({ (48...57).contains($0) }), let index = Int(inside) {
                step = .index(index)
            } else {
                return nil
            }
            rest = rest.dropFirst(inside.count)
        }
        guard rest.first == "]" else { return nil }
        text = rest.dropFirst()
        return step
    }

    /// The value, or nil where a name on the way is missing. A `null` on the way, or an array with too few elements,
    /// gives `null`: it says that there is nothing.
    func value(row: JSONValue, element: JSONValue) -> JSONValue? {
        Self.value(of: startsAtRow ? row : element, (steps ?? [])[...])
    }

    private static func value(of value: JSONValue, _ steps: ArraySlice<Step>) -> JSONValue? {
        guard let step = steps.first else { return value }
        if case .null = value { return .null }
        switch step {
        case .name(let name):
            guard let member = value[name] else { return nil }
            return Self.value(of: member, steps.dropFirst())
        case .index(let index):
            guard case .array(let elements) = value else { return nil }
            return index < elements.count ? Self.value(of: elements[index], steps.dropFirst()) : .null
        case .every:
            let elements = if case .array(let elements) = value { elements } else { [value] }
            return .array(
                elements.flatMap { element -> [JSONValue] in
                    switch Self.value(of: element, steps.dropFirst()) {
                    case nil, .null: []
                    case .array(let inner): inner
                    case .some(let value): [value]
                    }
                })
        }
    }
}

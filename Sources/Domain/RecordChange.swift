/// How an input meets what is stored.
public enum ChangeMode: Sendable {
    /// Absent fields keep their values (imports, `set`, PATCH).
    case merge
    /// Absent fields are cleared (PUT), but for the résumé.
    case replace
}

/// What a change came to.
public enum ChangeOutcome: Sendable {
    case created(Record)
    case updated(Record)
    case unchanged(Record)

    public var record: Record {
        switch self {
        case .created(let record), .updated(let record), .unchanged(let record): record
        }
    }
}

/// The rules of change of `product.md`, without I/O: from what is stored and what comes in to what will be stored.
public enum RecordChange {
    /// The values after the change. References by name have been looked up and are in `input.values`.
    ///
    /// **A completed interview does not go back**, by any door: `scheduled` and `in_progress` are closed to one that is
    /// completed, and stay closed once it was, whatever it became since, deleted and revived too. All other changes of a
    /// status are allowed, so that a mistake can be put right: completed to cancelled, cancelled to scheduled.
    ///
    /// - Parameter wasCompleted: an interview that was completed before it became what `existing` says, or was deleted.
    /// - Throws: ``InputFaults`` for what the record can't become.
    public static func values(
        of existing: Record?, after input: RecordInput, mode: ChangeMode, wasCompleted: Bool = false
    ) throws(InputFaults) -> [FieldValue] {
        let schema = input.kind.schema
        var values = existing.flatMap { mode == .merge ? $0.values : nil } ?? schema.initial
        // The résumé has an address of its own: a PUT of the candidate that does not speak of it leaves it alone.
        if let existing, mode == .replace {
            for (index, field) in schema.fields.enumerated() where field.group == "resume" { values[index] = existing.values[index] }
        }
        for (index, value) in input.values {
            if case .null = value { values[index] = schema.initial[index] } else { values[index] = value }
        }
        if input.kind == .candidate { deriveFullName(&values, existing: existing, input: input) }
        var faults = input.faults
        for index in schema.required where values[index] == .null {
            let field = schema.fields[index]
            let isKnown = faults.contains { $0.pointer == "/" + field.name || $0.pointer == field.externalPointer }
            if !isKnown { faults.append(InputFault("/" + field.name, "is required")) }
        }
        if input.kind == .interview { faults += backwardFaults(from: existing, wasCompleted, to: values) }
        if input.kind == .job { faults += salaryFaults(values) }
        if !faults.isEmpty { throw InputFaults(faults.sorted { $0.pointer < $1.pointer }) }
        return values
    }

    /// Whether two sets of values of one kind are equal after parsing.
    public static func isUnchanged(_ left: [FieldValue], _ right: [FieldValue]) -> Bool {
        zip(left, right).allSatisfy { $0.isUnchanged(from: $1) }
    }

    /// A full name that nobody gave is the first and the last name.
    private static func deriveFullName(_ values: inout [FieldValue], existing: Record?, input: RecordInput) {
        let (first, last, full) = namePositions
        if let given = input.values[full], given != .null { return }
        let moved = input.values[first] != nil || input.values[last] != nil || input.values[full] != nil
        guard values[full] == .null || (moved && wasDerived(existing)) else { return }
        values[full] = joined(values[first], values[last])
    }

    private static let namePositions = {
        let schema = RecordKind.candidate.schema
        return (first: schema.position("first_name"), last: schema.position("last_name"), full: schema.position("full_name"))
    }()

    private static func wasDerived(_ existing: Record?) -> Bool {
        guard let existing else { return true }
        return existing["full_name"] == joined(existing["first_name"], existing["last_name"])
    }

    private static func joined(_ parts: FieldValue...) -> FieldValue {
        let texts = parts.compactMap { if case .text(let text) = $0 { text } else { nil } }
        return texts.isEmpty ? .null : .text(texts.joined(separator: " "))
    }

    private static func backwardFaults(from existing: Record?, _ wasCompleted: Bool, to values: [FieldValue]) -> [InputFault] {
        let status = RecordKind.interview.schema.position("status")
        guard wasCompleted || existing?.values[status] == .text("completed"),
            [.text("scheduled"), .text("in_progress")].contains(values[status])
        else { return [] }
        return [
            InputFault(
                "/status",
                "a completed interview does not go back to an earlier state; allowed are completed, abandoned, cancelled, no_show")
        ]
    }

    private static func salaryFaults(_ values: [FieldValue]) -> [InputFault] {
        let schema = RecordKind.job.schema
        guard case .number(let low) = values[schema.position("salary_min")],
            case .number(let high) = values[schema.position("salary_max")], low > high
        else { return [] }
        return [InputFault("/salary_max", "is less than salary_min")]
    }
}

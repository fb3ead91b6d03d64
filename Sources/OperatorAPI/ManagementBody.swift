import Domain

/// The members of a body of the management routes: each asked for by name, all faults told at once.
struct ManagementBody {
    private let members: [JSONValue.Member]
    private var asked: Set<String> = []
    private(set) var faults: [InputFault] = []

    init(_ json: JSONValue) throws(InputFaults) {
        guard case .object(let members) = json else { throw InputFaults([InputFault("", "is a JSON object, not \(json.typeName)")]) }
        self.members = members
    }

    /// Nil where it was not given; `null` stays one.
    mutating func value(_ name: String) -> JSONValue? {
        asked.insert(name)
        return members.last { $0.name == name }?.value
    }

    /// Gives the text to `take`, or nil where it is `null`.
    mutating func text(_ name: String, _ take: (String?) throws(InputFaults) -> Void) {
        guard let value = value(name) else { return }
        switch value {
        case .null: attempt { () throws(InputFaults) in try take(nil) }
        case .string(let text) where !text.utf8.contains(0): attempt { () throws(InputFaults) in try take(text) }
        default: faults.append(InputFault("/" + name, "should be a text, not \(value.typeName)"))
        }
    }

    mutating func texts(_ name: String, _ take: ([String]) throws(InputFaults) -> Void) {
        guard let value = value(name) else { return }
        guard case .array(let elements) = value, elements.count <= 100 else {
            faults.append(InputFault("/" + name, "should be an array of texts"))
            return
        }
        let texts = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        guard texts.count == elements.count else {
            faults.append(InputFault("/" + name, "should hold texts alone"))
            return
        }
        attempt { () throws(InputFaults) in try take(texts) }
    }

    mutating func flag(_ name: String, _ take: (Bool) -> Void) {
        guard let value = value(name) else { return }
        guard case .bool(let flag) = value else {
            faults.append(InputFault("/" + name, "should be true or false, not \(value.typeName)"))
            return
        }
        take(flag)
    }

    /// Gives the whole number to `take`, or nil where it is `null`.
    mutating func integer(_ name: String, _ take: (Int?) -> Void) {
        guard let value = value(name) else { return }
        switch value {
        case .null: take(nil)
        case .number(let spelling):
            guard let number = Int(spelling) else { fallthrough }
            take(number)
        default: faults.append(InputFault("/" + name, "should be a whole number"))
        }
    }

    mutating func fault(_ name: String, _ message: String) { faults.append(InputFault("/" + name, message)) }

    private mutating func attempt(_ body: () throws(InputFaults) -> Void) {
        do throws(InputFaults) { try body() } catch { faults += error.faults }
    }

    /// - Throws: ``InputFaults`` for all that was wrong, names that nobody asked for too.
    mutating func finish() throws(InputFaults) {
        for member in members where !asked.contains(member.name) {
            let hint = Suggestion.text(for: member.name, in: asked.sorted())
            faults.append(InputFault("/" + JSONPointer.escaped(member.name), "no such member\(hint)"))
        }
        if !faults.isEmpty { throw InputFaults(faults) }
    }
}

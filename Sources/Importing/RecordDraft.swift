import Domain

/// A record on its way from a row to the store: values as they come in, with all that is wrong with them.
struct RecordDraft {
    private var input: RecordInput
    private var others: [JSONValue.Member] = []
    private var faults: [InputFault] = []

    init(kind: RecordKind, capacity: Int) {
        input = RecordInput(kind: kind)
        input.values.reserveCapacity(capacity)
    }

    mutating func set(_ target: Target, to value: JSONValue) {
        guard let field = target.field else { return setOther(target, to: value) }
        do throws(InputFaults) {
            input.values[field.index] = try RecordInput.value(value, of: field.field, at: target.pointer)
        } catch {
            faults += error.faults
        }
    }

    mutating func fail(_ pointer: String, _ message: @autoclosure () -> String) {
        // Looking for what somebody may have meant takes its time; further faults are only counted.
        faults.append(InputFault(pointer, faults.count < 20 ? message() : ""))
    }

    private mutating func setOther(_ target: Target, to value: JSONValue) {
        if target.name == Target.externalID, case .string(let text) = value, Self.isPlainExternalID(text) {
            input.externalID = text
        } else if target.name == Target.resumeContent {
            others.append(.init("resume", .object([.init("content", value)])))
        } else {
            others.append(.init(target.name, value))
        }
    }

    /// What ``RecordInput`` would take as it is; everything else it judges itself.
    private static func isPlainExternalID(_ text: String) -> Bool {
        let bytes = text.utf8
        return !bytes.isEmpty && bytes.count <= RecordInput.longestExternalID && !bytes.contains(0)
    }

    /// - Throws: ``InputFaults`` with every fault of the row.
    consuming func finish() throws(InputFaults) -> RecordInput {
        if !others.isEmpty {
            do throws(InputFaults) {
                let read = try RecordInput(kind: input.kind, json: .object(others))
                input.values.merge(read.values) { _, other in other }
                input.references = read.references
                input.externalID = read.externalID ?? input.externalID
                input.resume = read.resume
            } catch {
                faults += error.faults
            }
        }
        if !faults.isEmpty { throw InputFaults(faults) }
        return input
    }
}

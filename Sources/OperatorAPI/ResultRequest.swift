import Domain
import HTTPSupport

/// An interview's result, from the system that held it.
extension PushAPI {
    /// Fields of the interview itself that come to be known with its result.
    private static let interviewFields = ["started_at", "ended_at", "duration_seconds", "call_id", "session_id", "session_type"]

    /// Stores the result in place of what was there, and completes the interview.
    func postResult(_ name: RecordName, for call: PushCall) async throws -> Answer {
        let (json, bytes) = try await call.readJSON()
        let (input, precondition) = (try Self.resultInput(json), try call.precondition())
        return try await commit(call, digest: bytes.digest) { writer, organization in
            let record = try writer.living(name, of: .interview, precondition, in: organization)
            do {
                guard let outcome = try writer.change(record.recordID, by: input, in: organization, options: ChangeOptions())
                else { throw Problem.notFound }
                return ChangeAnswer(outcome, for: call.caller)
            } catch let refused as InputFaults { throw Self.asSent(refused) }
        }
    }

    private static func resultInput(_ json: JSONValue) throws(InputFaults) -> RecordInput {
        guard case .object(let members) = json else {
            throw InputFaults([InputFault("", "a result is a JSON object, not \(json.typeName)")])
        }
        let own = members.filter { interviewFields.contains($0.name) }
        let result = members.filter { !interviewFields.contains($0.name) }
        var input = RecordInput(
            kind: .interview, reading: .object([.init("status", .string("completed")), .init("result", .object(result))] + own))
        // What the new result does not say is not known any more.
        for (index, field) in RecordKind.interview.schema.fields.enumerated() where field.group == "result" {
            if input.values[index] == nil { input.values[index] = .null }
        }
        return input
    }

    /// The faults with pointers into what was sent: the result's members stand at its top.
    private static func asSent(_ refused: InputFaults) -> InputFaults {
        InputFaults(
            refused.faults.map { fault in
                fault.pointer.hasPrefix("/result/") ? InputFault(String(fault.pointer.dropFirst("/result".count)), fault.message) : fault
            })
    }
}

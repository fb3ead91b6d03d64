import Domain
import HTTPSupport

/// Many records in one transaction.
extension PushAPI {
    static let largestBatch = 1_000

    /// One element of a batch.
    struct Step: Sendable {
        enum Method: String, CaseIterable, Sendable { case put = "PUT", patch = "PATCH", delete = "DELETE" }
        let method: Method
        let name: RecordName
        let input: RecordInput
        let precondition: Precondition
        let reason: String?
    }

    func batch(_ call: PushCall) async throws -> Answer {
        let (json, bytes) = try await call.readJSON()
        let (steps, faults) = try await Self.steps(json)
        return try await commit(call, digest: bytes.digest, alone: true) { writer, organization in
            var out = ByteWriter(capacity: 64 + 140 * steps.count)
            var faults = faults
            var answer = ChangeAnswer(headers: [("Content-Type", "application/json")])
            out.append("{\"results\":[")
            for (index, step) in steps.enumerated() {
                guard let step else { continue }
                do {
                    if index > 0 { out.append(",") }
                    answer.candidates += try writer.take(step, for: call.caller, in: organization, to: &out)
                } catch let refused as InputFaults {
                    // The others are tried still, so that one answer tells of all that is wrong.
                    faults += refused.faults.map { InputFault("/records/\(index)/data\($0.pointer)", $0.message) }
                } catch let problem as Problem {
                    faults.append(InputFault("/records/\(index)", "\(problem.code.rawValue): \(problem.detail)"))
                }
                if faults.count >= 100 { break }
            }
            if !faults.isEmpty { throw InputFaults(faults) }
            out.append("]}")
            answer.body = Array(out.bytes)
            return answer
        }
    }

    /// Nil for an element that could not be read.
    private static func steps(_ json: JSONValue) async throws -> ([Step?], [InputFault]) {
        guard case .array(let elements)? = json["records"] else {
            throw InputFaults([InputFault("/records", "should be an array of records, each with kind, external_id or id, and data")])
        }
        guard (1...largestBatch).contains(elements.count) else {
            throw InputFaults([InputFault("/records", "has \(elements.count) elements; a batch is 1 to \(largestBatch)")])
        }
        var faults: [InputFault] = []
        if case .object(let members) = json {
            faults = members.filter { $0.name != "records" }.map {
                .init("/" + JSONPointer.escaped($0.name), "no such member; a batch has records")
            }
        }
        // Two halves at once: whoever sends a large batch waits for it.
        let middle = elements.count / 2
        async let later = steps(elements[middle...])
        let earlier = steps(elements[..<middle])
        return await (earlier.steps + later.steps, faults + earlier.faults + later.faults)
    }

    private static func steps(_ elements: ArraySlice<JSONValue>) -> (steps: [Step?], faults: [InputFault]) {
        var faults: [InputFault] = []
        let steps = zip(elements.indices, elements).map { index, element in
            do throws(InputFaults) { return try Step?(Step(element)) } catch {
                faults += error.faults.map { InputFault("/records/\(index)\($0.pointer)", $0.message) }
                return nil
            }
        }
        return (steps, faults)
    }
}

extension PushAPI.Step {
    static let members = ["kind", "id", "external_id", "method", "if_match", "reason", "data"]

    init(_ json: JSONValue) throws(InputFaults) {
        guard case .object(let given) = json else { throw InputFaults([InputFault("", "should be an object, not \(json.typeName)")]) }
        var faults = given.filter { !Self.members.contains($0.name) }.map { unknown in
            let hint = Suggestion.text(for: unknown.name, in: Self.members)
            return InputFault("/" + JSONPointer.escaped(unknown.name), "no such member\(hint); fields stand in data")
        }
        // All that is wrong is told at once.
        func read<Value>(_ read: (JSONValue) throws(InputFaults) -> Value) -> Value? {
            do throws(InputFaults) { return try read(json) } catch {
                faults += error.faults
                return nil
            }
        }
        let (method, precondition, reason) = (read(Self.method), read(Self.precondition), read(Self.reason))
        guard let kind = read(Self.kind) else { throw InputFaults(faults) }
        let name = read { json throws(InputFaults) in try Self.name(json, kind) }
        let input = read { json throws(InputFaults) in try Self.input(json, kind, as: method == .put ? name : nil) }
        guard faults.isEmpty, let method, let precondition, let reason, let name, let input else {
            throw InputFaults(faults + (input?.faults ?? []).map { InputFault("/data\($0.pointer)", $0.message) })
        }
        (self.method, self.name, self.input, self.precondition, self.reason) = (method, name, input, precondition, reason)
    }

    private static func kind(_ json: JSONValue) throws(InputFaults) -> RecordKind {
        guard case .string(let word)? = json["kind"] else { throw InputFaults([InputFault("/kind", "should be one of \(kindWords)")]) }
        guard let kind = RecordKind.allCases.first(where: { $0.singular == word || $0.plural == word }) else {
            throw InputFaults([InputFault("/kind", "'\(word.prefix(60))' is not one of \(kindWords)")])
        }
        return kind
    }

    private static let kindWords = RecordKind.allCases.map(\.singular).joined(separator: ", ")

    private static func input(_ json: JSONValue, _ kind: RecordKind, as name: RecordName?) throws(InputFaults) -> RecordInput {
        do throws(Problem) {
            return try .pushed(kind: kind, json: json["data"] ?? .object([]), as: name)
        } catch { throw InputFaults([InputFault("/data", error.detail)]) }
    }

    private static func method(_ json: JSONValue) throws(InputFaults) -> Method {
        guard let value = json["method"] else { return .put }
        guard case .string(let word) = value, let method = Method(rawValue: word.uppercased()) else {
            throw InputFaults([InputFault("/method", "should be one of PUT, PATCH, DELETE")])
        }
        return method
    }

    private static func name(_ json: JSONValue, _ kind: RecordKind) throws(InputFaults) -> RecordName {
        switch (json["id"], json["external_id"]) {
        case (.string(let text)?, nil):
            guard let id = RecordID(text, kind: kind) else {
                throw InputFaults([InputFault("/id", "is no \(kind.singular) id (\(kind.prefix)_…)")])
            }
            return .id(id)
        case (nil, .string(let text)?) where !text.isEmpty: return .externalID(text)
        case (nil, .number(let spelling)?): return .externalID(spelling)
        default: throw InputFaults([InputFault("/external_id", "a record is named by either external_id or id, as a text")])
        }
    }

    private static func precondition(_ json: JSONValue) throws(InputFaults) -> Precondition {
        guard let value = json["if_match"] else { return .none }
        guard case .number(let spelling) = value, let version = Int64(spelling) else {
            throw InputFaults([InputFault("/if_match", "is a version, a whole number")])
        }
        return Precondition(version: version)
    }

    private static func reason(_ json: JSONValue) throws(InputFaults) -> String? {
        guard let value = json["reason"] else { return nil }
        guard case .string(let text) = value, (1...500).contains(text.utf8.count) else {
            throw InputFaults([InputFault("/reason", "is a text of 1 to 500 bytes")])
        }
        return text
    }
}

extension PushWriter {
    /// Does one step and writes what came of it. Returns whom that tells of.
    fileprivate func take(
        _ step: PushAPI.Step, for caller: Caller, in organization: Organization, to out: inout ByteWriter
    ) throws -> [ULID] {
        let kind = step.input.kind
        let outcome: ChangeOutcome
        switch step.method {
        case .put: outcome = try put(step.name, step.input, step.precondition, reason: step.reason, in: organization)
        case .patch: outcome = try patch(step.name, step.input, step.precondition, reason: step.reason, in: organization)
        case .delete:
            let record = try living(step.name, of: kind, step.precondition, in: organization)
            try remove(.id(record.recordID), of: kind, .none, in: organization)
            out.append("{\"kind\":")
            out.append(quoted: kind.singular)
            out.append(",\"id\":")
            out.append(quoted: record.recordID.description)
            out.append(",\"outcome\":\"deleted\"}")
            return []
        }
        let record = outcome.record
        let word: StaticString =
            switch outcome {
            case .created: "created"
            case .updated: "updated"
            case .unchanged: "unchanged"
            }
        out.append("{\"kind\":")
        out.append(quoted: kind.singular)
        out.append(",\"id\":")
        out.append(quoted: record.recordID.description)
        out.append(",\"external_id\":")
        if let externalID = record.externalID, caller.readsPersonal || !externalID.utf8.contains(0x40) {
            out.append(quoted: externalID)
        } else {
            out.append("null")
        }
        out.append(",\"version\":")
        out.append(integer: record.version)
        out.append(",\"outcome\":\"")
        out.append(word)
        out.append("\"}")
        return record.candidates
    }
}

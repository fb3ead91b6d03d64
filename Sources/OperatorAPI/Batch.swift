import Dispatch
import Domain
import HTTPSupport
import Synchronization

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
        let (elements, strangers) = try Self.elements(json)
        let count = elements.count
        // Alone in holding them: they are gone once they are read, while the batch may wait for its turn.
        let steps = StepReader(elements)
        return try await commit(call, digest: bytes.digest, alone: true) { writer, organization in
            var out = ByteWriter(capacity: 64 + 140 * count)
            // What can't be read, and what the store refuses.
            var (unread, refused) = (strangers, [InputFault]())
            var answer = ChangeAnswer(headers: [("Content-Type", "application/json")])
            out.append("{\"results\":[")
            var index = 0
            while index < count {
                let chunk = steps.next()
                unread += chunk.faults
                for step in chunk.steps {
                    defer { index += 1 }
                    // The others are tried still, so that one answer tells of all that is wrong.
                    guard let step, unread.count + refused.count < 100 else { continue }
                    do {
                        if index > 0 { out.append(",") }
                        answer.candidates += try writer.take(step, for: call.caller, in: organization, to: &out)
                    } catch let faults as InputFaults {
                        refused += faults.faults.map { InputFault("/records/\(index)/data\($0.pointer)", $0.message) }
                    } catch let problem as Problem {
                        refused.append(InputFault("/records/\(index)", "\(problem.code.rawValue): \(problem.detail)"))
                    }
                }
            }
            if !unread.isEmpty || !refused.isEmpty { throw InputFaults(unread + refused) }
            out.append("]}")
            answer.body = Array(out.bytes)
            return answer
        }
    }

    private static func elements(_ json: JSONValue) throws -> (elements: [JSONValue], strangers: [InputFault]) {
        guard case .array(let elements)? = json["records"] else {
            throw InputFaults([InputFault("/records", "should be an array of records, each with kind, external_id or id, and data")])
        }
        guard (1...largestBatch).contains(elements.count) else {
            throw InputFaults([InputFault("/records", "has \(elements.count) elements; a batch is 1 to \(largestBatch)")])
        }
        guard case .object(let members) = json else { return (elements, []) }
        let strangers = members.filter { $0.name != "records" }
        return (elements, strangers.map { .init("/" + JSONPointer.escaped($0.name), "no such member; a batch has records") })
    }
}

/// The steps of a batch in their order, read on a thread of their own: the first ones are written while the others are read.
private final class StepReader: Sendable {
    struct Chunk: Sendable {
        /// Nil for an element that can't be read.
        var steps: [PushAPI.Step?] = []
        var faults: [InputFault] = []
    }

    private static let chunk = 50
    private let chunks = Mutex<[Chunk]>([])
    private let filled = DispatchSemaphore(value: 0)

    init(_ elements: [JSONValue]) {
        // The first ones at once: a small batch needs no thread.
        hand(Self.read(elements.prefix(Self.chunk)))
        guard elements.count > Self.chunk else { return }
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            for start in stride(from: Self.chunk, to: elements.count, by: Self.chunk) {
                hand(Self.read(elements[start..<min(start + Self.chunk, elements.count)]))
            }
        }
    }

    /// Waits for them.
    func next() -> Chunk {
        filled.wait()
        return chunks.withLock { $0.removeFirst() }
    }

    private func hand(_ chunk: Chunk) {
        chunks.withLock { $0.append(chunk) }
        filled.signal()
    }

    private static func read(_ elements: ArraySlice<JSONValue>) -> Chunk {
        var chunk = Chunk()
        for (index, element) in zip(elements.indices, elements) {
            do throws(InputFaults) { chunk.steps.append(try PushAPI.Step(element)) } catch {
                chunk.faults += error.faults.map { InputFault("/records/\(index)\($0.pointer)", $0.message) }
                chunk.steps.append(nil)
            }
        }
        return chunk
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
            out.append(record.recordID)
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
        out.append(record.recordID)
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

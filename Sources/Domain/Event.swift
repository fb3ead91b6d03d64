/// The types of event: facts about records, written in the transaction of the change that they tell of.
public enum EventType: String, CaseIterable, Sendable {
    case candidateCreated = "candidate.created"
    case candidateStatusChanged = "candidate.status_changed"
    case candidateMatched = "candidate.matched"
    case candidateDeleted = "candidate.deleted"
    case jobStatusChanged = "job.status_changed"
    case interviewScheduled = "interview.scheduled"
    case interviewCompleted = "interview.completed"
    case interviewAbandoned = "interview.abandoned"
    case aiCallCompleted = "ai_call.completed"
    case callUploaded = "call.uploaded"
    case aiTrainingCompleted = "ai.training.completed"
    case webhookTest = "webhook.test"

    /// When it is raised.
    public var summary: String {
        switch self {
        case .candidateCreated: "A candidate is first stored."
        case .candidateStatusChanged: "A candidate's status changes, by whomever."
        case .candidateMatched:
            "A match's score rises to the organization's threshold from below it, or is first stored at or above it."
        case .candidateDeleted: "A candidate is deleted or erased."
        case .jobStatusChanged: "A job opens, pauses, closes or is filled."
        case .interviewScheduled: "An interview is stored as scheduled, or its time moves."
        case .interviewCompleted: "An interview's status becomes completed, result included."
        case .interviewAbandoned: "A started interview expires or is abandoned."
        case .aiCallCompleted: "A call's status becomes completed, for any purpose."
        case .callUploaded: "A call's analysis is available."
        case .aiTrainingCompleted: "A training session is completed."
        case .webhookTest: "Asked for by the operator; goes to one endpoint."
        }
    }

    /// The kind of record that it tells of; nil for a test.
    public var subject: RecordKind? {
        switch self {
        case .candidateCreated, .candidateStatusChanged, .candidateDeleted: .candidate
        case .candidateMatched: .match
        case .jobStatusChanged: .job
        case .interviewScheduled, .interviewCompleted, .interviewAbandoned: .interview
        case .aiCallCompleted, .callUploaded: .call
        case .aiTrainingCompleted: .training
        case .webhookTest: nil
        }
    }
}

/// An event about to be written.
public struct EventDraft: Sendable {
    public let type: EventType
    public let subject: Record
    /// What `data` says beside the records.
    public let extras: [JSONValue.Member]
    /// Whether `data` holds the record, and not only its id.
    public let holdsRecord: Bool

    init(_ type: EventType, _ subject: Record, _ extras: [JSONValue.Member] = [], holdsRecord: Bool = true) {
        self.type = type
        self.subject = subject
        self.extras = extras
        self.holdsRecord = holdsRecord
    }

    public static func deleted(_ candidate: Record) -> EventDraft {
        EventDraft(.candidateDeleted, candidate, holdsRecord: false)
    }

    /// The `data` of the event as compact JSON, personal data included; ``EventMask`` takes it out.
    ///
    /// - Parameter candidate: the candidate that the subject belongs to, given briefly; likewise `job`.
    public func data(candidate: Record?, job: Record?) -> String {
        var out = ByteWriter(capacity: 1024)
        let kind = subject.kind
        out.append("{")
        out.append(quoted: kind.singular)
        out.append(":")
        if holdsRecord {
            RecordRow.write(subject, by: RecordForm.whole(kind, .detail), to: &out)
            out.append("}")
        } else {
            out.append(text: "{\"id\":\"\(subject.recordID)\"}")
        }
        for (related, record) in related(candidate, job) {
            out.append(",")
            out.append(quoted: related.singular)
            out.append(":")
            if let record {
                RecordRow.write(record, by: RecordForm.whole(related, .brief), to: &out)
                out.append("}")
            } else {
                out.append("null")
            }
        }
        for extra in extras {
            out.append(",")
            out.append(quoted: extra.name)
            out.append(":")
            extra.value.write(to: &out)
        }
        out.append("}")
        return out.text
    }

    /// Whether there is anything in its `data` that ``EventMask`` may hide.
    public func holdsPersonal(candidate: Record?, job: Record?) -> Bool {
        (holdsRecord && subject.holdsPersonal(.detail)) || related(candidate, job).contains { $1?.holdsPersonal(.brief) ?? false }
    }

    private func related(_ candidate: Record?, _ job: Record?) -> [(RecordKind, Record?)] {
        [(.candidate, candidate), (.job, job)].filter { subject.kind.relates(to: $0.0) }
    }
}

extension RecordForm {
    /// The forms that events need, made once: to make one takes as long as to write a record by it.
    fileprivate static func whole(_ kind: RecordKind, _ projection: Projection) -> RecordForm {
        (projection == .detail ? details : briefs)[kind.index]
    }

    private static let details = RecordKind.allCases.map { RecordForm(kind: $0, projection: .detail, personal: true) }
    private static let briefs = RecordKind.allCases.map { RecordForm(kind: $0, projection: .brief, personal: true) }
}

extension RecordKind {
    /// Whether records of this kind belong to one of that kind.
    public func relates(to other: RecordKind) -> Bool {
        schema.fields.contains { $0.form == .reference(other) }
    }
}

/// Which events a change raises. The one place for the rules of `webhooks.md`.
public enum EventRules {
    /// - Parameters:
    ///   - before: the record as it was; nil when it is new.
    ///   - threshold: the organization's match threshold, 0…100.
    ///   - reason: why, where the change was given one.
    public static func events(
        before: Record?, after: Record, threshold: Double, reason: String? = nil
    ) -> [EventDraft] {
        switch after.kind {
        case .candidate: candidateEvents(before, after, reason)
        case .job: jobEvents(before, after)
        case .interview: interviewEvents(before, after)
        case .match: matchEvents(before, after, threshold)
        case .call: callEvents(before, after)
        case .training:
            before.map { $0["completed_at"] == .null } ?? true && after["completed_at"] != .null
                ? [EventDraft(.aiTrainingCompleted, after)] : []
        case .application, .broadcast: []
        }
    }

    private static func word(_ value: FieldValue?) -> JSONValue {
        if case .text(let text) = value { .string(text) } else { .null }
    }

    private static func candidateEvents(_ before: Record?, _ after: Record, _ reason: String?) -> [EventDraft] {
        guard let before else { return [EventDraft(.candidateCreated, after)] }
        guard before["status"] != after["status"] else { return [] }
        return [
            EventDraft(
                .candidateStatusChanged, after,
                [
                    .init("from", word(before["status"])), .init("to", word(after["status"])),
                    .init("reason", reason.map(JSONValue.string) ?? .null),
                ])
        ]
    }

    private static func jobEvents(_ before: Record?, _ after: Record) -> [EventDraft] {
        let status = after["status"]
        guard before?["status"] != status else { return [] }
        // A new job tells of itself when it is open; one that comes as closed history does not.
        let tells = before == nil ? status == .text("open") : status != .text("draft")
        guard tells else { return [] }
        return [
            EventDraft(.jobStatusChanged, after, [.init("from", word(before?["status"])), .init("to", word(status))])
        ]
    }

    private static func interviewEvents(_ before: Record?, _ after: Record) -> [EventDraft] {
        let status = after.text("status")
        guard before?.text("status") == status else {
            switch status {
            case "scheduled": return [EventDraft(.interviewScheduled, after)]
            case "completed": return [EventDraft(.interviewCompleted, after)]
            case "abandoned": return [EventDraft(.interviewAbandoned, after)]
            default: return []
            }
        }
        guard status == "scheduled", let before, before["scheduled_at"] != after["scheduled_at"] else { return [] }
        var from = JSONValue.null
        if case .time(let time) = before["scheduled_at"] { from = .string(time.description) }
        return [EventDraft(.interviewScheduled, after, [.init("rescheduled_from", from)])]
    }

    private static func matchEvents(_ before: Record?, _ after: Record, _ threshold: Double) -> [EventDraft] {
        guard case .number(let score) = after["score"], score >= threshold else { return [] }
        if case .number(let old)? = before?["score"], old >= threshold { return [] }
        return [EventDraft(.candidateMatched, after)]
    }

    private static func callEvents(_ before: Record?, _ after: Record) -> [EventDraft] {
        var events: [EventDraft] = []
        if after.text("status") == "completed", before?.text("status") != "completed" {
            events.append(EventDraft(.aiCallCompleted, after))
        }
        if after["ai_score"] != .null, before.map({ $0["ai_score"] == .null }) ?? true {
            events.append(EventDraft(.callUploaded, after))
        }
        return events
    }
}

/// One field of a kind of record: its name on the wire and in files, what it may hold, and who may read it.
public struct Field: Sendable {
    public enum Form: Sendable, Equatable {
        /// UTF-8 of at most so many characters (Unicode scalars).
        case text(Int)
        /// One of these words.
        case choice([String])
        case integer(ClosedRange<Int64>)
        case number(ClosedRange<Double>)
        case time
        /// An array of texts.
        case list
        /// A JSON object, kept as it came.
        case object
        /// A JSON array, kept as it came.
        case array
        /// Any JSON value, kept as it came.
        case json
        /// The id of another record of the organization.
        case reference(RecordKind)
    }

    public enum Privacy: Sendable {
        /// For every key.
        case open
        /// For keys with `read:pii`; others see `null`.
        case personal
        /// An array of people; keys without `read:pii` see their `email` as `null`.
        case emailsInside
    }

    /// As written in JSON. A dot separates a group from its member: `resume.file_name`.
    public let name: String
    public let form: Form
    public let privacy: Privacy
    /// Given only where the record is read by itself, not in lists.
    public let detailOnly: Bool
    public let required: Bool
    /// What a new record gets where nothing is given.
    public let initial: FieldValue
    /// Has a filter that compares it case-insensitively, so the store keeps a folded copy.
    public let folded: Bool

    /// `resume` of `resume.file_name`.
    public let group: String?
    /// `file_name` of `resume.file_name`.
    public let member: String
    /// The store's column: the name with `_` for the dot.
    public let column: String

    init(
        _ name: String, _ form: Form, _ privacy: Privacy = .open, detailOnly: Bool = false, required: Bool = false,
        initial: FieldValue = .null, folded: Bool = false
    ) {
        self.name = name
        self.form = form
        self.privacy = privacy
        self.detailOnly = detailOnly
        self.required = required
        self.initial = initial
        self.folded = folded
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        group = parts.count == 2 ? parts[0] : nil
        member = parts.last ?? name
        column = parts.joined(separator: "_")
    }

    /// Where the other record's `external_id` stands in place of a reference's id, as a JSON Pointer.
    public var externalPointer: String { "/" + name.dropLast("id".count) + "external_id" }
}

/// What a field holds.
public enum FieldValue: Sendable, Equatable, Codable {
    case null
    case text(String)
    case integer(Int64)
    case number(Double)
    case time(Timestamp)
    case list([String])
    /// Compact JSON text.
    case json(String)
    case reference(ULID)

    /// *Unchanged* as `product.md` means it: equal after parsing; JSON by value.
    public func isUnchanged(from other: FieldValue) -> Bool {
        if case .json(let left) = self, case .json(let right) = other {
            if left.utf8.elementsEqual(right.utf8) { return true }
            guard let left = try? JSONParser.parse(left), let right = try? JSONParser.parse(right) else { return false }
            return left.isEquivalent(to: right)
        }
        if case .text(let left) = self, case .text(let right) = other {
            // Byte for byte: Swift's == would call canonically equivalent texts the same and lose the correction.
            return left.utf8.elementsEqual(right.utf8)
        }
        if case .list(let left) = self, case .list(let right) = other {
            return left.count == right.count && zip(left, right).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
        }
        return self == other
    }
}

/// The fields of a kind, in the order in which they are documented and written.
public struct RecordSchema: Sendable {
    public let kind: RecordKind
    public let fields: [Field]
    /// What a new record holds where nothing is said.
    let initial: [FieldValue]
    /// The indices of the fields that every record has.
    let required: [Int]
    private let meanings: [String: Meaning]

    /// What the name of a member says.
    enum Meaning {
        /// By its index.
        case field(Int)
        /// The relation whose record is named by its `external_id`: `candidate_external_id`.
        case namedReference(field: Int, kind: RecordKind)
        case group
    }

    init(_ kind: RecordKind, _ fields: [Field]) {
        self.kind = kind
        self.fields = fields
        initial = fields.map(\.initial)
        required = fields.indices.filter { fields[$0].required }
        var meanings: [String: Meaning] = [:]
        for (index, field) in fields.enumerated() {
            if let group = field.group { meanings[group] = .group }
            if case .reference(let kind) = field.form {
                meanings[field.externalPointer.dropFirst().description] = .namedReference(field: index, kind: kind)
            }
            meanings[field.name] = .field(index)
        }
        self.meanings = meanings
    }

    /// Nil for a name that says nothing here.
    func meaning(of name: String) -> Meaning? { meanings[name] }

    public func index(of name: String) -> Int? {
        if case .field(let index) = meanings[name] { index } else { nil }
    }

    /// The relation that `candidate_external_id` names.
    public func namedReference(_ name: String) -> (field: Int, kind: RecordKind)? {
        if case .namedReference(let field, let kind) = meanings[name] { (field, kind) } else { nil }
    }

    /// The index of a field that this program itself names.
    public func position(_ name: String) -> Int {
        guard let index = index(of: name) else { preconditionFailure("\(kind.singular) has no field \(name)") }
        return index
    }

    /// The distinct top-level names of the record's own fields, groups once, in order.
    public var topLevelNames: [String] {
        fields.reduce(into: []) { names, field in
            let name = field.group ?? field.name
            if names.last != name { names.append(name) }
        }
    }
}

extension RecordKind {
    public var schema: RecordSchema { RecordSchema.all[index] }
}

extension RecordSchema {
    static let all: [RecordSchema] = [
        candidate, job, application, interview, match, call, training, broadcast,
    ]

    static let name = Field.Form.text(500)
    static let line = Field.Form.text(2_000)
    static let link = Field.Form.text(4_000)
    static let prose = Field.Form.text(200_000)
    static let seconds = Field.Form.number(0...1e9)
    static let score = Field.Form.number(0...100)

    public static let candidateStatuses = ["new", "screening", "interviewing", "offer", "hired", "rejected", "withdrawn"]
    public static let jobStatuses = ["draft", "open", "paused", "closed", "filled"]
    public static let interviewStatuses = [
        "scheduled", "in_progress", "completed", "abandoned", "cancelled", "no_show",
    ]

    static let candidate = RecordSchema(
        .candidate,
        [
            Field("first_name", name),
            Field("last_name", name),
            Field("full_name", name),
            Field("headline", line),
            Field("location", line, folded: true),
            Field("source", name, folded: true),
            Field("status", .choice(candidateStatuses), initial: .text("new")),
            Field("skills", .list),
            Field("years_experience", .number(0...100)),
            Field("email", name, .personal),
            Field("phone", name, .personal),
            Field("profile_url", link, .personal),
            Field("share_url", link, .personal),
            Field("external_user_id", name, .personal),
            Field("resume.file_name", name, .personal),
            Field("resume.media_type", name, .personal),
            Field("resume.size", .integer(0...(1 << 40)), .personal),
            Field("resume.text", .text(1_000_000), .personal, detailOnly: true),
            Field("custom", .object, .personal),
        ])

    static let job = RecordSchema(
        .job,
        [
            Field("title", line, required: true),
            Field("department", line, folded: true),
            Field("location", line, folded: true),
            Field("employment_type", name, folded: true),
            Field("status", .choice(jobStatuses), initial: .text("open")),
            Field("description", prose),
            Field("salary_min", .number(0...1e12)),
            Field("salary_max", .number(0...1e12)),
            Field("salary_currency", .text(3)),
            Field("salary_interval", .choice(["year", "month", "week", "day", "hour"])),
            Field("required_skills", .list),
            Field("openings", .integer(0...1_000_000)),
            Field("posted_at", .time),
            Field("closes_at", .time),
            Field("custom", .object, .personal),
        ])

    static let application = RecordSchema(
        .application,
        [
            Field("candidate_id", .reference(.candidate), required: true),
            Field("job_id", .reference(.job), required: true),
            Field("stage", name, folded: true),
            Field("status", name, folded: true),
            Field("applied_at", .time),
        ])

    static let interview = RecordSchema(
        .interview,
        [
            Field("candidate_id", .reference(.candidate)),
            Field("job_id", .reference(.job)),
            Field("application_id", .reference(.application)),
            Field("type", name, folded: true),
            Field("status", .choice(interviewStatuses), initial: .text("scheduled")),
            Field("title", line),
            Field("company_name", line),
            Field("scheduled_at", .time),
            Field("started_at", .time),
            Field("ended_at", .time),
            Field("duration_seconds", seconds),
            Field("meeting_url", link),
            Field("location", line),
            Field("interviewers", .array, .emailsInside),
            Field("call_id", name),
            Field("session_id", name),
            Field("session_type", name),
            Field("session_token", link, .personal),
            Field("result.question_completion_rate", score, detailOnly: true),
            Field("result.overall_grade", score, detailOnly: true),
            Field("result.scores", .object, detailOnly: true),
            Field("result.summary", prose, .personal, detailOnly: true),
            Field("result.question_results", .array, .personal, detailOnly: true),
            Field("result.transcript", .array, .personal, detailOnly: true),
            Field("result.sms_transcript", prose, .personal, detailOnly: true),
            Field("result.recording_url", link, .personal, detailOnly: true),
            Field("result.thumbnail_url", link, .personal, detailOnly: true),
            Field("result.interview_url", link, .personal, detailOnly: true),
            Field("result.resume_url", link, .personal, detailOnly: true),
            Field("result.validation", .object, .personal, detailOnly: true),
            Field("result.integrity", .object, .personal, detailOnly: true),
            Field("result.evaluation", .object, .personal, detailOnly: true),
            Field("result.resume_evaluation", .object, .personal, detailOnly: true),
        ])

    static let match = RecordSchema(
        .match,
        [
            Field("candidate_id", .reference(.candidate), required: true),
            Field("job_id", .reference(.job), required: true),
            Field("score", score, required: true),
            Field("reasons", .list),
            Field("status", name, folded: true),
            Field("scored_at", .time),
        ])

    static let call = RecordSchema(
        .call,
        [
            Field("candidate_id", .reference(.candidate)),
            Field("job_id", .reference(.job)),
            Field("purpose", name, folded: true),
            Field("status", name, folded: true),
            Field("started_at", .time),
            Field("ended_at", .time),
            Field("duration_seconds", seconds),
            Field("ai_score", score),
            Field("agent_id", name),
            Field("agent_name", name),
            Field("user_id", name),
            Field("team_member_user_id", name),
            Field("summary", prose, .personal),
            Field("recording_url", link, .personal),
            Field("transcript", .json, .personal, detailOnly: true),
        ])

    static let training = RecordSchema(
        .training,
        [
            Field("agent_id", name),
            Field("agent_name", name),
            Field("user_id", name),
            Field("team_member_user_id", name),
            Field("duration_seconds", seconds),
            Field("ai_score", score),
            Field("completed_at", .time),
        ])

    static let broadcast = RecordSchema(
        .broadcast,
        [
            Field("job_id", .reference(.job), required: true),
            Field("channel", name),
            Field("url", link),
            Field("status", name),
            Field("sent_at", .time),
            Field("recipients", .integer(0...(1 << 40))),
        ])
}

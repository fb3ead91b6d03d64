/// What is stored under an id or an `external_id`.
public enum Stored: Sendable {
    case living(Record)
    case deleted(Buried)
    case missing
}

/// What is still known of a deleted record, so that it can be revived.
public struct Buried: Sendable {
    public let recordID: RecordID
    public let version: Int64
    public let createdAt: Timestamp
    public let deletedAt: Timestamp

    public init(recordID: RecordID, version: Int64, createdAt: Timestamp, deletedAt: Timestamp) {
        self.recordID = recordID
        self.version = version
        self.createdAt = createdAt
        self.deletedAt = deletedAt
    }
}

/// Names a record in an address: a typed id, or else an `external_id`.
public enum RecordName: Sendable, Equatable {
    case id(RecordID)
    case externalID(String)

    public init(_ text: String, kind: RecordKind) {
        self = RecordID(text, kind: kind).map(RecordName.id) ?? .externalID(text)
    }
}

/// An answer kept under an `Idempotency-Key`, for repeats of its request
/// (draft-ietf-httpapi-idempotency-key-header, 2).
public struct KeptAnswer: Sendable {
    public let status: Int
    /// Names and values, those of the answer's body alone.
    public let headers: [(String, String)]
    public let body: [UInt8]
    /// Whose erasure takes the answer away.
    public let candidates: [ULID]

    public init(status: Int, headers: [(String, String)], body: [UInt8], candidates: [ULID]) {
        self.status = status
        self.headers = headers
        self.body = body
        self.candidates = candidates
    }
}

/// Names a request that may be repeated.
public struct IdempotencyKey: Sendable {
    public let organization: OrganizationNumber
    /// SHA-256 of who asks and the key that they gave: the key itself could name a person.
    public let name: [UInt8]
    /// SHA-256 of all that the request asks for.
    public let fingerprint: [UInt8]

    public init(organization: OrganizationNumber, name: [UInt8], fingerprint: [UInt8]) {
        self.organization = organization
        self.name = name
        self.fingerprint = fingerprint
    }
}

/// What is known of an `Idempotency-Key`.
public enum Repeat: Sendable {
    case first
    case answered(KeptAnswer)
    /// The key was given with another request.
    case other
    /// The answer went with an erased candidate.
    case erased
}

/// How far an erasure has come.
public struct Erasure: Sendable {
    public let candidate: ULID
    public let requestedAt: Timestamp
    /// When no byte of it was left in the files; nil while there may be.
    public let doneAt: Timestamp?

    public init(candidate: ULID, requestedAt: Timestamp, doneAt: Timestamp?) {
        self.candidate = candidate
        self.requestedAt = requestedAt
        self.doneAt = doneAt
    }
}

/// A write's open transaction, as pushes need it.
public protocol PushWriter: StoreWriter {
    func organization(_ number: OrganizationNumber) throws -> Organization?
    func find(_ name: RecordName, of kind: RecordKind, in organization: OrganizationNumber) throws -> Stored
    /// Creates, changes or revives, by what ``find(_:of:in:)`` gave in this transaction with nothing written since.
    func apply(
        _ input: RecordInput, to stored: Stored, in organization: Organization, options: ChangeOptions
    ) throws -> ChangeOutcome
    /// False where there is no such candidate, living or deleted.
    func erase(_ candidate: ULID, in organization: Organization) throws -> Bool
    func erasure(of candidate: ULID, in organization: OrganizationNumber) throws -> Erasure?
    /// Whether a candidate's résumé has these very bytes.
    func hasResume(_ content: any ByteSource, of candidate: Record) throws -> Bool
    func answer(to key: IdempotencyKey) throws -> Repeat
    func keep(_ answer: KeptAnswer, for key: IdempotencyKey) throws
}

/// The write side of the store for many callers at once.
public protocol PushStore: Sendable {
    /// Runs `body` in a transaction and returns once it is on the disk.
    ///
    /// Several callers' bodies may share a transaction, one after the other: each either throws before it has written
    /// anything, or does all that it means to.
    func commit<Result: Sendable>(_ body: @escaping @Sendable (any PushWriter) throws -> Result) async throws -> Result
    /// As ``commit(_:)``, in a transaction of its own, which ends with nothing done when `body` throws.
    func commitAlone<Result: Sendable>(_ body: @escaping @Sendable (any PushWriter) throws -> Result) async throws -> Result
}

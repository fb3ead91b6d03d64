/// The id of an endpoint, written `ep_…`.
public struct EndpointID: PrefixedID {
    public static let prefix = "ep"
    public let ulid: ULID
    public init(_ ulid: ULID) { self.ulid = ulid }
}

/// The id of a delivery, written `dlv_…`; the same on retry, redelivery and replay.
public struct DeliveryID: PrefixedID {
    public static let prefix = "dlv"
    public let ulid: ULID
    public init(_ ulid: ULID) { self.ulid = ulid }
}

/// How a delivery looks on the wire; what each means stands in the room Webhooks.
public enum DialectName: String, CaseIterable, Sendable {
    case standard, rejento, tenzo, talentsprout, kendo
}

/// A secret as it lies in the database: encrypted, and opened only by who has the key.
public struct SealedSecret: Equatable, Sendable {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// A subscriber's URL with what it asked for.
public struct Endpoint: Sendable {
    public enum State: Equatable, Sendable {
        case active
        /// Its deliveries are held until it is enabled again.
        case disabled(reason: String, at: Timestamp)
    }

    /// The store's number; small, never given to anybody outside.
    public var number: Int64
    public var id: EndpointID
    public var organization: OrganizationNumber
    public var organizationName: String
    public var url: String
    public var dialect: DialectName
    /// Nil for all that the dialect knows.
    public var types: Set<EventType>?
    /// Takes this job's interview events in place of the organization-wide endpoints of its dialect.
    public var job: ULID?
    /// `standard` only: the other dialects carry personal data always.
    public var includesPersonal: Bool
    /// Milliseconds between attempts; nil for the dialect's. The last delay holds for further attempts.
    public var schedule: [Int64]?
    /// How many in all; nil for the dialect's.
    public var attempts: Int?
    /// Milliseconds for one attempt; nil for the dialect's.
    public var timeout: Int64?
    public var state: State
    /// Nil where the dialect allows to have none.
    public var secret: SealedSecret?
    /// The rotated secret and when it ends.
    public var previous: (secret: SealedSecret, until: Timestamp)?
    public var createdAt: Timestamp
    /// Since when there was nothing but failures; nil after any success.
    public var failingSince: Timestamp?
    public var lastSuccessAt: Timestamp?

    public init(
        number: Int64 = 0, id: EndpointID, organization: OrganizationNumber, organizationName: String = "", url: String,
        dialect: DialectName, types: Set<EventType>? = nil, job: ULID? = nil, includesPersonal: Bool = false,
        schedule: [Int64]? = nil, attempts: Int? = nil, timeout: Int64? = nil, state: State = .active,
        secret: SealedSecret? = nil, previous: (secret: SealedSecret, until: Timestamp)? = nil, createdAt: Timestamp,
        failingSince: Timestamp? = nil, lastSuccessAt: Timestamp? = nil
    ) {
        self.number = number
        self.id = id
        self.organization = organization
        self.organizationName = organizationName
        self.url = url
        self.dialect = dialect
        self.types = types
        self.job = job
        self.includesPersonal = includesPersonal
        self.schedule = schedule
        self.attempts = attempts
        self.timeout = timeout
        self.state = state
        self.secret = secret
        self.previous = previous
        self.createdAt = createdAt
        self.failingSince = failingSince
        self.lastSuccessAt = lastSuccessAt
    }
}

/// An event with everything that a dialect's body may tell of it, as it is in the event's own transaction.
public struct EventFacts: Sendable {
    public let id: EventID
    public let type: EventType
    public let sequence: Int64
    public let createdAt: Timestamp
    public let organization: Organization
    /// Nil for `webhook.test`.
    public let subject: Record?
    public let candidate: Record?
    public let job: Record?
    public let application: Record?
    /// The event's `data` as compact JSON, personal data included.
    public let data: String
    /// The same without; nil where it is to be made from `data`.
    private let maskedData: String?

    public init(
        id: EventID, type: EventType, sequence: Int64, createdAt: Timestamp, organization: Organization, subject: Record?,
        candidate: Record? = nil, job: Record? = nil, application: Record? = nil, data: String, maskedData: String? = nil
    ) {
        self.id = id
        self.type = type
        self.sequence = sequence
        self.createdAt = createdAt
        self.organization = organization
        self.subject = subject
        self.candidate = candidate
        self.job = job
        self.application = application
        self.data = data
        self.maskedData = maskedData
    }

    /// The event's `data` as compact JSON.
    public func data(personal: Bool) -> String {
        personal ? data : maskedData ?? EventMask.masked(data, subject: type.subject)
    }

    /// The same event as if it told of this; what a sample is made of.
    public func telling(
        _ type: EventType, of subject: Record, candidate: Record? = nil, job: Record? = nil, application: Record? = nil
    ) -> EventFacts {
        EventFacts(
            id: id, type: type, sequence: sequence, createdAt: createdAt, organization: organization, subject: subject,
            candidate: candidate, job: job, application: application, data: data, maskedData: maskedData)
    }
}

/// Makes the bodies of deliveries, inside the transaction of their event.
public protocol DeliveryRendering: Sendable {
    /// The event types that a dialect can tell of.
    func types(of dialect: DialectName) -> Set<EventType>
    /// Whether the body names the delivery, and so is no other delivery's.
    func namesDelivery(_ dialect: DialectName) -> Bool
    /// - Throws: when the body can't be made; the delivery is then parked with the reason.
    func body(of facts: EventFacts, dialect: DialectName, personal: Bool, delivery: DeliveryID) throws -> [UInt8]
    /// The body of a test, in every dialect: the event `webhook.test` or a sample, as the dialect has it.
    func sample(_ facts: EventFacts, dialect: DialectName, delivery: DeliveryID) throws -> [UInt8]
    /// Whether a body tells more of the records than the event's stored `data` does, so that an old event's can only be
    /// made anew while they are there.
    func needsRecords(_ dialect: DialectName) -> Bool
}

extension DeliveryRendering {
    public func needsRecords(_ dialect: DialectName) -> Bool { dialect != .standard && dialect != .rejento }
}

/// What became of a delivery.
public enum DeliveryStatus: String, CaseIterable, Sendable {
    /// Waits for its first or next attempt; held while its endpoint is disabled.
    case pending
    case succeeded
    /// All attempts are used up; can be replayed.
    case failed
    /// Could not be built or signed.
    case parked
    /// Its candidate was erased before it went out.
    case erased
}

/// A delivery whose time has come.
public struct DueDelivery: Sendable {
    public let number: Int64
    public let id: DeliveryID
    public let endpoint: Int64
    public let event: EventID
    public let type: EventType
    public let isTest: Bool
    /// Attempts made so far in this round (a redelivery or replay begins a new round).
    public let attempts: Int
    public let dueAt: Timestamp
    public let body: [UInt8]
    /// The endpoint's, at this moment.
    public let secret: SealedSecret?

    public init(
        number: Int64, id: DeliveryID, endpoint: Int64, event: EventID, type: EventType, isTest: Bool, attempts: Int,
        dueAt: Timestamp, body: [UInt8], secret: SealedSecret?
    ) {
        self.number = number
        self.id = id
        self.endpoint = endpoint
        self.event = event
        self.type = type
        self.isTest = isTest
        self.attempts = attempts
        self.dueAt = dueAt
        self.body = body
        self.secret = secret
    }
}

/// One HTTP POST of a delivery, as it is recorded.
public struct Attempt: Sendable {
    public var startedAt: Timestamp
    /// Microseconds.
    public var duration: Int64
    public var requestHeaders: [(name: String, value: String)]
    /// Nil when no response came.
    public var responseStatus: Int?
    public var responseHeaders: [(name: String, value: String)]
    /// At most 16 KiB.
    public var responseBody: [UInt8]
    public var isCut: Bool
    /// Why it is no success; nil for a success.
    public var error: String?

    public init(
        startedAt: Timestamp, duration: Int64, requestHeaders: [(name: String, value: String)], responseStatus: Int? = nil,
        responseHeaders: [(name: String, value: String)] = [], responseBody: [UInt8] = [], isCut: Bool = false,
        error: String? = nil
    ) {
        self.startedAt = startedAt
        self.duration = duration
        self.requestHeaders = requestHeaders
        self.responseStatus = responseStatus
        self.responseHeaders = responseHeaders
        self.responseBody = responseBody
        self.isCut = isCut
        self.error = error
    }
}

/// What follows from an attempt, decided by pure rules.
public enum DeliveryNext: Equatable, Sendable {
    case succeeded
    case retry(at: Timestamp)
    case failed
    case parked(reason: String)
}

/// An attempt and what follows, to be recorded in one transaction with others.
public struct AttemptRecord: Sendable {
    public let delivery: Int64
    public let endpoint: Int64
    public let attempt: Attempt
    public let next: DeliveryNext
    /// Set where the attempt disables its endpoint (a 410, or days of failures).
    public let disables: String?

    public init(delivery: Int64, endpoint: Int64, attempt: Attempt, next: DeliveryNext, disables: String? = nil) {
        self.delivery = delivery
        self.endpoint = endpoint
        self.attempt = attempt
        self.next = next
        self.disables = disables
    }
}

/// How much is owed.
public struct OutboxState: Sendable {
    /// Of enabled endpoints: due, or waiting for their next attempt.
    public var pending = 0
    /// Of disabled endpoints.
    public var held = 0
    /// The earliest time, not after now, at which a delivery of an enabled endpoint was due.
    public var oldestDue: Timestamp?
    /// When the oldest of `pending` was made.
    public var oldestPending: Timestamp?
    public var disabledEndpoints = 0
    public init() {}
}

/// What the dispatcher needs of the store.
public protocol OutboxStore: Sendable {
    /// All organizations' endpoints, disabled ones too.
    func endpoints() throws -> [Endpoint]
    /// Pending deliveries of an endpoint whose time has come, the longest due first.
    ///
    /// - Parameter held: numbers that the dispatcher has already, left out; few.
    func due(of endpoint: Int64, now: Timestamp, limit: Int, except held: Set<Int64>) throws -> [DueDelivery]
    /// The endpoints that have anything due now, and the earliest time at which another is.
    func work(now: Timestamp) throws -> (endpoints: [Int64], next: Timestamp?)
    /// Records attempts in one transaction: a success sets the endpoint's `lastSuccessAt` and clears `failingSince`, a
    /// failure begins it. A delivery that is no longer pending (erased meanwhile) keeps its status; the attempt is kept.
    func record(_ records: [AttemptRecord]) throws
    /// Removes what is older than the retention: finished deliveries with their attempts and unused bodies. A part at a
    /// time; true when there is more.
    func expireDeliveries(before: Timestamp) throws -> Bool
    func outboxState(now: Timestamp) throws -> OutboxState
    /// The wall clock was set: what waits for its next attempt waits as long as it did, what fails has failed for as long,
    /// and a rotated secret signs for as long. `by` is in microseconds; what was due at `from`, the clock's time before, stays due.
    func clockMoved(by: Int64, from: Timestamp) throws
    /// Nothing of the endpoint is due later than `latest`: said at a start, when the clock may have been set meanwhile.
    func bringForward(of endpoint: Int64, to latest: Timestamp) throws
}

/// Which deliveries are asked for. Newest first, by the times of their events.
public struct DeliveryQuery: Sendable {
    /// Nil for all.
    public var organization: OrganizationNumber?
    /// Nil for all.
    public var endpoint: EndpointID?
    /// Empty for all.
    public var types: [EventType] = []
    /// Empty for all, unless ``withHeld`` is set.
    public var statuses: [DeliveryStatus] = []
    /// The pending ones of disabled endpoints, beside the statuses.
    public var withHeld = false
    /// Inclusive.
    public var since: Timestamp?
    /// Exclusive.
    public var until: Timestamp?
    /// 1 to 1000.
    public var limit = 50
    /// The last delivery of the page before.
    public var before: DeliveryID?
    /// The same, where it is at hand: a damaged one can't be found by its id. It counts before ``before``.
    public var last: DeliverySummary?
    public init() {}
}

/// A delivery in a list.
public struct DeliverySummary: Sendable {
    public let number: Int64
    public let id: DeliveryID
    public let endpoint: EndpointID
    public let event: EventID
    /// Nil for one that this program does not know.
    public let type: EventType?
    public let status: DeliveryStatus
    /// Pending, and its endpoint is disabled.
    public let isHeld: Bool
    /// When its event happened.
    public let createdAt: Timestamp
    /// All that were made, in all rounds.
    public let attempts: Int
    /// When the next attempt is due; nil unless pending.
    public let dueAt: Timestamp?
    public let finishedAt: Timestamp?
    /// Why it is parked.
    public let reason: String?
    /// Of the last attempt.
    public let lastStatus: Int?
    /// Of the last attempt.
    public let lastError: String?

    public init(
        number: Int64, id: DeliveryID, endpoint: EndpointID, event: EventID, type: EventType?, status: DeliveryStatus, isHeld: Bool,
        createdAt: Timestamp, attempts: Int, dueAt: Timestamp?, finishedAt: Timestamp?, reason: String?, lastStatus: Int?,
        lastError: String?
    ) {
        self.number = number
        self.id = id
        self.endpoint = endpoint
        self.event = event
        self.type = type
        self.status = status
        self.isHeld = isHeld
        self.createdAt = createdAt
        self.attempts = attempts
        self.dueAt = dueAt
        self.finishedAt = finishedAt
        self.reason = reason
        self.lastStatus = lastStatus
        self.lastError = lastError
    }
}

/// A delivery with everything that is known of it.
public struct DeliveryDetail: Sendable {
    public struct Made: Sendable {
        public let attempt: Attempt
        /// When the next one was to be made; nil where this was the last.
        public let nextAt: Timestamp?
        public init(attempt: Attempt, nextAt: Timestamp?) {
            self.attempt = attempt
            self.nextAt = nextAt
        }
    }

    public let summary: DeliverySummary
    /// Nil when it could not be built, or its candidate was erased.
    public let body: [UInt8]?
    /// The oldest first.
    public let attempts: [Made]

    public init(summary: DeliverySummary, body: [UInt8]?, attempts: [Made]) {
        self.summary = summary
        self.body = body
        self.attempts = attempts
    }
}

/// What is to be sent to an endpoint again.
public struct ReplayRequest: Sendable {
    public let endpoint: EndpointID
    /// By the event's time, inclusive; nil for the oldest that is kept.
    public let since: Timestamp?
    /// Exclusive; nil for now.
    public let until: Timestamp?
    /// Only deliveries in this state; nil for all, and for events that the endpoint was never owed.
    public let status: DeliveryStatus?

    public init(endpoint: EndpointID, since: Timestamp? = nil, until: Timestamp? = nil, status: DeliveryStatus? = nil) {
        self.endpoint = endpoint
        self.since = since
        self.until = until
        self.status = status
    }
}

/// How far a replay has come, so that an interrupted one goes on: written `12345-67890`.
public struct ReplayCursor: Equatable, Sendable, CustomStringConvertible {
    /// The store's places of events: what is done already, and the last to be done.
    public let done: Int64
    public let last: Int64

    public init(done: Int64, last: Int64) {
        self.done = done
        self.last = last
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let done = Int64(parts[0]), let last = Int64(parts[1]) else { return nil }
        self.init(done: done, last: last)
    }

    public var description: String { "\(done)-\(last)" }
}

/// What a part of a replay came to.
public struct ReplayPart: Sendable {
    /// Deliveries that begin a new round of attempts.
    public var restarted = 0
    /// New deliveries of events that the endpoint had not been owed.
    public var added = 0
    /// Of both, those whose body can't be made.
    public var parked = 0
    /// Left out because their candidate was erased.
    public var erased = 0
    /// Nil at the end.
    public var cursor: ReplayCursor?
    public init() {}
}

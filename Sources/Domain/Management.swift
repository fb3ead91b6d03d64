/// What the operator manages: the write side of everything that is no record. ``SQLiteStorage`` implements it; the commands
/// and the Developer Tools stand on it.
public protocol ManagementStore: OperatorTokenStore, SessionStore, ActivityStore, EndpointStore {
    func organizations() throws -> [Organization]
    func organization(named name: String) throws -> Organization?
    func addOrganization(name: String, _ details: (inout Organization) -> Void) throws -> Organization
    func editOrganization(named name: String, _ details: (inout Organization) -> Void) throws -> Organization?

    func keys() throws -> [APIKey]
    func addKey(
        _ token: APIKeyToken, secretHash: [UInt8], name: String, organization: Organization, scopes: Scopes, rateLimit: Int,
        expiresAt: Timestamp?
    ) throws -> APIKey
    func rotateKey(_ token: APIKeyToken, secretHash: [UInt8], overlapUntil: Timestamp?) throws -> APIKey?
    func revokeKey(_ keyID: String) throws -> APIKey?

    func id(of kind: RecordKind, externalID: String, in organization: Organization) throws -> RecordID?
}

/// What was sent, what was answered, and sending it again.
public protocol DeliveryLog: Sendable {
    func deliveries(_ query: DeliveryQuery) throws -> (rows: [DeliverySummary], hasMore: Bool)
    func delivery(_ id: DeliveryID) throws -> DeliveryDetail?
    func redeliver(_ id: DeliveryID) throws -> DeliverySummary?
    func replay(_ request: ReplayRequest, from cursor: ReplayCursor?) throws -> ReplayPart
    func waiting() throws -> [EndpointID: Int]
    func outboxState(now: Timestamp) throws -> OutboxState
}

/// A signed-in browser, and the organization that it looks at.
public struct OperatorSession: Sendable {
    public let organization: OrganizationNumber
    public let createdAt: Timestamp
    public let expiresAt: Timestamp
    public init(organization: OrganizationNumber, createdAt: Timestamp, expiresAt: Timestamp) {
        self.organization = organization
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// Sessions of the Developer Tools, each known by a hash of its id. All of them end with the token that they began with.
public protocol SessionStore: Sendable {
    /// Stores a session if that is the operator's token, as one step. False when it is not.
    func beginSession(_ hash: [UInt8], token: String, organization: OrganizationNumber, until: Timestamp) throws -> Bool
    /// Nil when there is none, or its time is over.
    func session(_ hash: [UInt8]) throws -> OperatorSession?
    func switchSession(_ hash: [UInt8], to organization: OrganizationNumber) throws
    func endSession(_ hash: [UInt8]) throws
    /// Takes note that a form was sent. False when it was noted before, at least for as long as a session lasts.
    ///
    /// - Parameter name: 32 bytes that name the session and the form.
    func useForm(_ name: [UInt8]) throws -> Bool
}

/// What is counted by the minute.
public struct ActivityLabel: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// A request of the public API, by its status.
        case request
        /// An attempt to deliver, by its outcome.
        case attempt
    }
    public let kind: Kind
    public let label: String
    public init(_ kind: Kind, _ label: String) {
        self.kind = kind
        self.label = label
    }
}

/// How often a thing happened in one minute.
public struct ActivityCount: Sendable {
    /// Since 1970.
    public let minute: Int64
    public let label: ActivityLabel
    public let count: Int64
    public init(minute: Int64, label: ActivityLabel, count: Int64) {
        self.minute = minute
        self.label = label
        self.count = count
    }
}

/// How often things happened, by minutes, for longer than a process lives.
public protocol ActivityStore: Sendable {
    /// Adds to the minute of now, and forgets what is older than a week.
    func add(activity: [ActivityLabel: Int64]) throws
    func activity(since moment: Timestamp) throws -> [ActivityCount]
}

/// Whose personal data somebody was given, by one way in one short time.
public struct PersonalRead: Sendable {
    /// By what way.
    public struct Way: Hashable, Sendable {
        public let organization: OrganizationNumber
        /// The key's public id; nil for the operator.
        public let keyID: String?
        /// The pattern of the address.
        public let route: String
        public init(organization: OrganizationNumber, keyID: String?, route: String) {
            self.organization = organization
            self.keyID = keyID
            self.route = route
        }
    }

    public let way: Way
    public var requests: Int
    /// The first and the last of the requests.
    public var first: Timestamp
    public var last: Timestamp
    /// Sorted, each once.
    public var candidates: [ULID]

    public init(way: Way, requests: Int, first: Timestamp, last: Timestamp, candidates: [ULID]) {
        self.way = way
        self.requests = requests
        self.first = first
        self.last = last
        self.candidates = candidates
    }
}

/// Keeps who read whose personal data.
public protocol AuditStore: Sendable {
    func record(reads: [PersonalRead]) throws
}

/// Where endpoints are added and changed by all the rules that count for them: those of their dialect, of secrets and of URLs.
/// The commands and the Developer Tools stand before it.
public protocol EndpointDesk: Sendable {
    func facts(of dialect: DialectName) -> DialectFacts
    /// What somebody should know who enters the URL.
    ///
    /// - Throws: ``InputFaults`` for what is no URL of a webhook.
    func notes(on url: String) throws -> [String]
    /// Stores a new endpoint; its id is the desk's to give.
    ///
    /// - Parameter given: the signing secret, made where the dialect makes one and none is given.
    /// - Throws: ``InputFaults``.
    func add(_ draft: Endpoint, secret given: String?) throws -> (endpoint: Endpoint, secret: String?)
    /// Nil when there is no such endpoint.
    func edit(_ id: EndpointID, _ change: (inout Endpoint) throws -> Void) throws -> Endpoint?
    /// Gives an endpoint another secret, or none. Nil when there is no such endpoint.
    ///
    /// - Parameter overlap: for how many milliseconds the old one counts; nil for what the dialect is best served with.
    /// - Throws: ``InputFaults``.
    func rotateSecret(of id: EndpointID, to wish: SecretWish, overlap: Int64?) throws -> (endpoint: Endpoint, secret: String?)?
}

/// What is to take the place of a signing secret.
public enum SecretWish: Sendable {
    case made
    case given(String)
    /// Deliveries are not signed, where the dialect allows that.
    case none
}

/// What is to be known of a dialect by who chooses one.
public struct DialectFacts: Sendable {
    public let types: Set<EventType>
    public let policy: DeliveryPolicy
    public let secretIsMade: Bool
    public let secretIsGiven: Bool
    public let secretIsOptional: Bool
    /// Both secrets sign while a rotation overlaps; otherwise the old one does.
    public let signsWithBoth: Bool

    public init(
        types: Set<EventType>, policy: DeliveryPolicy, secretIsMade: Bool, secretIsGiven: Bool, secretIsOptional: Bool, signsWithBoth: Bool
    ) {
        self.types = types
        self.policy = policy
        self.secretIsMade = secretIsMade
        self.secretIsGiven = secretIsGiven
        self.secretIsOptional = secretIsOptional
        self.signsWithBoth = signsWithBoth
    }
}

extension Endpoint {
    /// 7 days in milliseconds.
    public static let longestOverlap: Int64 = 7 * 86_400_000
}

/// What the desk needs of the store.
public protocol EndpointStore: Sendable {
    var now: Timestamp { get }
    func newEndpointID() -> EndpointID
    func addEndpoint(_ endpoint: Endpoint) throws -> Endpoint
    func endpoints(of organization: OrganizationNumber?) throws -> [Endpoint]
    func endpoint(_ id: EndpointID) throws -> Endpoint?
    func editEndpoint(_ id: EndpointID, _ edit: (inout Endpoint) throws -> Void) throws -> Endpoint?
    func setEndpoint(_ id: EndpointID, _ state: Endpoint.State) throws -> Endpoint?
    func changeSecret(of id: EndpointID, to secret: SealedSecret?, previousUntil: Timestamp?) throws -> Endpoint?
    func removeEndpoint(_ id: EndpointID) throws -> Bool
    func createTest(for id: EndpointID) throws -> DeliveryID?
}

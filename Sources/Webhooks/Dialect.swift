import Domain

/// One field of a request's or a response's head.
public typealias HeaderField = (name: String, value: String)

/// How deliveries look on the wire and how they are tried. A dialect is a value: a new one is a new value beside the
/// others, and no code asks for a dialect's name to decide anything.
public struct Dialect: Sendable {
    public let name: DialectName
    /// What an endpoint can subscribe to. `webhook.test` is not among them: it goes to the one endpoint it was asked for.
    public let types: Set<EventType>
    /// Unless the endpoint has its own.
    public let policy: DeliveryPolicy
    public let secrets: SecretRule
    /// Whether the body names the delivery, and so is no other delivery's.
    public let namesDelivery: Bool
    /// Whether the body tells more of the records than the event's own `data` does.
    public let needsRecords: Bool
    let signature: SignatureScheme
    /// The headers that name the event and the delivery.
    let naming: @Sendable (DeliveryMessage) -> [HeaderField]
    let body: @Sendable (BodyRequest) throws -> [UInt8]
    let test: TestForm

    init(
        name: DialectName, types: Set<EventType>, policy: DeliveryPolicy, secrets: SecretRule, signature: SignatureScheme,
        namesDelivery: Bool = false, needsRecords: Bool = true, test: TestForm,
        naming: @escaping @Sendable (DeliveryMessage) -> [HeaderField] = { _ in [] },
        body: @escaping @Sendable (BodyRequest) throws -> [UInt8]
    ) {
        self.name = name
        self.types = types.subtracting([.webhookTest])
        self.policy = policy
        self.secrets = secrets
        self.namesDelivery = namesDelivery
        self.needsRecords = needsRecords
        self.signature = signature
        self.naming = naming
        self.body = body
        self.test = test
    }

    /// The one place that goes from a name to what it means.
    public static func of(_ name: DialectName) -> Dialect {
        switch name {
        case .standard: standard
        case .rejento: rejento
        case .tenzo: tenzo
        case .talentsprout: talentsprout
        case .kendo: kendo
        }
    }
}

/// What a test sends.
enum TestForm: Sendable {
    /// The event `webhook.test`.
    case event
    /// An invented result, through the body that real ones have.
    case sample(@Sendable (EventFacts) -> EventFacts)
}

/// What a body is made of.
struct BodyRequest: Sendable {
    let facts: EventFacts
    /// With personal data, where the dialect lets the endpoint choose.
    let personal: Bool
    let delivery: DeliveryID
    var isTest = false
}

/// Why a body can't be made. The delivery is parked with it.
public struct BodyFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// A delivery on its way out, at one attempt.
public struct DeliveryMessage: Sendable {
    public let delivery: DeliveryID
    public let event: EventID
    public let type: EventType
    public let isTest: Bool
    public let body: [UInt8]
    /// The attempt's time: the one that is signed.
    public let sentAt: Timestamp

    public init(delivery: DeliveryID, event: EventID, type: EventType, isTest: Bool = false, body: [UInt8], sentAt: Timestamp) {
        self.delivery = delivery
        self.event = event
        self.type = type
        self.isTest = isTest
        self.body = body
        self.sentAt = sentAt
    }

    public init(_ due: DueDelivery, sentAt: Timestamp) {
        self.init(
            delivery: due.id, event: due.event, type: due.type, isTest: due.isTest, body: due.body, sentAt: sentAt)
    }
}

extension Dialect {
    /// Reads an endpoint's secrets into keys: once for an endpoint, not for each delivery.
    ///
    /// - Throws: where no secret is not allowed, or one can be no key.
    public func keys(
        secret: String?, previous: (secret: String, until: Timestamp)? = nil
    ) throws(SecretFault) -> SigningKeys {
        var keys = SigningKeys(current: nil, previous: nil)
        if let secret {
            keys.current = try secrets.key(of: secret)
        } else if !secrets.isOptional {
            throw SecretFault("the endpoint has no secret to sign with; rotate it to make one")
        }
        if let previous { keys.previous = (try secrets.key(of: previous.secret), previous.until) }
        return keys
    }

    /// All headers of an attempt that the dialect decides: type of content, program, naming and signature.
    ///
    /// - Parameter version: Hirewire's.
    public func headers(for message: DeliveryMessage, keys: SigningKeys, version: String) -> [HeaderField] {
        [("Content-Type", "application/json"), ("User-Agent", "Hirewire/\(version)")] + naming(message)
            + signature.headers(message, keys.signing(at: message.sentAt, several: signature.carriesSeveral))
    }

    /// The body of a delivery.
    ///
    /// - Parameter personal: the endpoint gets personal data; only `standard` asks.
    /// - Throws: ``BodyFault`` when the facts can't be told in this dialect.
    public func body(of facts: EventFacts, personal: Bool, delivery: DeliveryID) throws -> [UInt8] {
        guard facts.type != .webhookTest else { return try testBody(of: facts, delivery: delivery) }
        guard types.contains(facts.type) else {
            throw BodyFault("the dialect \(name.rawValue) has no body for \(facts.type.rawValue)")
        }
        return try body(BodyRequest(facts: facts, personal: personal, delivery: delivery))
    }

    /// The body of a test.
    ///
    /// - Parameter facts: of the event `webhook.test`.
    public func testBody(of facts: EventFacts, delivery: DeliveryID) throws -> [UInt8] {
        switch test {
        case .event: try body(BodyRequest(facts: facts, personal: false, delivery: delivery, isTest: true))
        case .sample(let sample):
            try body(BodyRequest(facts: sample(facts), personal: true, delivery: delivery, isTest: true))
        }
    }
}

/// The dialects' bodies, as the store asks for them.
public struct DialectRendering: DeliveryRendering {
    public init() {}

    public func types(of dialect: DialectName) -> Set<EventType> { Dialect.of(dialect).types }

    public func namesDelivery(_ dialect: DialectName) -> Bool { Dialect.of(dialect).namesDelivery }

    public func needsRecords(_ dialect: DialectName) -> Bool { Dialect.of(dialect).needsRecords }

    public func body(of facts: EventFacts, dialect: DialectName, personal: Bool, delivery: DeliveryID) throws -> [UInt8] {
        try Dialect.of(dialect).body(of: facts, personal: personal, delivery: delivery)
    }

    public func sample(_ facts: EventFacts, dialect: DialectName, delivery: DeliveryID) throws -> [UInt8] {
        try Dialect.of(dialect).testBody(of: facts, delivery: delivery)
    }
}

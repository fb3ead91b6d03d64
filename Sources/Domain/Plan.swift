/// What an organization may use.
public struct Plan: Sendable, Equatable {
    /// Its keys are answered.
    public var hasAPI = true
    /// Its endpoints are sent to; while they are not, what they are owed is held.
    public var hasWebhooks = true
    /// Requests a minute of a key that is made without a limit of its own.
    public var rateLimit = APIKey.defaultRateLimit
    /// Active keys at most; nil for as many as it likes.
    public var mostKeys: Int?
    /// Endpoints at most; nil for as many as it likes.
    public var mostEndpoints: Int?

    public init() {}

    /// What of it is out of its bounds.
    var faults: [InputFault] {
        var faults: [InputFault] = []
        if !(1...1_000_000_000).contains(rateLimit) { faults.append(InputFault("rate_limit", "is from 1 to 1000000000")) }
        if let mostKeys, mostKeys < 0 { faults.append(InputFault("max_keys", "is 0 or more, or none")) }
        if let mostEndpoints, mostEndpoints < 0 { faults.append(InputFault("max_endpoints", "is 0 or more, or none")) }
        return faults
    }

    /// As JSON, with the API's names.
    public var json: JSONValue {
        .object([
            .init("api", .bool(hasAPI)), .init("webhooks", .bool(hasWebhooks)), .init("rate_limit", .number(String(rateLimit))),
            .init("max_keys", mostKeys.map { .number(String($0)) } ?? .null),
            .init("max_endpoints", mostEndpoints.map { .number(String($0)) } ?? .null),
        ])
    }
}

/// Asks for what the organization's plan does not hold.
public struct NotInPlan: Refusal, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }

    /// - Parameter remedy: what makes room again.
    public init(full most: Int64, of thing: String, _ remedy: String) {
        self.init("the plan has room for \(most) \(thing)\(most == 1 ? "" : "s"), and all of it is taken; \(remedy)")
    }
}

/// What an endpoint wants of an organization's events.
public struct Subscription: Sendable {
    public let endpoint: Int64
    public let dialect: DialectName
    /// What it asked for, as far as its dialect can tell of it.
    public let types: Set<EventType>
    public let job: ULID?
    public let isPersonal: Bool

    /// - Parameter known: the types that the endpoint's dialect can tell of.
    public init(_ endpoint: Endpoint, known: Set<EventType>) {
        self.endpoint = endpoint.number
        dialect = endpoint.dialect
        types = endpoint.types.map { known.intersection($0) } ?? known
        job = endpoint.job
        isPersonal = endpoint.carriesPersonal
    }

    /// The ones of an organization's subscriptions that an event is owed to.
    ///
    /// One with a job takes that job's interview events, and nothing else, in place of those of its dialect without one;
    /// what it did not ask for stays with them.
    ///
    /// - Parameter job: the job that the event's subject belongs to.
    public static func owed(_ type: EventType, job: ULID?, among all: [Subscription]) -> [Subscription] {
        let asking = all.filter { $0.types.contains(type) }
        let takers = asking.filter { $0.job != nil && $0.job == job && type.subject == .interview }
        let taken = Set(takers.map(\.dialect))
        return asking.filter { $0.job == nil && !taken.contains($0.dialect) } + takers
    }
}

extension Endpoint {
    /// Whether its bodies have personal data: the dialects of other services always carry what their payload has.
    public var carriesPersonal: Bool { includesPersonal || dialect != .standard }

    /// The URL without what may be a password in its query.
    public var shownURL: String { url.firstIndex(of: "?").map { url[...$0] + "…" } ?? url }

    public static let longestURL = 2_048
    public static let mostAttempts = 100
    /// Milliseconds.
    public static let longestTimeout: Int64 = 600_000
    /// 30 days in milliseconds.
    public static let longestDelay: Int64 = 2_592_000_000

    /// What is wrong with what was asked for; the URL's own rules are its sender's.
    ///
    /// - Parameter known: the types that the dialect can tell of.
    public func faults(known: Set<EventType>) -> [InputFault] {
        var faults: [InputFault] = []
        if url.isEmpty || url.utf8.count > Self.longestURL {
            faults.append(InputFault("url", "is 1 to \(Self.longestURL) bytes long"))
        }
        let foreign = (types ?? []).subtracting(known).map(\.rawValue).sorted()
        if !foreign.isEmpty {
            let list = known.map(\.rawValue).sorted().joined(separator: ", ")
            faults.append(
                InputFault(
                    "events", "the dialect \(dialect.rawValue) does not tell of \(foreign.joined(separator: ", ")); it knows \(list)"))
        }
        if types?.isEmpty == true { faults.append(InputFault("events", "names no event")) }
        if job != nil, (types ?? known).allSatisfy({ $0.subject != .interview }) {
            faults.append(InputFault("job", "an endpoint with a job takes interview events, and this one asks for none"))
        }
        if let attempts, !(1...Self.mostAttempts).contains(attempts) {
            faults.append(InputFault("attempts", "is 1 to \(Self.mostAttempts)"))
        }
        if let timeout, !(1...Self.longestTimeout).contains(timeout) {
            faults.append(InputFault("timeout", "is at most \(Self.longestTimeout / 60_000) minutes, and more than nothing"))
        }
        if let schedule {
            if schedule.isEmpty || schedule.count >= Self.mostAttempts {
                faults.append(InputFault("schedule", "is 1 to \(Self.mostAttempts - 1) delays"))
            }
            if schedule.contains(where: { !(0...Self.longestDelay).contains($0) }) {
                faults.append(InputFault("schedule", "a delay is 0 to 30 days"))
            }
        }
        return faults
    }
}

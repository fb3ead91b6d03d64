import Domain

/// The public API's addresses, on one screen.
enum Route: Equatable {
    case root
    case key
    case list(RecordKind)
    case record(RecordKind, String)
    case resume(String)
    case events
    case event(String)
    case eventTypes
    case openAPIJSON
    case openAPIYAML
    case documentation
    case health

    /// Kinds that have lists and records of their own.
    static let kinds: [RecordKind] = [.candidate, .job, .interview, .match, .application, .call]

    /// Every pattern, as the contract's document has them.
    static let patterns =
        ["/api/v1", "/api/v1/key", "/api/v1/candidates/{id}/resume"]
        + kinds.flatMap { ["/api/v1/\($0.plural)", "/api/v1/\($0.plural)/{id}"] }
        + ["/api/v1/events", "/api/v1/events/{id}", "/api/v1/event-types", "/openapi.json", "/openapi.yaml", "/docs", "/healthz"]

    init?(_ segments: [String]) {
        switch segments.count {
        case 1:
            switch segments[0] {
            case "openapi.json": self = .openAPIJSON
            case "openapi.yaml": self = .openAPIYAML
            case "docs": self = .documentation
            case "healthz": self = .health
            default: return nil
            }
        case 2...5 where segments[0] == "api" && segments[1] == "v1":
            self.init(api: segments.dropFirst(2))
        default: return nil
        }
    }

    private init?(api rest: ArraySlice<String>) {
        guard let first = rest.first else {
            self = .root
            return
        }
        let second = rest.dropFirst().first
        switch (first, rest.count) {
        case ("key", 1): self = .key
        case ("events", 1): self = .events
        case ("events", 2): self = .event(second ?? "")
        case ("event-types", 1): self = .eventTypes
        case ("candidates", 3) where rest.last == "resume": self = .resume(second ?? "")
        default:
            guard let kind = Self.kinds.first(where: { $0.plural == first }) else { return nil }
            if rest.count == 1 { self = .list(kind) } else if rest.count == 2 { self = .record(kind, second ?? "") } else { return nil }
        }
    }

    /// The pattern, for the log, the metrics and the tests.
    var pattern: String {
        switch self {
        case .root: "/api/v1"
        case .key: "/api/v1/key"
        case .list(let kind): Self.listPatterns[Int(kind.rawValue)]
        case .record(let kind, _): Self.recordPatterns[Int(kind.rawValue)]
        case .resume: "/api/v1/candidates/{id}/resume"
        case .events: "/api/v1/events"
        case .event: "/api/v1/events/{id}"
        case .eventTypes: "/api/v1/event-types"
        case .openAPIJSON: "/openapi.json"
        case .openAPIYAML: "/openapi.yaml"
        case .documentation: "/docs"
        case .health: "/healthz"
        }
    }

    private static let listPatterns = [""] + RecordKind.allCases.map { "/api/v1/\($0.plural)" }
    private static let recordPatterns = listPatterns.map { $0 + "/{id}" }

    /// Rows, in any ``Notation``.
    var isList: Bool {
        switch self {
        case .list, .events: true
        default: false
        }
    }

    /// Answered without a key.
    var isOpen: Bool {
        switch self {
        case .openAPIJSON, .openAPIYAML, .documentation, .health: true
        default: false
        }
    }

    var mediaTypes: [String] {
        switch self {
        case .openAPIYAML: ["application/yaml"]
        case .documentation: ["text/html"]
        case .list, .events: Notation.allCases.map(\.mediaType)
        case .openAPIJSON: ["application/json", "application/vnd.oai.openapi+json"]
        default: ["application/json"]
        }
    }
}

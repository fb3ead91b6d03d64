import Domain
import HTTPTypes

/// The addresses of what the operator manages, below `/operator/v1`; for the operator's token alone.
enum ManagementRoute: Equatable, Sendable {
    case organizations
    case organization(String)
    case keys
    case key(String)
    case keyRotation(String)
    case endpoints
    case endpoint(String)
    case endpointAction(String, Action)

    enum Action: String, Sendable, CaseIterable { case enable, disable, test, rotateSecret = "rotate-secret" }

    static let table: [(pattern: String, methods: [HTTPRequest.Method])] =
        [
            ("/organizations", [.get, .post]), ("/organizations/{name}", [.get, .patch]),
            ("/keys", [.get, .post]), ("/keys/{key_id}", [.get, .delete]), ("/keys/{key_id}/rotate", [.post]),
            ("/webhooks", [.get, .post]), ("/webhooks/{id}", [.get, .patch, .delete]),
        ] + Action.allCases.map { ("/webhooks/{id}/\($0.rawValue)", [.post]) }

    /// - Parameter rest: the path's segments below `/operator/v1`.
    init?(_ rest: [String]) {
        switch (rest.count, rest.first) {
        case (1, "organizations"): self = .organizations
        case (2, "organizations"): self = .organization(rest[1])
        case (1, "keys"): self = .keys
        case (2, "keys"): self = .key(rest[1])
        case (3, "keys") where rest[2] == "rotate": self = .keyRotation(rest[1])
        case (1, "webhooks"): self = .endpoints
        case (2, "webhooks"): self = .endpoint(rest[1])
        case (3, "webhooks"):
            guard let action = Action(rawValue: rest[2]) else { return nil }
            self = .endpointAction(rest[1], action)
        default: return nil
        }
    }

    /// The id in the address; an organization is named there, and has none.
    var id: String? {
        switch self {
        case .key(let id), .keyRotation(let id), .endpoint(let id), .endpointAction(let id, _): id
        case .organizations, .organization, .keys, .endpoints: nil
        }
    }

    /// What the log calls a change that was done; nil for what changes nothing.
    func action(_ method: HTTPRequest.Method) -> String? {
        switch (self, method) {
        case (_, .get): nil
        case (.organizations, _): "organization.create"
        case (.organization, _): "organization.edit"
        case (.keys, _): "key.create"
        case (.key, _): "key.revoke"
        case (.keyRotation, _): "key.rotate"
        case (.endpoints, _): "webhook.create"
        case (.endpoint, .patch): "webhook.edit"
        case (.endpoint, _): "webhook.remove"
        case (.endpointAction(_, let action), _): "webhook.\(action.rawValue)"
        }
    }

    var pattern: String {
        switch self {
        case .organizations: "/organizations"
        case .organization: "/organizations/{name}"
        case .keys: "/keys"
        case .key: "/keys/{key_id}"
        case .keyRotation: "/keys/{key_id}/rotate"
        case .endpoints: "/webhooks"
        case .endpoint: "/webhooks/{id}"
        case .endpointAction(_, let action): "/webhooks/{id}/\(action.rawValue)"
        }
    }
}

/// The addresses of the pages, on one screen.
struct PageRoute: Sendable {
    typealias Page = @Sendable (DeveloperTools, Visit) throws -> PageAnswer

    let pattern: String
    let isPost: Bool
    /// What the log calls it when it is done.
    var action: String?
    /// Answered when there is something new, and not at once.
    var waits = false
    let page: Page

    private static func get(_ pattern: String, _ page: @escaping Page) -> PageRoute {
        PageRoute(pattern: pattern, isPost: false, page: page)
    }

    private static func post(_ pattern: String, does action: String? = nil, _ page: @escaping Page) -> PageRoute {
        PageRoute(pattern: pattern, isPost: true, action: action, page: page)
    }

    /// What anybody may ask for.
    static let signIn = "/sign-in"
    static let home = "/"
    static let assets = "/assets/:name"

    static let all: [PageRoute] = [
        get(home) { try $0.overview($1) },
        get(signIn) { _, _ in .redirect(to: home) },
        post(signIn) { _, _ in .redirect(to: home) },
        post("/sign-out", does: "session.end") { try $0.signOut($1) },
        get(assets) { _, _ in .redirect(to: home) },

        get("/keys") { try $0.keys($1) },
        post("/keys", does: "key.create") { try $0.createKey($1) },
        get("/keys/:id/revoke") { try $0.confirmRevoking($1) },
        post("/keys/:id/revoke", does: "key.revoke") { try $0.revokeKey($1) },
        get("/keys/:id/rotate") { try $0.confirmRotating($1) },
        post("/keys/:id/rotate", does: "key.rotate") { try $0.rotateKey($1) },

        get("/webhooks") { try $0.endpoints($1) },
        get("/webhooks/new") { try $0.newEndpoint($1) },
        post("/webhooks", does: "webhook.create") { try $0.addEndpoint($1) },
        get("/webhooks/:id") { try $0.endpoint($1) },
        get("/webhooks/:id/edit") { try $0.editEndpoint($1) },
        post("/webhooks/:id/edit", does: "webhook.edit") { try $0.changeEndpoint($1) },
        post("/webhooks/:id/state", does: "webhook.state") { try $0.setState($1) },
        post("/webhooks/:id/test", does: "webhook.test") { try $0.sendTest($1) },
        get("/webhooks/:id/secret") { try $0.askForSecret($1) },
        post("/webhooks/:id/secret", does: "webhook.rotate-secret") { try $0.rotateSecret($1) },
        get("/webhooks/:id/replay") { try $0.askForReplay($1) },
        post("/webhooks/:id/replay", does: "webhook.replay") { try $0.replay($1) },
        get("/webhooks/:id/remove") { try $0.confirmRemoving($1) },
        post("/webhooks/:id/remove", does: "webhook.remove") { try $0.removeEndpoint($1) },
        get("/deliveries") { try $0.deliveries($1) },
        get("/deliveries/:id") { try $0.delivery($1) },
        post("/deliveries/:id/redeliver", does: "delivery.redeliver") { try $0.redeliver($1) },

        get("/events") { try $0.events($1) },
        PageRoute(pattern: "/events/after", isPost: false, waits: true) { try $0.newEvents($1) },
        get("/events/:id") { try $0.event($1) },
        get("/data/:kind") { try $0.list($1) },
        get("/data/:kind/:id") { try $0.record($1) },

        get("/organizations") { try $0.organizations($1) },
        post("/organizations", does: "organization.create") { try $0.addOrganization($1) },
        post("/organizations/switch") { try $0.switchOrganization($1) },
        get("/organizations/:id") { try $0.organization($1) },
        post("/organizations/:id", does: "organization.edit") { try $0.changeOrganization($1) },
        get("/docs") { try $0.docs($1) },
    ]

    /// The pattern as the push API has them.
    var shown: String {
        "/" + pattern.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }.joined(separator: "/")
    }

    /// Whether a path is one of the pattern's.
    func matches(_ path: String) -> Bool {
        let (parts, names) = (path.split(separator: "/"), pattern.split(separator: "/"))
        return parts.count == names.count && zip(parts, names).allSatisfy { $1.hasPrefix(":") || $0 == $1 }
    }
}

import Domain
import HTTPSupport
import HTTPTypes

/// Organizations, keys and endpoints: what the operator manages, as the commands and the pages do.
struct Management: Sendable {
    let store: any ManagementStore
    let desk: any EndpointDesk

    func answer(_ route: ManagementRoute, _ call: PushCall, _ organization: Organization) async throws -> Answer {
        switch (route, call.method) {
        case (.organizations, .get): list(try store.organizations().map { .object($0.members) })
        case (.organizations, _): try await addOrganization(call)
        case (.organization(let name), .get): Answer(json: .object(try found(store.organization(named: name)).members))
        case (.organization(let name), _): try await editOrganization(name, call)
        case (.keys, .get): list(try keys(of: organization).map { .object($0.members) })
        case (.keys, _): try await addKey(call, organization)
        case (.key(let keyID), .get): Answer(json: .object(try key(keyID, of: organization).members))
        case (.key(let keyID), _): try revoke(keyID, organization)
        case (.keyRotation(let keyID), _): try await rotate(keyID, call, organization)
        case (.endpoints, .get): list(try store.endpoints(of: organization.number).map(shown))
        case (.endpoints, _): try await addEndpoint(call, organization)
        case (.endpoint(let id), .get): Answer(json: shown(try endpoint(id, of: organization)))
        case (.endpoint(let id), .patch): try await editEndpoint(id, call, organization)
        case (.endpoint(let id), _): try removeEndpoint(id, organization)
        case (.endpointAction(let id, let action), _): try await act(action, on: id, call, organization)
        }
    }

    private func list(_ values: [JSONValue]) -> Answer { Answer(json: .object([.init("data", .array(values))])) }

    func found<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Problem(.notFound, "There is no such thing.") }
        return value
    }

    // MARK: Organizations

    private func addOrganization(_ call: PushCall) async throws -> Answer {
        var body = try ManagementBody(try await call.readJSON().value)
        var name = ""
        body.text("name") { name = $0 ?? "" }
        let change = try organizationChange(&body)
        let organization = try store.addOrganization(name: name, change)
        return Answer(
            status: 201, json: .object(organization.members),
            headers: [("Location", "\(PushRoute.base)/organizations/\(organization.name)")])
    }

    private func editOrganization(_ name: String, _ call: PushCall) async throws -> Answer {
        var body = try ManagementBody(try await call.readJSON().value)
        let change = try organizationChange(&body)
        return Answer(json: .object(try found(store.editOrganization(named: name, change)).members))
    }

    private func organizationChange(_ body: inout ManagementBody) throws -> (inout Organization) -> Void {
        var changes: [(inout Organization) -> Void] = []
        body.text("display_name") { text in changes.append { $0.displayName = text } }
        body.text("dashboard_url") { text in changes.append { $0.dashboardURL = text } }
        if let value = body.value("match_threshold") {
            if case .number(let spelling) = value, let number = Double(spelling) {
                changes.append { $0.matchThreshold = number }
            } else {
                body.fault("match_threshold", "is a number from 0 to 100")
            }
        }
        if let plan = body.value("plan") { changes += try planChanges(plan, &body) }
        try body.finish()
        return { organization in for change in changes { change(&organization) } }
    }

    private func planChanges(_ json: JSONValue, _ outer: inout ManagementBody) throws -> [(inout Organization) -> Void] {
        var changes: [(inout Organization) -> Void] = []
        do throws(InputFaults) {
            var body = try ManagementBody(json)
            body.flag("api") { flag in changes.append { $0.plan.hasAPI = flag } }
            body.flag("webhooks") { flag in changes.append { $0.plan.hasWebhooks = flag } }
            body.integer("rate_limit") { number in changes.append { $0.plan.rateLimit = number ?? APIKey.defaultRateLimit } }
            body.integer("max_keys") { number in changes.append { $0.plan.mostKeys = number } }
            body.integer("max_endpoints") { number in changes.append { $0.plan.mostEndpoints = number } }
            try body.finish()
        } catch {
            for fault in error.faults { outer.fault("plan\(fault.pointer)", fault.message) }
        }
        return changes
    }

    // MARK: Keys

    private func keys(of organization: Organization) throws -> [APIKey] {
        try store.keys().filter { $0.organization == organization.number }
    }

    private func key(_ keyID: String, of organization: Organization) throws -> APIKey {
        try found(keys(of: organization).first { $0.keyID == keyID })
    }

    private func addKey(_ call: PushCall, _ organization: Organization) async throws -> Answer {
        var body = try ManagementBody(try await call.readJSON().value)
        var (name, scopes, limit): (String, Scopes, Int) = ("", .read, organization.plan.rateLimit)
        var expiry: Timestamp?
        let now = store.now
        body.text("name") { name = $0 ?? "" }
        if let fault = APIKey.fault(ofName: name) { body.fault("name", fault) }
        body.texts("scopes") { (words) throws(InputFaults) in
            scopes = words.compactMap(Scopes.init(word:)).reduce(into: Scopes()) { $0.formUnion($1) }
            guard !scopes.isEmpty, words.allSatisfy({ Scopes(word: $0) != nil }) else {
                throw InputFaults([InputFault("/scopes", "holds some of \(Scopes.words.joined(separator: ", "))")])
            }
        }
        body.integer("rate_limit") { limit = $0 ?? limit }
        if !(1...1_000_000_000).contains(limit) { body.fault("rate_limit", "is from 1 to 1000000000") }
        body.text("expires_at") { (text) throws(InputFaults) in
            guard let text else { return }
            guard let time = Timestamp(future: text, now: now), time > now else {
                throw InputFaults([InputFault("/expires_at", "is a time to come, such as 90d or 2030-01-31T09:00:00Z")])
            }
            expiry = time
        }
        try body.finish()
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(using: &random)
        let key = try store.addKey(
            token, secretHash: SecretHash.of(token.secret), name: name, organization: organization, scopes: scopes, rateLimit: limit,
            expiresAt: expiry)
        return Answer(
            status: 201, json: .object([.init("key", .string(token.text))] + key.members),
            headers: [("Location", "\(PushRoute.base)/keys/\(key.keyID)")])
    }

    private func revoke(_ keyID: String, _ organization: Organization) throws -> Answer {
        _ = try key(keyID, of: organization)
        return Answer(json: .object(try found(store.revokeKey(keyID)).members))
    }

    private func rotate(_ keyID: String, _ call: PushCall, _ organization: Organization) async throws -> Answer {
        _ = try key(keyID, of: organization)
        let overlap = try await overlap(call) ?? 86_400_000
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(keyID: keyID, using: &random)
        let until = overlap == 0 ? nil : store.now.adding(milliseconds: overlap)
        let key = try found(store.rotateKey(token, secretHash: SecretHash.of(token.secret), overlapUntil: until))
        return Answer(json: .object([.init("key", .string(token.text))] + key.members))
    }

    /// `{"overlap":"24h"}` in milliseconds; nil where it is not said, or there is no body.
    func overlap(_ call: PushCall) async throws -> Int64? {
        guard let json = try await call.readOptionalJSON() else { return nil }
        var body = try ManagementBody(json)
        var overlap: Int64?
        body.text("overlap") { (text) throws(InputFaults) in
            guard let text else { return }
            guard let span = Span(text) else { throw InputFaults([InputFault("/overlap", "is a time such as 24h, 30m or 0s")]) }
            overlap = span.milliseconds
        }
        try body.finish()
        return overlap
    }
}

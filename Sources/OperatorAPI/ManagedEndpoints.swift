import Domain
import HTTPSupport

/// Endpoints, as the operator manages them.
extension Management {
    func shown(_ endpoint: Endpoint) -> JSONValue { .object(endpoint.members(desk.facts(of: endpoint.dialect), now: store.now)) }

    func endpoint(_ text: String, of organization: Organization) throws -> Endpoint {
        try found(EndpointID(text).flatMap { try store.endpoint($0) }.flatMap { $0.organization == organization.number ? $0 : nil })
    }

    func addEndpoint(_ call: PushCall, _ organization: Organization) async throws -> Answer {
        var body = try ManagementBody(try await call.readJSON().value)
        var (dialect, secret): (DialectName, String?) = (.standard, nil)
        body.text("dialect") { (text) throws(InputFaults) in
            guard let known = DialectName(rawValue: text ?? "standard") else {
                throw InputFaults([InputFault("/dialect", "is one of \(DialectName.allCases.map(\.rawValue).joined(separator: ", "))")])
            }
            dialect = known
        }
        body.text("secret") { secret = $0 }
        let change = try endpointChange(&body, organization)
        var draft = Endpoint(
            id: store.newEndpointID(), organization: organization.number, organizationName: organization.name, url: "", dialect: dialect,
            createdAt: store.now)
        change(&draft)
        let (endpoint, made) = try pointing { try desk.add(draft, secret: secret) }
        var members = endpoint.members(desk.facts(of: dialect), now: store.now)
        members.append(.init("secret", made.map(JSONValue.string) ?? .null))
        members.append(.init("notes", .array(try desk.notes(on: endpoint.url).map(JSONValue.string))))
        return Answer(status: 201, json: .object(members), headers: [("Location", "\(PushRoute.base)/webhooks/\(endpoint.id)")])
    }

    func editEndpoint(_ text: String, _ call: PushCall, _ organization: Organization) async throws -> Answer {
        let id = try endpoint(text, of: organization).id
        var body = try ManagementBody(try await call.readJSON().value)
        let change = try endpointChange(&body, organization)
        return Answer(json: shown(try found(pointing { try desk.edit(id) { change(&$0) } })))
    }

    func removeEndpoint(_ text: String, _ organization: Organization) throws -> Answer {
        guard try store.removeEndpoint(endpoint(text, of: organization).id) else { throw Problem.notFound }
        return Answer(status: 204, headers: [], body: .init(), route: "-")
    }

    func act(
        _ action: ManagementRoute.Action, on text: String, _ call: PushCall, _ organization: Organization
    ) async throws -> Answer {
        let id = try endpoint(text, of: organization).id
        switch action {
        case .enable: return Answer(json: shown(try found(store.setEndpoint(id, .active))))
        case .disable:
            return Answer(json: shown(try found(store.setEndpoint(id, .disabled(reason: "disabled by the operator", at: store.now)))))
        case .test:
            let delivery = try found(store.createTest(for: id))
            return Answer(status: 202, json: .object([.init("delivery_id", .string(delivery.description))]))
        case .rotateSecret:
            let overlap = try await overlap(call)
            let (endpoint, secret) = try found(pointing { try desk.rotateSecret(of: id, to: .made, overlap: overlap) })
            return Answer(
                json: .object(
                    endpoint.members(desk.facts(of: endpoint.dialect), now: store.now) + [.init("secret", secret.map(JSONValue.string) ?? .null)]))
        }
    }

    private func endpointChange(_ body: inout ManagementBody, _ organization: Organization) throws -> (inout Endpoint) -> Void {
        var changes: [(inout Endpoint) -> Void] = []
        body.text("url") { text in changes.append { $0.url = text ?? "" } }
        if let value = body.value("events"), case .null = value {
            changes.append { $0.types = nil }
        } else {
            body.texts("events") { (words) throws(InputFaults) in
                let types = words.compactMap(EventType.init(rawValue:))
                guard types.count == words.count else {
                    throw InputFaults([InputFault("/events", "holds types of GET /api/v1/event-types, or is null for all")])
                }
                changes.append { $0.types = Set(types) }
            }
        }
        var job: String??
        body.text("job_id") { job = .some($0) }
        body.flag("include_pii") { flag in changes.append { $0.includesPersonal = flag } }
        if let value = body.value("schedule"), case .null = value {
            changes.append { $0.schedule = nil }
        } else {
            body.texts("schedule") { (words) throws(InputFaults) in
                let spans = words.compactMap { Span($0)?.milliseconds }
                guard spans.count == words.count else {
                    throw InputFaults([InputFault("/schedule", "holds times such as 30s, or is null for the dialect's")])
                }
                changes.append { $0.schedule = spans }
            }
        }
        body.integer("attempts") { number in changes.append { $0.attempts = number } }
        body.text("timeout") { (text) throws(InputFaults) in
            guard let text else { return changes.append { $0.timeout = nil } }
            guard let span = Span(text) else { throw InputFaults([InputFault("/timeout", "is a time such as 15s")]) }
            changes.append { $0.timeout = span.milliseconds }
        }
        try body.finish()
        if let job {
            let id = try job.map { text in
                if let id = RecordID(text, kind: .job) { return id }
                guard let id = try store.id(of: .job, externalID: text, in: organization) else {
                    throw InputFaults([InputFault("/job_id", "there is no job with the id or external_id '\(text.prefix(80))'")])
                }
                return id
            }
            changes.append { $0.job = id?.ulid }
        }
        return { endpoint in for change in changes { change(&endpoint) } }
    }

    /// The desk's faults name settings; a body's are JSON Pointers.
    private func pointing<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let refused as InputFaults {
            throw InputFaults(
                refused.faults.map {
                    $0.pointer.hasPrefix("/") ? $0 : InputFault("/" + ($0.pointer == "job" ? "job_id" : $0.pointer), $0.message)
                })
        }
    }
}

import Domain

/// The form that adds an endpoint or changes one.
extension DeveloperTools {
    func newEndpoint(_ visit: Visit) throws -> PageAnswer {
        let chosen = visit.request.asked("dialect").flatMap(DialectName.init(rawValue:)) ?? .standard
        return form(visit, EndpointDraft(dialect: chosen), of: nil, faults: [])
    }

    func addEndpoint(_ visit: Visit) throws -> PageAnswer {
        let draft = EndpointDraft(visit.request, dialect: visit.request.field("dialect").flatMap(DialectName.init(rawValue:)) ?? .standard)
        var endpoint = Endpoint(
            id: EndpointID(ULID(high: 0, low: 0)), organization: visit.organization.number, url: "", dialect: draft.dialect,
            createdAt: visit.now)
        do {
            try apply(draft, to: &endpoint, visit)
            let added = try stores.desk.add(endpoint, secret: draft.secret)
            return showSecret(added.secret, wasGiven: draft.secret != nil, of: added.endpoint, visit)
                .telling(made: added.endpoint.id.description)
        } catch let refusal as InputFaults {
            return form(visit, draft, of: nil, faults: refusal.faults)
        }
    }

    func editEndpoint(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        return form(visit, EndpointDraft(endpoint), of: endpoint, faults: [])
    }

    func changeEndpoint(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let draft = EndpointDraft(visit.request, dialect: endpoint.dialect)
        do {
            var wanted = endpoint
            try apply(draft, to: &wanted, visit)
            guard try stores.desk.edit(endpoint.id, { $0 = wanted }) != nil else { return missing(visit, "endpoint") }
            return .redirect(to: "/webhooks/\(endpoint.id)?done=saved")
        } catch let refusal as InputFaults {
            return form(visit, draft, of: endpoint, faults: refusal.faults)
        }
    }

    /// - Throws: ``InputFaults`` for all that can't be read.
    private func apply(_ draft: EndpointDraft, to endpoint: inout Endpoint, _ visit: Visit) throws {
        var faults: [InputFault] = []
        endpoint.url = draft.url
        endpoint.types = draft.takesAll ? nil : Set(draft.events.compactMap(EventType.init(rawValue:)))
        endpoint.includesPersonal = draft.includesPersonal && endpoint.dialect == .standard
        endpoint.job = nil
        if let job = draft.job {
            let known = RecordID(job[...], kind: .job)
            let found = try known ?? stores.management.id(of: .job, externalID: job, in: visit.organization)
            if found == nil { faults.append(InputFault("job", "there is no job with this id or external id")) }
            endpoint.job = found?.ulid
        }
        do { endpoint.schedule = try draft.delays() } catch let fault as InputFault { faults.append(fault) }
        if let text = draft.attempts {
            endpoint.attempts = Int(text)
            if endpoint.attempts == nil { faults.append(InputFault("attempts", "is a number")) }
        } else {
            endpoint.attempts = nil
        }
        endpoint.timeout = draft.timeout.flatMap { Span($0)?.milliseconds }
        if draft.timeout != nil, endpoint.timeout == nil { faults.append(InputFault("timeout", "is a time such as 15s or 2m")) }
        faults += endpoint.faults(known: stores.desk.facts(of: endpoint.dialect).types)
        guard faults.isEmpty else { throw InputFaults(faults) }
        _ = try stores.desk.notes(on: endpoint.url)
    }

    private func form(_ visit: Visit, _ draft: EndpointDraft, of endpoint: Endpoint?, faults: [InputFault]) -> PageAnswer {
        let facts = stores.desk.facts(of: draft.dialect)
        let chosen = Set(draft.events)
        var content: [String: Any] = [
            "isNew": endpoint == nil, "url": draft.url, "dialect": draft.dialect.rawValue, "takesAll": draft.takesAll,
            "events": facts.types.map(\.rawValue).sorted().map { ["name": $0, "isChosen": chosen.contains($0)] as [String: Any] },
            "job": draft.job ?? "", "choosesPersonal": draft.dialect == .standard, "includesPersonal": draft.includesPersonal,
            "schedule": draft.schedule ?? "", "attempts": draft.attempts ?? "", "timeout": draft.timeout ?? "",
            "usualSchedule": facts.policy.delays.isEmpty
                ? "no second attempt" : facts.policy.delays.map { Span.text(milliseconds: $0) }.joined(separator: ", "),
            "usualAttempts": facts.policy.attempts, "usualTimeout": Span.text(milliseconds: facts.policy.deadline),
            "givesSecret": endpoint == nil && facts.secretIsGiven, "makesSecret": facts.secretIsMade,
            "isOpen": draft.schedule != nil || draft.attempts != nil || draft.timeout != nil || draft.job != nil || !faults.isEmpty,
            "dialects": DialectName.allCases.map {
                ["name": $0.rawValue, "isChosen": $0 == draft.dialect, "about": Self.about($0)] as [String: Any]
            },
        ]
        if let endpoint { content["id"] = endpoint.id.description }
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "endpoint-form", visit, title: endpoint == nil ? "Add an endpoint" : "Edit the endpoint", section: "/webhooks", content,
            status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    private static func about(_ dialect: DialectName) -> String {
        switch dialect {
        case .standard: "Standard Webhooks, all events"
        case .rejento: "X-Rejento-Signature, six events"
        case .tenzo: "flat interview results"
        case .talentsprout: "nested interview results, signed with a time"
        case .kendo: "calls and trainings"
        }
    }
}

/// An endpoint as somebody types it.
struct EndpointDraft {
    var dialect: DialectName
    var url = ""
    var takesAll = true
    var events: [String] = []
    var job: String?
    var includesPersonal = false
    var schedule: String?
    var attempts: String?
    var timeout: String?
    var secret: String?

    init(dialect: DialectName) { self.dialect = dialect }

    init(_ request: PageRequest, dialect: DialectName) {
        self.dialect = dialect
        url = request.field("url") ?? ""
        takesAll = request.field("all_events") != nil
        events = request.fields("event")
        job = request.field("job")
        includesPersonal = request.field("include_pii") != nil
        schedule = request.field("schedule")
        attempts = request.field("attempts")
        timeout = request.field("timeout")
        secret = request.field("secret")
    }

    init(_ endpoint: Endpoint) {
        dialect = endpoint.dialect
        url = endpoint.url
        takesAll = endpoint.types == nil
        events = (endpoint.types ?? []).map(\.rawValue)
        job = endpoint.job.map { RecordID(kind: .job, ulid: $0).description }
        includesPersonal = endpoint.includesPersonal
        schedule = endpoint.schedule.map { $0.map { Span.text(milliseconds: $0) }.joined(separator: ", ") }
        attempts = endpoint.attempts.map(String.init)
        timeout = endpoint.timeout.map { Span.text(milliseconds: $0) }
    }

    /// - Throws: `InputFault`.
    func delays() throws -> [Int64]? {
        guard let schedule else { return nil }
        return try schedule.split(separator: ",").map { part in
            let word = part.filter { $0 != " " }
            guard let span = Span(String(word)) else { throw InputFault("schedule", "is delays such as 30s, 2m, 10m") }
            return span.milliseconds
        }
    }
}

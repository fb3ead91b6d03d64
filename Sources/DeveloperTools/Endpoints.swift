import Domain

/// Webhook endpoints: what there is and how it goes, pausing, testing, secrets, the end.
extension DeveloperTools {
    func endpoints(_ visit: Visit) throws -> PageAnswer {
        let all = try stores.management.endpoints(of: visit.organization.number)
        let waiting = try stores.log.waiting()
        return page(
            "endpoints", visit, title: "Webhook endpoints", section: "/webhooks",
            ["endpoints": all.map { shown($0, visit, waiting: waiting[$0.id] ?? 0) }, "hasEndpoints": !all.isEmpty])
    }

    /// The endpoint in the address, if it is the current organization's: of another's nobody can tell that it is there.
    func find(_ visit: Visit) throws -> Endpoint? {
        guard let id = EndpointID(visit.id), let endpoint = try stores.management.endpoint(id) else { return nil }
        return endpoint.organization == visit.organization.number ? endpoint : nil
    }

    func shown(_ endpoint: Endpoint, _ visit: Visit, waiting: Int) -> [String: Any] {
        let facts = stores.desk.facts(of: endpoint.dialect)
        let policy = facts.policy.adjusted(to: endpoint)
        let events = (endpoint.types ?? facts.types).map(\.rawValue).sorted()
        var shown: [String: Any] = [
            "id": endpoint.id.description, "url": Shown.visible(endpoint.url), "shortURL": Shown.visible(endpoint.shownURL),
            "dialect": endpoint.dialect.rawValue, "events": events,
            "eventsInShort": endpoint.types == nil ? "all (\(events.count))" : "\(events.count) of \(facts.types.count)",
            "carriesPersonal": endpoint.carriesPersonal, "isSigned": endpoint.secret != nil, "waiting": Shown.number(waiting),
            "hasWaiting": waiting > 0, "created": Shown.time(endpoint.createdAt, now: visit.now), "attempts": policy.attempts,
            "delays": Self.delays(policy),
            "timeout": Span.text(milliseconds: policy.deadline),
        ]
        shown["job"] = endpoint.job.map { RecordID(kind: .job, ulid: $0).description }
        shown["lastSuccess"] = endpoint.lastSuccessAt.map { Shown.time($0, now: visit.now) }
        shown["failingSince"] = endpoint.failingSince.map { Shown.time($0, now: visit.now) }
        shown["failingFor"] = endpoint.failingSince.map { Shown.age(of: $0, now: visit.now) }
        shown["overlap"] = endpoint.previous.flatMap { $0.until > visit.now ? Shown.time($0.until, now: visit.now) : nil }
        return shown.merging(health(of: endpoint, visit)) { $1 }
    }

    /// The delays before the attempts that there are; the last of a schedule comes again until they are used up.
    private static func delays(_ policy: DeliveryPolicy) -> String {
        let all = (1..<max(policy.attempts, 1)).compactMap(policy.delay)
        let shown = all.prefix(max(policy.delays.count, 1)).map { Span.text(milliseconds: $0) }
        return shown.isEmpty ? "none" : shown.joined(separator: ", ") + (all.count > shown.count ? ", then the last again" : "")
    }

    private func health(of endpoint: Endpoint, _ visit: Visit) -> [String: Any] {
        if case .disabled(let reason, let at) = endpoint.state {
            return [
                "isPaused": true, "health": "paused", "style": "off", "pausedReason": Shown.visible(reason),
                "pausedAt": Shown.time(at, now: visit.now),
            ]
        }
        if endpoint.failingSince != nil { return ["health": "failing", "style": "bad"] }
        return endpoint.lastSuccessAt == nil ? ["health": "nothing sent yet", "style": "off"] : ["health": "healthy", "style": "good"]
    }

    func endpoint(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        var query = DeliveryQuery()
        (query.organization, query.endpoint, query.limit) = (visit.organization.number, endpoint.id, 10)
        let recent = try stores.log.deliveries(query)
        var content = shown(endpoint, visit, waiting: try stores.log.waiting()[endpoint.id] ?? 0)
        content["deliveries"] = recent.rows.map { shown($0, visit, [endpoint.id: endpoint.shownURL]) }
        (content["hasDeliveries"], content["isOfOne"]) = (!recent.rows.isEmpty, true)
        content["notes"] = (try? stores.desk.notes(on: endpoint.url)) ?? []
        content["heading"] = Shown.visible(endpoint.shownURL)
        return page("endpoint", visit, title: "Endpoint", section: "/webhooks", content)
    }

    // MARK: Pausing and testing

    func setState(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let enables = visit.request.field("state") == "active"
        let state = enables ? Endpoint.State.active : .disabled(reason: "paused by the operator", at: visit.now)
        guard try stores.management.setEndpoint(endpoint.id, state) != nil else { return missing(visit, "endpoint") }
        return .redirect(to: "/webhooks/\(endpoint.id)?done=\(enables ? "enabled" : "disabled")")
            .telling(action: enables ? "webhook.enable" : "webhook.disable")
    }

    /// Leads to the delivery's page, which shows the answer as soon as there is one.
    func sendTest(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit), let delivery = try stores.management.createTest(for: endpoint.id) else {
            return missing(visit, "endpoint")
        }
        return .redirect(to: "/deliveries/\(delivery)?done=sent&wait=yes")
    }

    // MARK: Secrets

    func askForSecret(_ visit: Visit) throws -> PageAnswer { try askForSecret(visit, faults: []) }

    private func askForSecret(_ visit: Visit, faults: [InputFault]) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let facts = stores.desk.facts(of: endpoint.dialect)
        var content: [String: Any] = [
            "id": endpoint.id.description, "heading": Shown.visible(endpoint.shownURL), "canGive": facts.secretIsGiven,
            "canHaveNone": facts.secretIsOptional && endpoint.secret != nil,
            "signsWithBoth": facts.signsWithBoth, "hasSecret": endpoint.secret != nil,
            "overlaps": Self.overlaps(chosen: visit.request.field("overlap") ?? (facts.signsWithBoth ? "24h" : "0s")),
        ]
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "secret-form", visit, title: "A new signing secret", section: "/webhooks", content,
            status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    func rotateSecret(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        guard let overlap = Span(visit.request.field("overlap") ?? "24h") else {
            return try askForSecret(visit, faults: [InputFault("overlap", "is 0s to 7d")])
        }
        do {
            let given = visit.request.field("secret")
            let wish = visit.request.field("none") != nil ? SecretWish.none : given.map(SecretWish.given) ?? .made
            let changed = try stores.desk.rotateSecret(of: endpoint.id, to: wish, overlap: overlap.milliseconds)
            guard let changed else { return missing(visit, "endpoint") }
            return showSecret(changed.secret, wasGiven: given != nil, of: changed.endpoint, visit)
        } catch let refusal as InputFaults { return try askForSecret(visit, faults: refusal.faults) }
    }

    /// The one time that a signing secret is shown; a given one never is.
    func showSecret(_ secret: String?, wasGiven: Bool, of endpoint: Endpoint, _ visit: Visit) -> PageAnswer {
        var content: [String: Any] = [
            "id": endpoint.id.description, "heading": Shown.visible(endpoint.shownURL), "wasGiven": wasGiven && secret != nil,
            "isUnsigned": secret == nil,
            "notes": (try? stores.desk.notes(on: endpoint.url)) ?? [], "dialect": endpoint.dialect.rawValue,
        ]
        if let secret, !wasGiven { content["secret"] = secret }
        content["overlap"] = endpoint.previous.map { Shown.time($0.until, now: visit.now) }
        return page("secret", visit, title: "Endpoint \(endpoint.previous == nil ? "added" : "changed")", section: "/webhooks", content)
    }

    // MARK: The end

    func confirmRemoving(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let waiting = try stores.log.waiting()[endpoint.id] ?? 0
        return page(
            "remove", visit, title: "Remove this endpoint?", section: "/webhooks", shown(endpoint, visit, waiting: waiting))
    }

    func removeEndpoint(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit), try stores.management.removeEndpoint(endpoint.id) else { return missing(visit, "endpoint") }
        return .redirect(to: "/webhooks?done=removed")
    }
}

import Domain

/// The first page: is all well, what came in, what went out, what needs somebody.
extension DeveloperTools {
    func overview(_ visit: Visit) throws -> PageAnswer {
        let day = visit.now.adding(milliseconds: -86_400_000)
        let activity = try stores.management.activity(since: day)
        let span = Chart.Span(rawValue: visit.request.asked("over") ?? "") ?? .hour
        let outbox = try stores.log.outboxState(now: visit.now)
        let endpoints = try stores.management.endpoints(of: visit.organization.number)
        let problem = configuration.problem()
        let attention = try attention(visit, endpoints, outbox)
        var content: [String: Any] = [
            "isHealthy": problem == nil, "attention": attention, "hasAttention": !attention.isEmpty, "isHour": span == .hour,
            "charts": [
                Chart.requests(activity, now: visit.now, id: "requests", span: span).content,
                Chart.attempts(activity, now: visit.now, id: "attempts", span: span).content,
            ],
            "pending": Shown.number(outbox.pending), "held": Shown.number(outbox.held),
            "oldest": outbox.oldestPending.map { Shown.age(of: $0, now: visit.now) } ?? "none",
            "overdue": outbox.oldestDue.map { "due for \(Shown.age(of: $0, now: visit.now))" } ?? "none is overdue",
            "active": Shown.number(endpoints.count { $0.state == .active }), "endpointCount": Shown.number(endpoints.count),
            "keyCount": Shown.number(try keys(of: visit).count { $0.revokedAt == nil }),
            "events": try latestEvents(visit, most: 8), "refreshes": true,
        ]
        if let problem { content["problem"] = problem }
        return page("overview", visit, title: "Overview", section: "/", content)
    }

    // MARK: What needs somebody

    private func attention(_ visit: Visit, _ endpoints: [Endpoint], _ outbox: OutboxState) throws -> [[String: Any]] {
        var list: [[String: Any]] = []
        func add(_ text: String, _ link: String, _ path: String, isBad: Bool = false) {
            list.append(["text": text, "link": link, "path": path, "style": isBad ? "bad" : "warn", "word": isBad ? "Failing" : "Check"])
        }
        for endpoint in endpoints {
            let path = "/webhooks/\(endpoint.id)"
            if case .disabled(let reason, let at) = endpoint.state {
                add("\(endpoint.shownURL) was paused \(Shown.relative(at, now: visit.now)): \(reason).", "See the endpoint", path)
            } else if let since = endpoint.failingSince {
                add(
                    "\(endpoint.shownURL) has had nothing but failures for \(Shown.age(of: since, now: visit.now)).", "See the endpoint",
                    path, isBad: true)
            }
        }
        if let oldest = outbox.oldestDue, visit.now.milliseconds(since: oldest) > 60_000 {
            add(
                "The oldest delivery has been due for \(Shown.age(of: oldest, now: visit.now)).", "See what waits",
                "/deliveries?status=pending")
        }
        var query = DeliveryQuery()
        (query.organization, query.statuses, query.since, query.limit) = (
            visit.organization.number, [.failed, .parked], visit.now.adding(milliseconds: -86_400_000), 1
        )
        if let last = try stores.log.deliveries(query).rows.first {
            add(
                "Deliveries were given up in the last day, the latest made \(Shown.relative(last.createdAt, now: visit.now)).", "See them",
                "/deliveries?status=\(last.status.rawValue)")
        }
        let soon = visit.now.adding(milliseconds: 14 * 86_400_000)
        for key in try keys(of: visit) where key.revokedAt == nil {
            if let expiry = key.expiresAt, expiry > visit.now, expiry < soon {
                add("The key “\(key.name)” expires \(Shown.relative(expiry, now: visit.now)).", "See the keys", "/keys")
            }
        }
        return list
    }
}

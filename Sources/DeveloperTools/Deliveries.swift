import Domain

/// The delivery log: a list with filters, one delivery with all that was sent and answered, sending again.
extension DeveloperTools {
    func deliveries(_ visit: Visit) throws -> PageAnswer {
        let endpoints = try stores.management.endpoints(of: visit.organization.number)
        let (query, faults) = try query(visit, endpoints)
        var rows: [DeliverySummary] = []
        var hasMore = false
        if faults.isEmpty {
            do { (rows, hasMore) = try stores.log.deliveries(query) } catch let refusal as InputFaults {
                return page(
                    "error", visit, title: "Not found", section: "/deliveries", ["message": "\(refusal)", "isSignedIn": true],
                    status: .notFound)
            }
        }
        let urls = Dictionary(uniqueKeysWithValues: endpoints.map { ($0.id, $0.shownURL) })
        let request = visit.request
        var content: [String: Any] = [
            "deliveries": rows.map { shown($0, visit, urls) }, "hasDeliveries": !rows.isEmpty, "since": request.asked("since") ?? "",
            "until": request.asked("until") ?? "", "isFiltered": !filters(request).isEmpty,
            "endpoints": endpoints.map {
                ["id": $0.id.description, "url": Shown.visible($0.shownURL), "isChosen": request.asked("endpoint") == $0.id.description]
                    as [String: Any]
            },
            "types": EventType.allCases.map { ["name": $0.rawValue, "isChosen": request.asked("type") == $0.rawValue] as [String: Any] },
            "statuses": (DeliveryStatus.allCases.map(\.rawValue) + ["held"]).map { (status: String) -> [String: Any] in
                ["name": status, "isChosen": request.asked("status") == status]
            },
        ]
        if hasMore, let last = rows.last { content["older"] = "/deliveries?" + Self.query(filters(request) + [("before", "\(last.id)")]) }
        if request.asked("before") != nil { content["newest"] = "/deliveries?" + Self.query(filters(request)) }
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "deliveries", visit, title: "Deliveries", section: "/deliveries", content, status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    private func filters(_ request: PageRequest) -> [(name: String, value: String)] {
        ["endpoint", "type", "status", "since", "until"].compactMap { name in request.asked(name).map { (name, $0) } }
    }

    private func query(_ visit: Visit, _ endpoints: [Endpoint]) throws -> (DeliveryQuery, [InputFault]) {
        var (query, faults) = (DeliveryQuery(), [InputFault]())
        let request = visit.request
        query.organization = visit.organization.number
        // What can't be read is said to be so, rather than overlooked.
        func known<Value>(_ name: String, _ right: String, _ read: (String) -> Value?) -> Value? {
            guard let text = request.asked(name) else { return nil }
            let value = read(text)
            if value == nil { faults.append(InputFault(name, right)) }
            return value
        }
        query.endpoint = known("endpoint", "is an endpoint’s id (ep_…)") { EndpointID($0) }
        query.types = known("type", "is a type of event") { EventType(rawValue: $0) }.map { [$0] } ?? []
        query.withHeld = request.asked("status") == "held"
        if !query.withHeld {
            query.statuses = known("status", "is one of the list") { DeliveryStatus(rawValue: $0) }.map { [$0] } ?? []
        }
        func moment(_ name: String) -> Timestamp? {
            known(name, "is a time such as 2026-01-31T09:00, a date, or how long ago, such as 6h") { Timestamp(past: $0, now: visit.now) }
        }
        query.since = moment("since")
        query.until = moment("until")
        query.before = known("before", "is a delivery’s id (dlv_…)") { DeliveryID($0) }
        return (query, faults)
    }

    func shown(_ summary: DeliverySummary, _ visit: Visit, _ urls: [EndpointID: String]) -> [String: Any] {
        let status = summary.isHeld ? "held" : summary.status.rawValue
        let styles = ["succeeded": "good", "failed": "bad", "parked": "bad", "pending": "warn", "held": "off", "erased": "off"]
        var shown: [String: Any] = [
            "id": summary.id.description, "type": summary.type?.rawValue ?? "unknown", "endpointID": summary.endpoint.description,
            "url": Shown.visible(urls[summary.endpoint] ?? summary.endpoint.description), "status": status,
            "style": styles[status] ?? "off",
            "created": Shown.time(summary.createdAt, now: visit.now), "attempts": summary.attempts, "eventID": summary.event.description,
            "isPending": summary.status == .pending && !summary.isHeld,
        ]
        // An error mostly says the status itself.
        shown["answer"] = (summary.reason ?? summary.lastError).map(Shown.visible) ?? summary.lastStatus.map(String.init)
        if !summary.isHeld { shown["due"] = summary.dueAt.map { Shown.time($0, now: visit.now) } }
        shown["finished"] = summary.finishedAt.map { Shown.time($0, now: visit.now) }
        return shown
    }

    // MARK: One

    private func found(_ visit: Visit) throws -> (detail: DeliveryDetail, endpoint: Endpoint)? {
        guard let id = DeliveryID(visit.id), let detail = try stores.log.delivery(id),
            let endpoint = try stores.management.endpoint(detail.summary.endpoint), endpoint.organization == visit.organization.number
        else { return nil }
        return (detail, endpoint)
    }

    func delivery(_ visit: Visit) throws -> PageAnswer {
        guard let (detail, endpoint) = try found(visit) else { return missing(visit, "delivery") }
        var content = shown(detail.summary, visit, [endpoint.id: endpoint.shownURL])
        let attempts = detail.attempts.enumerated().map { shown($0.element, number: $0.offset + 1, visit) }
        content["log"] = Array(attempts.reversed())
        content["hasLog"] = !attempts.isEmpty
        content["body"] = detail.body.map(Shown.body)
        if detail.body != nil, endpoint.carriesPersonal {
            // Its body tells what its event tells, and of whom.
            var out = ByteWriter()
            _ = try read("/deliveries/{id}", visit) {
                try $0.event(detail.summary.event, of: visit.organization.number, personal: true, into: &out)
            }
        }
        content["isHeld"] = detail.summary.isHeld
        // Right after a test or a new round: looks again until something is known.
        let isExpected = visit.request.asked("wait") != nil && detail.summary.status == .pending && !detail.summary.isHeld
        if isExpected { (content["refresh"], content["refreshes"]) = (2, true) }
        content["isExpected"] = isExpected
        return page("delivery", visit, title: "Delivery", section: "/deliveries", content)
    }

    private func shown(_ made: DeliveryDetail.Made, number: Int, _ visit: Visit) -> [String: Any] {
        let attempt = made.attempt
        func list(_ headers: [(name: String, value: String)]) -> String {
            headers.map { "\(Shown.visible($0.name)): \(Shown.visible($0.value))" }.joined(separator: "\n")
        }
        var shown: [String: Any] = [
            "number": number, "started": Shown.time(attempt.startedAt, now: visit.now), "duration": Shown.milliseconds(attempt.duration),
            "requestHeaders": list(attempt.requestHeaders), "responseHeaders": list(attempt.responseHeaders),
            "isCut": attempt.isCut, "isGood": attempt.error == nil, "style": attempt.error == nil ? "good" : "bad",
            "result": attempt.responseStatus.map { "answered \($0)" } ?? "no answer",
        ]
        shown["error"] = attempt.error.map(Shown.visible)
        shown["next"] = made.nextAt.map { Shown.time($0, now: visit.now) }
        if attempt.responseStatus != nil { shown["hasAnswer"] = true }
        if !attempt.responseBody.isEmpty { shown["responseBody"] = Shown.body(attempt.responseBody) }
        return shown
    }

    func redeliver(_ visit: Visit) throws -> PageAnswer {
        guard let (detail, _) = try found(visit) else { return missing(visit, "delivery") }
        do {
            guard try stores.log.redeliver(detail.summary.id) != nil else { return missing(visit, "delivery") }
        } catch let refusal as InputFaults {
            return page(
                "error", visit, title: "It can't be sent again", section: "/deliveries", ["message": "\(refusal)", "isSignedIn": true],
                status: .conflict)
        }
        return .redirect(to: "/deliveries/\(detail.summary.id)?done=again&wait=yes")
    }
}

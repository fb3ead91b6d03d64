import Domain

/// Sending an endpoint again what it was owed in a range of time.
///
/// A replay is done in parts, each a form that carries how far the one before came: nothing of it is in memory, so it goes on
/// after a restart, and stops where nobody presses on. With scripts, the page presses on by itself; without, a part is longer.
/// Each part leads to a page of its own, and is numbered by the run and its place: to load or to go back to that page, or to
/// press twice, sends nothing twice.
extension DeveloperTools {
    /// For how long one form works, in milliseconds: with scripts, and without.
    private static let patience: (short: Int64, long: Int64) = (700, 8_000)

    func askForReplay(_ visit: Visit) throws -> PageAnswer {
        visit.request.asked("run") == nil ? try askForReplay(visit, faults: []) : try showReplay(visit)
    }

    private func askForReplay(_ visit: Visit, faults: [InputFault]) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let status = visit.request.field("status") ?? "failed"
        let choices = [
            ("failed", "what was given up"), ("", "everything, also what it was not owed then"), ("succeeded", "what had arrived"),
            ("parked", "what could not be built"),
        ]
        var content: [String: Any] = [
            "id": endpoint.id.description, "heading": Shown.visible(endpoint.shownURL), "since": visit.request.field("since") ?? "24h",
            "until": visit.request.field("until") ?? "", "isAsking": true,
            "statuses": choices.map { ["value": $0.0, "text": $0.1, "isChosen": $0.0 == status] as [String: Any] },
            "isPaused": endpoint.state != .active,
        ]
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "replay", visit, title: "Replay", section: "/webhooks", content, status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    func replay(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let request = visit.request
        var faults: [InputFault] = []
        func moment(_ name: String) -> Timestamp? {
            guard let text = request.field(name) else { return nil }
            let time = Timestamp(past: text, now: visit.now)
            if time == nil { faults.append(InputFault(name, "is a time such as 2026-01-31T09:00, a date, or how long ago, such as 6h")) }
            return time
        }
        let (since, until) = (moment("since"), moment("until"))
        if let since, let until, since >= until { faults.append(InputFault("until", "is after the first time")) }
        guard faults.isEmpty else { return try askForReplay(visit, faults: faults) }
        let wanted = ReplayRequest(
            endpoint: endpoint.id, since: since, until: until, status: request.field("status").flatMap(DeliveryStatus.init(rawValue:)))
        var total = ReplayTotal(request.field)
        let patience = request.field("patience") == nil ? Self.patience.short : Self.patience.long
        try total.goOn(wanted, stores.log, until: monotonic() + patience * 1_000_000, clock: monotonic)
        var state = total.pairs
        state += [("run", request.field("run") ?? request.field("once") ?? "-"), ("status", wanted.status?.rawValue ?? "")]
        state += [("since", wanted.since?.description ?? ""), ("until", wanted.until?.description ?? "")]
        return .redirect(to: "/webhooks/\(endpoint.id)/replay?" + Self.query(state))
    }

    /// How far the replay has come that the address tells of.
    private func showReplay(_ visit: Visit) throws -> PageAnswer {
        guard let endpoint = try find(visit) else { return missing(visit, "endpoint") }
        let request = visit.request
        let total = ReplayTotal(request.asked)
        let run = request.asked("run") ?? "-"
        var content: [String: Any] = [
            "id": endpoint.id.description, "heading": Shown.visible(endpoint.shownURL), "isAsking": false,
            "sent": Shown.number(total.restarted + total.added), "isDone": total.cursor == nil, "hasParked": total.parked > 0,
            "percent": total.percent, "isPaused": endpoint.state != .active, "run": run,
            "once": "\(run) \(total.cursor.map(\.description) ?? "")",
        ]
        for name in ["status", "since", "until"] { content[name] = request.asked(name) ?? "" }
        for (name, value) in total.pairs where !value.isEmpty { content[name] = value }
        return page("replay", visit, title: "Replay", section: "/webhooks", content)
    }
}

/// What a replay has come to, in all its parts.
private struct ReplayTotal {
    var restarted: Int
    var added: Int
    var parked: Int
    /// Where the first part began.
    var begin: Int64?
    var cursor: ReplayCursor?

    /// - Parameter value: of a field or a parameter.
    init(_ value: (String) -> String?) {
        func count(_ name: String) -> Int { min(max(value(name).flatMap { Int($0) } ?? 0, 0), 1 << 50) }
        (restarted, added, parked) = (count("restarted"), count("added"), count("parked"))
        begin = value("begin").flatMap { Int64($0) }
        cursor = value("cursor").flatMap { ReplayCursor($0) }
    }

    /// As fields or parameters, for the next part.
    var pairs: [(name: String, value: String)] {
        [
            ("restarted", "\(restarted)"), ("added", "\(added)"), ("parked", "\(parked)"), ("begin", "\(begin ?? 0)"),
            ("cursor", cursor?.description ?? ""),
        ]
    }

    mutating func goOn(_ wanted: ReplayRequest, _ log: any DeliveryLog, until end: Int64, clock: () -> Int64) throws {
        repeat {
            let part = try log.replay(wanted, from: cursor)
            restarted += part.restarted
            added += part.added
            parked += part.parked
            cursor = part.cursor
            if begin == nil { begin = part.cursor?.done }
        } while cursor != nil && clock() < end
    }

    var percent: Int {
        guard let cursor, let begin, cursor.last > begin else { return cursor == nil ? 100 : 0 }
        return Int(Double(cursor.done - begin) / Double(cursor.last - begin) * 100)
    }
}

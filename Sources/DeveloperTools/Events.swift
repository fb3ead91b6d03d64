import Domain
import NIOPosix

/// The event feed, the newest first, and what is new as it happens.
extension DeveloperTools {
    /// How many of the feed's places one page looks at: without a filter, and with one.
    private static let window: (plain: Int64, filtered: Int64) = (50, 500)
    /// How long a request for new events waits, in milliseconds.
    private static let longestWait: Int64 = 20_000

    func events(_ visit: Visit) throws -> PageAnswer {
        let request = visit.request
        if let wrong = Self.unreadable(request) { return missing(visit, wrong) }
        let type = request.asked("type").flatMap(EventType.init(rawValue:))
        var content: [String: Any] = [
            "types": EventType.allCases.map { ["name": $0.rawValue, "isChosen": $0 == type] as [String: Any] }, "follows": false,
        ]
        let feed = try feed(visit, type: type)
        content["events"] = feed.events
        content["hasEvents"] = !feed.events.isEmpty
        content["last"] = feed.last
        content["curl"] = curl("/api/v1/events", query: "after=\(max(feed.last - 10, 0))")
        if let subject = request.asked("candidate_id") ?? request.asked("job_id") {
            content["ofSubject"] = Shown.visible(String(subject.prefix(40)))
        } else {
            var pairs = type.map { [("type", $0.rawValue)] } ?? []
            if feed.first > 1 { content["older"] = "/events?" + Self.query(pairs + [("before", String(feed.first))]) }
            if request.asked("before") != nil {
                if pairs.isEmpty { pairs = [("type", "")] }
                content["newest"] = "/events?" + Self.query(pairs)
            } else if type == nil {
                content["follows"] = true
            }
        }
        return page("events", visit, title: "Events", section: "/events", content)
    }

    /// The parameter of the page that can't be read: to overlook it would be to show other events than were asked for.
    private static func unreadable(_ request: PageRequest) -> String? {
        if let type = request.asked("type"), EventType(rawValue: type) == nil { return "such type of event" }
        if let id = request.asked("candidate_id"), RecordID(id[...], kind: .candidate) == nil { return "such candidate" }
        if let id = request.asked("job_id"), RecordID(id[...], kind: .job) == nil { return "such job" }
        if let place = request.asked("before"), Int64(place).map({ $0 < 1 }) ?? true { return "such place in the feed" }
        return nil
    }

    /// A part of the feed: its events, the newest first; the first place looked at, and the last of the whole feed.
    private func feed(_ visit: Visit, type: EventType?) throws -> (events: [[String: Any]], first: Int64, last: Int64) {
        let request = visit.request
        var query = EventQuery()
        query.types = type.map { [$0] } ?? []
        query.candidates = request.asked("candidate_id").flatMap { RecordID($0[...], kind: .candidate) }.map { [$0.ulid] } ?? []
        query.jobs = request.asked("job_id").flatMap { RecordID($0[...], kind: .job) }.map { [$0.ulid] } ?? []
        query.limit = ListDefinition.largestPage
        return try read("/events", visit) { reader in
            let last = try Self.lastSequence(reader, visit.organization.number)
            guard query.candidates.isEmpty, query.jobs.isEmpty else {
                return (try Self.read(query, reader, visit).reversed().map { shown($0, visit) }, 0, last)
            }
            let before = request.asked("before").flatMap { Int64($0) } ?? last + 1
            let size = type == nil ? Self.window.plain : Self.window.filtered
            query.after = max(before - 1 - size, 0)
            query.limit = Int(size)
            let events = try Self.read(query, reader, visit).filter { Self.sequence(of: $0) < before }
            let newest = events.suffix(Int(Self.window.plain))
            // What did not find room is on the next page.
            let first = newest.count < events.count ? newest.first.map(Self.sequence(of:)) : nil
            let isEnd = events.isEmpty && type == nil
            return (newest.reversed().map { shown($0, visit) }, isEnd ? 0 : first ?? (query.after ?? 0) + 1, last)
        }
    }

    /// Asked from the end of all sequences there are no events, and the last is told.
    private static func lastSequence(_ reader: any StoreReader, _ organization: OrganizationNumber) throws -> Int64 {
        var query = EventQuery()
        (query.after, query.limit) = (1 << 50, 1)
        var none = ByteWriter(capacity: 16)
        return try reader.events(query, of: organization, personal: true, into: &none).lastSequence
    }

    /// What has expired is left out, and the rest begins with the oldest that is kept.
    private static func read(_ query: EventQuery, _ reader: any StoreReader, _ visit: Visit) throws -> [JSONValue] {
        var query = query
        var out = ByteWriter()
        out.append("[")
        let end = try reader.events(query, of: visit.organization.number, personal: true, into: &out)
        if end.expired {
            query.after = nil
            _ = try reader.events(query, of: visit.organization.number, personal: true, into: &out)
        }
        out.append("]")
        guard case .array(let events) = try JSONParser.parse(out.bytes) else { return [] }
        return events
    }

    private static func sequence(of event: JSONValue) -> Int64 { EventSummary.word(event["sequence"]).flatMap { Int64($0) } ?? 0 }

    func latestEvents(_ visit: Visit, most: Int) throws -> [[String: Any]] {
        try Array(feed(visit, type: nil).events.prefix(most))
    }

    private func shown(_ event: JSONValue, _ visit: Visit) -> [String: Any] {
        let time = EventSummary.word(event["created_at"]).flatMap { Timestamp(rfc3339: $0) } ?? visit.now
        var shown: [String: Any] = [
            "id": EventSummary.word(event["id"]) ?? "", "type": EventSummary.word(event["type"]) ?? "",
            "sequence": EventSummary.word(event["sequence"]) ?? "", "time": Shown.time(time, now: visit.now),
            "facts": Shown.visible(EventSummary.facts(of: event).joined(separator: ", ")),
        ]
        if let subject = EventSummary.word(event["subject"]?["id"]) {
            shown["subject"] = subject
            shown["subjectPath"] = recordPath(subject)
        }
        return shown
    }

    func event(_ visit: Visit) throws -> PageAnswer {
        guard let id = EventID(visit.id) else { return missing(visit, "event") }
        var out = ByteWriter()
        let found = try read("/events/{id}", visit) { try $0.event(id, of: visit.organization.number, personal: true, into: &out) }
        guard found, let event = try? JSONParser.parse(out.text) else { return missing(visit, "event") }
        var content = shown(event, visit)
        content["json"] = Shown.visible(Shown.pretty(event))
        content["curl"] = curl("/api/v1/events/\(id)")
        return page("event", visit, title: "Event", section: "/events", content)
    }

    // MARK: As they happen

    /// What came after a place of the feed, as rows of the table; for the script, which has waited for it.
    func newEvents(_ visit: Visit) throws -> PageAnswer {
        guard let after = visit.request.asked("after").flatMap({ Int64($0) }), after >= 0 else {
            return .refused(.badRequest, "Say after which sequence.")
        }
        var query = EventQuery()
        (query.after, query.limit) = (after, 200)
        let (events, last) = try read("/events", visit) {
            (try Self.read(query, $0, visit), try Self.lastSequence($0, visit.organization.number))
        }
        let rows = templates.render("event-rows", ["events": events.reversed().map { shown($0, visit) }, "isNew": true])
        var answer = PageAnswer.html(events.isEmpty ? "" : rows)
        answer.headers[FieldName("Hirewire-Last")!] = String(events.last.map(Self.sequence(of:)) ?? last)
        return answer
    }

    /// Holds a request until somebody commits an event, the session ends, or the time is over.
    func wait(_ request: PageRequest) async -> PageAnswer {
        let deadline = monotonic() + Self.longestWait * 1_000_000
        while true {
            let mark = stores.reads.commitMark
            do {
                let answer = try await NIOThreadPool.singleton.runIfActive { () -> PageAnswer? in
                    guard let visit = visit(request) else { return .refused(.unauthorized, "You are signed out.") }
                    let answer = try newEvents(visit)
                    return answer.body.readableBytes > 0 || answer.status != .ok ? answer : nil
                }
                if let answer { return answer }
            } catch { return .refused(.serviceUnavailable, "The events can't be read just now.") }
            while stores.reads.commitMark == mark {
                if monotonic() > deadline || Task.isCancelled || Task.isShuttingDownGracefully { return PageAnswer(status: .noContent) }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}

import Domain
import HTTPSupport
import NIOCore
import Synchronization

/// The event feed.
extension PublicCore {
    func events(_ call: Call, _ reader: any StoreReader) throws -> Outcome {
        var request: EventRequest
        do { request = try EventRequest(call.target.parameters()) } catch let fault as ParameterFault { throw Problem(fault) }
        request.query.notation = call.notation
        if request.isExport {
            try call.refuseDocument()
            // There is always a feed, be it empty.
            if call.request.asksForNothing { return .now(call.reply.notModified()) }
            return export(call, EventWalk(call: call, request: request))
        }
        let isShort =
            request.query.types.isEmpty && request.query.candidates.isEmpty && request.query.jobs.isEmpty
            && request.query.createdAfter == nil && request.query.createdBefore == nil
        if request.wait == 0, isShort { return .now(try page(call, request, reader).answer) }
        return started(call.reply, of: call.key) { [request] done in
            self.waiters.hold(
                seconds: request.wait,
                attempt: { final in
                    do {
                        let (answer, count) = try self.store.read { try self.page(call, request, $0) }
                        return count > 0 || final ? answer : nil
                    } catch { return call.reply.failure(error) }
                }, done: done)
        }
    }

    private func page(_ call: Call, _ request: EventRequest, _ reader: any StoreReader) throws -> (answer: Answer, count: Int) {
        try scratch.use { out in
            let isDocument = call.notation == .json
            if isDocument { out.append("{\"data\":[") } else { call.write(columnNames: EventQuery.columnNames, to: &out) }
            let end = try reader.events(request.query, of: call.key.organization, personal: call.readsPersonal, into: &out)
            if end.expired { throw Problem.eventsExpired }
            note(reader.takeTold(), call)
            let next = end.hasMore ? call.next(request.cursor(after: end.lastSequence)) : nil
            guard isDocument else {
                let bytes = ByteBuffer(bytes: out.bytes)
                let packed = call.reply.compressed(bytes)
                let answer = call.reply.rows(
                    packed ?? bytes, call.notation, isCompressed: packed != nil, mark: EventWalk.mark(end.lastSequence), total: nil,
                    masked: call.readsPersonal ? nil : EventCatalogue.masked, link: next?.link)
                return (answer, end.count)
            }
            out.append(end.hasMore ? "],\"has_more\":true" : "],\"has_more\":false")
            out.append(",\"meta\":{\"last_sequence\":")
            out.append(integer: end.lastSequence)
            if !call.readsPersonal {
                out.append(",\"masked\":")
                out.append(names: EventCatalogue.masked)
            }
            out.append("},\"next\":")
            out.append(optional: next?.link)
            out.append(",\"next_cursor\":")
            out.append(optional: next?.cursor)
            out.append("}")
            return (call.reply.body(out, link: next?.link), end.count)
        }
    }

    func event(_ call: Call, id text: String, _ reader: any StoreReader) throws -> Answer {
        try call.refuseParameters()
        guard let id = EventID(text) else { throw Problem.notFound }
        return try scratch.use { out in
            guard try reader.event(id, of: call.key.organization, personal: call.readsPersonal, into: &out) else {
                throw Problem.notFound
            }
            out.truncate(to: out.count - 1)
            out.append(",\"masked\":")
            out.append(names: call.readsPersonal ? [] : EventCatalogue.masked)
            out.append("}")
            return call.reply.body(out)
        }
    }
}

/// Requests that are held until there is an event: looked at again whenever somebody has committed.
public final class EventWaiters: Sendable {
    private struct Waiter {
        let deadline: ContinuousClock.Instant
        let attempt: @Sendable (_ final: Bool) -> Answer?
        let done: @Sendable (Answer) -> Void
        /// Not looked at since it was taken in: a commit may have come just before.
        var isFresh = true
    }

    private struct State {
        var waiters: [Waiter] = []
        var isClosed = false
    }

    /// Past so many, requests are not held but answered.
    public static let most = 2_000
    private let state = Mutex(State())

    public init() {}

    /// Answers when `attempt` has something to say, or when the time is over. Not on an event loop.
    func hold(
        seconds: Int, attempt: @escaping @Sendable (_ final: Bool) -> Answer?, done: @escaping @Sendable (Answer) -> Void
    ) {
        if let answer = attempt(seconds == 0) { return done(answer) }
        let waiter = Waiter(deadline: .now + .seconds(seconds), attempt: attempt, done: done)
        let taken = state.withLock { state in
            guard !state.isClosed, state.waiters.count < Self.most else { return false }
            state.waiters.append(waiter)
            return true
        }
        if !taken, let answer = attempt(true) { done(answer) }
    }

    /// Answers those whose event has come or whose time is over. Called some twenty times a second.
    public func look(changed: Bool) {
        let now = ContinuousClock.now
        let due = state.withLock { state in
            let due = state.waiters.filter { changed || $0.isFresh || $0.deadline <= now }
            state.waiters.removeAll { changed || $0.isFresh || $0.deadline <= now }
            return due
        }
        var kept: [Waiter] = []
        for var waiter in due {
            if let answer = waiter.attempt(waiter.deadline <= now) {
                waiter.done(answer)
            } else {
                waiter.isFresh = false
                kept.append(waiter)
            }
        }
        guard !kept.isEmpty else { return }
        let closed = state.withLock { state in
            if !state.isClosed { state.waiters += kept }
            return state.isClosed
        }
        if closed { Self.end(kept) }
    }

    /// Answers all and holds none from now on.
    public func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        Self.end(all)
    }

    private static func end(_ waiters: [Waiter]) {
        for waiter in waiters { if let answer = waiter.attempt(true) { waiter.done(answer) } }
    }
}

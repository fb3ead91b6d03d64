import Dispatch
import Domain
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import RateLimiting
import Synchronization

/// How the public API is set up.
public struct PublicConfiguration: Sendable {
    /// What links begin with; empty for paths.
    public var publicURL = ""
    /// What the documentation's examples begin with.
    public var examplesURL = StaticDocuments.origin
    /// Origins that browsers may call from; `*` for any.
    public var allowedOrigins: [String] = []
    public var version = "0.1.0"
    public var exports = ExportLimits()
    public init() {}
}

/// The public API as a synchronous core: request head in, answer out. See ``respond(to:)`` for the way of a request.
public final class PublicCore: RequestCore {
    public let requestIDs = RequestIDs()
    let store: any ReadStore
    let configuration: PublicConfiguration
    let time: any TimeSource
    let usage: UsageCounter
    let observer: any AccessObserving
    let waiters: EventWaiters
    let audit: ReadAudit
    let pages = BodyCache()
    let forms = ListForms()
    let scratch = ScratchPool()
    let gzip = Gzip()
    let exports = ExportTurns()
    let documents: StaticDocuments
    private let keyBuckets: TokenBuckets
    private let failureBuckets = TokenBuckets()
    private let slow: SlowAnswers
    private let shutdown = Atomic<Bool>(false)
    private let exportsEnd = Atomic<UInt64>(.max)
    private let monotonic: @Sendable () -> Int64

    public init(
        store: any ReadStore, configuration: PublicConfiguration, time: any TimeSource, usage: UsageCounter,
        observer: any AccessObserving, waiters: EventWaiters, audit: ReadAudit = ReadAudit(), keyBuckets: TokenBuckets = TokenBuckets(),
        threads: NIOThreadPool? = nil,
        monotonic: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds) }
    ) {
        self.store = store
        self.configuration = configuration
        self.time = time
        self.usage = usage
        self.observer = observer
        self.waiters = waiters
        self.audit = audit
        self.keyBuckets = keyBuckets
        self.monotonic = monotonic
        slow = SlowAnswers(on: threads ?? SlowAnswers.pool, threads: SlowAnswers.threadCount)
        documents = StaticDocuments(configuration)
    }

    /// What of a shutdown is left to exports is over.
    var endsExports: Bool { DispatchTime.now().uptimeNanoseconds >= exportsEnd.load(ordering: .relaxed) }

    public var isShuttingDown: Bool { shutdown.load(ordering: .relaxed) }

    /// From now on `/healthz` says no, so that a load balancer looks elsewhere; requests are answered still.
    ///
    /// - Parameter seconds: exports under way go on for so long, and are cut then with a sign.
    public func beginShutdown(exportsEndIn seconds: Int = 0) {
        exportsEnd.store(DispatchTime.now().uptimeNanoseconds + UInt64(min(seconds, 1 << 30)) * 1_000_000_000, ordering: .relaxed)
        shutdown.store(true, ordering: .relaxed)
        waiters.close()
    }

    public func finished(_ record: AccessRecord) { observer.finished(record) }

    public func refuse(_ problem: Problem, to request: IncomingRequest?) -> Answer {
        Reply(self, request: request, route: "-").problem(problem)
    }

    /// Route, method, key, limit, representation, parameters, answer: each step refuses with a problem of its own.
    public func respond(to request: IncomingRequest) -> Outcome {
        let outcome = outcome(of: request)
        return request.asksForNothing ? outcome.map { $0.status == 200 ? $0.notModified : $0 } : outcome
    }

    private func outcome(of request: IncomingRequest) -> Outcome {
        var reply = Reply(self, request: request, route: "-")
        do {
            // The server as a whole (RFC 9112, 3.2.4), of which no more is said than of each address.
            if request.method == .OPTIONS, request.target == "*" { return .now(reply.options()) }
            let target = try Target(request.target)
            guard let route = Route(target.segments) else { throw Problem(.notFound, "There is nothing at this address.") }
            reply.route = route.pattern
            switch request.method {
            case .GET, .HEAD: break
            case .OPTIONS: return .now(reply.options())
            default: throw Problem.methodNotAllowed
            }
            if route.isOpen { return try open(route, request, reply) }
            return try authorized(route, target, request, reply)
        } catch {
            return .now(reply.failure(error))
        }
    }

    // MARK: The key

    private func authorized(
        _ route: Route, _ target: Target, _ request: IncomingRequest, _ start: Reply
    ) throws -> Outcome {
        var reply = start
        try target.refuseKey()
        let credentials = try Credentials(request.authorizations)
        if case .none = credentials {
            if route == .root { return .now(documents.root(reply)) }
            throw Problem(
                .unauthorized, "Give a key: Authorization: Bearer rk_…",
                headers: [("WWW-Authenticate", "Bearer realm=\"hirewire\"")])
        }
        let caller = reply
        do {
            return try store.read { reader in
                let key = try check(credentials, reader, request)
                // Any key may ask what it is; data needs the scope.
                guard route == .key || key.scopes.contains(.read) else {
                    throw Problem(.insufficientScope, "This needs the scope 'read'.", error: [.init("scope", .string("read"))])
                }
                reply.key = key
                guard key.isInPlan || route == .key else {
                    throw Problem(.notInPlan, "The plan of '\(key.organizationName)' does not have the API.")
                }
                return try limited(route, target, request, &reply, reader)
            }
        } catch let problem as Problem {
            var refused = reply
            if refused.key == nil { refused = caller }
            return .now(refused.problem(problem))
        }
    }

    private func check(
        _ credentials: Credentials, _ reader: any StoreReader, _ request: IncomingRequest
    ) throws -> APIKey {
        var reason: String?
        if case .token(let token) = credentials {
            switch KeyCheck(token, stored: try reader.key(token.keyID), now: time.now) {
            case .valid(let key): return key
            case .invalid(let why): reason = why
            }
        }
        let decision = failureBuckets.take(
            request.client.text, tenths: 10, limit: Credentials.failuresAMinute, now: monotonic())
        throw Problem(failingKey: reason, retryAfter: decision.isAllowed ? nil : decision.secondsToNext)
    }

    // MARK: The limit and the representation

    private func limited(
        _ route: Route, _ target: Target, _ request: IncomingRequest, _ reply: inout Reply, _ reader: any StoreReader
    ) throws -> Outcome {
        guard let key = reply.key else { throw Problem(.internal, "") }
        let asked = Asked(route, target, request)
        let tag = try entityTag(route, request, asked, key, reader)
        let isUnchanged = tag.map { request.ifNoneMatch?.contains($0.opaque) ?? false } ?? false
        let isCheap = isUnchanged || (tag != nil && request.asksForNothing)
        // Who can't have a turn is refused before it costs anything.
        let turn = asked.isExport && !isCheap ? try exports.begin(key.keyID, most: configuration.exports.most) : nil
        let cost = isCheap ? 1 : asked.isExport ? Export.tenths(limit: key.rateLimit) : 10
        let decision = keyBuckets.take(key.keyID, tenths: cost, limit: key.rateLimit, now: monotonic())
        reply.limit = decision
        guard decision.isAllowed else {
            throw Problem(
                .rateLimited, "This key may make \(key.rateLimit) requests a minute.",
                headers: [("Retry-After", String(decision.secondsToNext))])
        }
        usage.count(key.keyID, at: time.now)
        guard let notation = asked.notation else {
            throw Problem(
                .notAcceptable, "This address answers \(route.mediaTypes.joined(separator: ", ")).",
                error: [.init("parameter", .string("Accept")), .init("allowed", .array(route.mediaTypes.map(JSONValue.string)))])
        }
        reply.tag = tag?.text
        if isUnchanged { return .now(reply.notModified()) }
        if notation == .json, let tag, let page = pages.find(tag.hash, isCompressed: reply.acceptsGzip) {
            if let people = page.people { audit.note(people, by: Self.way(key, route), at: time.now) }
            return .now(reply.body(page.bytes, isCompressed: page.isCompressed, link: page.next))
        }
        return try answer(
            Call(route: route, target: target, request: request, key: key, reply: reply, tag: tag, notation: notation, turn: turn),
            reader)
    }

    // MARK: Answers

    private func answer(_ call: Call, _ reader: any StoreReader) throws -> Outcome {
        switch call.route {
        case .list(let kind):
            let list = try ListAnswer(call, kind: kind, core: self)
            // There is always a list, be it empty.
            if call.request.asksForNothing { return .now(call.reply.notModified()) }
            if list.isExport { return export(call, list.walk) }
            if list.isShort { return .now(try list.answer(reader)) }
            return later(call.reply, of: call.key) { try self.store.read(list.answer) }
        case .record(let kind, let id):
            let answer = try record(call, kind: kind, id: id, reader)
            note(reader.takeTold(), call)
            return .now(answer)
        case .resume(let id): return later(call.reply, of: call.key) { try self.store.read { try self.resume(call, id: id, $0) } }
        case .events: return try events(call, reader)
        case .event(let id):
            let answer = try event(call, id: id, reader)
            note(reader.takeTold(), call)
            return .now(answer)
        case .key: return .now(try keyAnswer(call, reader))
        case .eventTypes: return .now(try plain(call, documents.eventTypes))
        case .root:
            try call.refuseParameters()
            return .now(documents.root(call.reply))
        default: throw Problem(.notFound, "There is nothing at this address.")
        }
    }

    /// Notes whose personal data an answer holds.
    func note(_ candidates: [ULID], _ call: Call) {
        if candidates.isEmpty { return }
        audit.note(candidates, by: Self.way(call.key, call.route), at: time.now)
    }

    private static func way(_ key: APIKey, _ route: Route) -> PersonalRead.Way {
        PersonalRead.Way(organization: key.organization, keyID: key.keyID, route: route.pattern)
    }

    /// On another thread: what may take longer than an event loop should stand still.
    ///
    /// - Parameter key: whose turn it takes.
    func later(_ reply: Reply, of key: APIKey?, _ body: @escaping @Sendable () throws -> Answer) -> Outcome {
        started(reply, of: key) { done in
            do { done(try body()) } catch { done(reply.failure(error)) }
        }
    }

    /// As ``later(_:of:_:)``, for what may be answered after `start` has returned.
    func started(_ reply: Reply, of key: APIKey?, _ start: @escaping @Sendable (@escaping @Sendable (Answer) -> Void) -> Void) -> Outcome {
        let owner = SlowAnswers.Owner(organization: key?.organization, keyID: key?.keyID)
        return .later { done in
            if self.slow.submit(owner, { start(done) }) { return }
            done(reply.problem(Problem(.unavailable, "Too much to do just now.", headers: [("Retry-After", "1")])))
        }
    }

    func plain(_ call: Call, _ body: ByteBuffer) throws -> Answer {
        try call.refuseParameters()
        return call.reply.body(body)
    }
}

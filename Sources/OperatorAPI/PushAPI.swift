import Crypto
import Dispatch
import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird
import RateLimiting

/// The push API: the door through which other systems send their records in.
///
/// A request's way: route, method, caller, parameters, body, change, answer; each step refuses with a problem of its own.
public final class PushAPI: Sendable {
    let reads: any ReadStore
    let writes: any PushStore
    private let admission: Admission
    private let management: Management
    let audit: ReadAudit
    let time: any TimeSource
    private let observer: any AccessObserving & ActionObserving
    private let contract = OperatorContract()
    private let requestIDs: RequestIDs
    private let monotonic: @Sendable () -> Int64

    /// - Parameters:
    ///   - usage: counts what each key is used for.
    ///   - audit: is told whose personal data is read back.
    ///   - keyBuckets: those of the public API, so that a key has one allowance.
    ///   - management: knows the operator's token too.
    ///   - monotonic: nanoseconds.
    public init(
        reads: any ReadStore, writes: any PushStore, time: any TimeSource, usage: UsageCounter, audit: ReadAudit, keyBuckets: TokenBuckets,
        observer: any AccessObserving & ActionObserving, requestIDs: RequestIDs, management: any ManagementStore, desk: any EndpointDesk,
        monotonic: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds) }
    ) {
        self.reads = reads
        self.writes = writes
        self.observer = observer
        self.requestIDs = requestIDs
        self.audit = audit
        self.time = time
        self.monotonic = monotonic
        admission = Admission(
            reads: reads, time: time, usage: usage, keyBuckets: keyBuckets, operatorToken: management, monotonic: monotonic)
        self.management = Management(store: management, desk: desk)
    }

    /// Whether a path is this API's to answer, be it with 404.
    static func owns(_ path: String) -> Bool { path == PushRoute.base || path.hasPrefix(PushRoute.base + "/") }

    func respond(to request: Request, from client: ClientAddress) async -> Response {
        let began = monotonic()
        let requestID = requestIDs.id(of: request)
        var trace = Trace(requestID: requestID)
        var answer = await answer(to: request, from: client, &trace)
        answer = answer.complete(requestID)
        if let limit = trace.limit {
            answer.headers.append(("RateLimit-Policy", "\"default\";q=\(limit.capacity);w=60"))
            answer.headers.append(("RateLimit", "\"default\";r=\(limit.remaining);t=\(limit.secondsToNext)"))
        }
        observer.finished(
            AccessRecord(
                // A name in the path may be an e-mail address: the pattern says enough.
                method: request.method.rawValue, path: answer.route, answer: answer, requestID: requestID, client: client,
                nanoseconds: monotonic() - began, bytes: answer.body.readableBytes))
        return Response(answer, withBody: request.method != .head)
    }

    /// What becomes known on the way.
    struct Trace {
        let requestID: String
        var route = "-"
        var keyID: String?
        var limit: LimitDecision?
    }

    private func answer(to request: Request, from client: ClientAddress, _ trace: inout Trace) async -> Answer {
        do {
            let target = try Target(request.head.path ?? "")
            let method: HTTPRequest.Method = request.method == .head ? .get : request.method
            guard let route = PushRoute(target.segments) else { throw Problem(.notFound, "There is nothing at this address.") }
            trace.route = route.pattern
            guard route.methods.contains(method) else {
                let allowed = route.methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }.joined(separator: ", ")
                throw Problem(.methodNotAllowed, "This address takes \(allowed).", headers: [("Allow", allowed)])
            }
            try target.refuseKey()
            let parameters = try Parameters(target, of: route, method)
            if case .contract(let form) = route { return try contract.answer(form).named(trace) }
            let caller = try admission.caller(
                request.headers[values: .authorization], organization: parameters["organization"], client: client)
            trace.keyID = caller.keyID
            trace.limit = caller.limit
            try Self.check(request.headers[values: .accept])
            let call = PushCall(
                route: route, method: method, path: String(target.path), parameters: parameters, caller: caller, request: request,
                client: client, requestID: trace.requestID)
            return try await answer(call).named(trace)
        } catch {
            return Self.failure(error, requestID: trace.requestID).named(trace)
        }
    }

    private static func check(_ accepts: [String]) throws(Problem) {
        guard accepts.isEmpty || Accept(accepts.joined(separator: ",")).meets(any: ["application/json"]) else {
            throw Problem(
                .notAcceptable, "This address answers application/json.",
                error: [.init("parameter", .string("Accept")), .init("allowed", .array([.string("application/json")]))])
        }
    }

    private func answer(_ call: PushCall) async throws -> Answer {
        switch (call.route, call.method) {
        case (.root, _): Answer(json: Self.links)
        case (.capabilities, _): Answer(json: Capability.document)
        case (.contract(let form), _): try contract.answer(form)
        case (.management(let route), _): try await manage(route, call)
        case (.unsupported(let capability), _): throw Problem(.notSupported, capability.explanation)
        case (.record(let kind, let name), .get): try readBack(RecordName(name, kind: kind), of: kind, for: call)
        case (.record(let kind, let name), .delete): try await delete(RecordName(name, kind: kind), of: kind, for: call)
        case (.record(let kind, let name), _): try await store(RecordName(name, kind: kind), of: kind, for: call)
        case (.batch, _): try await batch(call)
        case (.resume(let name), _): try await putResume(RecordName(name, kind: .candidate), for: call)
        case (.result(let name), _): try await postResult(RecordName(name, kind: .interview), for: call)
        case (.erasure(let name), .get): try erasure(RecordName(name, kind: .candidate), for: call)
        case (.erasure(let name), _):
            note(try await erase(RecordName(name, kind: .candidate), for: call), "candidate.erase", of: call)
        }
    }

    private func manage(_ route: ManagementRoute, _ call: PushCall) async throws -> Answer {
        guard call.caller.keyID == nil else {
            throw Problem(.insufficientScope, "This needs the operator's token.", error: [.init("scope", .string("operator"))])
        }
        guard call.method != .post || call.request.headers[.idempotencyKey] == nil else {
            throw Problem(
                .invalidRequest, "What this makes is stored nowhere readable, so it can't be told twice: leave Idempotency-Key out.")
        }
        guard let organization = try management.store.organizations().first(where: { $0.number == call.caller.organization }) else {
            throw Problem.notFound
        }
        let answer = try await management.answer(route, call, organization)
        guard let action = route.action(call.method) else { return answer }
        return note(answer, action, of: call, organization, route.id)
    }

    /// Tells the log what was done, and to what: the answer has its id, or the address.
    private func note(
        _ answer: Answer, _ action: String, of call: PushCall, _ organization: Organization? = nil, _ id: String? = nil
    ) -> Answer {
        let told = try? JSONParser.parse(String(buffer: answer.body))
        let id = [told?["id"], told?["key_id"]].compactMap { if case .string(let id)? = $0 { id } else { nil } }.first ?? id
        observer.did(
            OperatorAction(
                name: action, actor: call.caller.keyID.map { "key \($0)" } ?? "operator token",
                organization: organization.map { "org_\($0.id.text)" }, subject: id, client: call.client, requestID: call.requestID))
        return answer
    }

    private static let links: JSONValue = .object([
        .init("name", .string("hirewire")), .init("version", .string("v1")),
        .init("records", .array(RecordKind.allCases.map { .string("\(PushRoute.base)/\($0.plural)/{id}") })),
        .init("batch", .string("\(PushRoute.base)/batch")), .init("capabilities", .string("\(PushRoute.base)/capabilities")),
        .init("openapi", .string("\(PushRoute.base)/openapi.json")),
    ])

    /// Whatever went wrong as an answer; what is ours to know goes to the log under the same request id.
    static func failure(_ error: any Error, requestID: String) -> Answer {
        var (problem, cause): (Problem, String?) =
            switch error {
            case let known as Problem: (known, nil)
            case let fault as ParameterFault: (Problem(fault), nil)
            case let faults as InputFaults: (Problem(faults), nil)
            case let refused as NotInPlan: (Problem(.notInPlan, "\(refused)."), nil)
            case StoreError.damaged(let why):
                (Problem(.unavailable, "The database is damaged: `hirewire restore` a copy.", headers: [("Retry-After", "60")]), why)
            case let store as StoreError:
                (Problem(.unavailable, "The database can't take this just now; try again.", headers: [("Retry-After", "1")]), "\(store)")
            default: (Problem(.internal, "Something went wrong here; the log has it under this request id."), "\(error)")
            }
        var out = ByteWriter(capacity: 512)
        problem.write(requestID: requestID, to: &out)
        problem.headers.append(("Content-Type", "application/problem+json"))
        var answer = Answer(status: problem.code.status, headers: problem.headers, body: ByteBuffer(bytes: out.bytes), route: "-")
        answer.cause = cause
        return answer
    }
}

/// A request whose caller is known.
struct PushCall: Sendable {
    let route: PushRoute
    let method: HTTPRequest.Method
    let path: String
    let parameters: Parameters
    let caller: Caller
    let request: Request
    let client: ClientAddress
    let requestID: String

    func precondition() throws(Problem) -> Precondition {
        try Precondition(ifMatch: request.headers[.ifMatch], ifNoneMatch: request.headers[.ifNoneMatch])
    }

    /// Whether a reader wants the record at its version (RFC 9110, 13.2.2).
    ///
    /// - Throws: ``Problem`` where it asked for another one alone.
    func wantsToRead(version: String) throws(Problem) -> Bool {
        try Precondition(ifMatch: request.headers[.ifMatch], ifNoneMatch: nil).check(version: Int64(version) ?? 0)
        guard let known = request.headers[.ifNoneMatch] else { return true }
        // By weak comparison.
        return !known.split(separator: ",").contains { tag in
            let tag = tag.filter { $0 != " " && $0 != "\t" }
            return tag == "*" || tag == "\"\(version)\"" || tag == "W/\"\(version)\""
        }
    }
}

extension Problem {
    /// All faults of a body at once, each with its JSON Pointer (RFC 6901).
    init(_ faults: InputFaults) {
        let shown = faults.faults.prefix(100)
        let count = faults.faults.count
        var first = shown.first.map { "\($0)" } ?? ""
        if let last = first.last, !".?!".contains(last) { first += "." }
        let detail = count == 1 ? first : "The body has \(count) faults, the first: \(first)"
        self.init(.invalidRecord, detail)
        errors = shown.map { [.init("pointer", .string($0.pointer)), .init("message", .string($0.message))] }
    }
}

extension Answer {
    init(status: Int = 200, json: JSONValue, headers: [(String, String)] = []) {
        var out = ByteWriter(capacity: 512)
        json.write(to: &out)
        self.init(
            status: status, headers: [("Content-Type", "application/json")] + headers, body: ByteBuffer(bytes: out.bytes), route: "-")
    }

    /// With what every answer of this listener says.
    func complete(_ requestID: String) -> Answer {
        var answer = self
        answer.headers += [("X-Request-Id", requestID), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
        return answer
    }

    func named(_ trace: PushAPI.Trace) -> Answer {
        var answer = self
        answer.route = trace.route
        answer.keyID = trace.keyID
        return answer
    }
}

extension RequestIDs {
    /// The request's own id where it has a well-formed one, else the next.
    func id(of request: Request) -> String {
        request.headers[.init("X-Request-Id")!].flatMap { RequestIDs.isWellFormed($0) ? $0 : nil } ?? next()
    }
}

extension Response {
    /// - Parameter withBody: not for HEAD, which tells its length alone.
    init(_ answer: Answer, withBody: Bool) {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        self.init(status: .init(code: answer.status), headers: headers, body: ResponseBody(byteBuffer: answer.body))
        if !withBody { self = createHeadResponse() }
    }
}

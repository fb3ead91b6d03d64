import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird

/// How the pages of this listener refuse, for who looks at them with a browser.
public struct PageRefusals: Sendable {
    /// The methods that a path takes; none where it is no page's.
    let methods: @Sendable (_ path: String) -> [String]
    let page: @Sendable (Problem) -> Response

    public init(methods: @escaping @Sendable (_ path: String) -> [String], page: @escaping @Sendable (Problem) -> Response) {
        self.methods = methods
        self.page = page
    }
}

/// The operator listener's addresses: health, readiness, metrics, and the push API.
public struct OperatorAPI: Sendable {
    private let push: PushAPI
    private let proxies: TrustedProxies
    private let isReady: @Sendable () -> String?
    private let metrics: @Sendable () -> String
    private let requestIDs: RequestIDs
    private let pages: PageRefusals
    fileprivate static let paths: Set = ["/healthz", "/readyz", "/metrics"]

    /// - Parameters:
    ///   - proxies: whose word on where a push comes from is taken.
    ///   - isReady: nil when all is well, else why not.
    ///   - metrics: Prometheus text.
    public init(
        push: PushAPI, proxies: TrustedProxies = TrustedProxies(), pages: PageRefusals, requestIDs: RequestIDs,
        isReady: @escaping @Sendable () -> String?, metrics: @escaping @Sendable () -> String
    ) {
        self.push = push
        self.proxies = proxies
        self.pages = pages
        self.requestIDs = requestIDs
        self.isReady = isReady
        self.metrics = metrics
    }

    /// Adds the addresses to the operator's router, and the one shape of an error to all that are added after them.
    public func addRoutes<Context: RemoteAddressRequestContext>(to router: Router<Context>) {
        router.add(middleware: Pushes<Context>(push: push, proxies: proxies))
        router.add(middleware: OperatorProblems<Context>(requestIDs: requestIDs, pages: pages))
        router.get("/healthz") { _, _ in Self.answer(.ok, "{\"status\":\"ok\"}") }
        router.get("/readyz") { _, _ in
            guard let why = isReady() else { return Self.answer(.ok, "{\"status\":\"ready\"}") }
            return Self.answer(
                .serviceUnavailable, JSONValue.object([.init("status", .string("not ready")), .init("reason", .string(why))]).text)
        }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics())))
        }
    }

    private static func answer(_ status: HTTPResponse.Status, _ json: String) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }
}

/// Leads to the push API, whatever the method.
private struct Pushes<Context: RemoteAddressRequestContext>: RouterMiddleware {
    let push: PushAPI
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard PushAPI.owns(request.uri.path) else { return try await next(request, context) }
        let client = proxies.client(of: context.remoteAddress) { name in
            HTTPField.Name(name).map { request.headers[values: $0] } ?? []
        }
        return await push.respond(to: request, from: client)
    }
}

/// Gives every refusal of the operator listener the one shape of an error, or a page's to who asks for one.
private struct OperatorProblems<Context: RequestContext>: RouterMiddleware {
    let requestIDs: RequestIDs
    let pages: PageRefusals

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = problem((error as? any HTTPResponseError)?.status ?? .internalServerError, request)
            let requestID = requestIDs.id(of: request)
            var response =
                Self.wantsPage(request)
                ? pages.page(problem)
                : Response(PushAPI.failure(problem, requestID: requestID).complete(requestID), withBody: true)
            response.headers[.vary] = "Accept"
            return request.method == .head ? response.createHeadResponse() : response
        }
    }

    /// A browser names HTML before anything else; programs name JSON, or whatever there is.
    private static func wantsPage(_ request: Request) -> Bool {
        (request.method == .get || request.method == .head || request.method == .post)
            && request.headers[.accept]?.lowercased().contains("text/html") == true
    }

    private func problem(_ status: HTTPResponse.Status, _ request: Request) -> Problem {
        guard status == .notFound else { return Problem(.internal, "Something went wrong here.") }
        // The router knows no path by another method.
        let methods = OperatorAPI.paths.contains(request.uri.path) ? ["GET", "HEAD"] : pages.methods(request.uri.path)
        guard !methods.isEmpty else { return Problem(.notFound, "There is nothing at this address.") }
        let allowed = methods.joined(separator: ", ")
        return Problem(.methodNotAllowed, "This address takes \(allowed).", headers: [("Allow", allowed)])
    }
}

import Domain
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The operator listener's addresses: health, readiness, metrics, and the push API.
public struct OperatorAPI: Sendable {
    private let push: PushAPI
    private let proxies: TrustedProxies
    private let isReady: @Sendable () -> String?
    private let metrics: @Sendable () -> String

    /// - Parameters:
    ///   - proxies: whose word on where a push comes from is taken.
    ///   - isReady: nil when all is well, else why not.
    ///   - metrics: Prometheus text.
    public init(
        push: PushAPI, proxies: TrustedProxies = TrustedProxies(), isReady: @escaping @Sendable () -> String?,
        metrics: @escaping @Sendable () -> String
    ) {
        self.push = push
        self.proxies = proxies
        self.isReady = isReady
        self.metrics = metrics
    }

    /// Adds the addresses to the operator's router, and the one shape of an error to all that are added after them.
    public func addRoutes<Context: RemoteAddressRequestContext>(to router: Router<Context>) {
        router.add(middleware: Pushes<Context>(push: push, proxies: proxies))
        router.add(middleware: OperatorProblems<Context>(paths: ["/healthz", "/readyz", "/metrics"]))
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

/// Gives every refusal of the operator listener the one shape of an error.
private struct OperatorProblems<Context: RequestContext>: RouterMiddleware {
    /// What there is, to be read.
    let paths: Set<String>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let status = (error as? any HTTPResponseError)?.status ?? .internalServerError
            let problem = problem(status, request)
            var out = ByteWriter(capacity: 256)
            problem.write(requestID: context.id, to: &out)
            var headers: HTTPFields = [.contentType: "application/problem+json"]
            if problem.code == .methodNotAllowed { headers[.allow] = "GET, HEAD" }
            return Response(
                status: .init(code: problem.code.status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: out.bytes)))
        }
    }

    private func problem(_ status: HTTPResponse.Status, _ request: Request) -> Problem {
        guard status == .notFound else { return Problem(.internal, "Something went wrong here.") }
        // The router knows no path by another method.
        return paths.contains(request.uri.path)
            ? Problem(.methodNotAllowed, "This address is read-only: GET and HEAD.")
            : Problem(.notFound, "There is nothing at this address.")
    }
}

import Domain
import HTTPSupport
import Hummingbird

/// The operator listener's addresses: health, readiness, metrics.
public struct OperatorAPI: Sendable {
    private let isReady: @Sendable () -> String?
    private let metrics: @Sendable () -> String

    /// - Parameters:
    ///   - isReady: nil when all is well, else why not.
    ///   - metrics: Prometheus text.
    public init(isReady: @escaping @Sendable () -> String?, metrics: @escaping @Sendable () -> String) {
        self.isReady = isReady
        self.metrics = metrics
    }

    public var router: Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: OperatorProblems())
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
        return router
    }

    private static func answer(_ status: HTTPResponse.Status, _ json: String) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }
}

/// Gives every refusal of the operator listener the one shape of an error.
private struct OperatorProblems: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let status = (error as? any HTTPResponseError)?.status ?? .internalServerError
            let problem =
                status == .notFound
                ? Problem(.notFound, "There is nothing at this address.") : Problem(.internal, "Something went wrong here.")
            var out = ByteWriter(capacity: 256)
            problem.write(requestID: context.id, to: &out)
            return Response(
                status: .init(code: problem.code.status), headers: [.contentType: "application/problem+json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: out.bytes)))
        }
    }
}

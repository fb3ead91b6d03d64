import Domain
import HTTPSupport
import Hummingbird
import NIOCore
import NIOPosix
import RateLimiting

/// What the Developer Tools stand on.
public struct OperatorStores: Sendable {
    public let management: any ManagementStore
    public let desk: any EndpointDesk
    public let log: any DeliveryLog
    public let reads: any ReadStore
    /// Is told whose personal data a page shows.
    public let audit: ReadAudit

    public init(
        management: any ManagementStore, desk: any EndpointDesk, log: any DeliveryLog, reads: any ReadStore, audit: ReadAudit
    ) {
        self.management = management
        self.desk = desk
        self.log = log
        self.reads = reads
        self.audit = audit
    }
}

/// The operator's pages: server-rendered, complete without scripts.
///
/// A page is a synchronous function from a ``Visit`` to a ``PageAnswer``, run on a thread of its own pool: ``PageRoute`` has
/// all of them on one screen, and `answer(_:_:)` is the one gate before them.
public struct DeveloperTools: Sendable {
    public struct Configuration: Sendable {
        /// Where the public API is reached, without a path: for lines to paste and links.
        public var publicURL = "http://127.0.0.1:8080"
        /// The operator listener's address as it was set, a name that a browser may ask for.
        public var operatorHost = "127.0.0.1"
        public var version = ""
        /// Whose word on where a sign-in comes from is taken.
        public var proxies = TrustedProxies()
        /// Why something is wrong, nil when all is well: what `/readyz` says.
        public var problem: @Sendable () -> String? = { nil }
        public init() {}
    }

    let configuration: Configuration
    let stores: OperatorStores
    let observer: any AccessObserving & ActionObserving
    let requestIDs: RequestIDs
    let templates: Templates
    let signIns = TokenBuckets()
    /// Nanoseconds that only go up.
    let monotonic: @Sendable () -> Int64

    public init(
        configuration: Configuration, stores: OperatorStores, observer: any AccessObserving & ActionObserving, requestIDs: RequestIDs,
        monotonic: @escaping @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds) }
    ) {
        self.configuration = configuration
        self.stores = stores
        self.observer = observer
        self.requestIDs = requestIDs
        self.monotonic = monotonic
        templates = Templates(version: configuration.version)
    }

    var now: Timestamp { stores.management.now }

    /// Adds the pages to the operator's router.
    public func addRoutes<Context: RemoteAddressRequestContext>(to router: Router<Context>) {
        for route in PageRoute.all {
            router.on(RouterPath(route.pattern), method: route.isPost ? .post : .get) { request, context in
                let began = monotonic()
                let client = configuration.proxies.client(of: context.remoteAddress) { name in
                    FieldName(name).map { request.headers[values: $0] } ?? []
                }
                let requestID = requestIDs.next()
                let page = try await PageRequest(request, parameters: context.parameters, client: client, requestID: requestID)
                var answer = PageAnswer.tooLarge
                if let page, route.waits {
                    answer = await wait(page)
                } else if let page {
                    answer = try await NIOThreadPool.singleton.runIfActive { self.answer(page, route) }
                }
                answer.headers[FieldName("X-Request-Id")!] = requestID
                var shown = Answer(status: answer.status.code, headers: [], body: ByteBuffer(), route: route.shown)
                shown.cause = answer.cause
                observer.finished(
                    AccessRecord(
                        method: request.method.rawValue, path: request.uri.path, answer: shown, requestID: requestID, client: client,
                        nanoseconds: monotonic() - began, bytes: answer.body.readableBytes, isPage: true))
                return answer.response(isHead: request.method == .head)
            }
        }
    }
}

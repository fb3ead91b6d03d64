import DeveloperTools
import Domain
import Foundation
import HTTPSupport
import Hummingbird
import Listener
import Logging
import NIOCore
import NIOSSL
import OperatorAPI
import ProcessSetup
import PublicAPI
import RateLimiting
import SQLiteStorage
import ServiceLifecycle
import Webhooks

/// `serve`: everything wired together, in one place.
public struct HirewireServer {
    public static let version = "0.1.0"

    /// Runs until SIGTERM or SIGINT, then finishes what is under way.
    ///
    /// - Parameters:
    ///   - prepare: run on the open database before the listeners answer.
    ///   - ready: told both addresses, once both answer.
    /// - Throws: ``SettingProblem``, ``ListenProblem`` or `DatabaseProblem` when it can't start.
    public static func run(
        _ settings: ServeSettings, prepare: (Database) throws -> Void,
        ready: @escaping @Sendable (_ publicURL: String, _ operatorURL: String) -> Void
    ) async throws {
        try settings.validate()
        raiseFileLimit()
        shareHeaps()
        let time = SystemTime()
        try Database.inspect(settings.database, create: true)
        let lock = try ServeLock(database: settings.database)
        let database = try Database(path: settings.database, time: time, rendering: DialectRendering())
        try prepare(database)
        let output = LogOutput(settings.logFormat, time: time)
        defer { output.flush() }
        let level = Logger.Level(rawValue: settings.logLevel) ?? .info
        let logger = Logger(label: "hirewire") { LineLogHandler(output: output, label: $0, logLevel: level) }
        for (name, meant) in ServeSettings.misspelt(in: ProcessInfo.processInfo.environment) {
            logger.warning("a variable that is no setting", metadata: ["variable": "\(name)", "meant": "\(meant)"])
        }
        let readers = try ReaderPool(path: settings.database)
        let observer = AccessObserver(output: output, logsRequests: settings.accessLog, logsActions: level <= .notice)
        let (usage, waiters, audit) = (UsageCounter(), EventWaiters(), ReadAudit())
        var configuration = PublicConfiguration()
        configuration.publicURL = settings.publicURL
        let scheme = settings.tlsCertificate == nil ? "http" : "https"
        if !settings.publicURL.isEmpty {
            configuration.examplesURL = settings.publicURL
        } else if settings.port > 0 {
            configuration.examplesURL =
                "\(scheme)://\(shown(["0.0.0.0", "::"].contains(settings.host) ? "127.0.0.1" : settings.host)):\(settings.port)"
        }
        configuration.allowedOrigins = settings.corsOrigins
        configuration.version = version
        configuration.exports.seconds = settings.exportTime
        let keyBuckets = TokenBuckets()
        let core = PublicCore(
            store: readers, configuration: configuration, time: time, usage: usage, observer: observer, waiters: waiters,
            audit: audit, keyBuckets: keyBuckets)
        let deliveries = try Deliveries(
            settings, database, readers, logger: logger, time: time, environment: ProcessInfo.processInfo.environment)
        let requestIDs = RequestIDs()
        let push = PushAPI(
            reads: readers, writes: CommitQueue(database), time: time, usage: usage, audit: audit, keyBuckets: keyBuckets,
            observer: observer, requestIDs: requestIDs, management: database, desk: deliveries.desk)
        let listener = try await listen(settings, core, time, logger)
        let publicURL = "\(scheme)://\(shown(settings.host)):\(listener.port)"
        let pages = developerTools(
            settings, settings.publicURL.isEmpty ? publicURL : settings.publicURL, database, readers, audit, deliveries, observer,
            requestIDs)
        let manager = ServiceManager(environment: ProcessInfo.processInfo.environment)
        let operatorApp = operatorApplication(settings, push, core, readers, deliveries, observer, pages, requestIDs, logger) { port in
            let operatorURL = "http://\(shown(settings.operatorHost)):\(port)"
            ready(publicURL, operatorURL)
            tell(manager, .ready("Serving \(publicURL), for the operator \(operatorURL)"), logger)
        }
        let activity = ActivityLog(database, logger: logger) {
            observer.metrics.totals.merging(deliveries.metrics.totals) { $1 }
        }
        let services: [any Service] = [
            Upkeep(
                database: database, readers: readers, outbox: deliveries.outbox, usage: usage, audit: audit,
                activity: activity, waiters: waiters, output: output, logger: logger, settings: settings,
                ages: Ages(time)),
            deliveries, operatorApp, listener,
            ShutdownNotice {
                tell(manager, .stopping, logger)
                // Two seconds to tell those that can't be finished where to go on.
                core.beginShutdown(exportsEndIn: max(0, settings.shutdownGrace - 2))
            },
        ]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(settings.shutdownGrace)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw ListenProblem(error, settings.operatorHost, settings.operatorPort, "--operator-port")
        }
        readers.rest(all: true)
        database.checkpoint()
        withExtendedLifetime(lock) {}
    }

    private static func listen(_ settings: ServeSettings, _ core: PublicCore, _ time: SystemTime, _ logger: Logger) async throws
        -> PublicListener
    {
        let files = settings.tlsCertificate.flatMap { certificate in
            settings.tlsKey.map { PublicListener.TLSFiles(certificate: certificate, key: $0) }
        }
        do {
            return try await PublicListener.bind(
                host: settings.host, port: settings.port, tls: files, core: core, time: time,
                proxies: TrustedProxies(settings.trustedProxies)
            ) { cut in
                logger.warning("the time of the shutdown is over: open connections were closed", metadata: ["connections": "\(cut)"])
            }
        } catch let error as IOError {
            throw ListenProblem(error, settings.host, settings.port, "--port")
        } catch let error as NIOSSLError {
            throw SettingProblem(
                "--tls-certificate and --tls-key can't be used: both are PEM, the certificates in the first, their private key in the second (\(error))"
            )
        } catch  where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            throw SettingProblem("--host '\(settings.host)' is no address of this machine")
        }
    }

    private static func operatorApplication(
        _ settings: ServeSettings, _ push: PushAPI, _ core: PublicCore, _ readers: ReaderPool, _ deliveries: Deliveries,
        _ observer: AccessObserver, _ pages: DeveloperTools, _ requestIDs: RequestIDs, _ logger: Logger,
        ready: @escaping @Sendable (Int) -> Void
    ) -> some Service {
        let api = OperatorAPI(
            push: push, proxies: TrustedProxies(settings.trustedProxies),
            pages: PageRefusals(methods: { DeveloperTools.methods(of: $0) }, page: { pages.refusal($0) }), requestIDs: requestIDs,
            isReady: { core.isShuttingDown ? "shutting down" : problem(readers, deliveries) },
            metrics: {
                observer.metrics.text + observer.exports.text(underWay: core.exportsUnderWay) + readers.metrics + deliveries.text
                    + ProcessMetrics.text
            })
        let router = Router(context: OperatorContext.self, options: .autoGenerateHeadEndpoints)
        api.addRoutes(to: router)
        pages.addRoutes(to: router)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionMannersInstaller(observer: observer, requestIDs: requestIDs)],
                    idleTimeout: .seconds(75))),
            configuration: .init(address: .hostname(settings.operatorHost, port: settings.operatorPort)),
            onServerRunning: { ready($0.localAddress?.port ?? 0) }, logger: quiet)
    }

    private static func developerTools(
        _ settings: ServeSettings, _ publicURL: String, _ database: Database, _ readers: ReaderPool, _ audit: ReadAudit,
        _ deliveries: Deliveries, _ observer: AccessObserver, _ requestIDs: RequestIDs
    ) -> DeveloperTools {
        var configuration = DeveloperTools.Configuration()
        configuration.publicURL = publicURL
        configuration.operatorHost = settings.operatorHost
        configuration.version = version
        configuration.proxies = TrustedProxies(settings.trustedProxies)
        configuration.problem = { problem(readers, deliveries) }
        return DeveloperTools(
            configuration: configuration,
            stores: OperatorStores(management: database, desk: deliveries.desk, log: deliveries.outbox, reads: readers, audit: audit),
            observer: observer, requestIDs: requestIDs)
    }

    /// Why the service is not ready; nil when all is well.
    private static func problem(_ readers: ReaderPool, _ deliveries: Deliveries) -> String? {
        do {
            try readers.ping()
            return deliveries.problem
        } catch StoreError.damaged {
            return "the database is damaged: see `hirewire check`, and `hirewire restore` a copy"
        } catch { return "the database can't be reached" }
    }

    private static func tell(_ manager: ServiceManager?, _ state: ServiceManager.State, _ logger: Logger) {
        do { try manager?.tell(state) } catch {
            logger.warning("the service manager could not be told", metadata: ["cause": "\(error)"])
        }
    }

    /// An IPv6 address stands in brackets in a URL.
    private static func shown(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    /// As many heaps as processors: the C library's own choice is eight times as many, of which each thread fills another with
    /// what it has freed (mallopt(3)). A sixth of the memory under load.
    private static func shareHeaps() {
        hirewire_share_heaps(Int32(ProcessInfo.processInfo.activeProcessorCount))
    }

    /// Ten thousand idle connections need as many descriptors.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// A request to the operator listener, with the address that it comes from.
struct OperatorContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}

/// Tells the core that the end has begun, and the service manager, before the listener stops.
private struct ShutdownNotice: Service {
    let tell: @Sendable () -> Void
    func run() async throws {
        try? await gracefulShutdown()
        tell()
    }
}

/// The process in numbers.
enum ProcessMetrics {
    static var text: String {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        let resident = fields.count > 1 ? (Int(fields[1]) ?? 0) * page : 0
        return """
            # HELP process_resident_memory_bytes Resident memory.
            # TYPE process_resident_memory_bytes gauge
            process_resident_memory_bytes \(resident)

            """
    }
}

import Domain
import Foundation
import HTTPSupport
import Hummingbird
import Listener
import Logging
import NIOCore
import NIOSSL
import OperatorAPI
import PublicAPI
import SQLiteStorage
import ServiceLifecycle

/// `serve`: everything wired together, in one place.
public struct HirewireServer {
    public static let version = "0.1.0"

    /// Runs until SIGTERM or SIGINT, then finishes what is under way.
    ///
    /// - Parameters:
    ///   - prepare: run on the open database before the listeners answer.
    ///   - ready: told both addresses, once both answer.
    /// - Throws: ``SettingProblem`` or `DatabaseProblem` when it can't start.
    public static func run(
        _ settings: ServeSettings, prepare: (Database) throws -> Void,
        ready: @escaping @Sendable (_ publicURL: String, _ operatorURL: String) -> Void
    ) async throws {
        try settings.validate()
        raiseFileLimit()
        let time = SystemTime()
        try Database.inspect(settings.database, create: true)
        let lock = try ServeLock(database: settings.database)
        let database = try Database(path: settings.database, time: time)
        try prepare(database)
        let output = LogOutput(settings.logFormat, time: time)
        let level = Logger.Level(rawValue: settings.logLevel) ?? .info
        let logger = Logger(label: "hirewire") { LineLogHandler(output: output, label: $0, logLevel: level) }
        let readers = try ReaderPool(path: settings.database)
        let observer = AccessObserver(output: output, logsRequests: settings.accessLog)
        let (usage, waiters) = (UsageCounter(), EventWaiters())
        var configuration = PublicConfiguration()
        configuration.publicURL = settings.publicURL
        configuration.allowedOrigins = settings.corsOrigins
        configuration.version = version
        let core = PublicCore(
            store: readers, configuration: configuration, time: time, usage: usage, observer: observer, waiters: waiters)
        let listener = try await listen(settings, core, time)
        let operatorApp = operatorApplication(settings, readers, observer, logger) { port in
            let scheme = settings.tlsCertificate == nil ? "http" : "https"
            ready("\(scheme)://\(shown(settings.host)):\(listener.port)", "http://\(shown(settings.operatorHost)):\(port)")
        }
        let services: [any Service] = [
            Upkeep(
                database: database, readers: readers, usage: usage, waiters: waiters, output: output, logger: logger, settings: settings),
            operatorApp, listener, ShutdownNotice(core: core),
        ]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(settings.shutdownGrace)
        defer { output.flush() }
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw SettingProblem(portProblem(error, settings.operatorHost, settings.operatorPort, "--operator-port"))
        }
        readers.rest(all: true)
        database.checkpoint()
        withExtendedLifetime(lock) {}
    }

    private static func listen(_ settings: ServeSettings, _ core: PublicCore, _ time: SystemTime) async throws -> PublicListener {
        let files = settings.tlsCertificate.flatMap { certificate in
            settings.tlsKey.map { PublicListener.TLSFiles(certificate: certificate, key: $0) }
        }
        do {
            return try await PublicListener.bind(host: settings.host, port: settings.port, tls: files, core: core, time: time)
        } catch let error as IOError {
            throw SettingProblem(portProblem(error, settings.host, settings.port, "--port"))
        } catch let error as NIOSSLError {
            throw SettingProblem("--tls-certificate and --tls-key can't be used: \(error)")
        } catch  where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            throw SettingProblem("--host '\(settings.host)' is no address of this machine")
        }
    }

    private static func portProblem(_ error: IOError, _ host: String, _ port: Int, _ flag: String) -> String {
        switch error.errnoCode {
        case EADDRINUSE: "port \(port) on \(host) is taken by another process; choose another with \(flag)"
        case EACCES: "port \(port) on \(host) needs more rights; choose one above 1023 with \(flag)"
        case EADDRNOTAVAIL: "\(host) is no address of this machine"
        default: "can't listen on \(host) port \(port): \(error)"
        }
    }

    private static func operatorApplication(
        _ settings: ServeSettings, _ readers: ReaderPool, _ observer: AccessObserver, _ logger: Logger,
        ready: @escaping @Sendable (Int) -> Void
    ) -> some Service {
        let api = OperatorAPI(
            isReady: {
                do {
                    try readers.ping()
                    return nil
                } catch { return "the database can't be reached" }
            },
            metrics: { observer.metrics.text + readers.metrics + ProcessMetrics.text })
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return Application(
            router: api.router, server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: .init(address: .hostname(settings.operatorHost, port: settings.operatorPort)),
            onServerRunning: { ready($0.localAddress?.port ?? 0) }, logger: quiet)
    }

    /// An IPv6 address stands in brackets in a URL.
    private static func shown(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    /// Ten thousand idle connections need as many descriptors.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// Tells the core that the end has begun, before the listener stops.
private struct ShutdownNotice: Service {
    let core: PublicCore
    func run() async throws {
        try? await gracefulShutdown()
        core.beginShutdown()
    }
}

/// What goes on beside the requests: usage to the store, waiting readers, old events, the log.
private struct Upkeep: Service {
    let database: Database
    let readers: ReaderPool
    let usage: UsageCounter
    let waiters: EventWaiters
    let output: LogOutput
    let logger: Logger
    let settings: ServeSettings

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await watch() }
                group.addTask { await store() }
                group.addTask { await expire() }
            }
        } onCancelOrGracefulShutdown: {
        }
        storeUsage()
        output.flush()
    }

    /// Looks twenty times a second whether somebody has committed.
    private func watch() async {
        var mark = readers.commitMark
        var tick = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            try? await Task.sleep(for: .milliseconds(50))
            let now = readers.commitMark
            waiters.look(changed: now != mark)
            mark = now
            tick += 1
            if tick % 2 == 0 {
                readers.rest()
                output.flush()
            }
        }
    }

    private func store() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            for _ in 0..<20 where !Task.isShuttingDownGracefully { try? await Task.sleep(for: .milliseconds(100)) }
            storeUsage()
        }
    }

    private func storeUsage() {
        let counted = usage.take()
        guard !counted.isEmpty else { return }
        do {
            try database.record(usage: counted)
        } catch {
            usage.putBack(counted)
            logger.warning("key usage could not be stored yet", metadata: ["cause": "\(error)"])
        }
    }

    private func expire() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let limit = Timestamp(microseconds: database.now.microseconds - Int64(settings.eventRetention) * 1_000_000)
                while try database.expireEvents(before: limit) > 0, !Task.isShuttingDownGracefully {
                    try? await Task.sleep(for: .milliseconds(50))
                }
            } catch {
                logger.warning("old events could not be removed yet", metadata: ["cause": "\(error)"])
            }
            for _ in 0..<600 where !Task.isShuttingDownGracefully && !Task.isCancelled { try? await Task.sleep(for: .milliseconds(100)) }
        }
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

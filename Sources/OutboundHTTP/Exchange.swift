import Addresses
import NIOCore

/// One request from the call to its end, on one event loop: checks, finds a connection or makes one, and keeps the one
/// deadline over all of it.
final class Exchange: ConnectionUser {
    typealias Completion = @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void

    /// Lets a look-up that never ends go without what waits for it.
    private final class Waiting {
        weak var exchange: Exchange?
        init(_ exchange: Exchange) { self.exchange = exchange }
    }

    private let post: OutboundPost
    private let key: PoolKey
    private let connector: Connector
    private let began: NIODeadline
    private let deadline: NIODeadline
    private var completion: Completion?
    private var timer: Scheduled<Void>?
    private var phase = OutboundError.Phase.resolving
    private var connection: Connection?
    /// Still to be tried.
    private var addresses: ArraySlice<IPAddress> = []
    private var firstFailure: OutboundError?
    private var hasRetried = false

    init(_ post: OutboundPost, began: NIODeadline, connector: Connector, completion: @escaping Completion) {
        self.post = post
        self.began = began
        self.connector = connector
        self.completion = completion
        key = PoolKey(post)
        deadline = began + TimeAmount(min(post.timeout, .seconds(86_400)))
    }

    func start() {
        let settings = connector.settings
        if let problem = post.problem() ?? post.url.check(allowHTTP: settings.allowHTTP, guard: settings.addresses) {
            return finish(problem)
        }
        timer = connector.loop.assumeIsolated().scheduleTask(deadline: deadline) { self.stop(.timedOut(self.phase)) }
        if let kept = connector.pool.take(key) {
            kept.user = self
            connection = kept
            kept.send(post)
        } else {
            resolve()
        }
    }

    func cancel() { stop(.cancelled) }

    private func stop(_ reason: OutboundError) { finish(reason, partial: connection?.abandon()) }

    // MARK: Connecting

    private func resolve() {
        switch post.url.host {
        case .address(let address):
            addresses = [address]
            connectNext()
        case .name(let name):
            reached(.resolving)
            let loop = connector.loop
            let waiting = NIOLoopBound(Waiting(self), eventLoop: loop)
            connector.settings.resolver.resolve(name) { answer in
                loop.execute { waiting.value.exchange?.resolved(name, answer) }
            }
        }
    }

    private func resolved(_ name: String, _ answer: Result<[IPAddress], ResolutionError>) {
        guard completion != nil else { return }
        do {
            let permitted = try connector.settings.addresses.permitted(answer.get(), of: name)
            addresses = permitted.prefix(connector.settings.limits.mostAddresses)
            connectNext()
        } catch ResolutionError.failed(let detail) {
            finish(.lookupFailed(name: name, detail: detail))
        } catch ResolutionError.busy {
            finish(.lookupsBusy)
        } catch {
            finish(error as? OutboundError ?? .nameNotFound(name))
        }
    }

    /// Each address has an equal part of what time is left, so that a dead one leaves some to the others.
    private func connectNext() {
        guard let address = addresses.popFirst() else { return finish(firstFailure ?? .connectionFailed("the name has no address")) }
        reached(.connecting)
        let patience = (deadline - .now()) / (addresses.count + 1)
        do {
            let connection = try connector.makeConnection(for: key, user: self)
            self.connection = connection
            try connector.open(connection, to: address, patience: max(.milliseconds(1), patience))
        } catch {
            finish(TLSFailure.reason(error, certificate: nil))
        }
    }

    // MARK: ConnectionUser

    func reached(_ phase: OutboundError.Phase) { self.phase = phase }

    func isReady(_ connection: Connection) { connection.send(post) }

    func ended(_ response: OutboundResponse, on connection: Connection) {
        if connection.isOpen { connector.pool.put(connection) }
        var response = response
        response.duration = elapsed
        end(.success(response))
    }

    /// A kept connection that ends without a byte of a response was most likely closed while nobody used it, before the
    /// request could be read: it is sent once more, on a new connection. A POST is not idempotent, and RFC 9110 (9.2.2)
    /// lets only those be repeated that are known to be harmless: deliveries are, as they come at least once anyway and
    /// a repeated one has the same id and bytes.
    func failed(_ reason: OutboundError, partial: OutboundResponse?, on connection: Connection) {
        guard connection === self.connection else { return }
        self.connection = nil
        if case .closedEarly = reason, connection.requests > 1, connection.isUnanswered, !hasRetried {
            hasRetried = true
            return resolve()
        }
        switch reason {
        case .connectionRefused, .connectionFailed, .timedOut(.connecting):
            firstFailure = firstFailure ?? reason
            connectNext()
        default: finish(reason, partial: partial)
        }
    }

    // MARK: Ending

    private var elapsed: Int64 { (NIODeadline.now() - began).nanoseconds / 1_000 }

    private func finish(_ reason: OutboundError, partial: OutboundResponse? = nil) {
        end(.failure(OutboundFailure(reason: reason, duration: elapsed, partial: partial)))
    }

    private func end(_ result: Result<OutboundResponse, OutboundFailure>) {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        timer = nil
        connection = nil
        completion(result)
    }
}

import NIOCore
import Synchronization

/// Whom a kept connection is for.
struct PoolKey: Hashable {
    let isTLS: Bool
    let host: WebhookURL.Host
    let port: Int
    /// The caller's: endpoints never share a connection, though they share a host.
    let endpoint: Int64

    init(_ post: OutboundPost) {
        isTLS = post.url.isTLS
        host = post.url.host
        port = post.url.port
        endpoint = post.endpoint
    }
}

/// How many connections are kept on all event loops.
final class KeptCount: Sendable {
    private let count = Atomic<Int>(0)

    /// Counts one more unless there are `most`.
    func raise(most: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= most { return true }
        lower()
        return false
    }

    func lower() { count.subtract(1, ordering: .relaxed) }
}

/// The idle connections of one event loop, the last used first.
final class ConnectionPool {
    private let loop: any EventLoop
    private let limits: OutboundLimits
    private let addresses: AddressGuard
    private let count: KeptCount
    private var kept: [PoolKey: [Connection]] = [:]
    private var isSweeping = false

    init(loop: any EventLoop, limits: OutboundLimits, addresses: AddressGuard, count: KeptCount) {
        self.loop = loop
        self.limits = limits
        self.addresses = addresses
        self.count = count
    }

    /// A connection that is open, young, and to an address that may still be connected to.
    func take(_ key: PoolKey) -> Connection? {
        while let connection = kept[key]?.popLast() {
            count.lower()
            connection.whenLost = nil
            if isUsable(connection, at: .now()) { return connection }
            connection.close()
        }
        return nil
    }

    /// Keeps an idle connection, or closes it where enough are kept.
    func put(_ connection: Connection) {
        guard (kept[connection.key]?.count ?? 0) < limits.keptPerEndpoint, count.raise(most: limits.kept) else { return connection.close() }
        connection.idleSince = .now()
        connection.whenLost = { [weak self] connection in self?.forget(connection) }
        kept[connection.key, default: []].append(connection)
        sweepLater()
    }

    func closeAll() {
        for connection in kept.values.joined() {
            count.lower()
            connection.close()
        }
        kept = [:]
    }

    private func isUsable(_ connection: Connection, at now: NIODeadline) -> Bool {
        guard connection.isOpen, let address = connection.address, addresses.refusal(of: address) == nil else { return false }
        return now - connection.idleSince < TimeAmount(limits.idleTimeout) && now - connection.opened < TimeAmount(limits.oldestConnection)
    }

    private func forget(_ connection: Connection) {
        guard let index = kept[connection.key]?.firstIndex(where: { $0 === connection }) else { return }
        kept[connection.key]?.remove(at: index)
        count.lower()
    }

    private func sweepLater() {
        guard !isSweeping else { return }
        isSweeping = true
        let pause = max(.milliseconds(20), TimeAmount(limits.idleTimeout) / 4)
        loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
            self?.isSweeping = false
            self?.sweep()
        }
    }

    private func sweep() {
        let now = NIODeadline.now()
        for (key, connections) in kept {
            let usable = connections.filter { isUsable($0, at: now) }
            kept[key] = usable.isEmpty ? nil : usable
            guard usable.count < connections.count else { continue }
            for connection in connections where !usable.contains(where: { $0 === connection }) {
                count.lower()
                connection.close()
            }
        }
        if !kept.isEmpty { sweepLater() }
    }
}

extension TimeAmount {
    static func / (amount: TimeAmount, parts: Int) -> TimeAmount { .nanoseconds(amount.nanoseconds / Int64(max(1, parts))) }
}

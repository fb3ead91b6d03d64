import Addresses
import Dispatch
import Foundation
import Synchronization

/// Asks the system's resolver (`getaddrinfo`) on a few threads of its own, so that a look-up that hangs holds up neither
/// an event loop nor, as `LookupQueue` shares the threads out, the look-up of other names.
public final class SystemResolver: AddressResolving {
    public struct Limits: Sendable {
        public var threads = 8
        /// Names that wait for a thread.
        public var queue = 256
        public var waitersOfAName = 1_024
        /// How long an answer is used again.
        public var positiveLife = Duration.seconds(10)
        public var negativeLife = Duration.seconds(2)
        /// A look-up that takes longer makes its name a slow one.
        public var slow = Duration.seconds(1)
        /// Names that something is remembered of.
        public var knownNames = 4_096
        public init() {}
    }

    /// Blocks until there is an answer.
    public typealias LookUp = @Sendable (_ name: String) -> Result<[IPAddress], ResolutionError>

    private let queue: Mutex<LookupQueue>
    private let lookUp: LookUp

    /// - Parameter lookUp: stands in for the system's resolver.
    public init(limits: Limits = Limits(), lookUp: @escaping LookUp = SystemResolver.askSystem) {
        queue = Mutex(LookupQueue(limits: limits))
        self.lookUp = lookUp
    }

    public func resolve(_ name: String, completion: @escaping @Sendable (Result<[IPAddress], ResolutionError>) -> Void) {
        switch queue.withLock({ $0.admit(name, now: Self.now, waiter: completion) }) {
        case .known(let answer): completion(answer)
        case .busy: completion(.failure(.busy))
        case .waits(start: nil): break
        case .waits(start: let name?): Thread.detachNewThread { self.work(from: name) }
        }
    }

    /// A thread's life: it looks up one name after another until none may run.
    private func work(from first: String) {
        var name: String? = first
        while let current = name {
            let answer = lookUp(current)
            let (waiters, next) = queue.withLock { $0.finish(current, answer, now: Self.now) }
            for waiter in waiters { waiter(answer) }
            name = next
        }
    }

    private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

    /// `getaddrinfo` for stream sockets of both families: its order is that of RFC 6724, reachable addresses first.
    public static func askSystem(_ name: String) -> Result<[IPAddress], ResolutionError> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else { return .failure(error(status)) }
        var addresses: [IPAddress] = []
        var entry = list
        while let current = entry {
            if let raw = current.pointee.ai_addr, let address = IPAddress(raw), !addresses.contains(address) { addresses.append(address) }
            entry = current.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(.notFound) : .success(addresses)
    }

    private static func error(_ status: Int32) -> ResolutionError {
        // -5: EAI_NODATA of the GNU C library, a name without addresses.
        status == EAI_NONAME || status == -5 ? .notFound : .failed(String(cString: gai_strerror(status)))
    }
}

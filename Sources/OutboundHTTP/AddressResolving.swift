import Addresses

/// Why a name has no addresses.
public enum ResolutionError: Error, Equatable, Sendable {
    /// There is no such name, or it has no address.
    case notFound
    case failed(String)
    /// Too many look-ups wait already.
    case busy
}

/// Finds the addresses of names. Whether they may be connected to is for others to say.
public protocol AddressResolving: Sendable {
    /// Calls back once, on any thread, with at least one address or an error. It may take for ever: whoever waits has a
    /// deadline of their own.
    func resolve(_ name: String, completion: @escaping @Sendable (Result<[IPAddress], ResolutionError>) -> Void)
}

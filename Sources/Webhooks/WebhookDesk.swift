import Addresses
import Domain
import OutboundHTTP

/// Endpoints by the rules of their dialects, with their secrets sealed.
public struct WebhookDesk: EndpointDesk {
    private let store: any EndpointStore
    /// The box with this database's key, asked for only when there is a secret to seal.
    private let box: @Sendable () throws -> SecretBox
    /// What this process sends to; nil where another one sends.
    private let reach: Reach?

    /// What deliveries are sent to beside `https` and public addresses.
    public struct Reach: Sendable {
        let addresses: AddressGuard
        let allowsHTTP: Bool
        public init(addresses: AddressGuard, allowsHTTP: Bool) {
            self.addresses = addresses
            self.allowsHTTP = allowsHTTP
        }
    }

    public init(_ store: any EndpointStore, reach: Reach? = nil, box: @escaping @Sendable () throws -> SecretBox) {
        self.store = store
        self.reach = reach
        self.box = box
    }

    public func facts(of name: DialectName) -> DialectFacts { Dialect.of(name).facts }

    public func notes(on text: String) throws -> [String] {
        let url: WebhookURL
        do throws(WebhookURL.Malformed) { url = try WebhookURL(text) } catch { throw InputFaults([InputFault("url", error.description)]) }
        let flags = Self.neededFlags(for: url, beside: reach)
        return flags.isEmpty ? [] : ["Nothing is sent to this URL unless serve is started with \(flags.joined(separator: " "))"]
    }

    /// The flags without which `serve` refuses the URL, as far as the URL itself tells.
    ///
    /// - Parameter reach: what is allowed already.
    public static func neededFlags(for url: WebhookURL, beside reach: Reach? = nil) -> [String] {
        let block = forbiddenBlock(of: url, reach?.addresses ?? AddressGuard()).map { ["--webhook-allow-cidr \($0)"] } ?? []
        return (url.isTLS || reach?.allowsHTTP == true ? [] : ["--webhook-allow-http"]) + block
    }

    private static func forbiddenBlock(of url: WebhookURL, _ addresses: AddressGuard) -> String? {
        switch url.host {
        case .name(let name):
            let isLocal = name == "localhost" || name.hasSuffix(".localhost")
            return isLocal && IPAddress("127.0.0.1").map { addresses.refusal(of: $0) != nil } ?? false ? "127.0.0.0/8" : nil
        case .address(let address):
            guard addresses.refusal(of: address) != nil else { return nil }
            let text = "\(address)"
            if text.hasPrefix("127.") { return "127.0.0.0/8" }
            return "\(text)/\(address.family == .v4 ? 32 : 128)"
        }
    }

    // MARK: Adding and changing

    public func add(_ draft: Endpoint, secret given: String?) throws -> (endpoint: Endpoint, secret: String?) {
        var endpoint = draft
        var faults = endpoint.faults(known: Dialect.of(endpoint.dialect).types)
        do { _ = try notes(on: endpoint.url) } catch let more as InputFaults { faults += more.faults }
        var secret: String?
        do { secret = try newSecret(given: given, for: endpoint.dialect) } catch let more as InputFaults { faults += more.faults }
        guard faults.isEmpty else { throw InputFaults(faults) }
        endpoint.id = store.newEndpointID()
        if let secret {
            let box = try box()
            try check(box)
            endpoint.secret = try box.seal(secret, for: endpoint.id)
        }
        return (try store.addEndpoint(endpoint), secret)
    }

    public func edit(_ id: EndpointID, _ change: (inout Endpoint) throws -> Void) throws -> Endpoint? {
        try store.editEndpoint(id) { endpoint in
            try change(&endpoint)
            _ = try notes(on: endpoint.url)
        }
    }

    public func rotateSecret(
        of id: EndpointID, to wish: SecretWish, overlap: Int64?
    ) throws -> (endpoint: Endpoint, secret: String?)? {
        guard let endpoint = try store.endpoint(id) else { return nil }
        if let overlap, !(0...Endpoint.longestOverlap).contains(overlap) { throw InputFaults([InputFault("overlap", "is 0s to 7d")]) }
        let secret = try secret(wish, for: endpoint.dialect)
        let span = overlap ?? (facts(of: endpoint.dialect).signsWithBoth ? 86_400_000 : 0)
        let signsOn = try span > 0 && endpoint.secret.map { try opens($0, of: id) } ?? false
        let until = signsOn ? store.now.adding(milliseconds: span) : nil
        let sealed = try secret.map { try box().seal($0, for: id) }
        return try store.changeSecret(of: id, to: sealed, previousUntil: until).map { ($0, secret) }
    }

    // MARK: Secrets

    /// Whether the key that is here opens a secret: one that it does not signs nothing, however long it were kept.
    private func opens(_ secret: SealedSecret, of id: EndpointID) throws -> Bool {
        let box = try box()
        do throws(SecretBoxFault) { _ = try box.open(secret, of: id) } catch {
            guard case .cannotOpen = error else { throw error }
            return false
        }
        return true
    }

    private func newSecret(given: String?, for dialect: DialectName) throws -> String? {
        var random = SystemRandomNumberGenerator()
        do throws(SecretFault) { return try Dialect.of(dialect).secrets.secret(given: given, using: &random) } catch {
            throw InputFaults([InputFault("secret", "\(error)")])
        }
    }

    /// The secret that takes another's place.
    private func secret(_ wish: SecretWish, for name: DialectName) throws -> String? {
        let rule = Dialect.of(name).secrets
        switch wish {
        case .given(let secret): return try newSecret(given: secret, for: name)
        case .made:
            var random = SystemRandomNumberGenerator()
            return rule.make(using: &random)
        case .none:
            guard rule.isOptional else {
                throw InputFaults([InputFault("secret", "deliveries of the dialect \(name.rawValue) are always signed")])
            }
            return nil
        }
    }

    /// Makes sure that the key is the one of the secrets that are stored already: sealed with another, a new one would only
    /// be found to be lost when it is needed.
    private func check(_ box: SecretBox) throws {
        for endpoint in try store.endpoints(of: nil) {
            guard let secret = endpoint.secret else { continue }
            _ = try box.open(secret, of: endpoint.id)
            return
        }
    }
}

extension Dialect {
    public var facts: DialectFacts {
        DialectFacts(
            types: types, policy: policy, secretIsMade: secrets.isMade, secretIsGiven: secrets.isGiven,
            secretIsOptional: secrets.isOptional, signsWithBoth: name == .standard)
    }
}

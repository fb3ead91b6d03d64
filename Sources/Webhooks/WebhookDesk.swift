import Domain
import OutboundHTTP

/// Endpoints by the rules of their dialects, with their secrets sealed.
public struct WebhookDesk: EndpointDesk {
    private let store: any EndpointStore
    /// The box with this database's key, asked for only when there is a secret to seal.
    private let box: @Sendable () throws -> SecretBox

    public init(_ store: any EndpointStore, box: @escaping @Sendable () throws -> SecretBox) {
        self.store = store
        self.box = box
    }

    public func facts(of name: DialectName) -> DialectFacts { Dialect.of(name).facts }

    public func notes(on text: String) throws -> [String] {
        let url: WebhookURL
        do throws(WebhookURL.Malformed) { url = try WebhookURL(text) } catch { throw InputFaults([InputFault("url", error.description)]) }
        let flags = Self.neededFlags(for: url)
        return flags.isEmpty ? [] : ["`serve` does not send to this URL unless it is started with \(flags.joined(separator: " "))"]
    }

    /// The flags without which `serve` refuses the URL, as far as the URL itself tells.
    public static func neededFlags(for url: WebhookURL) -> [String] {
        let block = forbiddenBlock(of: url).map { ["--webhook-allow-cidr \($0)"] } ?? []
        return (url.isTLS ? [] : ["--webhook-allow-http"]) + block
    }

    private static func forbiddenBlock(of url: WebhookURL) -> String? {
        switch url.host {
        case .name(let name):
            return name == "localhost" || name.hasSuffix(".localhost") ? "127.0.0.0/8" : nil
        case .address(let address):
            guard AddressGuard().refusal(of: address) != nil else { return nil }
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
        of id: EndpointID, to given: String?, overlap: Int64?
    ) throws -> (endpoint: Endpoint, secret: String)? {
        guard let endpoint = try store.endpoint(id) else { return nil }
        let until = try overlapEnd(of: endpoint, overlap)
        let secret = try nextSecret(given: given, for: endpoint.dialect)
        let sealed = try box().seal(secret, for: id)
        return try store.changeSecret(of: id, to: sealed, previousUntil: until).map { ($0, secret) }
    }

    public func removeSecret(of id: EndpointID, overlap: Int64?) throws -> Endpoint? {
        guard let endpoint = try store.endpoint(id) else { return nil }
        guard facts(of: endpoint.dialect).secretIsOptional else {
            throw InputFaults([InputFault("secret", "is needed: deliveries of the dialect \(endpoint.dialect.rawValue) are always signed")])
        }
        return try store.changeSecret(of: id, to: nil, previousUntil: overlapEnd(of: endpoint, overlap))
    }

    /// Until when the secret that there is counts; nil for no longer.
    private func overlapEnd(of endpoint: Endpoint, _ overlap: Int64?) throws -> Timestamp? {
        if let overlap, !(0...Endpoint.longestOverlap).contains(overlap) { throw InputFaults([InputFault("overlap", "is 0s to 7d")]) }
        let span = overlap ?? (facts(of: endpoint.dialect).signsWithBoth ? 86_400_000 : 0)
        return span == 0 || endpoint.secret == nil ? nil : store.now.adding(milliseconds: span)
    }

    // MARK: Secrets

    private func newSecret(given: String?, for dialect: DialectName) throws -> String? {
        var random = SystemRandomNumberGenerator()
        do throws(SecretFault) { return try Dialect.of(dialect).secrets.secret(given: given, using: &random) } catch {
            throw InputFaults([InputFault("secret", "\(error)")])
        }
    }

    /// The secret that takes another's place: the given one, or a new one.
    private func nextSecret(given: String?, for dialect: DialectName) throws -> String {
        if given != nil, let checked = try newSecret(given: given, for: dialect) { return checked }
        var random = SystemRandomNumberGenerator()
        return Dialect.of(dialect).secrets.make(using: &random)
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

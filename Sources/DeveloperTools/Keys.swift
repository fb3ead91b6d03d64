import Domain
import HTTPSupport

/// API keys: what there is, a new one, another secret, the end.
extension DeveloperTools {
    /// The current organization's, the newest first.
    func keys(of visit: Visit) throws -> [APIKey] {
        try stores.management.keys().filter { $0.organization == visit.organization.number }.reversed()
    }

    func keys(_ visit: Visit) throws -> PageAnswer { try keys(visit, faults: []) }

    private func keys(_ visit: Visit, faults: [InputFault]) throws -> PageAnswer {
        let all = try keys(of: visit)
        var content: [String: Any] = [
            "keys": all.map { shown($0, visit) }, "hasKeys": !all.isEmpty, "name": visit.request.field("name") ?? "",
            "rateLimit": visit.request.field("rate_limit") ?? String(visit.organization.plan.rateLimit),
            "scopes": scopeChoices(visit.request.isPost ? visit.request.fields("scope") : ["read"]),
            "expiries": expiryChoices(visit.request.field("expires") ?? "90d"),
            "isOpen": all.isEmpty || !faults.isEmpty,
        ]
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "keys", visit, title: "API keys", section: "/keys", content, status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    private func shown(_ key: APIKey, _ visit: Visit) -> [String: Any] {
        let isExpired = key.expiresAt.map { $0 <= visit.now } ?? false
        var shown: [String: Any] = [
            "id": key.keyID, "name": Shown.visible(key.name), "scopes": key.scopes.words,
            "created": Shown.time(key.createdAt, now: visit.now),
            "used": Shown.number(key.usageCount), "limit": Shown.number(key.rateLimit),
            "state": key.revokedAt != nil ? "revoked" : isExpired ? "expired" : "active",
            "style": key.revokedAt != nil ? "off" : isExpired ? "warn" : "good", "isUsable": key.revokedAt == nil,
        ]
        shown["lastUsed"] = key.lastUsedAt.map { Shown.time($0, now: visit.now) }
        shown["expires"] = key.expiresAt.map { Shown.time($0, now: visit.now) }
        shown["overlap"] = key.previous.flatMap { $0.until > visit.now ? Shown.time($0.until, now: visit.now) : nil }
        return shown
    }

    private func scopeChoices(_ chosen: [String]) -> [[String: Any]] {
        let meanings = [
            "read": "Candidates, jobs, interviews and matches, without personal data",
            "read:pii": "The same with e-mail addresses, phone numbers, résumés and transcripts",
            "ingest": "The push API on this listener: sends records in",
        ]
        return Scopes.words.map { ["word": $0, "meaning": meanings[$0] ?? "", "isChosen": chosen.contains($0)] }
    }

    private func expiryChoices(_ chosen: String) -> [[String: Any]] {
        let choices = [("30d", "in 30 days"), ("90d", "in 90 days"), ("365d", "in a year"), ("never", "never")]
        return choices.map { ["value": $0.0, "text": $0.1, "isChosen": $0.0 == chosen] }
    }

    // MARK: A new one

    func createKey(_ visit: Visit) throws -> PageAnswer {
        let request = visit.request
        var faults: [InputFault] = []
        let name = request.field("name") ?? ""
        if let fault = APIKey.fault(ofName: name) { faults.append(InputFault("name", fault)) }
        let scopes = request.fields("scope").compactMap(Scopes.init(word:)).reduce(into: Scopes()) { $0.formUnion($1) }
        if scopes.isEmpty { faults.append(InputFault("scope", "choose at least one")) }
        let limit = Int(request.field("rate_limit") ?? "") ?? 0
        if !(1...1_000_000_000).contains(limit) { faults.append(InputFault("rate_limit", "is a number from 1 to 1000000000")) }
        let choice = request.field("expires") ?? "never"
        let expiry = choice == "never" ? nil : Timestamp(future: choice, now: visit.now)
        if choice != "never", expiry.map({ $0 <= visit.now }) ?? true { faults.append(InputFault("expires", "is a time to come")) }
        guard faults.isEmpty else { return try keys(visit, faults: faults) }
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(using: &random)
        do {
            let key = try stores.management.addKey(
                token, secretHash: SecretHash.of(token.secret), name: name, organization: visit.organization, scopes: scopes,
                rateLimit: limit, expiresAt: expiry)
            return show(token, of: key, visit, title: "Your new key").telling(made: key.keyID)
        } catch let refusal as InputFaults { return try keys(visit, faults: refusal.faults) }
    }

    /// The one time that the key is shown.
    private func show(_ token: APIKeyToken, of key: APIKey, _ visit: Visit, title: String) -> PageAnswer {
        var content: [String: Any] = [
            "key": token.text, "name": Shown.visible(key.name), "canRead": key.scopes.contains(.read),
            "curl": curl("/api/v1/candidates", query: "limit=3", key: token.text), "canPush": key.scopes.contains(.ingest),
            // The listener that this page came from, by the name that brought it.
            "push": curl("/operator/v1/capabilities", at: "http://" + visit.request.host, key: token.text),
        ]
        content["overlap"] = key.previous.map { Shown.time($0.until, now: visit.now) }
        return page("key-new", visit, title: title, section: "/keys", content)
    }

    /// A line that works when it is pasted.
    func curl(_ path: String, query: String = "", at base: String? = nil, key: String = "$HIREWIRE_KEY") -> String {
        let url = (base ?? configuration.publicURL) + path + (query.isEmpty ? "" : "?" + query)
        // Double quotes, so that the shell puts the variable in; no character of a key means anything to it.
        return "curl -H \"Authorization: Bearer \(key)\" \(Shown.quoted(url))"
    }

    // MARK: The end, and another secret

    private func usableKey(_ visit: Visit) throws -> APIKey? {
        try keys(of: visit).first { $0.keyID == visit.id && $0.revokedAt == nil }
    }

    func confirmRevoking(_ visit: Visit) throws -> PageAnswer {
        guard let key = try usableKey(visit) else { return missing(visit, "key") }
        return page(
            "key-confirm", visit, title: "Revoke “\(Shown.visible(key.name))”?", section: "/keys",
            ["key": shown(key, visit), "isRevoking": true])
    }

    func revokeKey(_ visit: Visit) throws -> PageAnswer {
        guard let key = try usableKey(visit), try stores.management.revokeKey(key.keyID) != nil else { return missing(visit, "key") }
        return .redirect(to: "/keys?done=revoked")
    }

    func confirmRotating(_ visit: Visit) throws -> PageAnswer {
        guard let key = try usableKey(visit) else { return missing(visit, "key") }
        return page(
            "key-confirm", visit, title: "A new secret for “\(Shown.visible(key.name))”", section: "/keys",
            ["key": shown(key, visit), "isRevoking": false, "overlaps": Self.overlaps(chosen: "24h")])
    }

    func rotateKey(_ visit: Visit) throws -> PageAnswer {
        guard let key = try usableKey(visit), let span = Span(visit.request.field("overlap") ?? "24h") else { return missing(visit, "key") }
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(keyID: key.keyID, using: &random)
        let until = span.seconds == 0 ? nil : visit.now.adding(milliseconds: span.milliseconds)
        guard let rotated = try stores.management.rotateKey(token, secretHash: SecretHash.of(token.secret), overlapUntil: until) else {
            return missing(visit, "key")
        }
        return show(token, of: rotated, visit, title: "The key with its new secret")
    }

    static func overlaps(chosen: String) -> [[String: Any]] {
        let choices = [("0s", "at once"), ("1h", "in an hour"), ("24h", "in a day"), ("7d", "in a week")]
        return choices.map { ["value": $0.0, "text": $0.1, "isChosen": $0.0 == chosen] }
    }

    // MARK: Forms

    /// Fields that a form calls otherwise than an address does.
    private static let labels = ["since": "from", "updated_after": "changed after", "q": "search"]

    /// What is wrong with a form, for its head and its fields.
    static func summary(of faults: [InputFault]) -> [String: Any] {
        guard !faults.isEmpty else { return [:] }
        var content: [String: Any] = [
            "faults": faults.map {
                ["field": $0.pointer, "text": "\(labels[$0.pointer] ?? $0.pointer.replacing("_", with: " ")) \($0.message)"]
            }
        ]
        content["hasFaults"] = true
        for fault in faults { content["wrong-\(fault.pointer)"] = fault.message }
        return content
    }
}

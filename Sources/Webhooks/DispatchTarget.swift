import Domain
import OutboundHTTP

/// An endpoint, read for sending.
struct DispatchTarget {
    var endpoint: Endpoint
    let dialect: Dialect
    let policy: DeliveryPolicy
    let url: Result<WebhookURL, any Error>
    let keys: Result<SigningKeys, any Error>
    var wasWarned = false

    init(_ endpoint: Endpoint, _ secrets: SecretBox) {
        self.endpoint = endpoint
        dialect = Dialect.of(endpoint.dialect)
        policy = dialect.policy.adjusted(to: endpoint)
        url = Result { try WebhookURL(endpoint.url) }
        let dialect = dialect
        keys = Result {
            let secret = try endpoint.secret.map { try secrets.open($0, of: endpoint.id) }
            // An old secret that can't be opened does not silence the new one: rotation is the way out of a lost key.
            let previous = endpoint.previous.flatMap { previous in
                (try? secrets.open(previous.secret, of: endpoint.id)).map { ($0, previous.until) }
            }
            return try dialect.keys(secret: secret, previous: previous)
        }
    }
}

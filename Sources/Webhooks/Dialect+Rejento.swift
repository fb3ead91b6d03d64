import Domain

extension Dialect {
    /// Source: seed 003. Its schedule has six delays and its attempts end after five, so the last two are used only by an
    /// endpoint with more attempts of its own.
    static let rejento = Dialect(
        name: .rejento,
        types: [
            .candidateCreated, .candidateMatched, .interviewScheduled, .interviewCompleted, .candidateStatusChanged,
            .aiCallCompleted,
        ],
        policy: DeliveryPolicy(delays: hoursLongDelays, attempts: 5, deadline: 15_000),
        secrets: SecretRule(),
        signature: .bodyOnly(header: "X-Rejento-Signature"),
        namesDelivery: true,
        needsRecords: false,
        test: .event,
        naming: { [("X-Rejento-Delivery-Id", $0.delivery.description)] }
    ) { request in
        var out = ByteWriter(capacity: request.facts.data.utf8.count + 256)
        out.append("{\"event\":")
        out.append(quoted: request.facts.type.rawValue)
        out.append(",\"delivery_id\":")
        out.append(quoted: request.delivery.description)
        out.append(",\"timestamp\":")
        out.append(time: request.facts.createdAt)
        out.append(",\"data\":")
        out.append(text: request.facts.data)
        out.append("}")
        return Array(out.bytes)
    }
}

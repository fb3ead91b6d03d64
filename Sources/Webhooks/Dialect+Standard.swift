import Domain

extension Dialect {
    /// The Standard Webhooks specification (github.com/standard-webhooks/standard-webhooks), over the event as the feed
    /// gives it. What a new endpoint speaks unless told otherwise.
    static let standard = Dialect(
        name: .standard,
        types: Set(EventType.allCases),
        policy: DeliveryPolicy(delays: hoursLongDelays, attempts: 7, deadline: 15_000),
        secrets: SecretRule(prefix: "whsec_", form: .base64(24...64)),
        signature: .standardWebhooks,
        needsRecords: false,
        test: .event
    ) { request in
        let facts = request.facts
        let data = facts.data(personal: request.personal)
        var out = ByteWriter(capacity: data.utf8.count + 512)
        out.append("{\"id\":")
        out.append(quoted: facts.id.description)
        out.append(",\"type\":")
        out.append(quoted: facts.type.rawValue)
        out.append(",\"timestamp\":")
        out.append(time: facts.createdAt)
        out.append(",\"sequence\":")
        out.append(integer: facts.sequence)
        out.append(",\"created_at\":")
        out.append(time: facts.createdAt)
        out.append(",\"organization\":")
        out.append(quoted: facts.organization.name)
        out.append(",\"subject\":")
        if let subject = facts.subject {
            out.append("{\"kind\":")
            out.append(quoted: subject.kind.singular)
            out.append(",\"id\":")
            out.append(subject.recordID)
            out.append(",\"version\":")
            out.append(integer: subject.version)
            out.append("}")
        } else {
            out.append("null")
        }
        out.append(",\"data\":")
        out.append(text: data)
        out.append("}")
        return Array(out.bytes)
    }

    /// 30 s, 2 min, 10 min, 1 h, 6 h, 24 h.
    static let hoursLongDelays: [Int64] = [30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000]
}

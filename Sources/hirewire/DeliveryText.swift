import Domain

/// Deliveries as the shell shows them.
struct DeliveryText {
    let summary: DeliverySummary

    var members: [JSONValue.Member] {
        [
            .init("id", .string(summary.id.description)), .init("endpoint_id", .string(summary.endpoint.description)),
            .init("event_id", .string(summary.event.description)),
            .init("type", summary.type.map { .string($0.rawValue) } ?? .null),
            .init("status", .string(summary.status.rawValue)), .init("held", .bool(summary.isHeld)),
            .init("created_at", Output.time(summary.createdAt)), .init("attempts", .number(String(summary.attempts))),
            .init("next_attempt_at", Output.time(summary.isHeld ? nil : summary.dueAt)),
            .init("finished_at", Output.time(summary.finishedAt)), .init("reason", summary.reason.map(JSONValue.string) ?? .null),
            .init("last_status", summary.lastStatus.map { .number(String($0)) } ?? .null),
            .init("last_error", summary.lastError.map(JSONValue.string) ?? .null),
        ]
    }

    static let heading = ["ID", "CREATED", "TYPE", "ENDPOINT", "STATUS", "ATTEMPTS", "LAST ANSWER", "NEXT ATTEMPT"]

    var row: [String] {
        [
            summary.id.description, summary.createdAt.description, type, summary.endpoint.description, status,
            String(summary.attempts), Self.shortened(answer), next ?? "-",
        ]
    }

    private var type: String { summary.type?.rawValue ?? "unknown" }

    /// `pending`, and the like; `held` where the endpoint is disabled.
    var status: String { summary.isHeld ? "held" : summary.status.rawValue }

    private var next: String? { summary.isHeld ? nil : summary.dueAt?.description }

    /// What was last answered, why nothing was, or why it could not be sent.
    private var answer: String {
        if summary.status == .parked, let reason = summary.reason { return Terminal.plain(reason) }
        let parts = [summary.lastStatus.map(String.init), summary.lastError.map(Terminal.plain)].compactMap { $0 }
        return parts.isEmpty ? "-" : parts.joined(separator: " ")
    }

    private static func shortened(_ text: String) -> String {
        let line = text.replacing("\n", with: " ")
        return line.count <= 60 ? line : line.prefix(59) + "…"
    }

    var lines: [[String]] {
        [
            ["id", summary.id.description], ["event", "\(summary.event) \(type)"],
            ["endpoint", summary.endpoint.description], ["created", summary.createdAt.description], ["status", status],
            ["attempts", String(summary.attempts)],
        ]
            + [("next attempt", next), ("finished", summary.finishedAt?.description), ("reason", summary.reason.map(Terminal.plain))]
            .compactMap { name, value in value.map { [name, $0] } }
    }

    func show(json: Bool) {
        if json { Output.json(members) } else { Output.table(lines) }
    }
}

/// One delivery with its body and attempts.
struct DeliveryDetailText {
    let detail: DeliveryDetail

    func show(json: Bool) {
        if json { return Output.json(members) }
        DeliveryText(summary: detail.summary).show(json: false)
        print("\nbody")
        print(detail.body.map { Self.block($0) } ?? "  none")
        for (index, made) in detail.attempts.enumerated() { show(made, number: index + 1) }
    }

    private func show(_ made: DeliveryDetail.Made, number: Int) {
        let attempt = made.attempt
        let status = attempt.responseStatus.map { "\($0)" } ?? "no response"
        print("\nattempt \(number)  \(attempt.startedAt)  \(Self.milliseconds(attempt)) ms  \(status)")
        if let error = attempt.error { print("  error: \(Terminal.plain(error))") }
        if let next = made.nextAt { print("  next attempt: \(next)") }
        print("  sent")
        Self.list(attempt.requestHeaders)
        guard attempt.responseStatus != nil else { return }
        print("  answered\(attempt.isCut ? " (cut after 16 KiB)" : "")")
        Self.list(attempt.responseHeaders)
        if !attempt.responseBody.isEmpty { print(Self.block(attempt.responseBody, indent: "    ")) }
    }

    private static func list(_ headers: [(name: String, value: String)]) {
        for header in headers { print("    \(Terminal.plain(header.name)): \(Terminal.plain(header.value))") }
    }

    private static func block(_ bytes: [UInt8], indent: String = "  ") -> String {
        let text = Terminal.plain(String(decoding: bytes, as: UTF8.self))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.last == "" ? lines.dropLast() : lines[...]).map { indent + $0 }.joined(separator: "\n")
    }

    private static func milliseconds(_ attempt: Attempt) -> String { String(Double(attempt.duration) / 1_000) }

    private var members: [JSONValue.Member] {
        DeliveryText(summary: detail.summary).members + [
            .init("body", detail.body.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null),
            .init("attempt_log", .array(detail.attempts.map(Self.json))),
        ]
    }

    private static func json(_ made: DeliveryDetail.Made) -> JSONValue {
        let attempt = made.attempt
        return .object([
            .init("started_at", Output.time(attempt.startedAt)), .init("duration_ms", .number(milliseconds(attempt))),
            .init("request_headers", json(attempt.requestHeaders)),
            .init("response_status", attempt.responseStatus.map { .number(String($0)) } ?? .null),
            .init("response_headers", json(attempt.responseHeaders)),
            .init("response_body", .string(String(decoding: attempt.responseBody, as: UTF8.self))),
            .init("response_cut", .bool(attempt.isCut)), .init("error", attempt.error.map(JSONValue.string) ?? .null),
            .init("next_attempt_at", Output.time(made.nextAt)),
        ])
    }

    private static func json(_ headers: [(name: String, value: String)]) -> JSONValue {
        .array(headers.map { .object([.init("name", .string($0.name)), .init("value", .string($0.value))]) })
    }
}

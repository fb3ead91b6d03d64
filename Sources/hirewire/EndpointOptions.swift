import ArgumentParser
import Domain
import OutboundHTTP
import SQLiteStorage
import Webhooks

/// What `add` and `edit` set of an endpoint, beside its URL.
struct EndpointOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Event types between commas, or `all` that the dialect knows.", valueName: "a,b"), completion: .eventTypes)
    var events: String?
    @Option(
        help: ArgumentHelp(
            "Only this job's interview events, in place of the other endpoints of the dialect; `none` for no such limit.",
            valueName: "id"))
    var job: String?
    @Option(
        help: ArgumentHelp("Delays between attempts: 30s,2m,10m. The last holds for all further ones; or `default`.", valueName: "delays"))
    var schedule: String?
    @Option(help: ArgumentHelp("How many attempts in all, or `default`.", valueName: "n")) var attempts: String?
    @Option(help: ArgumentHelp("The time for one attempt, such as 15s, or `default`.", valueName: "time")) var timeout: String?

    /// Whether nothing is set at all.
    var isEmpty: Bool { [events, job, schedule, attempts, timeout].allSatisfy { $0 == nil } }

    /// - Throws: `ValidationError` for what can't be read, ``Failure`` for a job that is not there.
    func apply(to endpoint: inout Endpoint, in organization: Organization, _ database: Database) throws {
        if let events { endpoint.types = events == "all" ? nil : Set(try Words.list(events, option: "--events", except: .webhookTest)) }
        if let job { endpoint.job = job == "none" ? nil : try RecordLookup.id(job, .job, in: organization, database).ulid }
        if let schedule {
            endpoint.schedule =
                schedule == "default"
                ? nil
                : try schedule.split(separator: ",", omittingEmptySubsequences: false).map {
                    try Words.milliseconds($0.trimmingCharacters(in: .whitespaces), option: "--schedule")
                }
        }
        if let attempts {
            guard attempts == "default" || Int(attempts) != nil else { throw ValidationError("--attempts is a number, or `default`") }
            endpoint.attempts = Int(attempts)
        }
        if let timeout { endpoint.timeout = timeout == "default" ? nil : try Words.milliseconds(timeout, option: "--timeout") }
    }

    /// What the endpoint's own rules say, as bad usage.
    static func check(_ endpoint: Endpoint) throws {
        let faults = endpoint.faults(known: Dialect.of(endpoint.dialect).types)
        guard faults.isEmpty else {
            throw ValidationError(faults.map { "--\($0.pointer) \($0.message)" }.joined(separator: "\n"))
        }
    }
}

/// The URLs of endpoints as they are typed.
enum EndpointURL {
    /// Tells the one who typed it what `serve` would say of it.
    ///
    /// - Throws: `ValidationError` for what is no URL of a webhook.
    static func read(_ text: String) throws -> String {
        let url: WebhookURL
        do throws(WebhookURL.Malformed) { url = try WebhookURL(text) } catch { throw ValidationError("--url: \(error.description)") }
        let flags = WebhookDesk.neededFlags(for: url)
        if !flags.isEmpty {
            Terminal.note("`serve` does not send to this URL unless it is started with \(flags.joined(separator: " "))")
        }
        return text
    }
}

import ArgumentParser
import Domain
import EmbeddedFiles
import Foundation
import HTTPSupport
import Importing
import SQLiteStorage
import Scheduling
import Server

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the API until stopped.",
        discussion: """
            For example:
              hirewire serve --demo
              hirewire serve --database /srv/hirewire.db --log-format json
              HIREWIRE_PORT=9090 HIREWIRE_ACCESS_LOG=off hirewire serve

            Each setting is a flag, or a variable of the environment by the same name:
            HIREWIRE_PUBLIC_URL is --public-url, HIREWIRE_WEBHOOK_ALLOW_HTTP=on is
            --webhook-allow-http. A flag counts before a variable. Lists are separated by
            commas, or their flag is repeated; times are such as 90d, 12h, 30m or 20s.
            """)

    @Option(
        help: ArgumentHelp("The database file (default: hirewire.db; of a demo hirewire-demo.db).", valueName: "file"), completion: .file())
    var database: String?
    @Option(help: "The public listener's address (default: 127.0.0.1).") var host: String?
    @Option(help: "The public listener's port; 0 takes a free one (default: 8080).") var port: String?
    @Option(help: "The operator listener's address: pages, pushes, metrics (default: 127.0.0.1).") var operatorHost: String?
    @Option(help: "Its port; 0 takes a free one (default: 8081).") var operatorPort: String?
    @Flag(help: "The operator listener may be where other machines reach it.") var operatorAllowRemote = false
    @Option(help: "What links begin with, such as https://api.example.com.") var publicUrl: String?
    @Option(help: "Addresses of your own proxies, which say where a request comes from, such as 10.0.0.0/8; may be repeated.")
    var trustedProxy: [String] = []
    @Option(help: "Origins that browsers may call from; * for any.") var corsOrigins: String?
    @Option(help: "A PEM certificate chain: TLS with HTTP/2.", completion: .certificates) var tlsCertificate: String?
    @Option(help: "The certificate's private key, PEM.", completion: .certificates) var tlsKey: String?
    @Option(help: "text or json (default: text).", completion: .logFormats) var logFormat: String?
    @Option(help: "debug, info, notice, warning or error (default: info).", completion: .logLevels) var logLevel: String?
    @Option(help: "A line for each request: on or off (default: on).", completion: .onOrOff) var accessLog: String?
    @Option(help: "How long events are kept (default: 90d).") var eventRetention: String?
    @Option(help: "How long an export may take before it is cut, to go on from its cursor (default: 10m).") var exportTime: String?
    @Option(help: "How long it is kept which key read whose personal data (default: 365d).") var auditRetention: String?
    @Option(help: "Addresses beside the public ones that webhooks may go to, such as 127.0.0.0/8; may be repeated.")
    var webhookAllowCidr: [String] = []
    @Flag(help: "Webhooks may go to http URLs too.") var webhookAllowHttp = false
    @Option(help: "A PEM file of certificates that webhook receivers may be signed by, besides the system's.", completion: .certificates)
    var webhookCa: String?
    @Option(help: "How long finished deliveries are kept (default: 30d).") var webhookRetention: String?
    @Option(help: "After how long a started interview is abandoned, such as 24h (default: off).") var interviewExpiry: String?
    @Option(help: "How long a shutdown waits for requests (default: 20s).") var shutdownGrace: String?
    @Flag(help: "Load the demo company and print a key: a newcomer's first minute.") var demo = false
    @Flag(name: .customLong("json"), help: "Print the ready line as JSON.") var isJSON = false

    func run() async throws {
        var settings = ServeSettings()
        try settings.read(environment: ProcessInfo.processInfo.environment)
        let flags: [(String, String, String?)] = [
            ("DATABASE", "--database", database), ("HOST", "--host", host), ("PORT", "--port", port),
            ("OPERATOR_HOST", "--operator-host", operatorHost), ("OPERATOR_PORT", "--operator-port", operatorPort),
            ("OPERATOR_ALLOW_REMOTE", "--operator-allow-remote", operatorAllowRemote ? "on" : nil),
            ("PUBLIC_URL", "--public-url", publicUrl),
            ("TRUSTED_PROXY", "--trusted-proxy", trustedProxy.isEmpty ? nil : trustedProxy.joined(separator: ",")),
            ("CORS_ORIGINS", "--cors-origins", corsOrigins),
            ("TLS_CERTIFICATE", "--tls-certificate", tlsCertificate), ("TLS_KEY", "--tls-key", tlsKey),
            ("LOG_FORMAT", "--log-format", logFormat), ("LOG_LEVEL", "--log-level", logLevel),
            ("ACCESS_LOG", "--access-log", accessLog), ("EVENT_RETENTION", "--event-retention", eventRetention),
            ("EXPORT_TIME", "--export-time", exportTime),
            ("AUDIT_RETENTION", "--audit-retention", auditRetention),
            ("SHUTDOWN_GRACE", "--shutdown-grace", shutdownGrace),
            ("WEBHOOK_ALLOW_CIDR", "--webhook-allow-cidr", webhookAllowCidr.isEmpty ? nil : webhookAllowCidr.joined(separator: ",")),
            ("WEBHOOK_ALLOW_HTTP", "--webhook-allow-http", webhookAllowHttp ? "on" : nil),
            ("WEBHOOK_CA", "--webhook-ca", webhookCa), ("WEBHOOK_RETENTION", "--webhook-retention", webhookRetention),
            ("INTERVIEW_EXPIRY", "--interview-expiry", interviewExpiry),
        ]
        for (name, flag, value) in flags { if let value { try settings.set(name, value, from: flag) } }
        settings.isDemo = demo
        settings.isJSON = isJSON
        if demo, database == nil, ProcessInfo.processInfo.environment["HIREWIRE_DATABASE"] == nil { settings.database = "hirewire-demo.db" }
        hirewire_prefer_short_turns()
        let (json, isDemo) = (isJSON, demo)
        let announced = Announcement()
        try await HirewireServer.run(settings) { database in
            announced.database = database
            if settings.isDemo { announced.key = try Demo.load(database) }
        } ready: { publicURL, operatorURL in
            // Not before: a start that fails would have shown the token to nobody.
            do { announced.operatorToken = try announced.database.flatMap { try Self.newOperatorToken(in: $0, isDemo: isDemo) } } catch {
                Terminal.note("the operator's token could not be stored (\(error)); `hirewire operator-token --rotate` makes one")
            }
            announced.print(publicURL, operatorURL, json: json)
        }
    }

    /// The token that is to be shown: of a database that has none yet, and of each demo. Nil where there is one already.
    private static func newOperatorToken(in database: Database, isDemo: Bool) throws -> OperatorToken? {
        var random = SystemRandomNumberGenerator()
        let token = OperatorToken(using: &random)
        guard isDemo else { return try database.addOperatorToken(token) ? token : nil }
        try database.setOperatorToken(token)
        return token
    }
}

/// What `serve` prints when it is ready.
private final class Announcement: @unchecked Sendable {
    /// Set before the server starts, read when it is ready: never at once. So is the database.
    var key: APIKeyToken?
    var database: Database?
    var operatorToken: OperatorToken?

    func print(_ publicURL: String, _ operatorURL: String, json: Bool) {
        if json {
            var members: [JSONValue.Member] = [
                .init("event", .string("ready")), .init("public", .string(publicURL)), .init("operator", .string(operatorURL)),
            ]
            if let key { members.append(.init("key", .string(key.text))) }
            if let operatorToken { members.append(.init("operator_token", .string(operatorToken.text))) }
            Output.json(members)
        } else {
            Swift.print("hirewire ready: public \(publicURL), operator \(operatorURL)")
            if key == nil { Swift.print("Developer Tools: \(operatorURL)/") }
            if key == nil, let operatorToken { Self.tell(operatorToken) }
            if let key {
                Swift.print(
                    """

                    A demo company is loaded. This key reads everything of it, personal data too:
                      \(key.text)

                    Try:
                      curl -H 'Authorization: Bearer \(key.text)' '\(publicURL)/api/v1/candidates?limit=3&q=engineer'

                    The documentation: \(publicURL)/docs
                    The Developer Tools: \(operatorURL)/   (metrics: \(operatorURL)/metrics)
                    Sign in there with this token; the next demo has another:
                      \(operatorToken?.text ?? "")
                    """)
            }
        }
        fflush(nil)
    }

    /// On standard error: what is read from standard output may be kept.
    private static func tell(_ token: OperatorToken) {
        let text = """

            The operator's token is shown this once; store it now:
              \(token.text)
            `hirewire operator-token --rotate` makes another.


            """
        Stream.write(text, to: 2)
    }
}

/// The newcomer's first minute: the invented company in `seed/`, and a key.
enum Demo {
    /// Whether there are no records yet, or those of an earlier demo.
    private static func isFree(_ database: Database, _ organization: Organization) throws -> Bool {
        guard try database.hasRecords(in: organization) else { return true }
        let file = hirewire_file("seed/jobs.ndjson")
        let lines = UnsafeBufferPointer(start: file.bytes, count: file.size).split(separator: UInt8(ascii: "\n"))
        return try lines.contains { line in
            guard case .string(let name)? = try JSONParser.parse(UnsafeBufferPointer(rebasing: line))["external_id"] else { return false }
            return try database.hasRecord(.job, externalID: name, in: organization)
        }
    }

    static let order: [RecordKind] = [.job, .candidate, .application, .interview, .match, .call, .training, .broadcast]

    static func load(_ database: Database) throws -> APIKeyToken {
        guard let organization = try database.organization(named: "default") else {
            throw Failure("the database has no organization 'default'")
        }
        guard try isFree(database, organization) else {
            throw Failure(
                "'\(database.path)' holds records that are not the demo's, which would be mixed with invented people: leave out --database, and HIREWIRE_DATABASE, or name a new file"
            )
        }
        for kind in order {
            let file = hirewire_file("seed/\(kind.plural).ndjson")
            var rest = UnsafeBufferPointer(start: file.bytes, count: file.size)[...]
            let reader = try RecordReader(kind: kind, format: .ndjson, mapping: nil) { buffer in
                let count = min(buffer.count, rest.count)
                buffer.copyBytes(from: rest.prefix(count))
                rest = rest.dropFirst(count)
                return count
            }
            let run = ImportRun(reader, into: database, seen: try SeenIndex(), organization: organization, options: .init())
            let summary = run.run(
                isStopped: { false }, progress: { _, _ in }, reject: { throw Failure("the demo's data: \($0.reason)") })
            if let failure = summary.failure { throw failure }
        }
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(using: &random)
        _ = try database.addKey(
            token, secretHash: SecretHash.of(token.secret), name: "demo", organization: organization, scopes: .personal,
            rateLimit: APIKey.defaultRateLimit, expiresAt: nil)
        return token
    }
}

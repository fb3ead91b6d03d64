import ArgumentParser
import Domain
import Foundation
import Hummingbird
import Logging
import NIOCore
import OutboundHTTP
import Server
import Webhooks

struct Listen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Receive, verify and print deliveries, for trying things out.",
        discussion: """
            For example:
              hirewire listen                and paste what it prints elsewhere
              hirewire listen --status 503   to watch retries
              hirewire listen --dialect kendo --secret - < secret.txt

            What verifies is answered with --status, after --delay. What does not is
            answered with 401, as a careful receiver would, with the reason in the
            answer's body, and so in the delivery log too. Bodies end at 1 MiB.
            With --json a line is one delivery, the first one says what is ready.
            """)
    @Option(help: "The port; 0 takes a free one.") var port = 9_000
    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "How deliveries look on the wire.") var dialect = DialectName.standard
    @Option(
        name: .customLong("secret"),
        help: "The endpoint's signing secret, made unless given; - reads it from standard input. Repeat it for several during a rotation.")
    var secrets: [String] = []
    @Option(help: "The status code of answers.") var status = 200
    @Option(help: ArgumentHelp("How long answers take, such as 20s.", valueName: "time")) var delay = "0s"
    @Flag(name: .customLong("json"), help: "Print JSON, one object a line, for programs.") var isJSON = false

    func run() async throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
        guard (200...599).contains(status) else { throw ValidationError("--status is 200 to 599") }
        let delay = try Words.milliseconds(delay, option: "--delay")
        let secrets = try chosenSecrets()
        Stream.begin()
        let printer = ReceptionPrinter(isJSON: isJSON)
        let receiver = Receiver(
            dialect: Dialect.of(dialect), secrets: secrets, status: status, delay: .milliseconds(delay), printer: printer)
        let guide = ListenGuide(
            host: host, dialect: dialect, madeSecret: self.secrets.isEmpty ? secrets.first : nil, needsSecret: !secrets.isEmpty)
        let json = isJSON
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in await receiver.answer(request) },
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                printer.write(json ? guide.json(port: port) : guide.text(port: port))
            },
            logger: Logger(label: "listen") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await application.runService()
        } catch let error as IOError {
            let reason = error.errnoCode == EADDRINUSE ? "it is taken by another process" : String(cString: strerror(error.errnoCode))
            throw Failure("can't listen on \(host) port \(port): \(reason); choose another with --port or --host")
        } catch  where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            throw Failure("--host '\(host)' is no address of this machine")
        }
    }

    /// Those that were given, or a new one; none where the dialect allows it and `none` was asked for.
    private func chosenSecrets() throws -> [String] {
        let dialect = Dialect.of(dialect)
        if secrets == ["none"], dialect.secrets.isOptional { return [] }
        guard secrets.isEmpty else {
            return try secrets.compactMap { try EndpointSecrets.read($0) }.map { secret in
                do throws(SecretFault) { _ = try dialect.keys(secret: secret) } catch { throw ValidationError("--secret: \(error)") }
                return secret
            }
        }
        guard dialect.secrets.isGiven else {
            throw ValidationError(
                """
                the secrets of \(self.dialect.rawValue) are made by `webhooks add`, so begin there:
                  hirewire webhooks add --url http://127.0.0.1:\(port)/ --dialect \(self.dialect.rawValue)
                and give the secret that it shows to `hirewire listen --dialect \(self.dialect.rawValue) --secret …`
                """)
        }
        var random = SystemRandomNumberGenerator()
        return [dialect.secrets.make(using: &random)]
    }
}

/// What `listen` says when it is ready: how to point an endpoint at it.
struct ListenGuide {
    let host: String
    let dialect: DialectName
    /// The secret that was made here; nil where it was given, and need not be shown.
    let madeSecret: String?
    let needsSecret: Bool

    private func url(_ port: Int) -> String {
        let name = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
        return "http://\(name.contains(":") ? "[\(name)]" : name):\(port)/"
    }

    private func add(_ port: Int) -> String {
        let secret = needsSecret ? " --secret \(madeSecret.map(Words.quoted) ?? "-")" : ""
        // A dialect that makes its secrets takes none; it was added before.
        let accepts = Dialect.of(dialect).secrets.isGiven
        return "hirewire webhooks add --url \(url(port)) --dialect \(dialect.rawValue)\(accepts ? secret : "")"
    }

    private func serve(_ port: Int) -> String {
        let flags = (try? WebhookURL(url(port))).map { WebhookDesk.neededFlags(for: $0) } ?? []
        return (["hirewire serve"] + flags).joined(separator: " ")
    }

    func text(port: Int) -> String {
        let end = needsSecret && madeSecret == nil ? "     # the given secret on standard input" : ""
        return """
            listening on \(url(port)) for \(dialect.rawValue) deliveries; Ctrl-C ends it

            Point an endpoint at it:
              \(add(port))\(end)
            and let `serve` send there:
              \(serve(port))
            For a first delivery: hirewire webhooks test ep_…

            """
    }

    func json(port: Int) -> String {
        JSONValue.object([
            .init("event", .string("ready")), .init("url", .string(url(port))), .init("dialect", .string(dialect.rawValue)),
            .init("secret", madeSecret.map(JSONValue.string) ?? .null), .init("add", .string(add(port))),
            .init("serve", .string(serve(port))),
        ]).text + "\n"
    }
}

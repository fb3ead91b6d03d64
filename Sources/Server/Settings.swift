import Addresses
import Domain
import Foundation
import NIOCore
import OutboundHTTP
import Webhooks

/// A setting that can't be used: its name and what would be right.
public struct SettingProblem: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Why a listener can't be opened on this machine now; another moment may be better.
public struct ListenProblem: Error, CustomStringConvertible {
    public let description: String
    init(_ error: IOError, _ host: String, _ port: Int, _ flag: String) {
        description =
            switch error.errnoCode {
            case EADDRINUSE: "port \(port) on \(host) is taken by another process; choose another with \(flag)"
            case EACCES: "port \(port) on \(host) needs more rights; choose one above 1023 with \(flag)"
            case EADDRNOTAVAIL: "\(host) is no address of this machine; choose another with \(flag.replacing("port", with: "host"))"
            default: "can't listen on \(host) port \(port): \(error)"
            }
    }
}

/// How `serve` runs. Flags come first, then `HIREWIRE_…` of the environment, then these defaults.
public struct ServeSettings: Sendable {
    public var database = "hirewire.db"
    public var host = "127.0.0.1"
    public var port = 8080
    public var operatorHost = "127.0.0.1"
    public var operatorPort = 8081
    /// The operator listener may be where other machines reach it.
    public var operatorAllowRemote = false
    public var publicURL = ""
    /// Proxies whose word on where a request comes from is taken.
    public var trustedProxies: [AddressRange] = []
    public var corsOrigins: [String] = []
    public var tlsCertificate: String?
    public var tlsKey: String?
    public var logFormat = LogFormat.text
    public var logLevel = "info"
    public var accessLog = true
    /// How long events are kept, in seconds.
    public var eventRetention = 90 * 86_400
    /// How long an export may take, in seconds.
    public var exportTime = 600
    /// How long it is kept who read whose personal data, in seconds.
    public var auditRetention = 365 * 86_400
    /// Addresses that are not public and may be sent webhooks.
    public var webhookExceptions: [AddressRange] = []
    public var webhookAllowHTTP = false
    /// A PEM file of certificates that receivers may be signed by, besides the system's.
    public var webhookCertificates: String?
    /// How long finished deliveries are kept, in seconds.
    public var webhookRetention = 30 * 86_400
    /// After how many seconds a started interview is abandoned; nil for never.
    public var interviewExpiry: Int?
    /// How long a shutdown waits for requests under way, in seconds.
    public var shutdownGrace = 20
    public var isDemo = false
    /// The ready line as JSON.
    public var isJSON = false

    public init() {}

    public static let logLevels = ["debug", "info", "notice", "warning", "error"]

    public enum LogFormat: String, Sendable, CaseIterable { case text, json }

    /// What the variables of the settings are named after `HIREWIRE_`, in the order of the README's table.
    public static let variables = [
        "DATABASE", "HOST", "PORT", "OPERATOR_HOST", "OPERATOR_PORT", "OPERATOR_ALLOW_REMOTE", "PUBLIC_URL",
        "TRUSTED_PROXY", "CORS_ORIGINS", "TLS_CERTIFICATE", "TLS_KEY", "LOG_FORMAT", "LOG_LEVEL", "ACCESS_LOG",
        "EVENT_RETENTION", "EXPORT_TIME", "AUDIT_RETENTION", "WEBHOOK_ALLOW_CIDR", "WEBHOOK_ALLOW_HTTP", "WEBHOOK_CA",
        "WEBHOOK_RETENTION", "INTERVIEW_EXPIRY", "SHUTDOWN_GRACE",
    ]

    /// Takes one setting as text.
    ///
    /// - Throws: ``SettingProblem`` with the setting's name and what would be right.
    public mutating func set(_ name: String, _ value: String, from source: String) throws {
        func wrong(_ right: String) -> SettingProblem {
            SettingProblem("\(source) is '\(value)', but should be \(right)")
        }
        switch name {
        case "DATABASE":
            guard !value.isEmpty else { throw wrong("a file's path") }
            database = value
        case "HOST": host = value
        case "OPERATOR_HOST": operatorHost = value
        case "PORT", "OPERATOR_PORT":
            guard let number = Int(value), (0...65_535).contains(number) else { throw wrong("a port from 0 to 65535") }
            if name == "PORT" { port = number } else { operatorPort = number }
        case "PUBLIC_URL":
            publicURL = try Self.baseURL(value) { wrong("a URL such as https://api.example.com: it \($0)") }
        case "CORS_ORIGINS":
            corsOrigins = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard corsOrigins.allSatisfy({ $0 == "*" || ($0.contains("://") && !$0.hasSuffix("/")) }) else {
                throw wrong("origins such as https://bi.example.com, separated by commas")
            }
        case "TLS_CERTIFICATE", "TLS_KEY":
            guard FileManager.default.isReadableFile(atPath: value) else { throw wrong("a readable PEM file") }
            if name == "TLS_KEY" { tlsKey = value } else { tlsCertificate = value }
        case "LOG_FORMAT":
            guard let format = LogFormat(rawValue: value) else { throw wrong("text or json") }
            logFormat = format
        case "LOG_LEVEL":
            guard Self.logLevels.contains(value) else {
                throw wrong("debug, info, notice, warning or error")
            }
            logLevel = value
        case "ACCESS_LOG":
            guard ["on", "off"].contains(value) else { throw wrong("on or off") }
            accessLog = value == "on"
        case "INTERVIEW_EXPIRY" where value == "off": interviewExpiry = nil
        case "EVENT_RETENTION", "AUDIT_RETENTION", "EXPORT_TIME", "SHUTDOWN_GRACE", "WEBHOOK_RETENTION", "INTERVIEW_EXPIRY":
            guard let seconds = Span(value)?.seconds, seconds > 0 else {
                throw wrong("a time such as 90d, 12h, 30m or 20s\(name == "INTERVIEW_EXPIRY" ? ", or off" : "")")
            }
            switch name {
            case "EVENT_RETENTION": eventRetention = seconds
            case "AUDIT_RETENTION": auditRetention = seconds
            case "EXPORT_TIME": exportTime = seconds
            case "WEBHOOK_RETENTION": webhookRetention = seconds
            case "INTERVIEW_EXPIRY": interviewExpiry = seconds
            default: shutdownGrace = seconds
            }
        case "WEBHOOK_ALLOW_CIDR", "TRUSTED_PROXY":
            do {
                let ranges = try value.split(separator: ",").map { try AddressRange($0.trimmingCharacters(in: .whitespaces)) }
                if name == "TRUSTED_PROXY" { trustedProxies = ranges } else { webhookExceptions = ranges }
            } catch { throw wrong("address ranges such as 10.0.0.0/8 or fd00::/8, separated by commas: \(error)") }
        case "WEBHOOK_ALLOW_HTTP", "OPERATOR_ALLOW_REMOTE":
            guard ["on", "off"].contains(value) else { throw wrong("on or off") }
            if name == "WEBHOOK_ALLOW_HTTP" { webhookAllowHTTP = value == "on" } else { operatorAllowRemote = value == "on" }
        case "WEBHOOK_CA":
            guard FileManager.default.isReadableFile(atPath: value) else { throw wrong("a readable PEM file") }
            webhookCertificates = value
        default: throw SettingProblem("there is no setting '\(name)'")
        }
    }

    /// What links can begin with: no query, and no slash at its end. Empty for none.
    private static func baseURL(_ text: String, wrong: (String) -> SettingProblem) throws -> String {
        guard !text.isEmpty else { return text }
        do { _ = try WebhookURL(text) } catch { throw wrong("\(error)") }
        guard !text.contains("?") else { throw wrong("has a query") }
        return String(text.reversed().drop { $0 == "/" }.reversed())
    }

    /// Reads the environment.
    public mutating func read(environment: [String: String]) throws {
        for name in Self.variables {
            if let value = environment["HIREWIRE_" + name] { try set(name, value, from: "HIREWIRE_" + name) }
        }
    }

    /// Variables that are no setting and look like one, each with what it most likely should be.
    public static func misspelt(in environment: [String: String]) -> [(name: String, meant: String)] {
        let prefix = "HIREWIRE_"
        let known = variables + [SecretBox.variable.dropFirst(prefix.count)].map(String.init)
        return environment.keys.filter { $0.hasPrefix(prefix) && !known.contains(String($0.dropFirst(prefix.count))) }.sorted()
            .compactMap { name in
                Suggestion.closest(to: String(name.dropFirst(prefix.count)), in: known).map { (name, prefix + $0) }
            }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        let loopback = [try? AddressRange("127.0.0.0/8"), try? AddressRange("::1/128")].compactMap(\.self)
        return IPAddress(host).map { address in loopback.contains { $0.contains(address) } } ?? false
    }

    /// What only the settings together can show.
    public func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw SettingProblem("--tls-certificate and --tls-key go together")
        }
        guard operatorAllowRemote || Self.isLoopback(operatorHost) else {
            throw SettingProblem(
                "--operator-host \(operatorHost) can be reached by other machines, and who has the operator's token may do everything there: "
                    + "add --operator-allow-remote if that is what you want")
        }
        guard port == 0 || port != operatorPort || host != operatorHost else {
            throw SettingProblem("--port and --operator-port are both \(port); give them different ones")
        }
    }
}

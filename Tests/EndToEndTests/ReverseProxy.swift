import Foundation
import Testing

/// nginx or Caddy before a server, set up by the very text of `packaging/`: only ports, the host and the certificate's
/// paths are replaced.
final class ReverseProxy: Sendable {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case nginx, caddy
        var testDescription: String { rawValue }
    }

    let port: Int
    let url: String
    private let process: ChildProcess
    private let certificate: String
    private let leash: Leash

    /// - Parameters:
    ///   - port: a free one, known before so that the server can be told its public URL.
    ///   - upstream: the server's public port.
    init(_ kind: Kind, in folder: Folder, port: Int, upstream: Int) throws {
        self.port = port
        url = "https://localhost:\(port)"
        switch kind {
        case .nginx:
            try Self.makeCertificate(folder)
            certificate = folder("cert.pem")
            process = try Self.nginx(folder, port: port, upstream: upstream)
        case .caddy:
            certificate = folder("caddy/pki/authorities/local/root.crt")
            process = try Self.caddy(folder, port: port, upstream: upstream)
        }
        leash = try Leash("kill -TERM \(process.pid)")
        let answers = try poll(seconds: 30, every: 0.1) { try process.exitCode != nil || ask("/healthz").output.hasSuffix(" 200") }
        guard answers, process.exitCode == nil else {
            throw Trouble("\(kind) did not start: \(process.errors) \(try ask("/healthz").errors)")
        }
    }

    deinit {
        process.signal(SIGTERM)
        _ = try? process.wait(seconds: 20)
        leash.cut()
    }

    private static func replace(_ pairs: [(String, String)], in text: String) throws -> String {
        try pairs.reduce(text) { text, pair in
            guard text.contains(pair.0) else { throw Trouble("the example has no '\(pair.0)' any more") }
            return text.replacingOccurrences(of: pair.0, with: pair.1)
        }
    }

    private static func nginx(_ folder: Folder, port: Int, upstream: Int) throws -> ChildProcess {
        let site = try replace(
            [
                ("127.0.0.1:8080", "127.0.0.1:\(upstream)"), ("listen 443", "listen \(port)"), ("listen [::]:443", "listen [::]:\(port)"),
                ("server_name api.example.com", "server_name localhost"),
                ("/etc/letsencrypt/live/api.example.com/fullchain.pem", folder("cert.pem")),
                ("/etc/letsencrypt/live/api.example.com/privkey.pem", folder("key.pem")),
            ], in: try Tools.read("packaging/nginx.conf"))
        try folder.write(site, to: "site.conf")
        // What Debian's own nginx.conf is around a site, without its paths.
        try folder.write(
            """
            daemon off;
            pid \(folder("nginx.pid"));
            \(getuid() == 0 ? "user root;" : "")
            events {}
            http {
                \(["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder("nginx-" + $0));" }.joined(separator: "\n    "))
                gzip on;
                include \(folder("site.conf"));
            }
            """, to: "nginx.conf")
        return try ChildProcess(Tools.path("nginx"), ["-e", "stderr", "-p", folder.path, "-c", folder("nginx.conf")])
    }

    private static func caddy(_ folder: Folder, port: Int, upstream: Int) throws -> ChildProcess {
        let site = try replace(
            [("127.0.0.1:8080", "127.0.0.1:\(upstream)"), ("\napi.example.com {", "\nlocalhost:\(port) {")],
            in: try Tools.read("packaging/Caddyfile"))
        let options = "{\n admin off\n auto_https disable_redirects\n skip_install_trust\n storage file_system \(folder("caddy"))\n}\n"
        try folder.write(options + site, to: "Caddyfile")
        return try ChildProcess(
            Tools.path("caddy"), ["run", "--adapter", "caddyfile", "--config", folder("Caddyfile")], environment: ["HOME": folder.path])
    }

    private static func makeCertificate(_ folder: Folder) throws {
        let made = try Finished(
            ChildProcess(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder("key.pem"), "-out", folder("cert.pem"),
                ]))
        guard made.exitCode == 0 else { throw Trouble("no certificate: \(made.errors)") }
    }

    /// What `curl` needs for a request.
    func arguments(_ target: String, _ options: [String], _ key: String?, from source: String = "127.0.0.1") -> [String] {
        ["-sS", "--max-time", "60", "--cacert", certificate, "--interface", source, "-4"]
            + (key.map { ["-H", "Authorization: Bearer \($0)"] } ?? []) + options + [target.hasPrefix("https://") ? target : url + target]
    }

    private func curl(_ target: String, _ options: [String], key: String?, from source: String) throws -> ChildProcess {
        try ChildProcess("curl", arguments(target, options, key, from: source))
    }

    /// One request with `curl`: its output ends with the version of HTTP and the status.
    func ask(_ target: String, _ options: [String] = [], key: String? = nil, from source: String = "127.0.0.1") throws -> Finished {
        try Finished(curl(target, ["-w", "\n%{http_version} %{http_code}"] + options, key: key, from: source), seconds: 90)
    }

    /// One that takes its time.
    func start(_ target: String, key: String) throws -> ChildProcess {
        try curl(target, ["-w", "\n%{http_version} %{http_code}"], key: key, from: "127.0.0.1")
    }
}

import Foundation

/// A server with TLS, and the clients that ask it: curl, and openssl where the bytes of HTTP/2 are our own.
final class SecureServer: Sendable {
    private static func has(_ program: String) -> Bool {
        (try? Finished(ChildProcess("/bin/sh", ["-c", "command -v \(program)"])).exitCode) == 0
    }
    static let canBeAsked = has("curl") && has("openssl")

    let folder: Folder
    let server: Server

    init(_ arguments: [String] = []) throws {
        folder = try Folder()
        let made = try Finished(
            ChildProcess(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder("key.pem"), "-out",
                    folder("cert.pem"),
                ]))
        guard made.exitCode == 0 else { throw Trouble("no certificate: \(made.errors)") }
        let files = ["--tls-certificate", folder("cert.pem"), "--tls-key", folder("key.pem")]
        server = try Server(folder("secure.db"), arguments + files)
    }

    func address(_ target: String) -> String { "https://localhost:\(server.port)\(target)" }

    /// What curl prints ends with HTTP's version, the status and how many connections it made, for each target.
    func curl(_ arguments: [String], _ targets: String...) throws -> Finished {
        try Finished(curlUnderWay(["--max-time", "30", "-w", "\n%{http_version} %{http_code} %{num_connects}\n"] + arguments, targets))
    }

    func curlUnderWay(_ arguments: [String], _ targets: [String]) throws -> ChildProcess {
        try ChildProcess("curl", ["-sS", "--cacert", folder("cert.pem")] + arguments + targets.map(address))
    }

    /// Sends these bytes by a connection that has agreed on HTTP/2, and stays until the server closes it.
    func send(_ bytes: [UInt8]) throws -> ChildProcess {
        let file = folder(UUID().uuidString)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let client = "exec openssl s_client -quiet -alpn h2 -connect localhost:\(server.port) -CAfile '\(folder("cert.pem"))' < '\(file)'"
        return try ChildProcess("/bin/sh", ["-c", client])
    }

    /// How many sockets the server has open.
    var sockets: Int {
        get throws {
            let folder = "/proc/\(server.process.pid)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix("socket:") == true
            }.count
        }
    }
}

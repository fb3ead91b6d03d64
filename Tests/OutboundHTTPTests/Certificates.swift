import Foundation
import NIOSSL

/// A certificate authority of the tests' own, and servers' certificates, made by `openssl` in a temporary folder.
struct Certificates: Sendable {
    let folder: String
    /// The file that a client is to trust.
    var roots: String { "\(folder)/ca.pem" }

    /// Made once for all tests; nil where there is no `openssl`.
    static let made: Certificates? = {
        let made = try? Certificates()
        atexit { if let made = Certificates.made { try? FileManager.default.removeItem(atPath: made.folder) } }
        return made
    }()

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("outbound-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        func authority(_ name: String) -> String {
            "openssl req -x509 \(key) -days 2 -subj /CN=\(name) -keyout \(name).key -out \(name).pem"
        }
        func server(_ name: String, _ names: String, by authority: String = "ca", days: Int = 2) -> String {
            """
            openssl req \(key) -subj /CN=\(name) -addext subjectAltName=\(names) -keyout \(name).key -out \(name).csr
            openssl x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial -days \(days) \
            -copy_extensions copy -out \(name).pem
            """
        }
        let script = [
            "set -e", "cd '\(folder)'", authority("ca"), authority("stranger"), server("good", "DNS:hook.test,IP:127.0.0.1"),
            server("expired", "DNS:hook.test", days: -1), server("other", "DNS:other.test"),
            server("untrusted", "DNS:hook.test", by: "stranger"),
        ]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script.joined(separator: "\n")]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// What a server of this name presents itself with.
    func server(_ name: String, maximum: TLSVersion? = nil) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile("\(folder)/\(name).pem")
        let key = try NIOSSLPrivateKey(file: "\(folder)/\(name).key", format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: configuration)
    }
}

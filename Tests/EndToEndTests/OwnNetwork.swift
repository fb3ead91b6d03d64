import Foundation
import Synchronization

/// A network that only a test's own processes are in, in which names mean what the test says: see `receivers/network.py`.
/// An address of the internet is this machine's there, so that "a public address" can be reached.
final class OwnNetwork: Sendable {
    static let publicAddress = "93.184.216.34"

    /// Whether this machine lets us make one. Who is not root needs user namespaces.
    static let isPossible = (try? Finished(ChildProcess("unshare", unshared + ["true"])).exitCode) == 0

    private static let isRoot = geteuid() == 0
    private static let unshared = (isRoot ? [] : ["--user", "--map-root-user"]) + ["--mount", "--net", "--"]

    private let process: ChildProcess
    private let input: Int32
    private let orders = Mutex(0)

    init(_ folder: Folder) throws {
        let files = folder("network")
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        let ends = try Pipe.make()
        defer { close(ends.read) }
        input = ends.write
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("receivers/network.py").path
        process = try ChildProcess(
            "unshare", Self.unshared + ["python3", "-u", script, files, Self.publicAddress], input: ends.read)
        let process = process
        _ = poll(seconds: 30) { process.output.contains("\n") || process.exitCode != nil }
        guard process.output.hasPrefix("ready") else { throw Trouble("no network: \(process.errors)") }
    }

    deinit {
        close(input)
        _ = try? process.wait(seconds: 10)
    }

    /// A command that runs a program in this network, with the same process id as without.
    func command(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        let user = Self.isRoot ? [] : ["--user", "--preserve-credentials"]
        return ("nsenter", user + ["--target", "\(process.pid)", "--mount", "--net", "--", program] + arguments)
    }

    /// Says what addresses a name has from now on; nil for a name whose look-up is never answered.
    func set(_ name: String, _ addresses: [String]?) throws {
        let order: [String: Any] = ["name": name, "addresses": addresses ?? NSNull()]
        let line = try JSONSerialization.data(withJSONObject: order) + Data("\n".utf8)
        let number = orders.withLock { orders in
            orders += 1
            _ = line.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            return orders
        }
        let isDone = poll(seconds: 30, every: 0.002) { process.output.split(separator: "\n").count > number }
        guard isDone else { throw Trouble("the network does not obey: \(process.errors)") }
    }
}

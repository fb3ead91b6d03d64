import Foundation
import Testing
import Synchronization

/// What went wrong in a test's own machinery.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A pipe that no other program inherits.
enum Pipe {
    /// Held while a pipe is made and while a program is started, so that none starts between the two calls here.
    static let quiet = Mutex(())

    static func make() throws -> (read: Int32, write: Int32) {
        try quiet.withLock { _ in
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw Trouble("no pipe") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }
}

/// Another program that runs beside the tests. Its pipes are read by threads of their own, so it never stands still.
final class ChildProcess: Sendable {
    private struct State {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var open = 2
        var exitCode: Int32?
    }

    let pid: pid_t
    private let state = Mutex(State())

    /// - Parameter input: the descriptor that becomes its standard input; nothing to read unless given.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], folder: String? = nil, input: Int32? = nil
    ) throws {
        let (output, errors) = (try Pipe.make(), try Pipe.make())
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { for descriptor in [null, output.write, errors.write] { close(descriptor) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input ?? null, 0)
        posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.write, 2)
        let command = (folder.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []) + [path] + arguments
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("HIREWIRE_") }
        let variables = own.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var (words, settings) = (Self.cStrings(command), Self.cStrings(variables))
        defer { for text in words + settings { free(text) } }
        var pid: pid_t = 0
        let failure = Pipe.quiet.withLock { _ in posix_spawnp(&pid, command[0], &actions, nil, &words, &settings) }
        guard failure == 0 else { throw Trouble("\(path) can't be started: \(String(cString: strerror(failure)))") }
        self.pid = pid
        drain(output.read) { $0.output += $1 }
        drain(errors.read) { $0.errors += $1 }
    }

    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { strdup($0) } + [nil] }

    private func drain(_ descriptor: Int32, _ keep: @escaping @Sendable (inout State, ArraySlice<UInt8>) -> Void) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
                state.withLock { keep(&$0, buffer[..<count]) }
            }
            close(descriptor)
            state.withLock { $0.open -= 1 }
        }
    }

    var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
    var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }

    /// Its exit code, or minus the signal that ended it; nil while it runs.
    var exitCode: Int32? {
        state.withLock { state in
            if state.exitCode == nil {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid {
                    state.exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
                }
            }
            return state.exitCode
        }
    }

    func signal(_ signal: Int32) { if exitCode == nil { kill(pid, signal) } }

    /// Waits for its end and for the last of what it said.
    @discardableResult
    func wait(seconds: Double = 60) throws -> Int32 {
        let ended = poll(seconds: seconds) { exitCode != nil && state.withLock { $0.open == 0 } }
        guard ended, let exitCode else {
            signal(SIGKILL)
            throw Trouble("the process did not end in \(seconds) s; it said: \(output) \(errors)")
        }
        return exitCode
    }
}

/// Asks again and again until it is so. Returns whether it was: who asks once the time is over must see it.
func poll(seconds: Double, every pause: Double = 0.01, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
        let isLast = ContinuousClock.now >= deadline
        if try condition() { return true }
        if isLast { return false }
        Thread.sleep(forTimeInterval: pause)
    }
}

/// Does what is limited until it is refused with 429, at most 60 times, and says how often it went through.
///
/// - Parameters:
///   - allowed: how many go through at once; what is refilled meanwhile may go through too.
///   - seconds: how long it takes until one more may.
func isLimited(after allowed: Int, refilledEvery seconds: Double, _ ask: (Int) throws -> Int) rethrows -> (Bool, Comment) {
    let start = ContinuousClock.now
    var statuses: [Int] = []
    while statuses.count < 60, statuses.last != 429 { statuses.append(try ask(statuses.count)) }
    let refilled = Int((ContinuousClock.now - start) / .seconds(seconds))
    let isRight = (allowed...(allowed + refilled)).contains(statuses.count - 1) && statuses.last == 429
    return (isRight && Set(statuses.dropLast()).count == 1, "\(statuses), \(refilled) refilled")
}

/// A program that was run to its end.
struct Finished {
    let exitCode: Int32
    let output: String
    let errors: String

    init(_ process: ChildProcess, seconds: Double = 60) throws {
        exitCode = try process.wait(seconds: seconds)
        output = process.output
        errors = process.errors
    }

    /// Its standard output, a JSON object a line.
    var lines: [JSON] { get throws { try output.split(separator: "\n").map { try JSON(Array($0.utf8)) } } }
}

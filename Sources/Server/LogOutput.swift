import Domain
import Foundation
import HTTPSupport
import Logging
import Synchronization

/// Lines on standard error: text, or one JSON object each. Gathered and written some ten times a second, so that a
/// request does not wait for a terminal or a disk.
public final class LogOutput: Sendable {
    private let format: ServeSettings.LogFormat
    private let time: any TimeSource
    private let pending = Mutex<[UInt8]>([])
    /// Past so many bytes unwritten, the caller writes.
    private static let most = 1 << 18

    public init(_ format: ServeSettings.LogFormat, time: any TimeSource) {
        self.format = format
        self.time = time
    }

    func line(_ level: String, _ message: String, _ members: [JSONValue.Member]) {
        var out = ByteWriter(capacity: 320)
        let now = time.now.description
        switch format {
        case .json:
            let all = [JSONValue.Member("time", .string(now)), .init("level", .string(level)), .init("message", .string(message))] + members
            JSONValue.object(all).write(to: &out)
        case .text:
            out.append(text: "\(now) \(level) \(message)")
            for member in members {
                out.append(text: " \(member.name)=")
                if case .string(let text) = member.value, RequestIDs.isWellFormed(text) || Self.isPlain(text) {
                    out.append(text: text)
                } else {
                    member.value.write(to: &out)
                }
            }
        }
        out.append("\n")
        let full = pending.withLock { pending in
            pending.append(contentsOf: out.bytes)
            return pending.count > Self.most
        }
        if full { flush() }
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
    }

    public func flush() {
        let bytes = pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
        guard !bytes.isEmpty else { return }
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = write(2, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                // Nobody reads the log any more: it is dropped, the service goes on.
                if written <= 0 { return }
                rest = rest.dropFirst(written)
            }
        }
    }
}

/// swift-log over ``LogOutput``.
struct LineLogHandler: LogHandler {
    let output: LogOutput
    let label: String
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        output.line(event.level.rawValue, "\(event.message)", all.map { .init($0.key, .string("\($0.value)")) })
    }
}

/// The access log and the request metrics.
final class AccessObserver: AccessObserving {
    let metrics = RequestMetrics()
    private let output: LogOutput
    private let logsRequests: Bool

    init(output: LogOutput, logsRequests: Bool) {
        self.output = output
        self.logsRequests = logsRequests
    }

    func finished(_ record: AccessRecord) {
        metrics.record(route: record.answer.route, status: record.answer.status, nanoseconds: record.nanoseconds)
        let failed = record.answer.cause != nil
        guard logsRequests || failed else { return }
        // A path that is none of ours could hold anything, so it is not repeated.
        let path = record.answer.route == "-" ? "-" : record.path
        var members: [JSONValue.Member] = [
            .init("method", .string(record.method)), .init("path", .string(path)), .init("route", .string(record.answer.route)),
            .init("status", .number(String(record.answer.status))), .init("microseconds", .number(String(record.nanoseconds / 1_000))),
            .init("bytes", .number(String(record.bytes))), .init("client", .string(record.client.text)),
            .init("request_id", .string(record.requestID)),
        ]
        if let keyID = record.answer.keyID { members.append(.init("key_id", .string(keyID))) }
        if let cause = record.answer.cause { members.append(.init("cause", .string(cause))) }
        output.line(failed ? "error" : "info", "request", members)
    }
}

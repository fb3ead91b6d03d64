import Domain
import Foundation
import HTTPSupport
import Glibc
import Logging
import Synchronization

/// Lines on standard error: text, or one JSON object each. Gathered and written some ten times a second, so that a
/// request does not wait for a terminal or a disk; in the order of their times, whichever threads they come from.
public final class LogOutput: Sendable {
    private let format: ServeSettings.LogFormat
    private let time: any TimeSource
    private let pending = ThreadShards<[UInt8]> { [] }
    /// One writes at a time.
    private let writing = Mutex<Void>(())
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
            let all =
                [JSONValue.Member("time", .string(now)), .init("level", .string(level)), .init("message", .string(message))] + members
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
        append(out)
    }

    private func append(_ out: borrowing ByteWriter) {
        let full = pending.withLock { pending in
            pending.append(contentsOf: out.bytes)
            return pending.count > Self.most
        }
        if full { flush() }
    }

    /// A request's line, written without a detour: it is made for every one.
    func request(_ record: AccessRecord, path: String, level: Logger.Level) {
        var out = ByteWriter(capacity: 512)
        let isJSON = format == .json
        func name(_ name: StaticString, _ out: inout ByteWriter) {
            out.append(isJSON ? ",\"" : " ")
            out.append(name)
            out.append(isJSON ? "\":" : "=")
        }
        func text(_ label: StaticString, _ value: String, _ out: inout ByteWriter) {
            name(label, &out)
            if isJSON || !Self.isPlain(value) { out.append(quoted: value) } else { out.append(text: value) }
        }
        func number(_ label: StaticString, _ value: Int64, _ out: inout ByteWriter) {
            name(label, &out)
            out.append(integer: value)
        }
        if isJSON { out.append("{\"time\":") }
        if isJSON { out.append(time: time.now) } else { out.append(text: time.now.description) }
        out.append(isJSON ? ",\"level\":\"" : " ")
        out.append(text: level.rawValue)
        out.append(isJSON ? "\",\"message\":\"request\"" : " request")
        text("method", record.method, &out)
        text("path", path, &out)
        text("route", record.answer.route, &out)
        number("status", Int64(record.answer.status), &out)
        number("microseconds", record.nanoseconds / 1_000, &out)
        number("bytes", Int64(record.bytes), &out)
        text("client", record.client.text, &out)
        text("request_id", record.requestID, &out)
        if let keyID = record.answer.keyID { text("key_id", keyID, &out) }
        if let export = record.answer.export {
            number("rows", Int64(export.rows), &out)
            text("export", export.outcome.rawValue, &out)
        }
        if let cause = record.answer.cause { text("cause", cause, &out) }
        out.append(isJSON ? "}\n" : "\n")
        append(out)
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
    }

    public func flush() {
        writing.withLock { _ in
            var taken: [[UInt8]] = []
            pending.forEach { pending in
                if pending.isEmpty { return }
                taken.append(pending)
                pending = []
            }
            Self.write(Self.merge(taken))
        }
    }

    /// The lines of all in the order of their times, which each has in the same place; those of one are in it already.
    static func merge(_ parts: [[UInt8]]) -> [UInt8] {
        guard parts.count > 1 else { return parts.first ?? [] }
        var lines = parts.map { $0.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)[...] }
        var merged: [UInt8] = []
        merged.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        while let next = lines.indices.min(by: { precedes(lines[$0].first, lines[$1].first) }), let line = lines[next].popFirst() {
            merged.append(contentsOf: line)
            merged.append(UInt8(ascii: "\n"))
        }
        return merged
    }

    /// As long as a time and what stands before it in JSON.
    private static let stamp = #"{"time":"2026-01-01T00:00:00.000000Z"#.utf8.count

    private static func precedes(_ one: ArraySlice<UInt8>?, _ other: ArraySlice<UInt8>?) -> Bool {
        guard let one, let other else { return one != nil }
        return one.prefix(stamp).lexicographicallyPrecedes(other.prefix(stamp))
    }

    private static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = Glibc.write(2, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
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
final class AccessObserver: AccessObserving, ActionObserving {
    let metrics = RequestMetrics()
    let exports = ExportMetrics()
    private let output: LogOutput
    private let logsRequests: Bool
    private let logsActions: Bool

    init(output: LogOutput, logsRequests: Bool, logsActions: Bool) {
        self.output = output
        self.logsActions = logsActions
        self.logsRequests = logsRequests
    }

    func finished(_ record: AccessRecord) {
        if !record.isPage { metrics.record(route: record.answer.route, status: record.answer.status, nanoseconds: record.nanoseconds) }
        if let export = record.answer.export { exports.record(export) }
        let level = Self.level(record.answer)
        guard logsRequests || level > .info else { return }
        output.request(record, path: Self.shown(record.path, route: record.answer.route), level: level)
    }

    /// A cause is a fault of ours, but for what becomes of exports.
    private static func level(_ answer: Answer) -> Logger.Level {
        guard answer.cause != nil else { return .info }
        return switch answer.export?.outcome {
        case .cut: .warning
        case .left: .info
        case .whole, nil: .error
        }
    }

    func did(_ action: OperatorAction) {
        guard logsActions else { return }
        var members: [JSONValue.Member] = [.init("action", .string(action.name)), .init("by", .string(action.actor))]
        if let organization = action.organization { members.append(.init("organization", .string(organization))) }
        if let subject = action.subject { members.append(.init("id", .string(subject))) }
        members += [.init("client", .string(action.client.text)), .init("request_id", .string(action.requestID))]
        output.line("notice", "operator action", members)
    }

    /// A path that is none of ours could hold anything, and so could what stands for an id and is none, such as an e-mail
    /// address: then the route's pattern says enough.
    static func shown(_ path: String, route: String) -> String {
        guard route.utf8.contains(UInt8(ascii: "{")) else { return route == "-" ? "-" : path }
        let (parts, pattern) = (path.split(separator: "/"), route.split(separator: "/"))
        let isKnown = parts.count == pattern.count && zip(parts, pattern).allSatisfy { $0 == $1 || ($1.hasPrefix("{") && isID($0)) }
        return isKnown ? path : route
    }

    private static func isID(_ text: Substring) -> Bool {
        guard let mark = text.firstIndex(of: "_") else { return false }
        return ULID(text: text, prefix: String(text[..<mark])) != nil && text[..<mark].count <= 5
    }
}

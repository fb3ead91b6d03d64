import Crypto
import Domain
import Foundation
import HTTPSupport
import Hummingbird
import Synchronization

/// A résumé's file, on its way from the connection to the store by way of a file: it is never in memory as a whole.
extension PushAPI {
    func putResume(_ name: RecordName, for call: PushCall) async throws -> Answer {
        let precondition = try call.precondition()
        guard let type = MediaType(call.request.headers[.contentType] ?? "")?.name, let form = ResumeForm.all[type] else {
            throw Problem(
                .unsupportedMediaType, "A résumé is one of \(ResumeForm.all.keys.sorted().joined(separator: ", ")).",
                headers: [("Accept", ResumeForm.all.keys.sorted().joined(separator: ", "))])
        }
        let fileName = try Self.fileName(call)
        let spool = try await call.readBody(into: SpoolFile()) { try $0.append($1) }
        guard spool.count > 0 else { throw Problem(.invalidRecord, "The body is empty; a résumé has at least a byte.") }
        guard form.fits(spool.head) else {
            throw Problem(.unsupportedMediaType, "The body does not begin as \(type) does; send it as what it is.")
        }
        return try await commit(call, digest: spool.digest()) { writer, organization in
            let record = try writer.living(name, of: .candidate, precondition, in: organization)
            let schema = RecordKind.candidate.schema
            var input = RecordInput(kind: .candidate)
            input.resume = .init(spool)
            input.values[schema.position("resume.media_type")] = .text(type)
            input.values[schema.position("resume.size")] = .integer(Int64(spool.count))
            input.values[schema.position("resume.file_name")] = fileName.map(FieldValue.text) ?? .null
            // A text was read out of the file that was there.
            if try !writer.hasResume(spool, of: record) { input.values[schema.position("resume.text")] = .null }
            guard let outcome = try writer.change(record.recordID, by: input, in: organization, options: ChangeOptions())
            else { throw Problem.notFound }
            return ChangeAnswer(outcome, for: call.caller)
        }
    }

    /// From the parameter, or else from `Content-Disposition` (RFC 6266); a path in it is left out.
    private static func fileName(_ call: PushCall) throws -> String? {
        let given = call.parameters["file_name"] ?? disposition(call.request.headers[.contentDisposition] ?? "")
        guard let last = given?.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last else { return nil }
        guard last.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }), last.count <= 255 else {
            throw Problem(.invalid("file_name", message: "is at most 255 characters on one line"))
        }
        return String(last)
    }

    private static func disposition(_ field: String) -> String? {
        var plain: String?
        for parameter in parameters(field) {
            switch parameter.name {
            case "filename*" where parameter.value.lowercased().hasPrefix("utf-8''"):
                if let decoded = String(parameter.value.dropFirst(7)).removingPercentEncoding { return decoded }
            case "filename": plain = parameter.value
            default: break
            }
        }
        return plain
    }

    /// A field's parameters behind its first word (RFC 9110, 5.6.6), what is quoted without its quotes.
    private static func parameters(_ field: String) -> [(name: String, value: String)] {
        var parts = [""]
        var (isQuoted, isEscaped) = (false, false)
        for character in field {
            switch character {
            case _ where isEscaped:
                parts[parts.count - 1].append(character)
                isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case ";" where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(character)
            }
        }
        return parts.dropFirst().compactMap { part in
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            return pair.count == 2 ? (pair[0].lowercased(), pair[1]) : nil
        }
    }
}

/// What a résumé may be, and how such a file begins. No type that a browser would run.
struct ResumeForm: Sendable {
    private let signatures: [[UInt8]]

    func fits(_ head: [UInt8]) -> Bool { signatures.isEmpty ? !head.contains(0) : signatures.contains { head.starts(with: $0) } }

    private static let zip = ResumeForm(signatures: [[0x50, 0x4B, 0x03, 0x04]])
    private static let compound = ResumeForm(signatures: [[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]])
    private static let rich = ResumeForm(signatures: [Array("{\\rtf".utf8)])
    private static let plain = ResumeForm(signatures: [])

    static let all: [String: ResumeForm] = [
        "application/pdf": ResumeForm(signatures: [Array("%PDF-".utf8)]),
        "application/msword": compound,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": zip,
        "application/vnd.oasis.opendocument.text": zip,
        "application/rtf": rich, "text/rtf": rich,
        "text/plain": plain, "text/markdown": plain,
        "image/jpeg": ResumeForm(signatures: [[0xFF, 0xD8, 0xFF]]),
        "image/png": ResumeForm(signatures: [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]]),
    ]
}

/// A file without a name: it is gone with its last user, however the process ends.
final class SpoolFile: ByteSource {
    private let descriptor: Int32
    private struct State {
        var count = 0
        var head: [UInt8] = []
        var hash = SHA256()
    }
    private let state = Mutex(State())

    init() throws {
        var path = Array((NSTemporaryDirectory() + "/hirewire-XXXXXX").utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw StoreError.unavailable("no temporary file can be made: errno \(errno)") }
        unlink(path)
    }

    deinit { close(descriptor) }

    var count: Int { state.withLock { $0.count } }
    /// The first bytes.
    var head: [UInt8] { state.withLock { $0.head } }
    func digest() -> SHA256.Digest { state.withLock { $0.hash.finalize() } }

    func append(_ part: ByteBuffer) throws {
        try part.withUnsafeReadableBytes { bytes in
            try state.withLock { state in
                var done = 0
                while done < bytes.count {
                    let written = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { throw StoreError.unavailable("a temporary file can't be written: errno \(errno)") }
                    done += written
                }
                if state.head.count < 1_024 { state.head += bytes.prefix(1_024 - state.head.count) }
                state.hash.update(bufferPointer: bytes)
                state.count += bytes.count
            }
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            guard count > 0 else { throw StoreError.unavailable("a temporary file can't be read: errno \(errno)") }
            done += count
        }
    }
}

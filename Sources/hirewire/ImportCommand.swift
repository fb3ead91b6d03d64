import ArgumentParser
import Dispatch
import Domain
import Foundation
import Importing
import SQLiteStorage
import Scheduling
import Synchronization

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load records from CSV, NDJSON or JSON; again for what changed.",
        discussion: """
            Records are matched by external_id: new ones are created, changed ones
            updated, equal ones left alone. A row that can't be taken goes to the rejects
            file with its line and reason; the others go on, and the exit code is 1.

            Fields have their own names; relations are candidate_id or
            candidate_external_id, and so on; lists in a CSV cell are separated by ';';
            times are RFC 3339. A mapping loads any other export: see README.

              hirewire import jobs jobs.csv
              hirewire import candidates export.json --mapping ats.json
              zcat people.ndjson.gz | hirewire import candidates - --format ndjson
            """)
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Argument(help: "The kind of record.") var kind: RecordKind
    @Argument(help: "The file, or - for standard input.", completion: .records) var file: String
    @Option(help: "A JSON file that says which column becomes which field.", completion: .file(extensions: ["json"])) var mapping: String?
    @Option(help: "csv, ndjson or json; by the file's name unless given.", completion: .recordFormats) var format: String?
    @Flag(help: "Try everything, keep nothing.") var dryRun = false
    @Flag(help: "No events: what comes is history.") var noEvents = false
    @Option(help: "Where rows go that can't be taken; KIND.rejects.ndjson unless given.", completion: .file()) var rejects: String?

    func run() throws {
        hirewire_prefer_long_turns()
        let format = try chosenFormat()
        let mapping = try readMapping()
        let input = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
        guard let input else { throw Failure("'\(file)' can't be read") }
        let descriptor = input.fileDescriptor
        // The pieces that are asked for are enough. The system would read megabytes ahead, at once, and whoever else reads from
        // the disk would wait for them.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
        try checkRejects()
        let database = try common.open(create: true)
        // Now that all of the database's files are there.
        try checkRejects()
        try database.expectMuch()
        let organization = try place.find(in: database)
        let reader: RecordReader
        do {
            reader = try RecordReader(kind: kind, format: format, mapping: mapping) { buffer in
                while true {
                    let count = read(descriptor, buffer.baseAddress, buffer.count)
                    if count >= 0 { return count }
                    if errno != EINTR { throw Failure("'\(file)' can't be read: \(String(cString: strerror(errno)))") }
                }
            }
        } catch let error as ImportFileError { throw Failure("\(file): \(error)") }
        try load(reader, database, organization)
        withExtendedLifetime(input) {}
    }

    /// Rejected rows are written over nothing that is needed.
    private func checkRejects() throws {
        let kept =
            [(file, "it would be written over")] + [mapping].compactMap(\.self).map { ($0, "is the mapping") }
            + ["", "-wal", "-shm", "-key", ".lock"].map { (common.path + $0, "is the database's") }
        for (file, what) in kept where RejectsFile.isSame(as: file, rejects ?? RejectsFile.name(for: kind)) {
            throw Failure("'\(file)' is where the rejected rows would go, and \(what); give another place with --rejects")
        }
    }

    private func load(_ reader: RecordReader, _ database: Database, _ organization: Organization) throws {
        let interrupt = Interrupt()
        var options = ImportRun.Options()
        options.isHistory = noEvents
        options.isDryRun = dryRun
        let run = ImportRun(reader, into: database, seen: try SeenIndex(keepsInputs: dryRun), organization: organization, options: options)
        let bar = ProgressBar(size: size)
        let sink = RejectsFile(path: rejects ?? RejectsFile.name(for: kind))
        let summary = run.run(isStopped: interrupt.hasHappened, progress: bar.show, reject: sink.write)
        bar.finish()
        sink.close()
        let failure = summary.failure.map(explain)
        report(summary, failure, sink)
        if summary.unnamed > 0, !dryRun {
            Terminal.note("\(summary.unnamed) of the created have no external_id, so the same file would create them again: give them one")
        }
        if let failure {
            let taken = summary.rows - summary.rejected
            let kept = dryRun || taken == 0 ? "nothing was kept" : "what came before it is stored"
            throw Failure("\(failure); \(kept)")
        }
        if summary.rejected == 0, FileManager.default.fileExists(atPath: sink.path) {
            Terminal.note("\(sink.path) is an earlier import's: this one rejected no row")
        }
        if summary.wasStopped { throw ExitCode(130) }
        if summary.rejected > 0 { throw ExitCode(1) }
    }

    private func explain(_ error: any Error) -> String {
        switch error {
        case let error as ImportFileError: "\(file): \(error)"
        case let failure as Failure: failure.description
        default: String(describing: error)
        }
    }

    private var size: Int? {
        file == "-" ? nil : (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? nil
    }

    private func chosenFormat() throws -> FileFormat {
        if let format {
            guard let known = FileFormat(rawValue: format) else { throw ValidationError("--format is csv, ndjson or json") }
            return known
        }
        guard let known = FileFormat(fileName: file) else {
            throw ValidationError("say what '\(file)' is: --format csv, ndjson or json")
        }
        return known
    }

    private func readMapping() throws -> Mapping? {
        guard let mapping else { return nil }
        guard let data = FileManager.default.contents(atPath: mapping) else { throw Failure("the mapping '\(mapping)' can't be read") }
        do {
            let json = try data.withUnsafeBytes { try JSONParser.parse($0.bindMemory(to: UInt8.self)) }
            return try Mapping(json: json, kind: kind)
        } catch let error as JSONError {
            throw Failure("the mapping '\(mapping)' is not JSON: \(error)")
        } catch let faults as InputFaults {
            throw Failure("the mapping '\(mapping)': \(faults)")
        }
    }

    private func report(_ summary: ImportSummary, _ failure: String?, _ sink: RejectsFile) {
        if common.isJSON {
            return Output.json([
                .init("created", .number(String(summary.created))), .init("updated", .number(String(summary.updated))),
                .init("unchanged", .number(String(summary.unchanged))), .init("rejected", .number(String(summary.rejected))),
                .init("rejects_file", summary.rejected > 0 ? .string(sink.path) : .null), .init("dry_run", .bool(dryRun)),
                .init("without_external_id", .number(String(summary.unnamed))), .init("stopped", .bool(summary.wasStopped)),
                .init("error", failure.map(JSONValue.string) ?? .null),
            ])
        }
        let end = dryRun ? " (dry run: nothing was kept)" : ""
        print(
            "\(kind.plural): \(summary.created) created, \(summary.updated) updated, \(summary.unchanged) unchanged, \(summary.rejected) rejected\(end)"
        )
        if summary.wasStopped { print("stopped before the end; the same command goes on from there") }
        if summary.rejected > 0 { print("the rejected rows and why: \(sink.path)") }
    }
}

/// Ctrl-C once: the batch under way is finished and the import ends. Twice: the process does.
final class Interrupt {
    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    private let flag = Flag()
    private let source: any DispatchSourceSignal

    init() {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [flag] in
            if flag.value.exchange(true, ordering: .relaxed) { exit(130) }
        }
        source.resume()
    }

    /// To be asked from any thread.
    var hasHappened: @Sendable () -> Bool { { [flag] in flag.value.load(ordering: .relaxed) } }
}

/// A bar on a terminal; nothing elsewhere.
final class ProgressBar {
    private let size: Int?
    private let isTerminal = isatty(2) == 1
    private let start = Date()
    private var last = Date.distantPast

    init(size: Int?) { self.size = size }

    func show(_ summary: ImportSummary, _ bytes: Int) {
        guard isTerminal, Date().timeIntervalSince(last) > 0.1 else { return }
        last = Date()
        let seconds = max(last.timeIntervalSince(start), 0.001)
        var line = "\(summary.rows) rows, \(Int(Double(summary.rows) / seconds))/s"
        if let size, size > 0 {
            let share = min(1, Double(bytes) / Double(size))
            let filled = Int(share * 30)
            let left = share > 0.01 ? ", \(Int(seconds / share * (1 - share)) + 1) s left" : ""
            line =
                "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] \(Int(share * 100)) %  "
                + line + left
        }
        Stream.write("\r\u{1B}[K\(line)", to: 2)
    }

    func finish() {
        if isTerminal { Stream.write("\r\u{1B}[K", to: 2) }
    }
}

/// The rows that were not taken, one JSON object a line: `line`, `reason`, `row`, and `row_base64` where the row's bytes are
/// no UTF-8. Made at the first of them, readable by
/// its owner alone, for it may hold personal data.
final class RejectsFile {
    let path: String
    private var handle: FileHandle?

    init(path: String) { self.path = path }

    static func name(for kind: RecordKind) -> String { "\(kind.plural).rejects.ndjson" }

    /// Whether two paths lead to one file that is there.
    static func isSame(as file: String, _ path: String) -> Bool {
        var (one, other) = (stat(), stat())
        return file != "-" && stat(file, &one) == 0 && stat(path, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino
            && one.st_mode & S_IFMT == S_IFREG
    }

    func write(_ rejection: Rejection) throws {
        if handle == nil {
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
                let opened = FileHandle(forWritingAtPath: path)
            else { throw Failure("the rejects file '\(path)' can't be written; give another with --rejects") }
            handle = opened
        }
        let text = String(decoding: rejection.raw, as: UTF8.self)
        let isText = text.utf8.elementsEqual(rejection.raw)
        let value = JSONValue.object(
            [
                .init("line", .number(String(rejection.line))), .init("reason", .string(rejection.reason)), .init("row", .string(text)),
            ] + (isText ? [] : [.init("row_base64", .string(Data(rejection.raw).base64EncodedString()))]))
        try handle?.write(contentsOf: Data((value.text + "\n").utf8))
    }

    func close() { try? handle?.close() }
}

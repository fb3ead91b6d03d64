import ArgumentParser
import Domain
import Foundation
import SQLiteStorage

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a consistent copy, also while serving.",
        discussion: """
            For example: hirewire backup /mnt/copies/hirewire-$(date +%F).db

            Once webhooks have secrets, their key file (beside the database) must be kept
            too: without it they can't be read.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The file to write; it must not exist.", completion: .file()) var file: String

    func run() throws {
        try Maintenance.backup(common.path, to: file)
        let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int64) ?? 0
        if common.isJSON {
            let key = common.path + "-key"
            let hasKey = FileManager.default.fileExists(atPath: key)
            Output.json([
                .init("file", .string(file)), .init("bytes", .number(String(size))), .init("key_file", hasKey ? .string(key) : .null),
            ])
        } else {
            print("wrote \(file), \(size) bytes")
            print("The secrets' key file, if there is one (\(common.path)-key), is no part of it: keep that too, elsewhere.")
        }
    }
}

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a copy and put it in place; refused while serving.",
        discussion: """
            The database that was there is kept beside it under another name. It says
            so where the secrets of the copy's webhooks can't be opened with the key
            that is here: put back the key file that was kept with the copy.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The copy.", completion: .file()) var file: String

    func run() throws {
        try Maintenance.requireReadable(file)
        let lock = try ServeLock(database: common.path)
        let kept = try Maintenance.restore(file, to: common.path)
        let database = try common.open()
        let hasSecrets = try database.hasSecrets()
        // The key file is no part of a copy: the one beside the database may be another's.
        let fault = hasSecrets ? try EndpointSecrets.fault(in: database) : nil
        withExtendedLifetime(lock) {}
        if common.isJSON {
            Output.json([
                .init("restored", .string(common.path)), .init("kept", kept.map(JSONValue.string) ?? .null),
                .init("secrets_readable", hasSecrets ? .bool(fault == nil) : .null),
            ])
        } else {
            print("restored \(common.path)\(kept.map { "; what was there is now \($0)" } ?? "")")
        }
        if let fault { Terminal.note("the webhooks' secrets can't be read yet: \(fault)") }
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open the database read-only and report its health.")
    @OptionGroup var common: Common

    func run() throws {
        let report: HealthReport
        do { report = try Maintenance.check(common.path) } catch let problem as DatabaseProblem {
            if common.isJSON { Self.show(problem) }
            throw problem
        }
        if common.isJSON {
            Output.json([
                .init("healthy", .bool(report.isSound)), .init("schema_version", .number(String(report.schemaVersion))),
                .init("newest_schema", .bool(report.isNewest)), .init("problems", .array(report.problems.map(JSONValue.string))),
                .init("records", .object(report.counts.map { .init($0.kind.plural, .number(String($0.records))) })),
                .init("events", .number(String(report.events))), .init("bytes", .number(String(report.size))),
            ])
        } else {
            let isOlder = !report.isNewest && !report.isUnknown
            let age = isOlder ? " (older than this program; the next command that writes brings it up to date)" : ""
            print("\(common.path): \(report.isSound ? "healthy" : "NOT healthy"), schema version \(report.schemaVersion)\(age)")
            for problem in report.problems { print("  \(problem)") }
            Output.table(report.counts.map { ["  " + $0.kind.plural, String($0.records)] } + [["  events", String(report.events)]])
        }
        if !report.isSound { throw ExitCode(1) }
    }

    /// The report of what can't even be examined.
    private static func show(_ problem: DatabaseProblem) {
        Output.json([
            .init("healthy", .bool(false)), .init("schema_version", .null), .init("newest_schema", .null),
            .init("problems", .array([.string(problem.description)])), .init("records", .null), .init("events", .null),
            .init("bytes", .null),
        ])
    }
}

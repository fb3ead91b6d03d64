import ArgumentParser
import Domain
import Foundation
import SQLiteStorage
import Server
import Webhooks

@main
struct Hirewire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hirewire",
        abstract: "Read access to a company's recruiting data for every tool, and word of every change.",
        discussion: """
            Start with `hirewire serve --demo`: it loads an invented company, prints a key
            and a curl line that works.

            With your own data:
              hirewire import candidates candidates.csv
              hirewire keys create --name dashboard
              hirewire serve

            Commands take --database FILE and work while `serve` runs on that file; only
            `restore` waits for its end.
            """,
        version: HirewireServer.version,
        subcommands: [
            Serve.self, Import.self, Organizations.self, Keys.self, WebhookCommands.self, EventFeed.self, Listen.self, SetFields.self,
            Delete.self, Erase.self, OperatorTokenCommand.self, Audit.self, Backup.self, Restore.self, Check.self, Completions.self,
        ])

    /// Bad usage exits with 2, a failure with 1, each with one message on standard error.
    static func main() async {
        var kind: any ParsableCommand.Type = Self.self
        do {
            var command = try parseAsRoot()
            kind = type(of: command)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            finish(error, of: kind)
        }
    }

    /// - Parameter kind: the command whose usage is shown.
    private static func finish(_ error: any Error, of kind: any ParsableCommand.Type) -> Never {
        let words = CommandWords(CommandLine.arguments.dropFirst(), of: self)
        switch error {
        case is CleanExit: exit(withError: error)
        case let code as ExitCode: Foundation.exit(code.rawValue)
        case let failure as Failure: report(failure.description, code: 1)
        case let problem as DatabaseProblem: report(problem.description, code: 1)
        case let problem as SettingProblem: report(problem.description, code: 2)
        case let problem as ListenProblem: report(problem.description, code: 1)
        case let faults as InputFaults: report(faults.description, code: 1)
        case let refused as NotInPlan: report(refused.description, code: 1)
        case let error as StoreError: report("\(error)", code: 1)
        case let fault as ValidationError: report("\(fault.message)\n\(words.hint)", code: 2)
        default:
            guard exitCode(for: error) == .validationFailure else {
                if exitCode(for: error) == .success { exit(withError: error) }
                report("\(error)", code: 1)
            }
            if let stray = words.stray { report("\(stray)\n\(words.hint)", code: 2) }
            Stream.write(kind.fullMessage(for: error) + "\n", to: 2)
            Foundation.exit(2)
        }
    }

    private static func report(_ message: String, code: Int32) -> Never {
        Stream.write("hirewire: \(message)\n", to: 2)
        Foundation.exit(code)
    }
}

/// The words of a command line that name the command.
struct CommandWords {
    /// Where its help is.
    let hint: String
    /// What is wrong with the word that should name a command and names none; nil where none does.
    let stray: String?

    init(_ arguments: some Sequence<String>, of root: any ParsableCommand.Type) {
        var (kind, names, stray) = (root, [root._commandName], String?.none)
        for word in arguments {
            let known = kind.configuration.subcommands
            guard !known.isEmpty, !word.hasPrefix("-"), word != "help" else { break }
            guard let next = known.first(where: { $0._commandName == word }) else {
                let path = names.joined(separator: " ")
                stray = "there is no command '\(path) \(word)'\(Suggestion.text(for: word, in: known.map { $0._commandName }))"
                break
            }
            kind = next
            names.append(word)
        }
        hint = "See `\(names.joined(separator: " ")) --help`."
        self.stray = stray
    }
}

/// A failure in words for the one who typed the command.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What every command takes.
struct Common: ParsableArguments {
    @Option(
        help: ArgumentHelp("The database file (default: that of HIREWIRE_DATABASE, else hirewire.db).", valueName: "file"),
        completion: .file())
    var database: String?

    @Flag(name: .customLong("json"), help: "Print JSON, one object a line, for programs.")
    var isJSON = false

    var path: String { database ?? ProcessInfo.processInfo.environment["HIREWIRE_DATABASE"] ?? "hirewire.db" }

    /// Opened so that what a command changes is owed to the webhooks too.
    func open(create: Bool = false) throws -> Database {
        try Database(path: path, create: create, rendering: DialectRendering())
    }
}

/// The organization that a command is about.
struct InOrganization: ParsableArguments {
    @Option(help: ArgumentHelp("The organization.", valueName: "name"))
    var organization = "default"

    func find(in database: Database) throws -> Organization { try Self.find(organization, in: database) }

    static func find(_ name: String, in database: Database) throws -> Organization {
        guard let found = try database.organization(named: name) else {
            let names = try database.organizations().map(\.name)
            throw Failure(
                "there is no organization '\(name)'\(Suggestion.text(for: name, in: names)); `hirewire organizations list` shows them")
        }
        return found
    }
}

/// Prints an object as JSON or a few aligned lines.
enum Output {
    static func json(_ members: [JSONValue.Member]) { print(JSONValue.object(members).text) }

    static func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.description) } ?? .null }

    /// Columns as wide as their widest cell.
    static func table(_ rows: [[String]]) {
        guard let first = rows.first else { return }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            print(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }
}

extension RecordKind: ExpressibleByArgument {
    public init?(argument: String) { self.init(word: argument) }
    public static var allValueStrings: [String] { allCases.map(\.plural) }
}

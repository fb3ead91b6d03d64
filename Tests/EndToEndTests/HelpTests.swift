import Foundation
import Testing

/// What the program says to those who ask how it is used, or use it wrongly.
@Suite struct HelpTests {
    /// Every command that there is, found as a reader finds it: in the help of the one above it.
    private static func commands(below words: [String] = []) throws -> [[String]] {
        let help = try Program.run(words + ["--help"]).output
        guard let list = help.range(of: "SUBCOMMANDS:\n") else { return [words] }
        let names = help[list.upperBound...].matches(of: #/(?m)^  ([a-z-]+) +\w/#).map { String($0.1) }
        return try [words] + names.flatMap { try commands(below: words + [$0]) }
    }

    @Test func everyHelpFitsAPageAndIsNotBrokenInTheMiddleOfALine() throws {
        let commands = try Self.commands()
        #expect(commands.count > 30)
        for command in commands {
            // Wide enough for no line to be broken that stands on a line of its own in the text.
            let help = try Program.run(command + ["--help"], environment: ["COLUMNS": "200"])
            let overview = help.output.components(separatedBy: "\nUSAGE:")[0].split(separator: "\n").dropFirst()
            #expect(help.exitCode == 0)
            #expect(!overview.contains { $0.count > 80 }, "\(command): \(overview.max { $0.count < $1.count } ?? "")")
            let lines = try Program.run(command + ["--help"]).output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 85, "\(command): \(lines.count) lines")
        }
    }

    @Test(arguments: [
        (["sreve"], "there is no command 'hirewire sreve'; did you mean 'serve'?", "`hirewire --help`"),
        (["keys", "craete", "--name", "x"], "no command 'hirewire keys craete'; did you mean 'create'?", "`hirewire keys --help`"),
        (["frobnicate"], "there is no command 'hirewire frobnicate'\n", "`hirewire --help`"),
        (["keys", "create", "--name", "x", "--scope", "write"], "--scope knows no 'write'", "`hirewire keys create --help`"),
        (["audit", "--since", "yesterday"], "--since is a time such as", "`hirewire audit --help`"),
        (["webhooks", "show", "ep_x"], "see `webhooks list`", "'hirewire webhooks show --help'"),
        (["serve", "--prot", "1"], "Did you mean '--port'?", "'hirewire serve --help'"),
        (["serve", "extra"], "Unexpected argument 'extra'", "'hirewire serve --help'"),
    ])
    func wrongUseIsToldWhatWouldBeRight(_ words: [String], _ message: String, _ help: String) throws {
        let folder = try Folder()
        let done = try Program.run(words, folder: folder.path)
        #expect(done.exitCode == 2 && done.output.isEmpty)
        #expect(done.errors.contains(message) && done.errors.contains(help), "\(done.errors)")
    }

    @Test func aBackupIntoNoFolderNamesIt() throws {
        let shared = try SharedServer.running
        let done = try Program.run(["backup", "/nowhere/copy.db", "--database", shared.server.database])
        #expect(done.exitCode == 1 && done.errors == "hirewire: the folder '/nowhere' does not exist\n")
    }

    @Test func aFullDiskUnderItsMessagesIsNoCrash() throws {
        let folder = try Folder()
        let script = "'\(Program.path)' keys list --database '\(folder("none.db"))' 2>/dev/full"
        #expect(try Finished(ChildProcess("/bin/sh", ["-c", script])).exitCode == 1)
    }
}

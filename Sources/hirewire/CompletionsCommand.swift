import ArgumentParser
import Domain
import Importing
import Server

/// What a shell needs to complete our command lines.
struct Completions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a shell needs to complete hirewire's commands, options and values.",
        discussion: """
            bash, for everybody; or for yourself, with the package bash-completion:
              hirewire completions bash |
                sudo install -D -m 644 /dev/stdin /etc/bash_completion.d/hirewire
              hirewire completions bash | install -D -m 644 /dev/stdin \\
                ~/.local/share/bash-completion/completions/hirewire
            zsh, or into any folder of $fpath, before compinit:
              hirewire completions zsh | sudo install -D -m 644 /dev/stdin \\
                /usr/local/share/zsh/site-functions/_hirewire
            fish:
              hirewire completions fish | install -D -m 644 /dev/stdin \\
                ~/.config/fish/completions/hirewire.fish

            New shells have it. After an upgrade of hirewire, do it again.
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "The shell.") var shell: Shell

    func run() {
        let script = Hirewire.completionScript(for: CompletionShell(rawValue: shell.rawValue) ?? .bash)
        print(shell == .zsh ? Self.withColons(script) : script)
    }

    /// To zsh a colon begins a value's description unless it is escaped, which the parser's script leaves out: `read:pii`.
    private static func withColons(_ script: String) -> String {
        let lines = script.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.map { line in
            line.drop { $0 == " " }.hasPrefix("local -ar ___") ? line.replacing(":", with: "\\:") : line
        }.joined(separator: "\n")
    }
}

/// What may follow an option, where it is more than a name or a number.
extension CompletionKind {
    static let onOrOff = list(["on", "off"])
    static let eventTypes = list(EventType.allCases.filter { $0 != .webhookTest }.map(\.rawValue))
    static let scopes = list(Scopes.words)
    static let recordFormats = list(FileFormat.allCases.map(\.rawValue))
    static let logFormats = list(ServeSettings.LogFormat.allCases.map(\.rawValue))
    static let logLevels = list(ServeSettings.logLevels)
    static let records = file(extensions: ["csv", "ndjson", "jsonl", "json"])
    static let certificates = file(extensions: ["pem", "crt", "key"])
}

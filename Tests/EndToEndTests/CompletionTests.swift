import Foundation
import Testing

/// What `hirewire completions` prints, in the shells that it is for.
@Suite struct CompletionTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder("bin"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder("bin/hirewire"), withDestinationPath: Program.path)
        for (shell, name) in [("bash", "hirewire.bash"), ("zsh", "_hirewire"), ("fish", "hirewire.fish")] {
            let printed = try Program.run(["completions", shell])
            guard printed.exitCode == 0 else { throw Trouble(printed.errors) }
            try folder.write(printed.output, to: name)
        }
    }

    private var environment: [String: String] {
        ["PATH": folder("bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""), "HOME": folder.path]
    }

    /// What is offered behind a line, by command, option and value.
    private static let offers: [(line: String, words: [String])] = [
        ("hirewire ke", ["keys"]), ("hirewire keys ", ["create", "list", "rotate", "revoke"]),
        ("hirewire keys create --scope ", ["read", "read:pii", "ingest"]), ("hirewire keys create --ra", ["--rate-limit"]),
        ("hirewire import ", ["candidates", "jobs", "matches"]), ("hirewire import jobs x --format ", ["csv", "ndjson", "json"]),
        ("hirewire webhooks add --dialect t", ["tenzo", "talentsprout"]),
        ("hirewire webhooks add --events interview.c", ["interview.completed"]),
        ("hirewire webhooks deliveries --status p", ["pending", "parked"]), ("hirewire serve --log-format ", ["text", "json"]),
        ("hirewire serve --log-level w", ["warning"]), ("hirewire serve --trusted", ["--trusted-proxy"]),
        ("hirewire completions ", ["bash", "zsh", "fish"]),
    ]

    @Test func bashOffersCommandsOptionsAndValues() throws {
        let script = """
            source '\(folder("hirewire.bash"))'
            while IFS= read -r line; do
                COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
                read -ra COMP_WORDS <<< "$line"
                case "$line" in *' ') COMP_WORDS+=('') ;; esac
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                complete_with=$(complete -p hirewire) && complete_with=${complete_with##*-F } && complete_with=${complete_with%% *}
                "$complete_with" hirewire "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
                echo "${COMPREPLY[*]}"
            done < '\(try folder.write(Self.offers.map { $0.line + "\n" }.joined(), to: "lines"))'
            """
        let offered = try Finished(ChildProcess("bash", ["--norc", "-c", script], environment: environment))
        let answers = offered.output.components(separatedBy: "\n").map { Set($0.split(separator: " ").map(String.init)) }
        #expect(offered.errors.isEmpty && answers.count == Self.offers.count + 1, "\(offered.errors)")
        for (offer, answer) in zip(Self.offers, answers) { #expect(answer.isSuperset(of: offer.words), "\(offer.line): \(answer)") }
    }

    @Test func fishOffersTheSame() throws {
        for offer in Self.offers {
            let script = "source '\(folder("hirewire.fish"))'; complete -C '\(offer.line)'"
            let offered = try Finished(ChildProcess(try Tools.path("fish"), ["--no-config", "-c", script], environment: environment))
            let words = Set(offered.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) })
            #expect(words.isSuperset(of: offer.words), "\(offer.line): \(words) \(offered.errors)")
        }
    }

    /// Types into a shell at a terminal.
    private func type(_ shell: [String], _ steps: [[String]]) throws {
        func json(_ value: Any) throws -> String { String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self) }
        let typed = try Finished(
            ChildProcess(
                "python3", [Tools.root.path + "/Tests/EndToEndTests/terminal.py", try json(shell), try json(steps)],
                environment: environment))
        #expect(typed.exitCode == 0, "\(typed.errors)")
    }

    @Test func tabCompletesInBash() throws {
        try type(
            ["bash", "--norc", "--noprofile", "-i"],
            [
                ["source '\(folder("hirewire.bash"))' && echo so''urced\n", "sourced"], ["hirewire webh\t", "hirewire webhooks "],
                ["add --dia\t", "--dialect "], ["te\t", "tenzo "], ["\u{15}hirewire keys create --scope \t\t", "read:pii"],
            ])
    }

    @Test func tabCompletesInZsh() throws {
        let start = "fpath=('\(folder.path)' $fpath); autoload -U compinit; compinit -u -D; PS1='> '; echo so''urced\n"
        try type(
            [try Tools.path("zsh"), "-f", "-i"],
            [
                [start, "sourced"], ["hirewire webh\t", "ooks"], ["add --dia\t", "lect"], ["te\t", "nzo"],
                ["\u{15}hirewire keys create --scope read:\t", "pii"],
            ])
    }

    @Test func helpSaysWhereTheFileGoesAndOtherShellsAreRefused() throws {
        let help = try Program.run(["completions", "--help"])
        for place in ["/etc/bash_completion.d/hirewire", "site-functions/_hirewire", "fish/completions/hirewire.fish"] {
            #expect(help.output.contains(place))
        }
        let refused = try Program.run(["completions", "tcsh"])
        #expect(refused.exitCode == 2 && refused.errors.contains("'bash', 'zsh' or 'fish'"), "\(refused.errors)")
    }
}

import ArgumentParser
import Domain
import SQLiteStorage

struct OperatorTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator-token",
        abstract: "Make a new operator's token, which signs in to the Developer Tools.",
        discussion: """
            For example: hirewire operator-token --rotate

            The first `serve` on a database makes the token and shows it once. A new
            one takes its place at once, also while `serve` runs: who signed in with
            the old one is signed out, and pushes with it are refused.
            """)
    @OptionGroup var common: Common
    @Flag(help: "Put a new token, shown this once, in the place of the old one.") var rotate = false

    func run() throws {
        guard rotate else { return try tell() }
        let database = try common.open(create: true)
        var random = SystemRandomNumberGenerator()
        let token = OperatorToken(using: &random)
        let hadOne = try database.operatorTokenMadeAt() != nil
        try database.setOperatorToken(token)
        if common.isJSON { return Output.json([.init("operator_token", .string(token.text))]) }
        print("\(token.text)\n\nThe operator's token is shown this once; store it now.\(hadOne ? " The one before counts no more." : "")")
    }

    private func tell() throws {
        let made = try common.open().operatorTokenMadeAt()
        if common.isJSON { return Output.json([.init("created_at", Output.time(made))]) }
        let state = made.map { "was made at \($0), and is stored as a hash" } ?? "is not made yet: the first `serve` does, and shows it"
        print("The operator's token \(state). `hirewire operator-token --rotate` makes another.")
    }
}

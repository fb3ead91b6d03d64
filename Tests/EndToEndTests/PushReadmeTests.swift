import Foundation
import Testing

/// The README's chapter on pushing, line by line as somebody would paste it.
@Suite struct PushReadmeTests {
    @Test func theLinesOfTheChapterDoWhatTheySay() throws {
        // given: the chapter's first block, with this program and its port
        let folder = try Folder()
        let pusher = try Pusher(Server(folder("readme.db")))
        let readme = try Tools.read("README.md")
        let chapter = try #require(readme.components(separatedBy: "\n## ").first { $0.hasPrefix("Pushing\n") })
        let block = try #require(chapter.components(separatedBy: "```sh\n").dropFirst().first?.components(separatedBy: "```").first)
        #expect(block.contains("http://127.0.0.1:8081"))
        let script = """
            set -e
            hirewire() { '\(Program.path)' "$@" --database '\(pusher.server.database)'; }
            curl() { command curl --silent --show-error --fail-with-body "$@"; echo; }
            KEY='\(pusher.key.token)'
            \(block.replacing("127.0.0.1:8081", with: "127.0.0.1:\(pusher.server.operatorPort)"))
            """

        // when
        let finished = try Finished(ChildProcess("/bin/bash", ["-c", script], folder: Tools.root.path))

        // then: each line was taken, and the last one's answer says where to ask
        #expect(finished.exitCode == 0, "\(finished.output) \(finished.errors)")
        #expect(try pusher.get("/jobs/R-209").json["title"].string == "Baker")
        #expect(finished.output.contains("\"summary\":\"Kneads well.\"") && finished.output.contains("HTTP/1.1 202 Accepted"))
        let location = try #require(finished.output.firstMatch(of: #/Location: /operator/v1(/candidates/cand_\w+/erase)/#))
        let path = String(location.1)
        #expect(try poll(seconds: 20, every: 0.1) { try pusher.get(path).status == 200 })
        #expect(try pusher.get("/candidates/4417").status == 404)
    }
}

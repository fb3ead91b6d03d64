import Foundation
import Server
import Testing

/// The `Containerfile`, as far as it can be tried without an engine.
@Suite struct ContainerfileTests {
    /// An instruction with its words, lines joined.
    private struct Instruction {
        let name: String
        let text: String
    }

    private let stages: [[Instruction]]

    init() throws {
        let joined = try Tools.read("Containerfile").replacingOccurrences(of: "\\\n", with: " ")
        let all = joined.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let name = line.prefix { $0 != " " }
            return Instruction(name: String(name), text: line.dropFirst(name.count).trimmingCharacters(in: .whitespaces))
        }
        stages = all.split { $0.name == "FROM" }.map(Array.init)
    }

    private func texts(_ name: String, _ stage: Int) -> [String] { stages[stage].filter { $0.name == name }.map(\.text) }

    /// What a stage installs.
    private func packages(_ stage: Int) -> Set<String> {
        let run = texts("RUN", stage).joined(separator: " ")
        let list = run.firstMatch(of: #/apt-get install -y --no-install-recommends ([^&]+)&&/#)?.1 ?? ""
        return Set(list.split(separator: " ").map(String.init))
    }

    @Test func itBuildsByTheREADMEsSteps() throws {
        let readme = try Tools.read("README.md")
        #expect(stages.count == 2)
        let quick = try #require(readme.firstMatch(of: #/apt-get install -y (lib[^&]+)&& swift run/#)).1
        #expect(packages(0) == Set(quick.split(separator: " ").map(String.init)))
        let build = try #require(texts("RUN", 0).last?.firstMatch(of: #/^swift build [^&]+/#)).0.trimmingCharacters(in: .whitespaces)
        #expect(readme.contains("\n\(build)\n"))
        for runtime in ["libsqlite3-0", "zlib1g", "ca-certificates", "tzdata"] {
            #expect(packages(1).contains(runtime) && readme.contains(runtime), "\(runtime)")
        }
    }

    @Test func whatItCopiesIsThereAndIsAllThatAPackageNeeds() throws {
        let copied = texts("COPY", 0).map { String($0.prefix { $0 != " " }) }
        for path in copied { #expect(FileManager.default.fileExists(atPath: Tools.root.path + "/" + path), "\(path)") }
        // Whatever files are in the binary come from what is copied.
        let embedded = try Tools.read("Sources/EmbeddedFiles/embedded.c")
        for file in embedded.matches(of: #/"\.\./\.\./([a-zA-Z]+)\/[^"]+"/#) { #expect(copied.contains(String(file.1)), "\(file.1)") }
        // And every target's folder.
        for path in try Tools.read("Package.swift").matches(of: #/path: "([A-Za-z]+)\//#) { #expect(copied.contains(String(path.1))) }
        #expect(texts("COPY", 1) == ["--from=build /build/.build/release/hirewire /usr/local/bin/hirewire"])
    }

    @Test func theRuntimeHasEveryLibraryOfTheProgram() throws {
        let listed = try Finished(ChildProcess("ldd", [Program.path]))
        let libraries = listed.output.matches(of: #/=> (/\S+)/#).map { String($0.1) }
        // Swift's own are in the program there.
        let others = libraries.filter { !$0.contains("/swift/") }
        #expect(others.contains { $0.contains("libsqlite3") } && others.contains { $0.contains("libz.so") })
        // The base image has its C library and what that needs.
        let known = packages(1).union(["libc6", "libgcc-s1"])
        for library in others {
            // Which package has a file is known by the path that it was installed to, before or after /usr's merging.
            let names = [library, "/usr" + library, library.replacingOccurrences(of: "/usr/lib", with: "/lib")]
            let owners = try names.map { try Finished(ChildProcess("dpkg", ["-S", $0])).output }.joined()
            let owner = owners.split(separator: ":").first.map(String.init) ?? "nobody"
            #expect(known.contains(owner), "\(library) is \(owner)'s")
        }
    }

    @Test func itsSettingsAndItsHealthCheckWork() throws {
        // given: the environment, with another folder and a free port
        let folder = try Folder()
        var environment: [String: String] = [:]
        for pair in texts("ENV", 1).joined(separator: " ").split(separator: " ") {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            environment[sides[0]] = sides[1].replacingOccurrences(of: "/data", with: folder.path)
        }
        let names = Set(ServeSettings.variables.map { "HIREWIRE_" + $0 })
        #expect(!environment.isEmpty && names.isSuperset(of: environment.keys))
        #expect(texts("USER", 1) == ["10001"] && texts("ENTRYPOINT", 1) == ["[\"hirewire\"]"] && texts("CMD", 1) == ["[\"serve\"]"])
        let server = try Server(folder("hirewire.db"), environment: environment)
        let check = try #require(texts("HEALTHCHECK", 1).first?.firstMatch(of: #/CMD (\[.*\])$/#)).1
        let words = try #require(try JSON(Array(check.utf8)).array).compactMap(\.string)
        func isHealthy() throws -> Bool {
            let own = words.map { $0.replacingOccurrences(of: "/8080 ", with: "/\(server.port) ") }
            #expect(own != words)
            return try Finished(ChildProcess(own[0], Array(own.dropFirst()))).exitCode == 0
        }

        // then
        #expect(try isHealthy())
        server.stop()
        #expect(try !isHealthy())
    }
}

import Domain
import EmbeddedFiles

/// How a client begins: reading, keeping up, verifying webhooks.
extension DeveloperTools {
    func docs(_ visit: Visit) throws -> PageAnswer {
        let languages = [("python", "Python"), ("js", "Node"), ("swift", "Swift")]
        let dialects: [[String: Any]] = DialectName.allCases.map { dialect in
            let snippets = languages.compactMap { fence, title in
                VerifyingSnippet.all.first { $0.dialect == dialect && $0.fence == fence }.map { ["title": title, "code": $0.code] }
            }
            return ["name": dialect.rawValue, "snippets": snippets]
        }
        let url = configuration.publicURL
        return page(
            "docs", visit, title: "Quick start", section: "/docs",
            [
                "url": url, "contract": url + "/docs", "openapi": url + "/openapi.json", "dialects": dialects,
                "curl": curl("/api/v1/candidates", query: "status=interviewing&limit=25"),
                "curlEvents": curl("/api/v1/events", query: "after=0&limit=100"),
                "python": Self.python(url), "javaScript": Self.javaScript(url),
            ])
    }

    private static func python(_ url: String) -> String {
        """
        import json, os, urllib.request

        BASE = "\(url)"

        def get(path):
            request = urllib.request.Request(BASE + path, headers={"Authorization": "Bearer " + os.environ["HIREWIRE_KEY"]})
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)

        path = "/api/v1/candidates?limit=100"
        while path:
            page = get(path)
            for candidate in page["data"]:
                print(candidate["id"], candidate["full_name"], candidate["status"])
            cursor = page["next_cursor"]
            path = "/api/v1/candidates?limit=100&cursor=" + cursor if cursor else None
        """
    }

    private static func javaScript(_ url: String) -> String {
        """
        const base = "\(url)";

        async function get(path) {
          const response = await fetch(base + path, { headers: { Authorization: `Bearer ${process.env.HIREWIRE_KEY}` } });
          if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
          return response.json();
        }

        for (let path = "/api/v1/candidates?limit=100"; path; ) {
          const page = await get(path);
          for (const candidate of page.data) console.log(candidate.id, candidate.full_name, candidate.status);
          path = page.next_cursor && `/api/v1/candidates?limit=100&cursor=${page.next_cursor}`;
        }
        """
    }
}

/// A function that verifies a dialect's deliveries, as the contract has it: taken from there, so that there is one of each.
struct VerifyingSnippet: Sendable {
    let dialect: DialectName
    /// The language as the contract's fences have it.
    let fence: String
    let code: String

    static let all: [VerifyingSnippet] = {
        let file = hirewire_file("openapi/public.yaml")
        return read(String(decoding: UnsafeBufferPointer(start: file.bytes, count: file.size), as: UTF8.self))
    }()

    /// Finds the fenced blocks of a YAML document's literal texts, and those among them whose function is `verify` and a dialect.
    static func read(_ yaml: String) -> [VerifyingSnippet] {
        var found: [VerifyingSnippet] = []
        var open: (fence: String, indent: Int, lines: [Substring])?
        for line in yaml.split(separator: "\n", omittingEmptySubsequences: false) {
            let rest = line.drop { $0 == " " }
            if let block = open, rest == "```" {
                open = nil
                let code = block.lines.joined(separator: "\n")
                let name = code.lowercased().replacing("verify_", with: "verify")
                let dialect = DialectName.allCases.first { name.contains("verify\($0.rawValue)(") }
                if let dialect { found.append(VerifyingSnippet(dialect: dialect, fence: block.fence, code: code)) }
            } else if let block = open {
                open?.lines.append(line.dropFirst(min(block.indent, line.count)))
            } else if rest.hasPrefix("```") {
                open = (String(rest.dropFirst(3)), line.count - rest.count, [])
            }
        }
        return found
    }
}

import Domain

extension DocumentationPage {
    /// A delivery as its receiver sees it: what it looks like, how to check it, how it is tried and what to answer.
    func write(_ webhook: ContractReader.Webhook, to writer: inout HTMLWriter) {
        let operation = webhook.operation
        let about = Markdown(operation.description).blocks
        writer.element("article", ["class": "operation"]) { article in
            Self.writeHeading("h3", operation.summary, anchor: operation.id, to: &article)
            article.element("p", ["class": "route"]) { route in
                route.element("span", ["class": "method"], operation.method)
                route.markup(" <span>to your address</span> ")
                route.element("span", ["class": "badge"], "dialect \(webhook.dialect)")
            }
            for block in about where block.snippet == nil { Markdown.write(block, to: &article, headingLevel: 4) }
            writeFacts(of: webhook, to: &article)
            article.element("h4", "Headers")
            writeHead(of: webhook, to: &article)
            article.element("dl", ["class": "fields"]) { list in
                for header in operation.parameters {
                    writeField(
                        header.name, schema: header.value["schema"], description: header.value["description"].asText,
                        note: header.value["required"]?.text == "true" ? "always" : nil, to: &list)
                }
            }
            writeBody(of: webhook, to: &article)
            writeSnippets(about.compactMap(\.snippet), of: webhook, to: &article)
            writeAnswers(to: webhook, to: &article)
        }
    }

    // MARK: - What and when

    private func writeFacts(of webhook: ContractReader.Webhook, to writer: inout HTMLWriter) {
        let attempts = webhook.attempts
        var tries = attempts.most == 1 ? "One" : "At most \(attempts.most)"
        if !attempts.delays.isEmpty {
            tries += ", with \(Self.list(attempts.delays.map(Self.duration))) between them"
        }
        writer.element("dl", ["class": "fields"]) { list in
            Self.writeFact("Events", to: &list) { cell in
                for (index, type) in webhook.eventTypes.enumerated() {
                    if index > 0 { cell.markup(", ") }
                    cell.element("code", type)
                }
            }
            Self.writeFact("Attempts", to: &list) { $0.text(tries) }
            Self.writeFact("Deadline", to: &list) {
                $0.text("\(Self.duration(attempts.deadline)) for all of an attempt, from looking up your name to the end of your answer")
            }
        }
    }

    private static func writeFact(_ name: String, to list: inout HTMLWriter, _ content: (inout HTMLWriter) -> Void) {
        list.element("div") { row in
            row.element("dt") { $0.element("strong", name) }
            row.element("dd", content)
        }
    }

    /// `30 s`, `2 min`, `6 h`: in the largest unit that fits.
    private static func duration(_ seconds: Int) -> String {
        switch seconds {
        case 0: "no time"
        case _ where seconds % 3_600 == 0: "\(seconds / 3_600) h"
        case _ where seconds % 60 == 0: "\(seconds / 60) min"
        default: "\(seconds) s"
        }
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }

    // MARK: - What arrives

    /// The first example's headers, as they come.
    private func writeHead(of webhook: ContractReader.Webhook, to writer: inout HTMLWriter) {
        let headers = webhook.operation.parameters.compactMap { header in
            header.value["example"].map { "\(header.name): \($0.spelling)" }
        }
        let lines = webhook.body.prefix(1).map { "Content-Type: \($0.name)" } + headers
        writer.element("pre", ["class": "shell", "tabindex": "0", "role": "group", "aria-label": "Example headers"]) {
            $0.element("code", lines.joined(separator: "\n"))
        }
    }

    private func writeBody(of webhook: ContractReader.Webhook, to writer: inout HTMLWriter) {
        writer.element("h4", "Body")
        for media in webhook.body {
            writer.element("p") { line in
                line.text(media.name)
                line.text(", ")
                writeType(media.value["schema"], to: &line)
            }
        }
        writeExamples(of: .object([.init("content", .object(webhook.body))]), to: &writer)
    }

    // MARK: - How to check it

    private func writeSnippets(
        _ snippets: [(language: String, code: String)], of webhook: ContractReader.Webhook, to writer: inout HTMLWriter
    ) {
        guard !snippets.isEmpty else { return }
        writer.element("h4", "Verifying")
        writer.element("p") { line in
            line.text("Each takes the headers by lower-case name, the body as the bytes that came, and the secret.")
            guard let secret = webhook.exampleSecret else { return }
            line.text(" To try it: the headers above are those of the first body above, written without spaces between its parts, ")
            line.text("and signed with ")
            line.element("code", secret)
            line.text(". Where a time is signed, it is long past.")
        }
        for snippet in snippets {
            writer.element("details", ["class": "fold"]) { fold in
                fold.element("summary") { $0.element("span", ["class": "title"], snippet.language) }
                fold.element("pre", ["tabindex": "0"]) { $0.element("code", snippet.code) }
            }
        }
    }

    // MARK: - What to answer

    private func writeAnswers(to webhook: ContractReader.Webhook, to writer: inout HTMLWriter) {
        writer.element("h4", "Your answer")
        writer.element("dl", ["class": "fields"]) { list in
            for (status, response) in webhook.operation.responses {
                list.element("div") { row in
                    let isGood = status.utf8.first == UInt8(ascii: "2")
                    row.element("dt") { term in
                        term.element("span", ["class": isGood ? "status" : "status other"], status == "default" ? "any other" : status)
                    }
                    row.element("dd") { Markdown(response["description"].asText ?? "").write(to: &$0, headingLevel: 5) }
                }
            }
        }
    }
}

extension Markdown.Block {
    /// Code in a language that receivers are written in.
    var snippet: (language: String, code: String)? {
        guard case .code(let code, let fence) = self else { return nil }
        let language: String? =
            switch fence {
            case "python": "Python"
            case "js": "Node"
            case "swift": "Swift"
            default: nil
            }
        return language.map { ($0, code) }
    }
}

import Domain

extension DocumentationPage {
    /// One endpoint: what it does, how to try it, what it takes and what it answers.
    func write(_ operation: ContractReader.Operation, to writer: inout HTMLWriter) {
        writer.element("article", ["class": "operation"]) { article in
            Self.writeHeading("h3", operation.summary, anchor: operation.id, to: &article)
            article.element("p", ["class": "route"]) { route in
                route.element("span", ["class": "method"], operation.method)
                route.markup(" ")
                route.element("code") { writePath(operation.path, to: &$0) }
                route.markup(" ")
                writeAccess(operation.access, to: &route)
            }
            Markdown(operation.description).write(to: &article, headingLevel: 4)
            article.element(
                "pre", ["class": "shell", "tabindex": "0", "role": "group", "aria-label": "Example request"]
            ) { $0.element("code", command(operation)) }
            writeParameters(operation, to: &article)
            writeResponses(operation, to: &article)
        }
    }

    /// With a possible line break after each slash, for narrow screens.
    private func writePath(_ path: String, to writer: inout HTMLWriter) {
        for (index, part) in path.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { writer.markup("/<wbr>") }
            writer.text(String(part))
        }
    }

    private func writeAccess(_ access: ContractReader.Access, to writer: inout HTMLWriter) {
        switch access {
        case .open: writer.element("span", ["class": "badge open"], "no key")
        case .optional: writer.element("span", ["class": "badge open"], "key optional")
        case .anyKey: writer.element("span", ["class": "badge"], "any key")
        case .scope(let scope):
            writer.element("span", ["class": scope == "read" ? "badge" : "badge scope"], scope)
        }
    }

    // MARK: - A request to try

    /// A line for a shell; the key comes from the variable that the introduction sets.
    private func command(_ operation: ContractReader.Operation) -> String {
        var path = operation.path
        for parameter in operation.parameters where parameter.place == "path" {
            path = path.replacing("{\(parameter.name)}", with: parameter.value["example"]?.spelling ?? "…")
        }
        if let query = operation.exampleQuery { path += "?" + query }
        let answersFile = operation.responses.contains { $0.response["content"]?["*/*"] != nil }
        let address = "'" + (origin + path).replacing("'", with: "'\\''") + "'"
        let head = "curl " + (answersFile ? "-OJ " : "")
        return switch operation.access {
        case .open, .optional: head + address
        case .anyKey, .scope: head + "-H \"Authorization: Bearer $HIREWIRE_KEY\" \\\n  " + address
        }
    }

    // MARK: - Parameters

    private func writeParameters(_ operation: ContractReader.Operation, to writer: inout HTMLWriter) {
        guard !operation.parameters.isEmpty else { return }
        let shared = operation.parameters.filter { $0.component.map(sharedParameters.contains) ?? false }
        let own = operation.parameters.filter { $0.component.map { !sharedParameters.contains($0) } ?? true }
        writer.element("h4", "Parameters")
        if !own.isEmpty { writeFields(own, to: &writer) }
        for (title, places) in [("Of every list", ["query", "path"]), ("Headers", ["header"])] {
            let some = shared.filter { places.contains($0.place) }
            guard !some.isEmpty else { continue }
            writer.element("details", ["class": "fold"]) { fold in
                writeFoldTitle(title, some.map(\.name), to: &fold)
                writeFields(some, to: &fold)
            }
        }
    }

    private func writeFoldTitle(_ title: String, _ names: [String], to fold: inout HTMLWriter) {
        fold.element("summary") { summary in
            summary.element("span", ["class": "title"], title)
            for name in names {
                summary.markup(" ")
                summary.element("code", name)
            }
        }
    }

    private func writeFields(_ parameters: [ContractReader.Parameter], to writer: inout HTMLWriter) {
        writer.element("dl", ["class": "fields"]) { list in
            for parameter in parameters {
                let value = parameter.value
                writeField(
                    parameter.name, schema: value["schema"], description: value["description"].asText,
                    note: value["required"]?.text == "true" ? "required" : nil,
                    example: example(of: parameter), to: &list)
            }
        }
    }

    /// As it would be written in a request, before percent-encoding.
    private func example(of parameter: ContractReader.Parameter) -> String? {
        guard let example = parameter.value["example"] else { return nil }
        guard parameter.place == "query" else { return example.spelling }
        guard case .array(let elements) = example else { return "\(parameter.name)=\(example.spelling)" }
        return elements.map { "\(parameter.name)=\($0.spelling)" }.joined(separator: "&")
    }

    // MARK: - Responses

    private func writeResponses(_ operation: ContractReader.Operation, to writer: inout HTMLWriter) {
        let good = operation.responses.filter { $0.status.utf8.first == UInt8(ascii: "2") }
        for (status, response) in good {
            writer.element("h4", "Response")
            writer.element("div", ["class": "answer"]) { answer in
                answer.element("p") { line in
                    line.element("span", ["class": "status"], status)
                    line.markup(" ")
                    MarkdownInline.write(response["description"].asText ?? "", to: &line)
                    writeBodyTypes(response, to: &line)
                }
                writeExamples(of: response, to: &answer)
            }
            writeHeaders(response, to: &writer)
        }
        let others = operation.responses.filter { $0.status.utf8.first != UInt8(ascii: "2") }
        guard !others.isEmpty else { return }
        writer.element("details", ["class": "fold"]) { fold in
            writeFoldTitle("Other answers", others.map(\.status), to: &fold)
            fold.element("dl", ["class": "fields"]) { list in
                for (status, response) in others { writeOther(status, response, to: &list) }
            }
        }
    }

    private func writeBodyTypes(_ response: JSONValue, to line: inout HTMLWriter) {
        for media in response["content"].asMembers {
            line.markup(" <span class=\"type\">")
            line.text(media.name == "*/*" ? "any media type" : media.name)
            if contract.component("schemas", of: media.value["schema"]) != nil {
                line.markup(", ")
                writeType(media.value["schema"], to: &line)
            }
            line.markup("</span>")
        }
    }

    private func writeHeaders(_ response: JSONValue, to writer: inout HTMLWriter) {
        let headers = response["headers"].asMembers
        guard !headers.isEmpty else { return }
        writer.element("details", ["class": "fold"]) { fold in
            writeFoldTitle("Response headers", headers.map(\.name), to: &fold)
            fold.element("dl", ["class": "fields"]) { list in
                for header in headers {
                    let value = contract.resolved(header.value)
                    writeField(
                        header.name, schema: value?["schema"], description: value?["description"].asText,
                        example: value?["example"]?.spelling, to: &list)
                }
            }
        }
    }

    private func writeOther(_ status: String, _ response: JSONValue, to list: inout HTMLWriter) {
        let codes = response["content"]?["application/problem+json"]?["examples"].asMembers ?? []
        list.element("div") { row in
            row.element("dt") { $0.element("span", ["class": "status other"], status) }
            row.element("dd") { text in
                text.element("p") { MarkdownInline.write(response["description"].asText ?? "", to: &$0) }
                guard !codes.isEmpty else { return }
                text.element("p", ["class": "note"]) { line in
                    for (index, code) in codes.enumerated() {
                        if index > 0 { line.markup(", ") }
                        line.element("a", ["href": "#" + Self.anchor(ofCode: code.name)]) {
                            $0.element("code", code.name)
                        }
                    }
                }
            }
        }
    }
}

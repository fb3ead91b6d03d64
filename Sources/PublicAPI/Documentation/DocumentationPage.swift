import Domain

/// The contract as one page for reading: nothing is loaded from elsewhere and nothing runs.
///
/// Meant to be served under `default-src 'none'; style-src 'unsafe-inline'`.
struct DocumentationPage: Sendable {
    let contract: ContractReader
    /// What the addresses in examples begin with.
    let origin: String
    /// Parameters that most operations of a sort share stand behind a fold, so that an operation's own are seen first.
    let sharedParameters: Set<String>

    /// - Parameters:
    ///   - document: an OpenAPI 3.1 document.
    ///   - origin: without a slash at the end.
    init(document: JSONValue, origin: String = "http://127.0.0.1:8080") {
        contract = ContractReader(document)
        self.origin = origin
        sharedParameters = contract.sharedParameters
    }

    func html() -> [UInt8] {
        var writer = HTMLWriter()
        writer.markup("<!doctype html>\n")
        writer.element("html", ["lang": "en"]) { html in
            html.element("head") { writeHead(&$0) }
            html.element("body") { writeBody(&$0) }
        }
        writer.markup("\n")
        return writer.bytes
    }

    private var info: JSONValue? { contract.document["info"] }
    private var title: String { info?["title"].asText ?? "API" }
    private var about: Markdown { Markdown(info?["description"].asText ?? "") }

    private func writeHead(_ head: inout HTMLWriter) {
        head.open("meta", ["charset": "utf-8"])
        head.open("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        head.open("meta", ["name": "color-scheme", "content": "light dark"])
        head.open("meta", ["name": "referrer", "content": "no-referrer"])
        head.element("title", title)
        head.element("style") { $0.markup(DocumentationStyle.sheet) }
    }

    private func writeBody(_ body: inout HTMLWriter) {
        body.element("a", ["class": "skip", "href": "#main"], "Skip to the content")
        body.element("details", ["class": "contents small"]) { contents in
            contents.element("summary", "Contents")
            contents.element("nav", ["aria-label": "Contents"]) { writeContents(&$0) }
        }
        body.element("div", ["class": "frame"]) { frame in
            frame.element("nav", ["class": "contents wide", "aria-label": "Contents"]) { nav in
                nav.element("p", ["class": "brand"]) { $0.element("a", ["href": "#main"], title) }
                writeContents(&nav)
            }
            frame.element("main", ["id": "main", "tabindex": "-1"]) { writeMain(&$0) }
        }
    }

    private func writeMain(_ main: inout HTMLWriter) {
        main.element("header", ["class": "opening"]) { header in
            header.element("h1", title)
            if let summary = info?["summary"].asText { header.element("p", ["class": "lead"], summary) }
            writeFacts(&header)
        }
        main.element("section", ["class": "about", "aria-label": "About this API"]) { about.write(to: &$0) }
        for tag in tags { writeTag(tag, to: &main) }
        writeErrorCodes(to: &main)
        writeSchemas(to: &main)
    }

    private func writeFacts(_ header: inout HTMLWriter) {
        header.element("ul", ["class": "facts"]) { facts in
            if let version = info?["version"].asText { facts.element("li", "Version \(version)") }
            if let version = contract.document["openapi"].asText { facts.element("li", "OpenAPI \(version)") }
            if let license = info?["license"]?["name"].asText { facts.element("li", license) }
            for form in ["openapi.json", "openapi.yaml"] where contract.document["paths"]?["/\(form)"] != nil {
                facts.element("li") { $0.element("a", ["href": "/\(form)"], form) }
            }
        }
    }

    // MARK: - Contents

    private func writeContents(_ nav: inout HTMLWriter) {
        writeGroup("About", about.chapters.map { (Markdown.anchor($0), $0) }, to: &nav)
        for tag in tags {
            let operations = operations(of: tag) + webhooks(of: tag).map(\.operation)
            writeGroup(tag.name, operations.map { ($0.id, $0.summary) }, target: Self.anchor(ofTag: tag.name), to: &nav)
        }
        writeGroup("Reference", [("error-codes", "Error codes")], to: &nav)
        nav.element("details") { fold in
            fold.element("summary", "Schemas")
            writeLinks(listedSchemas.map { (Self.anchor(ofSchema: $0.name), $0.name) }, to: &fold)
        }
    }

    private func writeGroup(
        _ name: String, _ links: [(anchor: String, text: String)], target: String? = nil, to nav: inout HTMLWriter
    ) {
        nav.element("p", ["class": "group"]) { group in
            if let target { group.element("a", ["href": "#\(target)"], name) } else { group.text(name) }
        }
        writeLinks(links, to: &nav)
    }

    private func writeLinks(_ links: [(anchor: String, text: String)], to nav: inout HTMLWriter) {
        nav.element("ul") { list in
            for link in links {
                list.element("li") { $0.element("a", ["href": "#\(link.anchor)"], link.text) }
            }
        }
    }

    // MARK: - Tags

    struct Tag {
        let name: String
        let description: String
    }

    /// The document's tags, and those that operations name besides.
    private var tags: [Tag] {
        var tags = contract.document["tags"].asElements.map {
            Tag(name: $0["name"].asText ?? "", description: $0["description"].asText ?? "")
        }
        for operation in contract.operations + contract.webhooks.map(\.operation) where !tags.contains(where: { $0.name == operation.tag })
        {
            tags.append(Tag(name: operation.tag, description: ""))
        }
        return tags.filter { !operations(of: $0).isEmpty || !webhooks(of: $0).isEmpty }
    }

    private func operations(of tag: Tag) -> [ContractReader.Operation] {
        contract.operations.filter { $0.tag == tag.name }
    }

    private func webhooks(of tag: Tag) -> [ContractReader.Webhook] {
        contract.webhooks.filter { $0.operation.tag == tag.name }
    }

    private func writeTag(_ tag: Tag, to main: inout HTMLWriter) {
        main.element("section", ["class": "tag"]) { section in
            Self.writeHeading("h2", tag.name, anchor: Self.anchor(ofTag: tag.name), to: &section)
            Markdown(tag.description).write(to: &section, headingLevel: 3)
            for operation in operations(of: tag) { write(operation, to: &section) }
            for webhook in webhooks(of: tag) { write(webhook, to: &section) }
        }
    }

    // MARK: - Places on the page

    static func writeHeading(_ name: StaticString, _ text: String, anchor: String, to writer: inout HTMLWriter) {
        writer.element(name, ["id": anchor]) { heading in
            heading.text(text)
            heading.element("a", ["class": "here", "href": "#\(anchor)", "aria-label": "Link to \(text)"], "#")
        }
    }

    static func anchor(ofTag name: String) -> String { "tag-" + name.lowercased().replacing(" ", with: "-") }
    static func anchor(ofSchema name: String) -> String { "schema-\(name)" }
    static func anchor(ofCode code: String) -> String { "code-\(code)" }
}

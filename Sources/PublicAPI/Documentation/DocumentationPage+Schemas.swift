import Domain

extension DocumentationPage {
    /// The schemas with a section of their own: those with fields, or that stand for a choice of such.
    ///
    /// A plain value, such as an id, is described where it is used.
    var listedSchemas: [JSONValue.Member] { contract.components("schemas").filter { isStructured($0.value) } }

    private func isStructured(_ schema: JSONValue?) -> Bool {
        guard let schema else { return false }
        return schema["properties"] != nil || schema["allOf"] != nil || schema["anyOf"] != nil || schema["oneOf"] != nil
    }

    func writeSchemas(to main: inout HTMLWriter) {
        main.element("section", ["class": "tag"]) { section in
            Self.writeHeading("h2", "Schemas", anchor: "schemas", to: &section)
            section.element("p") { text in
                text.text("The objects in answers. Fields with ")
                text.element("span", ["class": "badge scope"], "read:pii")
                text.text(" are null for keys without that scope; in a tombstone nearly every field is null.")
            }
            for schema in listedSchemas { writeSchema(schema, to: &section) }
        }
    }

    private func writeSchema(_ schema: JSONValue.Member, to writer: inout HTMLWriter) {
        writer.element("article", ["class": "schema"]) { article in
            Self.writeHeading("h3", schema.name, anchor: Self.anchor(ofSchema: schema.name), to: &article)
            Markdown(schema.value["description"].asText ?? "").write(to: &article, headingLevel: 4)
            writeMembers(of: schema.value, to: &article)
            writeDataSchemas(of: schema.value, to: &article)
        }
    }

    private func writeMembers(of schema: JSONValue, to writer: inout HTMLWriter) {
        for part in schema["allOf"].asElements {
            if contract.component("schemas", of: part) != nil {
                writer.element("p") { line in
                    line.text("All fields of ")
                    writeType(part, to: &line)
                    line.text(", and:")
                }
            } else {
                writeMembers(of: part, to: &writer)
            }
        }
        if schema["anyOf"] != nil || schema["oneOf"] != nil {
            writer.element("p", ["class": "note"]) { writeType(schema, to: &$0) }
        }
        let properties = schema["properties"].asMembers
        guard !properties.isEmpty else { return }
        writer.element("dl", ["class": "fields"]) { list in
            for property in properties { writeProperty(property, prefix: "", to: &list) }
        }
    }

    /// A field, and those of an object that is written out in its place.
    private func writeProperty(_ property: JSONValue.Member, prefix: String, to list: inout HTMLWriter) {
        let schema = contract.resolved(property.value)
        writeField(
            prefix + property.name, schema: property.value,
            description: property.value["description"].asText ?? schema?["description"].asText,
            isPersonal: schema?["x-scope"].asText, to: &list)
        // Only what stands here in full can go deeper, and that ends with the document: no cycle to fear.
        let inner = property.value["properties"].asMembers
        for member in inner { writeProperty(member, prefix: "\(prefix)\(property.name).", to: &list) }
        for member in property.value["items"]?["properties"].asMembers ?? [] {
            writeProperty(member, prefix: "\(prefix)\(property.name)[].", to: &list)
        }
    }

    /// A table from the types of event to the schemas of their data.
    private func writeDataSchemas(of schema: JSONValue, to writer: inout HTMLWriter) {
        let types = schema["x-data-schemas"].asMembers
        guard !types.isEmpty else { return }
        writer.table(["Type", "Data"], rows: types.count) { row, column, cell in
            if column == 0 {
                cell.element("code", types[row].name)
            } else {
                writeType(.object([.init("$ref", types[row].value)]), to: &cell)
            }
        }
    }

    // MARK: - A field

    /// A row of a list of fields: a parameter, a header or a member.
    func writeField(
        _ name: String, schema: JSONValue?, description: String?, note: String? = nil, isPersonal scope: String? = nil,
        example: String? = nil, to list: inout HTMLWriter
    ) {
        list.element("div") { row in
            row.element("dt") { term in
                term.element("code", ["class": "name"], name)
                if let note { term.element("span", ["class": "badge"], note) }
                if let scope { term.element("span", ["class": "badge scope"], scope) }
                term.element("span", ["class": "type"]) { writeType(schema, to: &$0) }
            }
            row.element("dd") { text in
                Markdown(description ?? "").write(to: &text, headingLevel: 5)
                let limits = limits(of: contract.resolved(schema))
                guard !limits.isEmpty || example != nil else { return }
                text.element("p", ["class": "limits"]) { line in
                    for limit in limits { line.element("span", limit) }
                    if let example { line.element("span") { $0.element("code", example) } }
                }
            }
        }
    }

    /// What else a schema says of its values, in words.
    private func limits(of schema: JSONValue?) -> [String] {
        if let list = schema?["x-list"] { return self.limits(of: list) }
        var limits: [String] = []
        switch (schema?["minimum"]?.spelling, schema?["maximum"]?.spelling) {
        case (let low?, let high?): limits.append("\(low) to \(high)")
        case (let low?, nil): limits.append("at least \(low)")
        case (nil, let high?): limits.append("at most \(high)")
        case (nil, nil): break
        }
        if let most = schema?["maxItems"]?.spelling { limits.append("at most \(most)") }
        let words = (schema?["enum"] ?? schema?["items"]?["enum"]).asElements
        if !words.isEmpty { limits.append(words.map(\.spelling).joined(separator: ", ")) }
        if let given = schema?["default"]?.spelling { limits.append("default \(given)") }
        return limits
    }

    // MARK: - Types

    /// A schema's type in words, with links to the schemas that have a section.
    func writeType(_ schema: JSONValue?, to writer: inout HTMLWriter) {
        writeType(schema, seen: [], to: &writer)
    }

    private func writeType(_ schema: JSONValue?, seen: Set<String>, to writer: inout HTMLWriter) {
        if let name = contract.component("schemas", of: schema) {
            let target = contract.resolved(schema)
            if isStructured(target) {
                writer.element("a", ["href": "#" + Self.anchor(ofSchema: name)], name)
            } else if seen.contains(name) {
                writer.text(name)
            } else {
                writeType(target, seen: seen.union([name]), to: &writer)
            }
            return
        }
        if let items = schema?["x-list"]?["items"] {
            writer.text("comma list of ")
            return writeType(items, seen: seen, to: &writer)
        }
        let choices = (schema?["anyOf"] ?? schema?["oneOf"]).asElements
        guard choices.isEmpty else { return writeChoices(choices, seen, to: &writer) }
        let types = schema?["type"].asText.map { [$0] } ?? (schema?["type"]).asElements.compactMap(\.asText)
        guard !types.isEmpty else { return writer.text("any value") }
        for (index, type) in types.enumerated() {
            if index > 0 { writer.text(" or ") }
            if type == "array", let items = schema?["items"], !items.asMembers.isEmpty {
                writer.text("array of ")
                writeType(items, seen: seen, to: &writer)
            } else {
                writer.text(Self.word(for: type, format: schema?["format"].asText))
            }
        }
    }

    private func writeChoices(_ choices: [JSONValue], _ seen: Set<String>, to writer: inout HTMLWriter) {
        for (index, choice) in choices.enumerated() {
            if index > 0 { writer.text(index == choices.count - 1 ? " or " : ", ") }
            writeType(choice, seen: seen, to: &writer)
        }
    }

    private static func word(for type: String, format: String?) -> String {
        guard type != "null", type != "integer", let format else { return type }
        return format == "date-time" ? "time" : "\(type) (\(format))"
    }

    // MARK: - Error codes

    /// Every code with its status and meaning, from the reusable examples of problems.
    func writeErrorCodes(to main: inout HTMLWriter) {
        let codes = contract.components("examples").filter { $0.value["value"]?["code"] != nil }
        guard !codes.isEmpty else { return }
        main.element("section", ["class": "tag"]) { section in
            Self.writeHeading("h2", "Error codes", anchor: "error-codes", to: &section)
            section.table(
                ["Status", "Code", "Meaning"], rows: codes.count, anchor: { Self.anchor(ofCode: codes[$0].name) }
            ) { row, column, cell in
                let code = codes[row]
                switch column {
                case 0:
                    cell.element("span", ["class": "status other"], code.value["value"]?["status"]?.spelling ?? "")
                case 1: cell.element("code", code.name)
                default: MarkdownInline.write(code.value["summary"].asText ?? "", to: &cell)
                }
            }
        }
    }
}

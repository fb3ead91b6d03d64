import Domain

/// Relations that an input names, by id or by the other's `external_id`.
extension RecordWriter {
    struct Named: Hashable {
        let organization: OrganizationNumber
        let kind: RecordKind
        let externalID: ExactText

        init(organization: OrganizationNumber, kind: RecordKind, externalID: String) {
            self.organization = organization
            self.kind = kind
            self.externalID = ExactText(externalID)
        }
    }

    /// Turns relations by `external_id` into ids, and adds those that are not there to the input's faults.
    func resolve(_ input: RecordInput, in organization: OrganizationNumber) throws -> RecordInput {
        var input = input
        let fields = input.kind.schema.fields
        for reference in input.references {
            let name = Named(organization: organization, kind: reference.kind, externalID: reference.externalID)
            guard let id = try resolved[name] ?? lookUp(name) else {
                if reference.isLoose { continue }
                input.faults.append(
                    InputFault(
                        fields[reference.field].externalPointer,
                        "there is no \(reference.kind.singular) with the external_id '\(reference.externalID.prefix(80))'"))
                continue
            }
            if resolved.count > 50_000 { try forgetNames() }
            resolved[name] = id
            if case .reference(let given)? = input.values[reference.field], given != id {
                input.faults.append(
                    InputFault(
                        fields[reference.field].externalPointer,
                        "names another \(reference.kind.singular) than \(fields[reference.field].name)"))
            }
            input.values[reference.field] = .reference(id)
        }
        for (index, value) in input.values {
            guard case .reference(let ulid) = value, case .reference(let kind) = fields[index].form,
                !input.references.contains(where: { $0.field == index }),
                try place(of: RecordID(kind: kind, ulid: ulid), in: organization) == nil
            else { continue }
            input.faults.append(InputFault("/" + fields[index].name, "there is no \(RecordID(kind: kind, ulid: ulid))"))
        }
        if input.kind == .interview { try fillFromApplication(&input) }
        return input
    }

    /// An interview that names its application need not name the candidate and the job again.
    private func fillFromApplication(_ input: inout RecordInput) throws {
        let schema = RecordKind.interview.schema
        guard case .reference(let id)? = input.values[schema.position("application_id")],
            let application = try related(.application, id)
        else { return }
        for name in ["candidate_id", "job_id"] where input.values[schema.position(name)] == nil {
            input.values[schema.position(name)] = application[name]
        }
    }

    private func lookUp(_ name: Named) throws -> ULID? {
        // Those that wait are among the known names.
        let named = try direct(.named, of: name.kind) {
            "SELECT id FROM \(TableLayout.of(name.kind).table) WHERE organization = ? AND external_id = ?"
        }
        return try named.first([.integer(name.organization.value), .text(name.externalID.text)]) { $0.ulid(0) }
    }

    func forgetNames() throws {
        try flush()
        resolved = [:]
    }
}

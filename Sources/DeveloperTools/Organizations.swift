import Domain

/// Organizations: the list, a new one, what is said of one, and which is looked at.
extension DeveloperTools {
    func organizations(_ visit: Visit) throws -> PageAnswer { organizations(visit, faults: []) }

    private func organizations(_ visit: Visit, faults: [InputFault]) -> PageAnswer {
        var content: [String: Any] = [
            "all": visit.organizations.map { shown($0, visit) }, "name": visit.request.field("name") ?? "", "isOpen": !faults.isEmpty,
        ]
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "organizations", visit, title: "Organizations", section: "/organizations", content,
            status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    private func shown(_ organization: Organization, _ visit: Visit) -> [String: Any] {
        var shown: [String: Any] = [
            "id": organization.typedID, "name": Shown.visible(organization.name), "threshold": Self.plain(organization.matchThreshold),
            "created": Shown.time(organization.createdAt, now: visit.now), "isCurrent": organization.number == visit.organization.number,
        ]
        let plan = organization.plan
        (shown["hasAPI"], shown["hasWebhooks"], shown["rateLimit"]) = (plan.hasAPI, plan.hasWebhooks, String(plan.rateLimit))
        shown["maxKeys"] = plan.mostKeys.map(String.init)
        shown["maxEndpoints"] = plan.mostEndpoints.map(String.init)
        shown["plan"] = Self.words(of: plan)
        shown["displayName"] = organization.displayName.map(Shown.visible)
        shown["dashboardURL"] = organization.dashboardURL.map(Shown.visible)
        return shown
    }

    private static func words(of plan: Plan) -> String {
        let missing = [plan.hasAPI ? nil : "no API", plan.hasWebhooks ? nil : "no webhooks"].compactMap { $0 }
        let most = [(plan.mostKeys, "key"), (plan.mostEndpoints, "endpoint")].compactMap { count, noun in
            count.map { "\($0) \(noun)\($0 == 1 ? "" : "s")" }
        }
        return (missing + ["\(plan.rateLimit)/min"] + most).joined(separator: ", ")
    }

    /// The plan that a form asks for.
    private static func plan(_ request: PageRequest) throws(InputFaults) -> Plan {
        var plan = Plan()
        var faults: [InputFault] = []
        func number(_ name: String, _ right: String) -> Int? {
            guard let text = request.field(name) else { return nil }
            if let number = Int(text), number >= 0 { return number }
            faults.append(InputFault(name, right))
            return nil
        }
        plan.hasAPI = request.field("api") != nil
        plan.hasWebhooks = request.field("webhooks") != nil
        plan.rateLimit = number("rate_limit", "is from 1 to 1000000000") ?? APIKey.defaultRateLimit
        plan.mostKeys = number("max_keys", "is a number, or empty for no limit")
        plan.mostEndpoints = number("max_endpoints", "is a number, or empty for no limit")
        if !faults.isEmpty { throw InputFaults(faults) }
        return plan
    }

    /// A number without a fraction that says nothing.
    private static func plain(_ number: Double) -> String { number == number.rounded() ? String(Int(number)) : String(number) }

    func addOrganization(_ visit: Visit) throws -> PageAnswer {
        do {
            let added = try stores.management.addOrganization(name: visit.request.field("name") ?? "") { _ in }
            try stores.management.switchSession(visit.session, to: added.number)
            return .redirect(to: "/organizations/\(added.typedID)?done=added").telling(made: added.typedID)
        } catch let refusal as InputFaults { return organizations(visit, faults: refusal.faults) }
    }

    func switchOrganization(_ visit: Visit) throws -> PageAnswer {
        guard let wanted = visit.organizations.first(where: { $0.typedID == visit.request.field("organization") }) else {
            return missing(visit, "organization")
        }
        try stores.management.switchSession(visit.session, to: wanted.number)
        // A page of one record or endpoint is no page of the other organization: its list is.
        let section = (Self.safe(visit.request.field("next")) ?? "/").prefix { $0 != "?" }.split(separator: "/")
        let kept = section.first == "data" ? section.prefix(2) : section.prefix(1)
        return .redirect(to: "/" + kept.joined(separator: "/"))
    }

    // MARK: One

    func organization(_ visit: Visit) throws -> PageAnswer {
        guard let organization = visit.organizations.first(where: { $0.typedID == visit.id }) else { return missing(visit, "organization") }
        return form(organization, visit, faults: [])
    }

    private func form(_ organization: Organization, _ visit: Visit, faults: [InputFault]) -> PageAnswer {
        var content = shown(organization, visit)
        if visit.request.isPost {
            content["displayName"] = visit.request.field("display_name") ?? ""
            content["dashboardURL"] = visit.request.field("dashboard_url") ?? ""
            content["threshold"] = visit.request.field("match_threshold") ?? ""
            (content["hasAPI"], content["hasWebhooks"]) = (visit.request.field("api") != nil, visit.request.field("webhooks") != nil)
            content["rateLimit"] = visit.request.field("rate_limit") ?? ""
            content["maxKeys"] = visit.request.field("max_keys") ?? ""
            content["maxEndpoints"] = visit.request.field("max_endpoints") ?? ""
        }
        content.merge(Self.summary(of: faults)) { $1 }
        return page(
            "organization", visit, title: Shown.visible(organization.name), section: "/organizations", content,
            status: faults.isEmpty ? .ok : .unprocessableContent)
    }

    func changeOrganization(_ visit: Visit) throws -> PageAnswer {
        guard let organization = visit.organizations.first(where: { $0.typedID == visit.id }) else { return missing(visit, "organization") }
        let request = visit.request
        guard let threshold = Double(request.field("match_threshold") ?? "") else {
            return form(organization, visit, faults: [InputFault("match_threshold", "is a number from 0 to 100")])
        }
        do {
            let plan = try Self.plan(request)
            _ = try stores.management.editOrganization(named: organization.name) { organization in
                organization.displayName = request.field("display_name")
                organization.dashboardURL = request.field("dashboard_url")
                organization.matchThreshold = threshold
                organization.plan = plan
            }
            return .redirect(to: "/organizations/\(organization.typedID)?done=saved")
        } catch let refusal as InputFaults { return form(organization, visit, faults: refusal.faults) }
    }
}

import Domain
import HTTPTypes

/// One operation of those that recruiting systems offer each other, and whether this one does it.
struct Capability: Equatable, Sendable {
    struct Address: Equatable, Sendable {
        let method: HTTPRequest.Method
        /// Below `/operator/v1`.
        let pattern: String

        func matches(_ segments: [String]) -> Bool {
            let parts = pattern.split(separator: "/").map(String.init)
            return parts.count == segments.count && zip(parts, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
    }

    let group: String
    let operation: String
    let isSupported: Bool
    /// How, or why not.
    let explanation: String
    /// Where it is done, or asked for in vain; nil where no address of this API stands for it.
    let address: Address?

    private init(
        _ group: String, _ operation: String, _ isSupported: Bool, _ explanation: String, _ method: HTTPRequest.Method? = nil,
        _ pattern: String? = nil
    ) {
        self.group = group
        self.operation = operation
        self.isSupported = isSupported
        self.explanation = explanation
        address = method.flatMap { method in pattern.map { Address(method: method, pattern: $0) } }
    }

    static let unsupported = all.filter { !$0.isSupported && $0.address != nil }

    /// The configuration table of the service's kind: properties and their values.
    static let configuration: [(property: String, value: String, description: String)] = [
        ("integration_type", "webhook", "Data is pushed in; results are sent to the endpoints that subscribe to them."),
        ("provider", "public_api", "No outside ATS is connected."),
        ("processing_completion", "interview.completed", "The event that tells that an interview's result is there."),
        ("note_format", "not_applicable", "There are no notes."),
        ("disposition_reasons", "not_supported", "They belong to an outside ATS."),
        ("application_stages", "not_supported", "A stage is any text that is pushed; there is no list to choose from."),
    ]

    private static let noATS = "No outside ATS is connected, so there is none to "

    /// In the documented order.
    static let all: [Capability] = [
        Capability(
            "streaming", "stream_jobs", false, "Jobs are pushed in; read them back with updated_after from the public API.", .get,
            "/streams/jobs"),
        Capability(
            "streaming", "stream_applications", false,
            "Applications are pushed in; read them back with updated_after from the public API.", .get, "/streams/applications"),
        Capability(
            "streaming", "stream_candidates", false,
            "Candidates are pushed in; read them back with updated_after from the public API.", .get, "/streams/candidates"),
        Capability(
            "applications", "create_application", true, "Push it; its candidate and job are named by id or external_id.", .put,
            "/applications/{id}"),
        Capability(
            "applications", "move_application_to_stage", false,
            noATS + "move it in. The stage that is shown here is changed with PATCH /applications/{id}.", .post, "/applications/{id}/move"),
        Capability("applications", "get_disposition_reasons", false, noATS + "ask for them.", .get, "/disposition-reasons"),
        Capability(
            "applications", "reject_application", false,
            noATS + "reject it in. The status that is shown here is changed with PATCH /applications/{id}.", .post,
            "/applications/{id}/reject"),
        Capability(
            "applications", "bulk_reject_applications", false,
            noATS + "reject them in. Statuses that are shown here are changed together with POST /batch.", .post,
            "/applications/bulk-reject"),
        Capability("applications", "get_all_application_stages", false, noATS + "ask for them.", .get, "/application-stages"),
        Capability("jobs", "get_job", true, "The job as it was pushed.", .get, "/jobs/{id}"),
        Capability("jobs", "get_enhanced_job", true, "The public API's job has its ranked candidates and its broadcasts."),
        Capability(
            "jobs", "fetch_enhanced_jobs_batch", false, "Jobs are pushed in; read them in pages from the public API.", .get,
            "/enhanced-jobs"),
        Capability("candidates", "get_candidate", true, "The candidate as it was pushed.", .get, "/candidates/{id}"),
        Capability("candidates", "find_candidates_by_details", true, "The public API's list of candidates, with q and its filters."),
        Capability("candidates", "get_resume", true, "The public API's /api/v1/candidates/{id}/resume."),
        Capability("candidates", "put_resume", true, "The file's bytes.", .put, "/candidates/{id}/resume"),
        Capability("candidates", "erase_candidate", true, "The right to be forgotten, down to the files.", .post, "/candidates/{id}/erase"),
        Capability(
            "interviews", "post_call_results", true, "Stores the result, completes the interview and tells the subscribers.", .post,
            "/interviews/{id}/result"),
        Capability("notes", "add_note_to_application", false, noATS + "write notes to.", .post, "/applications/{id}/notes"),
        Capability("notes", "add_note_to_candidate", false, noATS + "write notes to.", .post, "/candidates/{id}/notes"),
        Capability(
            "attachments", "add_attachment_to_application", false, noATS + "attach files in.", .post, "/applications/{id}/attachments"),
        Capability(
            "attachments", "add_attachment_to_candidate", false,
            noATS + "attach files in. A résumé is stored with PUT /candidates/{id}/resume.", .post, "/candidates/{id}/attachments"),
        Capability(
            "custom_fields", "get_custom_fields", false,
            noATS + "ask for its custom fields. What a push gives as `custom` is kept as it came.", .get, "/custom-fields"),
        Capability(
            "custom_fields", "set_custom_field", false,
            noATS + "set fields in. What a push gives as `custom` is kept as it came.", .put, "/custom-fields/{name}"),
    ]

    /// What `GET /capabilities` answers.
    static let document: JSONValue = .object([
        .init(
            "configuration",
            .array(
                configuration.map {
                    .object([
                        .init("property", .string($0.property)), .init("value", .string($0.value)),
                        .init("description", .string($0.description)),
                    ])
                })),
        .init(
            "operations",
            .array(
                all.map { capability in
                    .object([
                        .init("group", .string(capability.group)), .init("operation", .string(capability.operation)),
                        .init("supported", .bool(capability.isSupported)), .init("explanation", .string(capability.explanation)),
                        .init("method", capability.address.map { .string($0.method.rawValue) } ?? .null),
                        .init("path", capability.address.map { .string(PushRoute.base + $0.pattern) } ?? .null),
                    ])
                })),
    ])
}

import Foundation
import Testing

/// What this system does of what recruiting systems offer each other.
@Suite struct PushCapabilityTests {
    /// The operations of the service's own table, and whether it has them at least as well.
    private static let published: [(operation: String, isSupported: Bool)] = [
        ("stream_jobs", false), ("stream_applications", false), ("stream_candidates", false), ("move_application_to_stage", false),
        ("get_disposition_reasons", false), ("reject_application", false), ("bulk_reject_applications", false),
        ("create_application", true),
        ("get_all_application_stages", false), ("get_job", true), ("get_enhanced_job", true), ("fetch_enhanced_jobs_batch", false),
        ("get_candidate", true), ("find_candidates_by_details", true), ("get_resume", true), ("add_note_to_application", false),
        ("add_note_to_candidate", false), ("add_attachment_to_application", false), ("add_attachment_to_candidate", false),
        ("get_custom_fields", false), ("set_custom_field", false), ("post_call_results", true),
    ]

    @Test func theTableNamesEachOperationAndWhatIsNotSupportedSaysTheSameWhenAsked() throws {
        // given
        let folder = try Folder()
        let pusher = try Pusher(Server(folder("capabilities.db")))

        // when
        let answer = try pusher.get("/capabilities")

        // then
        let operations = try #require(try answer.json["operations"].array)
        for (operation, isSupported) in Self.published {
            let own = operations.filter { $0["operation"].string == operation }
            #expect(own.count == 1 && own[0]["supported"].bool == isSupported, "\(operation)")
        }
        let properties = try #require(try answer.json["configuration"].array)
        let values = Dictionary(uniqueKeysWithValues: properties.map { ($0["property"].string ?? "", $0["value"].string ?? "") })
        #expect(
            values == [
                "provider": "public_api", "note_format": "not_applicable", "disposition_reasons": "not_supported",
                "application_stages": "not_supported", "integration_type": "webhook", "processing_completion": "interview.completed",
            ])

        // and: each is answered at its address
        for operation in operations {
            let words = try #require(operation["explanation"].string)
            guard let method = operation["method"].string, let path = operation["path"].string else {
                #expect(operation["supported"].bool == true, "\(operation)")
                continue
            }
            let target = path.dropFirst(Pusher.base.count).replacingOccurrences(of: "{id}", with: "x").replacingOccurrences(
                of: "{name}", with: "x")
            let asked = try pusher.send(method, target, method == "GET" ? nil : Array("{}".utf8))
            if operation["supported"].bool == true {
                #expect(![405, 501].contains(asked.status) && !asked.text.contains("nothing at this address"), "\(path): \(asked.text)")
            } else {
                #expect(
                    try asked.status == 501 && asked.code == "not_supported" && asked.json["detail"].string == words,
                    "\(path): \(asked.text)")
            }
        }
    }

    @Test func theContractIsThereForWhoeverAsks() throws {
        let folder = try Folder()
        let server = try Server(folder("contract.db"))
        for (form, type) in [("yaml", "application/yaml"), ("json", "application/json")] {
            let connection = try Connection(server.operatorPort)
            connection.send(Server.request("GET", "\(Pusher.base)/openapi.\(form)"))
            let answer = try connection.receive()
            #expect(answer.status == 200 && answer["Content-Type"] == type && answer.text.contains("Hirewire operator API"))
        }
    }
}

import Foundation

extension ErrorRow {
    static let table: [ErrorRow] = [parameters, limits, values, cursors, keys, records, methods, sizes].flatMap { $0 }

    private static let parameters: [ErrorRow] = [
        ErrorRow(
            "a misspelt parameter", "/api/v1/candidates?updated_afer=2026-01-01T00:00:00Z", 400, "unknown_parameter",
            errors: ["parameter": "updated_afer", "suggestion": "updated_after"]),
        ErrorRow("an unknown parameter", "/api/v1/jobs?zzzzzzzz=1", 400, "unknown_parameter", errors: ["parameter": "zzzzzzzz"]),
        ErrorRow("another list's parameter", "/api/v1/jobs?skill=Swift", 400, "unknown_parameter", errors: ["parameter": "skill"]),
        ErrorRow(
            "a parameter of one record", .from { "/api/v1/candidates/\($0.candidate)?limit=1" }, 400, "unknown_parameter",
            errors: ["parameter": "limit"]),
        ErrorRow(
            "a misspelt parameter of the events", "/api/v1/events?afer=1", 400, "unknown_parameter",
            errors: ["parameter": "afer", "suggestion": "after"]),
        ErrorRow("a parameter of the key", "/api/v1/key?x=1", 400, "unknown_parameter", errors: ["parameter": "x"]),
        ErrorRow("a repeated limit", "/api/v1/candidates?limit=1&limit=1", 400, "repeated_parameter", errors: ["parameter": "limit"]),
        ErrorRow(
            "a repeated status", "/api/v1/candidates?status=new&status=hired", 400, "repeated_parameter", errors: ["parameter": "status"]),
        ErrorRow("a repeated sort", "/api/v1/matches?sort=score&sort=-score", 400, "repeated_parameter", errors: ["parameter": "sort"]),
        ErrorRow("a repeated wait", "/api/v1/events?wait=0&wait=0", 400, "repeated_parameter", errors: ["parameter": "wait"]),
        ErrorRow("a repeated cursor", "/api/v1/candidates?cursor=a&cursor=a", 400, "repeated_parameter", errors: ["parameter": "cursor"]),
    ]

    private static func invalid(_ parameter: String, _ target: String, maximum: Int? = nil) -> ErrorRow {
        ErrorRow("invalid: \(target)", Address(target), 400, "invalid_parameter", errors: ["parameter": parameter], maximum: maximum)
    }

    private static let limits: [ErrorRow] =
        ["0", "1001", "abc", "-1", "1.5", "", "99999999999999999999", "%2B5", "0x10", "%D9%A1"].map {
            invalid("limit", "/api/v1/candidates?limit=\($0)", maximum: 1_000)
        }

    private static let values: [ErrorRow] = [
        invalid("limit", "/api/v1/events?limit=1001", maximum: 1_000), invalid("wait", "/api/v1/events?wait=31", maximum: 30),
        invalid("wait", "/api/v1/events?wait=-1", maximum: 30), invalid("after", "/api/v1/events?after=abc"),
        invalid("type", "/api/v1/events?type=candidate.creatd"), invalid("candidate_id", "/api/v1/events?candidate_id=job_1"),
        invalid("sort", "/api/v1/candidates?sort=email"), invalid("sort", "/api/v1/jobs?sort=score"),
        invalid("sort", "/api/v1/candidates?include_deleted=true&sort=full_name"), invalid("sort", "/api/v1/candidates?sort="),
        invalid("fields", "/api/v1/candidates?fields=id,nam"), invalid("fields", "/api/v1/candidates?fields="),
        invalid("expand", "/api/v1/matches?expand=organization"), invalid("count", "/api/v1/candidates?count=yes"),
        invalid("include_deleted", "/api/v1/candidates?include_deleted=1"), invalid("status", "/api/v1/candidates?status=nwe"),
        invalid("updated_after", "/api/v1/candidates?updated_after=yesterday"),
        invalid("updated_after", "/api/v1/candidates?updated_after=2026-02-30T00:00:00Z"),
        invalid("created_before", "/api/v1/jobs?created_before=2026-01-01"),
        invalid("scheduled_after", "/api/v1/interviews?scheduled_after=1700000000"),
        invalid("min_score", "/api/v1/matches?min_score=101"), invalid("min_score", "/api/v1/matches?min_score=nan"),
        invalid("ids", "/api/v1/candidates?ids=cand_nonsense"), invalid("candidate_id", "/api/v1/matches?candidate_id=1"),
        invalid("q", "/api/v1/candidates?q="), invalid("q", "/api/v1/candidates?q=%FF%FE"),
        invalid("q", "/api/v1/candidates?q=100%"), invalid("q", "/api/v1/candidates?q=a%00b"),
        ErrorRow(
            "a status with its allowed values", "/api/v1/jobs?status=opne", 400, "invalid_parameter", errors: ["parameter": "status"],
            detail: "open"),
    ]

    private static let cursors: [ErrorRow] = [
        ErrorRow("nonsense for a cursor", "/api/v1/candidates?cursor=nonsense", 400, "invalid_cursor"),
        ErrorRow("an empty cursor", "/api/v1/candidates?cursor=", 400, "invalid_cursor"),
        ErrorRow("nonsense for an event cursor", "/api/v1/events?cursor=nonsense", 400, "invalid_cursor"),
        ErrorRow(
            "a damaged cursor",
            .from { shared in
                var cursor = try shared.cursor("/api/v1/candidates?limit=1")
                cursor.replaceSubrange(cursor.startIndex...cursor.startIndex, with: cursor.hasPrefix("A") ? "B" : "A")
                return "/api/v1/candidates?cursor=" + cursor
            }, 400, "invalid_cursor"),
        ErrorRow(
            "another list's cursor", .from { "/api/v1/jobs?cursor=" + (try $0.cursor("/api/v1/events?limit=1")) }, 400, "invalid_cursor"),
        ErrorRow(
            "a cursor of other filters",
            .from { "/api/v1/candidates?status=hired&cursor=" + (try $0.cursor("/api/v1/candidates?limit=1&status=new")) },
            400, "cursor_mismatch"),
        ErrorRow(
            "a cursor of another sort",
            .from { "/api/v1/candidates?sort=full_name&cursor=" + (try $0.cursor("/api/v1/candidates?limit=1&sort=created_at")) },
            400, "cursor_mismatch"),
        ErrorRow(
            "an event cursor of another type",
            .from { "/api/v1/events?type=candidate.matched&cursor=" + (try $0.cursor("/api/v1/events?limit=1&type=candidate.created")) },
            400, "cursor_mismatch"),
    ]

    private static let challenge = ["WWW-Authenticate": "Bearer realm=\"hirewire\""]
    private static let refusal = ["WWW-Authenticate": "Bearer realm=\"hirewire\", error=\"invalid_token\""]

    private static let keys: [ErrorRow] = [
        ErrorRow("no credentials", "/api/v1/candidates", 401, "unauthorized", headers: challenge) { _ in [] },
        ErrorRow("no credentials for a record", .from { "/api/v1/candidates/\($0.candidate)" }, 401, "unauthorized", headers: challenge) {
            _ in []
        },
        ErrorRow("a malformed key", "/api/v1/candidates", 401, "invalid_token", headers: refusal) { _ in
            ["Authorization: Bearer rk_nonsense"]
        },
        ErrorRow("another scheme", "/api/v1/candidates", 401, "invalid_token", headers: refusal) {
            ["Authorization: Digest \($0.reader.token)"]
        },
        ErrorRow("an unknown key", "/api/v1/candidates", 401, "invalid_token", headers: refusal) { _ in
            ["Authorization: Bearer \(ErrorTableTests.unknownKey)"]
        },
        ErrorRow("a wrong secret", "/api/v1/candidates", 401, "invalid_token", headers: refusal) {
            ["Authorization: Bearer \(try $0.wrong)"]
        },
        ErrorRow("an expired key", "/api/v1/candidates", 401, "invalid_token", headers: refusal, detail: "expired") {
            ["Authorization: Bearer \($0.expired.token)"]
        },
        ErrorRow("a revoked key", "/api/v1/candidates", 401, "invalid_token", headers: refusal, detail: "revoked") {
            ["Authorization: Bearer \($0.revoked.token)"]
        },
        ErrorRow("a wrong key for the root", "/api/v1", 401, "invalid_token", headers: refusal) { _ in ["Authorization: Bearer rk_nonsense"]
        },
        ErrorRow("a key in the query string", .from { "/api/v1/candidates?api_key=\($0.reader.token)" }, 400, "invalid_request") { _ in []
        },
        ErrorRow(
            "a key in the query string under another name", .from { "/api/v1/candidates?q=\($0.reader.token)" }, 400, "invalid_request"),
        ErrorRow("two keys", "/api/v1/candidates", 400, "invalid_request") {
            ["Authorization: Bearer \($0.reader.token)", "Authorization: Bearer \($0.personal.token)"]
        },
        ErrorRow("a key that may only ingest", "/api/v1/candidates", 403, "insufficient_scope", errors: ["scope": "read"], detail: "read") {
            ["Authorization: Bearer \($0.ingest.token)"]
        },
        ErrorRow(
            "a résumé without the scope", .from { "/api/v1/candidates/\($0.candidate)/resume" }, 403, "insufficient_scope",
            errors: ["scope": "read:pii"], detail: "read:pii"),
    ]

    private static let records: [ErrorRow] = [
        ErrorRow("an unknown id", "/api/v1/candidates/cand_01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"),
        ErrorRow("another organization's id", .from { "/api/v1/candidates/\($0.stranger)" }, 404, "not_found"),
        ErrorRow("an id of another kind", .from { "/api/v1/jobs/\($0.candidate)" }, 404, "not_found"),
        ErrorRow("no id at all", "/api/v1/candidates/nonsense", 404, "not_found"),
        ErrorRow("an unknown event", "/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"),
        ErrorRow("an unknown address", "/api/v1/nothing", 404, "not_found"),
        ErrorRow("an address with a slash too many", "/api/v1/candidates/", 404, "not_found"),
        ErrorRow("an unknown address without a key", "/nothing", 404, "not_found") { _ in [] },
        ErrorRow("a deleted candidate", .from { "/api/v1/candidates/\($0.deleted)" }, 410, "gone"),
        ErrorRow("a deleted candidate's résumé", .from { "/api/v1/candidates/\($0.deleted)/resume" }, 410, "gone") {
            ["Authorization: Bearer \($0.personal.token)"]
        },
    ]

    private static let allowed = ["Allow": "GET, HEAD, OPTIONS"]

    private static func writing(_ method: String, _ address: Address) -> ErrorRow {
        ErrorRow(
            "\(method) of \(method == "DELETE" ? "it" : "a list")", method: method, address, 405, "method_not_allowed", headers: allowed)
    }

    private static let methods: [ErrorRow] = [
        writing("POST", "/api/v1/candidates"), writing("PUT", "/api/v1/candidates"), writing("PATCH", "/api/v1/candidates"),
        writing("DELETE", "/api/v1/candidates"), writing("TRACE", "/api/v1/candidates"), writing("PROPFIND", "/api/v1/candidates"),
        writing("MKCOL", "/api/v1/candidates"), writing("PURGE", "/api/v1/candidates"), writing("LOCK", "/api/v1/candidates"),
        writing("DELETE", .from { "/api/v1/candidates/\($0.candidate)" }), writing("DELETE", "/docs"),
        ErrorRow("POST without a key", method: "POST", "/api/v1/candidates", 405, "method_not_allowed", headers: allowed) { _ in [] },
        ErrorRow("CONNECT", method: "CONNECT", "example.com:443", 400, "invalid_request"),
        ErrorRow("a method that is none", method: "FETCH", "/api/v1/candidates", 405, "method_not_allowed", headers: allowed),
        ErrorRow("HTML of a list", "/api/v1/candidates", 406, "not_acceptable", detail: "application/json") {
            ["Authorization: Bearer \($0.reader.token)", "Accept: text/html"]
        },
        ErrorRow("JSON refused", "/api/v1/candidates", 406, "not_acceptable") {
            ["Authorization: Bearer \($0.reader.token)", "Accept: application/json;q=0, */*;q=0"]
        },
        ErrorRow("JSON of the page", "/docs", 406, "not_acceptable", detail: "text/html") { _ in ["Accept: application/json"] },
    ]

    private static func large(_ name: String, _ fields: [String]) -> ErrorRow {
        ErrorRow(name, "/api/v1/candidates", 431, "headers_too_large") { ["Authorization: Bearer \($0.reader.token)"] + fields }
    }

    private static func long(_ name: String, _ start: String, _ count: Int) -> ErrorRow {
        ErrorRow(name, Address(start + times("x", count)), 414, "uri_too_long")
    }

    private static func times(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    private static let sizes: [ErrorRow] = [
        large("headers over 16 KiB", ["X-Long: " + times("x", 17 << 10)]), large("headers of 60 KB", ["X-Long: " + times("x", 60_000)]),
        large("headers of 100 KB", ["X-Long: " + times("x", 100_000)]),
        large("headers over 16 KiB in many fields", (0..<300).map { "X-\($0): " + times("x", 60) }),
        large("three thousand small headers", (0..<3_000).map { "X-\($0): 1" }),
        large("a header name of 20 KB", [times("x", 20_000) + ": 1"]),
        long("a target over 8 KiB", "/api/v1/candidates?q=", 8_200), long("a path over 8 KiB", "/", 8_200),
        long("a target of 60 KB", "/api/v1/candidates?q=", 60_000), long("a target of 100 KB", "/api/v1/candidates?q=", 100_000),
    ]
}

extension SharedServer {
    /// The cursor that a page ends with.
    func cursor(_ target: String) throws -> String {
        guard let cursor = try server.get(target, key: reader.token).json["next_cursor"].string else {
            throw Trouble("no next page of \(target)")
        }
        return cursor
    }
}

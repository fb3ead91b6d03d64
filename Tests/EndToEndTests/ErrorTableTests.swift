import Foundation
import Testing

/// What a row asks for: an address, or one made from what the shared server has.
struct Address: ExpressibleByStringLiteral, Sendable {
    let text: @Sendable (SharedServer) throws -> String
    init(stringLiteral text: String) { self.text = { _ in text } }
    init(_ text: String) { self.text = { _ in text } }
    init(from text: @escaping @Sendable (SharedServer) throws -> String) { self.text = text }
    static func from(_ text: @escaping @Sendable (SharedServer) throws -> String) -> Address { Address(from: text) }
}

/// One row of the contract's table of errors: a request, and what it is answered.
struct ErrorRow: CustomTestStringConvertible, Sendable {
    let name: String
    let method: String
    let address: Address
    /// The request's header fields; a key that reads unless others are given.
    let fields: @Sendable (SharedServer) throws -> [String]
    let status: Int
    let code: String
    /// What the first entry of `errors` says.
    let errors: [String: String]
    let maximum: Int?
    /// Header fields with what they hold.
    let headers: [String: String]
    let detail: String?
    var testDescription: String { name }

    init(
        _ name: String, method: String = "GET", _ address: Address, _ status: Int, _ code: String, errors: [String: String] = [:],
        maximum: Int? = nil, headers: [String: String] = [:], detail: String? = nil,
        fields: @escaping @Sendable (SharedServer) throws -> [String] = { ["Authorization: Bearer \($0.reader.token)"] }
    ) {
        self.name = name
        self.method = method
        self.address = address
        self.fields = fields
        self.status = status
        self.code = code
        self.errors = errors
        self.maximum = maximum
        self.headers = headers
        self.detail = detail
    }
}

@Suite struct ErrorTableTests {
    @Test(arguments: ErrorRow.table)
    func everyRowOfTheTableIsAnsweredAsTheContractSays(row: ErrorRow) throws {
        // given
        let shared = try SharedServer.running

        // when
        let response = try shared.server.ask(row.method, row.address.text(shared), row.fields(shared))

        // then
        #expect(response.status == row.status, "\(response.text)")
        #expect(response["Content-Type"] == "application/problem+json")
        let body = try response.json
        #expect(body["code"].string == row.code)
        #expect(body["status"].int == row.status)
        #expect(body["type"].string == "/problems/" + row.code.replacingOccurrences(of: "_", with: "-"))
        #expect(body["title"].string?.isEmpty == false)
        #expect(body["detail"].string?.isEmpty == false)
        #expect(body["request_id"].string == response["X-Request-Id"] && response["X-Request-Id"] != nil)
        for (name, value) in row.errors { #expect(body["errors"][0][name].string == value, "\(response.text)") }
        if let maximum = row.maximum { #expect(body["errors"][0]["maximum"].int == maximum) }
        if let detail = row.detail { #expect(body["detail"].string?.contains(detail) == true, "\(response.text)") }
        for (name, value) in row.headers {
            #expect(response[name] == value)
        }
        #expect(response.all("WWW-Authenticate").count == (row.status == 401 ? 1 : 0))
        #expect(response["RateLimit-Reset"] == nil && response["X-RateLimit-Limit"] == nil)
        try keepsTheMembersInOrder(response.text)
    }

    private func keepsTheMembersInOrder(_ text: String) throws {
        let places = ["type", "title", "status", "code", "detail", "request_id"].map { text.range(of: "\"\($0)\":")?.lowerBound }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    @Test func whyAKeyIsRefusedIsSaidOnlyToOneWhoHasItsSecret() throws {
        // given
        let shared = try SharedServer.running
        func detail(_ token: String) throws -> String {
            try shared.server.get("/api/v1/key", key: token, from: "127.0.0.10").json["detail"].string ?? ""
        }

        // when
        let unknown = try detail(Self.unknownKey)
        let wrong = try detail(shared.wrong)
        let malformed = try detail("rk_nonsense")

        // then
        #expect(unknown == wrong && wrong == malformed)
        #expect(try detail(shared.revoked.token).contains("revoked"))
        #expect(try detail(shared.expired.token).contains("expired"))
        for token in [shared.revoked, shared.expired, shared.reader] {
            let damaged = "rk_" + token.id + "_" + String(token.secret.reversed())
            #expect(try detail(damaged) == unknown)
        }
    }

    @Test func anUnknownIdAndAnotherOrganizationsIdAreAnsweredWithTheSameBytes() throws {
        // given
        let shared = try SharedServer.running
        let unknown = "cand_01ARZ3NDEKTSV4RRFFQ69G5FAV"

        // when
        let answers = try [unknown, shared.stranger].map { id in
            try shared.server.get("/api/v1/candidates/\(id)", key: shared.personal.token, ["X-Request-Id: same"])
        }

        // then
        #expect(answers[0].status == 404)
        #expect(answers[0].body == answers[1].body)
        let heads = answers.map { answer in
            answer.fields.filter { $0.name != "Date" && $0.name != "RateLimit" }.map { "\($0.name): \($0.value)" }
        }
        #expect(heads[0] == heads[1])
    }

    @Test func tooManyRequestsAreAnswered429WithTheTimeToWait() throws {
        // given
        let shared = try SharedServer.running
        let key = try shared.server.makeKey(limit: 1)
        _ = try shared.server.get("/api/v1/key", key: key.token)

        // when
        let response = try shared.server.get("/api/v1/key", key: key.token)

        // then
        #expect(response.status == 429 && response.code == "rate_limited")
        #expect(response["Content-Type"] == "application/problem+json")
        #expect((1...60).contains(response["Retry-After"].flatMap { Int($0) } ?? 0))
        #expect(response["RateLimit-Policy"] == "\"default\";q=1;w=60")
        #expect(response["RateLimit"]?.hasPrefix("\"default\";r=0;t=") == true)
        #expect(try response.json["request_id"].string == response["X-Request-Id"])
    }

    /// Well formed, its check sum right, made by nobody here.
    static let unknownKey = "rk_" + String(repeating: "a", count: 16) + "_" + String(repeating: "A", count: 43) + checkSum

    private static let checkSum: String = {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in (String(repeating: "a", count: 16) + String(repeating: "A", count: 43)).utf8 {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        value = ~value
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var text = ""
        for _ in 0..<6 {
            text = String(digits[Int(value % 62)]) + text
            value /= 62
        }
        return text
    }()
}

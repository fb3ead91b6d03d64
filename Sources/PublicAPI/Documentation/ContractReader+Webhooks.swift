import Domain

extension ContractReader {
    /// A request that subscribers get, in one dialect.
    struct Webhook: Sendable {
        /// Its path is the webhook's name in the document.
        let operation: Operation
        /// By media type.
        let body: [JSONValue.Member]
        let dialect: String
        /// What it tells of; a test is not among them.
        let eventTypes: [String]
        let attempts: Attempts
        /// What the first example is signed with.
        let exampleSecret: String?

        init(_ value: JSONValue, operation: Operation, body: JSONValue?) {
            self.operation = operation
            self.body = (body?["content"]).asMembers
            dialect = value["x-dialect"].asText ?? ""
            eventTypes = value["x-event-types"].asElements.compactMap(\.asText)
            attempts = Attempts(value["x-attempts"])
            exampleSecret = value["x-example-secret"].asText
        }
    }

    /// How often and for how long a delivery is tried. Times are seconds.
    struct Attempts: Sendable, Equatable {
        /// In all.
        let most: Int
        let delays: [Int]
        /// For one attempt.
        let deadline: Int

        init(_ value: JSONValue?) {
            func number(_ value: JSONValue?) -> Int { value.flatMap { Int($0.spelling) } ?? 0 }
            most = number(value?["most"])
            delays = (value?["delays"]).asElements.map(number)
            deadline = number(value?["deadline"])
        }
    }
}

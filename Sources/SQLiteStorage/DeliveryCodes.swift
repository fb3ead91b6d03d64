import Domain

// The numbers that stand for words in the rows of deliveries, where each lies in indexes too: words made a write a third
// slower. They are stored; never renumber one.

extension DeliveryStatus {
    var code: Int64 {
        switch self {
        case .pending: 0
        case .succeeded: 1
        case .failed: 2
        case .parked: 3
        case .erased: 4
        }
    }

    /// Nil for a number that is none.
    init?(code: Int64) {
        guard let status = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = status
    }
}

extension EventType {
    var code: Int64 {
        switch self {
        case .candidateCreated: 1
        case .candidateStatusChanged: 2
        case .candidateMatched: 3
        case .candidateDeleted: 4
        case .jobStatusChanged: 5
        case .interviewScheduled: 6
        case .interviewCompleted: 7
        case .interviewAbandoned: 8
        case .aiCallCompleted: 9
        case .callUploaded: 10
        case .aiTrainingCompleted: 11
        case .webhookTest: 12
        }
    }

    /// Nil for a number that this program does not know.
    init?(code: Int64) {
        guard let type = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = type
    }
}

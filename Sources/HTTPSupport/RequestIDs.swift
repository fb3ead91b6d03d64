import Synchronization

/// Makes request ids: a random part for the process, then a count. Unique, cheap, and telling nothing.
public final class RequestIDs: Sendable {
    private let prefix: String
    private let count = Atomic<UInt64>(0)

    public init() {
        let seed = UInt64.random(in: 0...UInt64.max)
        let digits = String(seed, radix: 36)
        prefix = String(repeating: "0", count: 13 - digits.count) + digits + "-"
    }

    public func next() -> String {
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        return prefix + String(number, radix: 36)
    }

    /// 1 to 128 of letters, digits, `-`, `_`, `.`: nothing that a log could be tricked with.
    public static func isWellFormed(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 122) || $0 == 45 || $0 == 95 || $0 == 46
            }
    }
}

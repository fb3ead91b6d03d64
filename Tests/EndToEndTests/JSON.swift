import Foundation

/// A JSON value that tests look into. The order of keys is asked of the bytes instead.
struct JSON: CustomStringConvertible, Equatable {
    private let value: Any?

    static func == (left: JSON, right: JSON) -> Bool { (left.value as? NSObject) == (right.value as? NSObject) }

    init(_ bytes: [UInt8]) throws {
        do {
            value = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        } catch {
            throw Trouble("not JSON: \(String(decoding: bytes.prefix(300), as: UTF8.self))")
        }
    }

    private init(value: Any?) { self.value = value }

    subscript(name: String) -> JSON { JSON(value: (value as? [String: Any])?[name]) }
    subscript(index: Int) -> JSON {
        let array = value as? [Any] ?? []
        return JSON(value: array.indices.contains(index) ? array[index] : nil)
    }

    var string: String? { value as? String }
    var int: Int? { value as? Int }
    var double: Double? { (value as? NSNumber)?.doubleValue }
    var bool: Bool? { value as? Bool }
    var array: [JSON]? { (value as? [Any])?.map { JSON(value: $0) } }
    var keys: Set<String> { Set((value as? [String: Any])?.keys.map { $0 } ?? []) }
    /// Present and `null`.
    var isNull: Bool { value is NSNull }
    var isAbsent: Bool { value == nil }
    var description: String { value.map { "\($0)" } ?? "absent" }
}

import Domain
import GRDBSQLite

/// `hirewire_has(list, folded)`: whether a JSON array of texts holds a text that folds to this. For reads alone, so that
/// no index or trigger needs it.
enum SkillFunction {
    static func register(on connection: OpaquePointer) throws {
        let code = sqlite3_create_function_v2(
            connection, "hirewire_has", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nil,
            { context, _, arguments in
                guard let arguments, let list = SkillFunction.text(arguments[0]), let wanted = SkillFunction.text(arguments[1]),
                    case .array(let elements)? = try? JSONParser.parse(list)
                else { return sqlite3_result_int(context, 0) }
                let found = elements.contains { element in
                    guard case .string(let skill) = element else { return false }
                    return folded(skill).utf8.elementsEqual(wanted)
                }
                sqlite3_result_int(context, found ? 1 : 0)
            }, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteFailure(connection, code: code) }
    }

    private static func text(_ value: OpaquePointer?) -> UnsafeBufferPointer<UInt8>? {
        guard sqlite3_value_type(value) == SQLITE_TEXT, let start = sqlite3_value_text(value) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
    }
}

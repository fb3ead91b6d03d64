/// JSON Pointer (RFC 6901).
public enum JSONPointer {
    /// A member's name as one reference token: `~` and `/` escaped, long names cut.
    public static func escaped(_ name: String) -> String {
        String(name.unicodeScalars.prefix(80).flatMap { $0 == "~" ? Array("~0") : $0 == "/" ? Array("~1") : [Character($0)] })
    }
}

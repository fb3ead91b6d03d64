import Domain

/// A row's key: the organization above, the place in its change order below. See ``Schema``.
enum Place {
    static let bits: Int64 = 51
    static let mask: Int64 = (1 << 51) - 1
    /// 2020-01-01T00:00:00Z: no `updated_at` is earlier.
    static let epoch: Int64 = 1_577_836_800_000_000
    /// 51 bits of microseconds last until 2091.
    static let latest = Timestamp(microseconds: epoch + mask - 1)
    static let earliest = Timestamp(microseconds: epoch)

    @inline(__always)
    static func key(_ organization: OrganizationNumber, _ low: Int64) -> Int64 { organization.value << bits | low }

    /// The key of a time, clamped to what an organization can hold.
    static func key(_ organization: OrganizationNumber, _ time: Timestamp) -> Int64 {
        key(organization, min(max(time.microseconds - epoch, 0), mask))
    }

    @inline(__always)
    static func time(_ key: Int64) -> Timestamp { Timestamp(microseconds: (key & mask) &+ epoch) }

    @inline(__always)
    static func low(_ key: Int64) -> Int64 { key & mask }

    static func organization(_ key: Int64) -> OrganizationNumber { OrganizationNumber(key >> bits) }
}

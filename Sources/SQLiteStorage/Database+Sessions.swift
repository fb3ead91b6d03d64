import Domain

extension Database: SessionStore, ActivityStore, ManagementStore {
    // MARK: Sessions

    public func beginSession(_ hash: [UInt8], token: String, organization: OrganizationNumber, until: Timestamp) throws -> Bool {
        try transaction { statements in
            // In the session's own transaction: a rotation comes before it and refuses, or after it and ends the session.
            guard try Self.accepts(token, statements) else { return false }
            let now = time.now
            try statements("DELETE FROM operator_sessions WHERE expires_at <= ?").run([SQLValue(now)])
            try statements("INSERT INTO operator_sessions (hash, organization, created_at, expires_at) VALUES (?, ?, ?, ?)")
                .run([.blob(hash), .integer(organization.value), SQLValue(now), SQLValue(until)])
            return true
        }
    }

    public func session(_ hash: [UInt8]) throws -> OperatorSession? {
        try snapshot { statements in
            try statements("SELECT organization, created_at, expires_at FROM operator_sessions WHERE hash = ? AND expires_at > ?")
                .first([.blob(hash), SQLValue(time.now)]) {
                    OperatorSession(organization: OrganizationNumber($0.integer(0)), createdAt: $0.time(1), expiresAt: $0.time(2))
                }
        }
    }

    public func switchSession(_ hash: [UInt8], to organization: OrganizationNumber) throws {
        try transaction {
            try $0("UPDATE operator_sessions SET organization = ? WHERE hash = ?").run([.integer(organization.value), .blob(hash)])
        }
    }

    public func endSession(_ hash: [UInt8]) throws {
        try transaction { try $0("DELETE FROM operator_sessions WHERE hash = ?").run([.blob(hash)]) }
    }

    /// Beside the answers of repeated requests, which go by the same rule and after the same time.
    public func useForm(_ name: [UInt8]) throws -> Bool {
        try transaction { statements in
            try statements(
                """
                INSERT INTO kept_answers (organization, name, status, headers, body, created_at)
                SELECT min(number), ?, 0, '[]', x'', ? FROM organizations WHERE true ON CONFLICT DO NOTHING
                """
            ).run([.blob(name), SQLValue(time.now)])
            return try statements("SELECT changes()").first { $0.integer(0) == 1 } ?? false
        }
    }

    // MARK: Activity

    /// In minutes.
    private static let activityKept: Int64 = 7 * 1_440

    public func add(activity: [ActivityLabel: Int64]) throws {
        let minute = time.now.minute
        try transaction { statements in
            for (label, count) in activity {
                try statements(
                    """
                    INSERT INTO activity (minute, kind, label, count) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (minute, kind, label) DO UPDATE SET count = count + ?4
                    """
                ).run([.integer(minute), .text(label.kind.rawValue), .text(label.label), .integer(count)])
            }
            try statements("DELETE FROM activity WHERE minute < ?").run([.integer(minute - Self.activityKept)])
        }
    }

    public func activity(since moment: Timestamp) throws -> [ActivityCount] {
        try snapshot { statements in
            try statements("SELECT minute, kind, label, count FROM activity WHERE minute >= ? ORDER BY minute")
                .all([.integer(moment.minute)]) { row in
                    ActivityLabel.Kind(rawValue: row.string(1)).map {
                        ActivityCount(minute: row.integer(0), label: ActivityLabel($0, row.string(2)), count: row.integer(3))
                    }
                }
                .compactMap(\.self)
        }
    }
}

extension SQLiteOutbox: DeliveryLog {}

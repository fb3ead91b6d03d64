extension Schema {
    /// What the operator's listener needs for itself.
    static let operatorPages = """
        CREATE TABLE operator_token (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            -- SHA-256 of the token.
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            created_at INTEGER NOT NULL
        );

        -- Signed-in browsers. A new token empties the table.
        CREATE TABLE operator_sessions (
            -- SHA-256 of the cookie.
            hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
            organization INTEGER NOT NULL REFERENCES organizations (number),
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) WITHOUT ROWID;

        -- How often things happened, by minutes since 1970.
        CREATE TABLE activity (
            minute INTEGER NOT NULL,
            -- 'request' or 'attempt'.
            kind TEXT NOT NULL,
            -- A request's status, an attempt's outcome.
            label TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0),
            PRIMARY KEY (minute, kind, label)
        ) WITHOUT ROWID;
        """
}

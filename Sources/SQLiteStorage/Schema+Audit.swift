extension Schema {
    /// Who was given whose personal data. A row is one way (a key and an address) in one short time; the candidates' ids are
    /// sorted and lie one after the other, for a walk of a million is one row of 16 MB rather than a million rows.
    static let audit = """
        CREATE TABLE reads (
            number INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            -- NULL for the operator.
            key_id TEXT,
            route TEXT NOT NULL,
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            candidates BLOB NOT NULL CHECK (length(candidates) % 16 = 0)
        );
        CREATE INDEX reads_last_at ON reads (last_at);
        """
}

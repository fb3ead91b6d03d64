extension Schema {
    /// What pushes leave behind beside the records.
    ///
    /// - Answers under an `Idempotency-Key`: the name is a hash, for the key itself could name a person. An answer that
    ///   tells of an erased candidate loses what it tells and stays as a name, so that a repeat does not push them anew.
    /// - Erasures, until the files themselves are free of what was erased.
    static let push = """
        CREATE TABLE kept_answers (
            number INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            name BLOB NOT NULL CHECK (length(name) = 32),
            -- NULL once erased, with all that it says.
            fingerprint BLOB CHECK (length(fingerprint) = 32),
            status INTEGER NOT NULL,
            -- A JSON array of pairs.
            headers TEXT NOT NULL,
            body BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            UNIQUE (organization, name)
        );
        CREATE INDEX kept_answers_created_at ON kept_answers (created_at);
        CREATE TABLE kept_answers_candidates (
            candidate_id BLOB NOT NULL CHECK (length(candidate_id) = 16),
            answer INTEGER NOT NULL REFERENCES kept_answers (number) ON DELETE CASCADE,
            PRIMARY KEY (candidate_id, answer)
        ) WITHOUT ROWID;
        CREATE INDEX kept_answers_candidates_answer ON kept_answers_candidates (answer);

        CREATE TABLE erasures (
            candidate_id BLOB PRIMARY KEY CHECK (length(candidate_id) = 16),
            organization INTEGER NOT NULL REFERENCES organizations (number),
            requested_at INTEGER NOT NULL,
            done_at INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX erasures_pending ON erasures (requested_at) WHERE done_at IS NULL;
        """
}

import Domain

/// The tables, as migrations that are only ever added to.
///
/// **The key of a record's row is its place in the change order**: `change` is the organization's number shifted left
/// by 51 bits, plus the microseconds of `updated_at` since 2020-01-01. So a table's rows lie together by organization
/// and in the order of `updated_at`; each index carries that order in its row id; the full-text index shares it; and a
/// range of `change` is all that keeps organizations apart. A changed row moves to the end.
enum Schema {
    struct Migration {
        let name: String
        let sql: String
        /// Kinds whose full-text index is new and empty after it.
        var reindexed: [RecordKind] = []
    }

    static let migrations: [Migration] = [
        Migration(name: "1 organizations, keys, events", sql: base),
        Migration(name: "1 people and jobs", sql: people),
        Migration(name: "1 what happens between them", sql: relations),
        Migration(name: "2 words, skills and whole numbers", sql: search, reindexed: [.candidate, .job]),
        Migration(name: "2 what is known of what was", sql: remains),
        Migration(name: webhooksName, sql: webhooks),
        Migration(name: "3 what is pushed", sql: push),
        Migration(name: "4 the operator's pages", sql: operatorPages),
        Migration(name: "5 plans", sql: plans),
        Migration(name: "5 who read what", sql: audit),
        Migration(name: "6 words one by one", sql: words),
        Migration(name: "7 masked data made when it is read", sql: masks),
    ]

    private static let base = """
        CREATE TABLE store (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            identity INTEGER NOT NULL,
            key_counter INTEGER NOT NULL DEFAULT 0
        );
        INSERT INTO store (only, identity) VALUES (1, random());

        CREATE TABLE organizations (
            number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4095),
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 100),
            display_name TEXT,
            dashboard_url TEXT,
            match_threshold REAL NOT NULL DEFAULT 70 CHECK (match_threshold BETWEEN 0 AND 100),
            change_counter INTEGER NOT NULL DEFAULT 0,
            event_sequence INTEGER NOT NULL DEFAULT 0,
            events_expired_through INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
        );

        -- The last updated_at given, per organization and kind.
        CREATE TABLE clocks (
            organization INTEGER NOT NULL REFERENCES organizations (number),
            kind INTEGER NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (organization, kind)
        ) WITHOUT ROWID;

        CREATE TABLE api_keys (
            key_id TEXT PRIMARY KEY CHECK (length(key_id) = 16),
            organization INTEGER NOT NULL REFERENCES organizations (number),
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
            scopes INTEGER NOT NULL CHECK (scopes BETWEEN 1 AND 7),
            secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
            previous_hash BLOB CHECK (length(previous_hash) = 32),
            previous_until INTEGER,
            rate_limit INTEGER NOT NULL CHECK (rate_limit BETWEEN 1 AND 1000000000),
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            revoked_at INTEGER,
            last_used_at INTEGER,
            usage_count INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE INDEX api_keys_organization ON api_keys (organization, created_at);

        -- place: organization << 51 | sequence.
        CREATE TABLE events (
            place INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            type TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            subject_kind INTEGER,
            subject_id BLOB,
            subject_version INTEGER,
            candidate_id BLOB,
            job_id BLOB,
            data TEXT NOT NULL,
            -- NULL where it is the same as data.
            masked_data TEXT
        );
        CREATE INDEX events_type ON events (type);
        CREATE INDEX events_candidate ON events (candidate_id) WHERE candidate_id IS NOT NULL;
        CREATE INDEX events_job ON events (job_id) WHERE job_id IS NOT NULL;

        -- What is left of deleted records.
        CREATE TABLE tombstones (
            kind INTEGER NOT NULL,
            change INTEGER NOT NULL,
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            deleted_at INTEGER NOT NULL,
            erased INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, change)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX tombstones_id ON tombstones (kind, id);
        CREATE INDEX tombstones_external_id ON tombstones (kind, external_id) WHERE external_id IS NOT NULL;
        """

    /// From here on `events.masked_data` may be empty, which older programs would give as it is: see ``StoredMask``.
    private static let masks = "SELECT 1;"

    /// One column for all words of a record; ranges of numbers as their whole parts, each in the change order.
    private static let search = """
        DROP TABLE candidates_search;
        DROP TABLE jobs_search;
        CREATE VIRTUAL TABLE candidates_search USING fts5 (
            text, content='', columnsize=0, prefix='2 3', tokenize="unicode61 remove_diacritics 2 tokenchars '+#'"
        );
        CREATE VIRTUAL TABLE jobs_search USING fts5 (
            text, content='', columnsize=0, prefix='2 3', tokenize="unicode61 remove_diacritics 2 tokenchars '+#'"
        );
        DROP INDEX candidates_years_experience;
        DROP INDEX candidates_best_score;
        CREATE INDEX candidates_years_experience ON candidates (CAST(years_experience AS INTEGER))
            WHERE years_experience IS NOT NULL;
        CREATE INDEX candidates_best_score ON candidates (CAST(best_score AS INTEGER)) WHERE best_score IS NOT NULL;
        """
}

extension Schema {
    static let webhooksName = "2 webhooks"

    /// Endpoints and the outbox.
    ///
    /// A delivery carries what it needs of its event, which may expire before it does. Its `event` is the event's place;
    /// its `created_at` the event's time. An endpoint's number is never used twice: the dispatcher remembers it.
    static let webhooks = """
        CREATE TABLE endpoints (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
            dialect TEXT NOT NULL CHECK (length(dialect) BETWEEN 1 AND 40),
            -- A JSON array; NULL for all that the dialect knows.
            types TEXT CHECK (types IS NULL OR json_valid(types)),
            job_id BLOB CHECK (length(job_id) = 16),
            includes_personal INTEGER NOT NULL CHECK (includes_personal IN (0, 1)),
            -- A JSON array of milliseconds.
            schedule TEXT CHECK (schedule IS NULL OR json_valid(schedule)),
            attempts INTEGER CHECK (attempts BETWEEN 1 AND 100),
            -- Milliseconds.
            timeout INTEGER CHECK (timeout BETWEEN 1 AND 600000),
            -- Sealed.
            secret BLOB,
            previous_secret BLOB,
            previous_until INTEGER,
            disabled_reason TEXT,
            disabled_at INTEGER,
            created_at INTEGER NOT NULL,
            failing_since INTEGER,
            last_success_at INTEGER,
            -- It is gone for everybody; its deliveries are being deleted, and then the row.
            removed_at INTEGER,
            CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
            CHECK ((disabled_reason IS NULL) = (disabled_at IS NULL)),
            CHECK (removed_at IS NULL OR (secret IS NULL AND previous_secret IS NULL))
        );
        CREATE INDEX endpoints_organization ON endpoints (organization);

        -- Shared by deliveries of one event.
        CREATE TABLE bodies (
            number INTEGER PRIMARY KEY,
            event INTEGER NOT NULL,
            -- Whose erasure takes the body away.
            candidate_id BLOB CHECK (length(candidate_id) = 16),
            bytes BLOB NOT NULL,
            UNIQUE (event, number)
        );
        CREATE INDEX bodies_candidate ON bodies (candidate_id) WHERE candidate_id IS NOT NULL;

        CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY,
            endpoint INTEGER NOT NULL REFERENCES endpoints (number),
            event INTEGER NOT NULL,
            type INTEGER NOT NULL,
            -- 0 pending, 1 succeeded, 2 failed, 3 parked, 4 erased.
            status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 4),
            created_at INTEGER NOT NULL,
            id BLOB NOT NULL CHECK (length(id) = 16),
            event_id BLOB NOT NULL CHECK (length(event_id) = 16),
            -- Attempts of this round.
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            due_at INTEGER,
            finished_at INTEGER,
            reason TEXT,
            -- NULL where it could not be built, or was erased.
            body INTEGER,
            FOREIGN KEY (event, body) REFERENCES bodies (event, number),
            CHECK ((status = 0) = (due_at IS NOT NULL)),
            CHECK ((status = 0) = (finished_at IS NULL)),
            CHECK (status <> 0 OR body IS NOT NULL),
            CHECK ((status = 3) = (reason IS NOT NULL))
        );
        CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
        -- Finds a body's deliveries too.
        CREATE UNIQUE INDEX deliveries_event ON deliveries (event, endpoint);
        CREATE INDEX deliveries_due ON deliveries (endpoint, due_at) WHERE status = 0;
        CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint, type, status, created_at);

        -- The last delivery takes its body along.
        CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries WHEN old.body IS NOT NULL BEGIN
            DELETE FROM bodies WHERE number = old.body
                AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = old.event AND body = old.body);
        END;
        CREATE TRIGGER deliveries_emptied AFTER UPDATE OF body ON deliveries
        WHEN old.body IS NOT NULL AND new.body IS NOT old.body BEGIN
            DELETE FROM bodies WHERE number = old.body
                AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = old.event AND body = old.body);
        END;

        CREATE TABLE attempts (
            number INTEGER PRIMARY KEY,
            delivery INTEGER NOT NULL REFERENCES deliveries (number) ON DELETE CASCADE,
            started_at INTEGER NOT NULL,
            -- Microseconds.
            duration INTEGER NOT NULL CHECK (duration >= 0),
            -- JSON arrays of pairs.
            request_headers TEXT NOT NULL,
            response_status INTEGER,
            response_headers TEXT NOT NULL,
            response_body BLOB NOT NULL,
            is_cut INTEGER NOT NULL CHECK (is_cut IN (0, 1)),
            error TEXT,
            next_at INTEGER
        );
        CREATE INDEX attempts_delivery ON attempts (delivery);

        -- Started interviews, the longest under way first; without a start, the last change counts.
        CREATE INDEX interviews_under_way
            ON interviews (ifnull(started_at, (change & 2251799813685247) + 1577836800000000)) WHERE status = 'in_progress';
        """
}

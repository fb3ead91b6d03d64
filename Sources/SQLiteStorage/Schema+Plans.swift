extension Schema {
    /// What each organization may use, see `Plan`.
    static let plans = """
        ALTER TABLE organizations ADD COLUMN has_api INTEGER NOT NULL DEFAULT 1 CHECK (has_api IN (0, 1));
        ALTER TABLE organizations ADD COLUMN has_webhooks INTEGER NOT NULL DEFAULT 1 CHECK (has_webhooks IN (0, 1));
        ALTER TABLE organizations ADD COLUMN default_rate_limit INTEGER NOT NULL DEFAULT 100
            CHECK (default_rate_limit BETWEEN 1 AND 1000000000);
        ALTER TABLE organizations ADD COLUMN most_keys INTEGER CHECK (most_keys >= 0);
        ALTER TABLE organizations ADD COLUMN most_endpoints INTEGER CHECK (most_endpoints >= 0);
        """
}

extension Schema {
    /// What has to be known of records that no longer tell it themselves.
    ///
    /// - Whose a deleted record was: an erasure reaches the tombstones that were there before it.
    /// - That an interview was completed. While it is, its status says so; what leaves that status, or the table, leaves
    ///   its id here. So the rule of ``RecordChange/values(of:after:mode:wasCompleted:)`` holds across corrections, deletion
    ///   and revival, and a large import of completed interviews writes nothing more. The last two triggers are that rule
    ///   for whoever comes with SQL.
    static let remains = """
        ALTER TABLE tombstones ADD COLUMN candidate_id BLOB;
        CREATE INDEX tombstones_candidate_id ON tombstones (candidate_id) WHERE candidate_id IS NOT NULL;

        CREATE TABLE once_completed (
            interview_id BLOB PRIMARY KEY CHECK (length(interview_id) = 16)
        ) WITHOUT ROWID;
        CREATE TRIGGER interviews_leave_completed AFTER UPDATE OF status ON interviews
        WHEN old.status = 'completed' AND new.status <> 'completed' BEGIN
            INSERT OR IGNORE INTO once_completed (interview_id) VALUES (old.id);
        END;
        CREATE TRIGGER interviews_delete_completed AFTER DELETE ON interviews WHEN old.status = 'completed' BEGIN
            INSERT OR IGNORE INTO once_completed (interview_id) VALUES (old.id);
        END;
        CREATE TRIGGER interviews_stay_completed BEFORE UPDATE OF status ON interviews
        WHEN new.status IN ('scheduled', 'in_progress')
            AND (old.status = 'completed' OR EXISTS (SELECT 1 FROM once_completed WHERE interview_id = new.id)) BEGIN
            SELECT RAISE(ABORT, 'a completed interview does not go back');
        END;
        CREATE TRIGGER interviews_return_completed BEFORE INSERT ON interviews
        WHEN new.status IN ('scheduled', 'in_progress') AND EXISTS (SELECT 1 FROM once_completed WHERE interview_id = new.id) BEGIN
            SELECT RAISE(ABORT, 'a completed interview does not go back');
        END;
        """
}

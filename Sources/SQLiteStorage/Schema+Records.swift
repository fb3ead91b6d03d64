extension Schema {
    /// Candidates and jobs.
    static let people = """
        CREATE TABLE candidates (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            first_name TEXT,
            last_name TEXT,
            full_name TEXT,
            headline TEXT,
            location TEXT,
            source TEXT,
            status TEXT NOT NULL
                CHECK (status IN ('new', 'screening', 'interviewing', 'offer', 'hired', 'rejected', 'withdrawn')),
            skills TEXT,
            years_experience REAL CHECK (years_experience BETWEEN 0 AND 100),
            email TEXT,
            phone TEXT,
            profile_url TEXT,
            share_url TEXT,
            external_user_id TEXT,
            resume_file_name TEXT,
            resume_media_type TEXT,
            resume_size INTEGER,
            custom TEXT,
            location_folded TEXT,
            source_folded TEXT,
            -- The best score of its matches.
            best_score REAL,
            resume_text TEXT,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX candidates_id ON candidates (id);
        CREATE UNIQUE INDEX candidates_external_id ON candidates (organization, external_id)
            WHERE external_id IS NOT NULL;
        CREATE INDEX candidates_created_at ON candidates (organization, created_at);
        CREATE INDEX candidates_full_name ON candidates (organization, ifnull(full_name, '') COLLATE NOCASE);
        CREATE INDEX candidates_status ON candidates (status);
        CREATE INDEX candidates_location ON candidates (location_folded) WHERE location_folded IS NOT NULL;
        CREATE INDEX candidates_source ON candidates (source_folded) WHERE source_folded IS NOT NULL;
        CREATE INDEX candidates_years_experience ON candidates (organization, years_experience)
            WHERE years_experience IS NOT NULL;
        CREATE INDEX candidates_best_score ON candidates (organization, best_score) WHERE best_score IS NOT NULL;
        CREATE VIRTUAL TABLE candidates_search USING fts5 (
            words, skills, personal, content='', columnsize=0, prefix='2 3',
            tokenize="unicode61 remove_diacritics 2 tokenchars '+#'"
        );

        CREATE TABLE resumes (
            candidate_id BLOB PRIMARY KEY REFERENCES candidates (id) ON DELETE CASCADE,
            bytes BLOB NOT NULL
        );

        CREATE TABLE jobs (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            title TEXT NOT NULL,
            department TEXT,
            location TEXT,
            employment_type TEXT,
            status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paused', 'closed', 'filled')),
            description TEXT,
            salary_min REAL,
            salary_max REAL,
            salary_currency TEXT,
            salary_interval TEXT CHECK (salary_interval IN ('year', 'month', 'week', 'day', 'hour')),
            required_skills TEXT,
            openings INTEGER,
            posted_at INTEGER,
            closes_at INTEGER,
            custom TEXT,
            department_folded TEXT,
            location_folded TEXT,
            employment_type_folded TEXT,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX jobs_id ON jobs (id);
        CREATE UNIQUE INDEX jobs_external_id ON jobs (organization, external_id) WHERE external_id IS NOT NULL;
        CREATE INDEX jobs_created_at ON jobs (organization, created_at);
        CREATE INDEX jobs_title ON jobs (organization, ifnull(title, '') COLLATE NOCASE);
        CREATE INDEX jobs_posted_at ON jobs (organization, ifnull(posted_at, -62167219200000000));
        CREATE INDEX jobs_status ON jobs (status);
        CREATE INDEX jobs_department ON jobs (department_folded) WHERE department_folded IS NOT NULL;
        CREATE INDEX jobs_location ON jobs (location_folded) WHERE location_folded IS NOT NULL;
        CREATE INDEX jobs_employment_type ON jobs (employment_type_folded) WHERE employment_type_folded IS NOT NULL;
        CREATE VIRTUAL TABLE jobs_search USING fts5 (
            words, skills, personal, content='', columnsize=0, prefix='2 3',
            tokenize="unicode61 remove_diacritics 2 tokenchars '+#'"
        );
        """

    /// What happens between them.
    static let relations = """
        CREATE TABLE applications (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            candidate_id BLOB NOT NULL,
            job_id BLOB NOT NULL REFERENCES jobs (id),
            stage TEXT,
            status TEXT,
            applied_at INTEGER,
            stage_folded TEXT,
            status_folded TEXT,
            -- Follows the candidate in the change order, so that "applied to this job" is an index in that order.
            candidate_change INTEGER NOT NULL REFERENCES candidates (change) ON UPDATE CASCADE,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX applications_id ON applications (id);
        CREATE UNIQUE INDEX applications_external_id ON applications (organization, external_id)
            WHERE external_id IS NOT NULL;
        CREATE INDEX applications_created_at ON applications (organization, created_at);
        CREATE INDEX applications_applied_at ON applications (organization, ifnull(applied_at, -62167219200000000));
        CREATE INDEX applications_candidate_id ON applications (candidate_id);
        CREATE INDEX applications_job_id ON applications (job_id);
        CREATE INDEX applications_candidate_change ON applications (candidate_change);
        CREATE INDEX applications_applicants ON applications (job_id, candidate_change);
        CREATE INDEX applications_status ON applications (status_folded) WHERE status_folded IS NOT NULL;
        CREATE INDEX applications_stage ON applications (stage_folded) WHERE stage_folded IS NOT NULL;

        CREATE TABLE interviews (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            candidate_id BLOB REFERENCES candidates (id),
            job_id BLOB REFERENCES jobs (id),
            application_id BLOB,
            type TEXT,
            status TEXT NOT NULL
                CHECK (status IN ('scheduled', 'in_progress', 'completed', 'abandoned', 'cancelled', 'no_show')),
            title TEXT,
            company_name TEXT,
            scheduled_at INTEGER,
            started_at INTEGER,
            ended_at INTEGER,
            duration_seconds REAL,
            meeting_url TEXT,
            location TEXT,
            interviewers TEXT,
            call_id TEXT,
            session_id TEXT,
            session_type TEXT,
            session_token TEXT,
            type_folded TEXT,
            result_question_completion_rate REAL,
            result_overall_grade REAL,
            result_scores TEXT,
            result_summary TEXT,
            result_question_results TEXT,
            result_transcript TEXT,
            result_sms_transcript TEXT,
            result_recording_url TEXT,
            result_thumbnail_url TEXT,
            result_interview_url TEXT,
            result_resume_url TEXT,
            result_validation TEXT,
            result_integrity TEXT,
            result_evaluation TEXT,
            result_resume_evaluation TEXT,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX interviews_id ON interviews (id);
        CREATE UNIQUE INDEX interviews_external_id ON interviews (organization, external_id)
            WHERE external_id IS NOT NULL;
        CREATE INDEX interviews_created_at ON interviews (organization, created_at);
        CREATE INDEX interviews_scheduled_at ON interviews (organization, ifnull(scheduled_at, -62167219200000000));
        CREATE INDEX interviews_status ON interviews (status);
        CREATE INDEX interviews_type ON interviews (type_folded) WHERE type_folded IS NOT NULL;
        CREATE INDEX interviews_candidate_id ON interviews (candidate_id);
        CREATE INDEX interviews_job_id ON interviews (job_id) WHERE job_id IS NOT NULL;

        CREATE TABLE matches (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            candidate_id BLOB NOT NULL REFERENCES candidates (id),
            job_id BLOB NOT NULL REFERENCES jobs (id),
            score REAL NOT NULL CHECK (score BETWEEN 0 AND 100),
            reasons TEXT,
            status TEXT,
            scored_at INTEGER,
            status_folded TEXT,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX matches_id ON matches (id);
        CREATE UNIQUE INDEX matches_external_id ON matches (organization, external_id) WHERE external_id IS NOT NULL;
        CREATE INDEX matches_created_at ON matches (organization, created_at);
        CREATE INDEX matches_score ON matches (organization, score);
        CREATE INDEX matches_candidate_id ON matches (candidate_id);
        CREATE INDEX matches_candidate_score ON matches (candidate_id, score);
        CREATE INDEX matches_job_id ON matches (job_id);
        CREATE INDEX matches_job_score ON matches (job_id, score);
        CREATE INDEX matches_status ON matches (status_folded) WHERE status_folded IS NOT NULL;

        CREATE TABLE calls (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            candidate_id BLOB,
            job_id BLOB,
            purpose TEXT,
            status TEXT,
            started_at INTEGER,
            ended_at INTEGER,
            duration_seconds REAL,
            ai_score REAL,
            agent_id TEXT,
            agent_name TEXT,
            user_id TEXT,
            team_member_user_id TEXT,
            summary TEXT,
            recording_url TEXT,
            purpose_folded TEXT,
            status_folded TEXT,
            transcript TEXT,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX calls_id ON calls (id);
        CREATE UNIQUE INDEX calls_external_id ON calls (organization, external_id) WHERE external_id IS NOT NULL;
        CREATE INDEX calls_created_at ON calls (organization, created_at);
        CREATE INDEX calls_started_at ON calls (organization, ifnull(started_at, -62167219200000000));
        CREATE INDEX calls_candidate_id ON calls (candidate_id) WHERE candidate_id IS NOT NULL;
        CREATE INDEX calls_job_id ON calls (job_id) WHERE job_id IS NOT NULL;
        CREATE INDEX calls_purpose ON calls (purpose_folded) WHERE purpose_folded IS NOT NULL;
        CREATE INDEX calls_status ON calls (status_folded) WHERE status_folded IS NOT NULL;

        CREATE TABLE trainings (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            agent_id TEXT,
            agent_name TEXT,
            user_id TEXT,
            team_member_user_id TEXT,
            duration_seconds REAL,
            ai_score REAL,
            completed_at INTEGER,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX trainings_id ON trainings (id);
        CREATE UNIQUE INDEX trainings_external_id ON trainings (organization, external_id)
            WHERE external_id IS NOT NULL;

        CREATE TABLE broadcasts (
            change INTEGER PRIMARY KEY,
            organization INTEGER NOT NULL REFERENCES organizations (number),
            id BLOB NOT NULL CHECK (length(id) = 16),
            external_id TEXT,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            job_id BLOB NOT NULL REFERENCES jobs (id),
            channel TEXT,
            url TEXT,
            status TEXT,
            sent_at INTEGER,
            recipients INTEGER,
            CHECK (change >> 51 = organization)
        );
        CREATE UNIQUE INDEX broadcasts_id ON broadcasts (id);
        CREATE UNIQUE INDEX broadcasts_external_id ON broadcasts (organization, external_id)
            WHERE external_id IS NOT NULL;
        CREATE INDEX broadcasts_job_id ON broadcasts (job_id);
        """
}

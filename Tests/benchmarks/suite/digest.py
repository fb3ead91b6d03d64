"""What a full load of matches has to have put into a table: the same computation on both sides."""

import hashlib

"""Without their times, which DuckDB prints in another way."""
CANDIDATE = ["external_id", "version", "full_name", "headline", "status", "skills", "years_experience", "email", "phone", "custom"]
JOB = ["external_id", "version", "title", "department", "status", "required_skills", "openings"]


def digest(rows):
    """Of rows of `external_id`, score, microseconds of `updated_at`, candidate and job, in whatever order they come."""
    lines = sorted(
        repr((external, float(score), updated, [candidate[name] for name in CANDIDATE], [job[name] for name in JOB]))
        for external, score, updated, candidate, job in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

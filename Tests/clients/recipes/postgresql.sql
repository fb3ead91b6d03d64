CREATE TABLE IF NOT EXISTS candidates (
    id text PRIMARY KEY, version int, updated_at timestamptz, full_name text, status text, skills text, years_experience numeric
);
BEGIN;
TRUNCATE candidates;
COPY candidates FROM PROGRAM
    'curl -fsS -H "Authorization: Bearer $HIREWIRE_KEY" "$HIREWIRE_URL/api/v1/candidates?export=all&format=csv&fields=id,version,updated_at,full_name,status,skills,years_experience"'
    WITH (FORMAT csv, HEADER match);
COMMIT;

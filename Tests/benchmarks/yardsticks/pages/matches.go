package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
)

// The matches' list with candidate and job whole, in the order of changes: one query that joins both.
const matchesQuery = `SELECT m.change, m.id, m.external_id, m.version, m.created_at, m.candidate_id, m.job_id, m.score, m.reasons,
 m.status, m.scored_at,
 c.change, c.id, c.external_id, c.version, c.created_at, c.first_name, c.last_name, c.full_name, c.headline, c.location,
 c.source, c.status, c.skills, c.years_experience, c.email, c.phone, c.profile_url, c.share_url, c.external_user_id,
 c.resume_file_name, c.resume_media_type, c.resume_size, c.custom,
 j.change, j.id, j.external_id, j.version, j.created_at, j.title, j.department, j.location, j.employment_type, j.status,
 j.description, j.salary_min, j.salary_max, j.salary_currency, j.salary_interval, j.required_skills, j.openings, j.posted_at,
 j.closes_at, j.custom
 FROM matches m JOIN candidates c ON c.id = m.candidate_id JOIN jobs j ON j.id = m.job_id
 WHERE m.change > ? ORDER BY m.change LIMIT ?`

type job struct {
	ID             string           `json:"id"`
	ExternalID     *string          `json:"external_id"`
	Version        int64            `json:"version"`
	CreatedAt      string           `json:"created_at"`
	UpdatedAt      string           `json:"updated_at"`
	DeletedAt      *string          `json:"deleted_at"`
	Title          string           `json:"title"`
	Department     *string          `json:"department"`
	Location       *string          `json:"location"`
	EmploymentType *string          `json:"employment_type"`
	Status         string           `json:"status"`
	Description    *string          `json:"description"`
	SalaryMin      *float64         `json:"salary_min"`
	SalaryMax      *float64         `json:"salary_max"`
	SalaryCurrency *string          `json:"salary_currency"`
	SalaryInterval *string          `json:"salary_interval"`
	RequiredSkills *json.RawMessage `json:"required_skills"`
	Openings       *int64           `json:"openings"`
	PostedAt       *string          `json:"posted_at"`
	ClosesAt       *string          `json:"closes_at"`
	Custom         *json.RawMessage `json:"custom"`
}

type match struct {
	ID          string           `json:"id"`
	ExternalID  *string          `json:"external_id"`
	Version     int64            `json:"version"`
	CreatedAt   string           `json:"created_at"`
	UpdatedAt   string           `json:"updated_at"`
	DeletedAt   *string          `json:"deleted_at"`
	CandidateID string           `json:"candidate_id"`
	JobID       string           `json:"job_id"`
	Score       float64          `json:"score"`
	Rank        *int64           `json:"rank"`
	Reasons     *json.RawMessage `json:"reasons"`
	Status      *string          `json:"status"`
	ScoredAt    *string          `json:"scored_at"`
	Candidate   *candidate       `json:"candidate"`
	Job         *job             `json:"job"`
}

type matchesPage struct {
	Data       []match `json:"data"`
	HasMore    bool    `json:"has_more"`
	Meta       meta    `json:"meta"`
	Next       *string `json:"next"`
	NextCursor *string `json:"next_cursor"`
}

type matchesServer struct {
	page, last *sql.Stmt
}

func optionalTime(at sql.NullInt64) *string {
	if !at.Valid {
		return nil
	}
	printed := printedTime(at.Int64)
	return &printed
}

func scanMatch(rows *sql.Rows) (m match, change int64, err error) {
	var c candidate
	var j job
	var r resume
	var created, candidateChange, candidateCreated, jobChange, jobCreated int64
	var id, candidateID, jobID, candidateOwn, jobOwn sql.RawBytes
	var reasons, skills, candidateCustom, required, jobCustom sql.NullString
	var scored, posted, closes sql.NullInt64
	err = rows.Scan(&change, &id, &m.ExternalID, &m.Version, &created, &candidateID, &jobID, &m.Score, &reasons, &m.Status, &scored,
		&candidateChange, &candidateOwn, &c.ExternalID, &c.Version, &candidateCreated, &c.FirstName, &c.LastName, &c.FullName,
		&c.Headline, &c.Location, &c.Source, &c.Status, &skills, &c.YearsExperience, &c.Email, &c.Phone, &c.ProfileURL,
		&c.ShareURL, &c.ExternalUserID, &r.FileName, &r.MediaType, &r.Size, &candidateCustom,
		&jobChange, &jobOwn, &j.ExternalID, &j.Version, &jobCreated, &j.Title, &j.Department, &j.Location, &j.EmploymentType,
		&j.Status, &j.Description, &j.SalaryMin, &j.SalaryMax, &j.SalaryCurrency, &j.SalaryInterval, &required, &j.Openings,
		&posted, &closes, &jobCustom)
	if err != nil {
		return m, 0, err
	}
	m.ID, m.CandidateID, m.JobID = printedID("match_", id), printedID("cand_", candidateID), printedID("job_", jobID)
	m.CreatedAt, m.UpdatedAt = printedTime(created), updatedAt(change)
	m.Reasons, m.ScoredAt = raw(reasons), optionalTime(scored)
	c.ID, c.CreatedAt, c.UpdatedAt = printedID("cand_", candidateOwn), printedTime(candidateCreated), updatedAt(candidateChange)
	c.Skills, c.Custom = raw(skills), raw(candidateCustom)
	if r.FileName != nil || r.MediaType != nil || r.Size != nil {
		c.Resume = &r
	}
	j.ID, j.CreatedAt, j.UpdatedAt = printedID("job_", jobOwn), printedTime(jobCreated), updatedAt(jobChange)
	j.RequiredSkills, j.Custom = raw(required), raw(jobCustom)
	j.PostedAt, j.ClosesAt = optionalTime(posted), optionalTime(closes)
	m.Candidate, m.Job = &c, &j
	return m, change, nil
}

// The page after a change, and the change of its last row.
func (s *matchesServer) read(after int64, limit int) (out matchesPage, last int64, err error) {
	rows, err := s.page.Query(after, limit+1)
	if err != nil {
		return out, 0, err
	}
	defer rows.Close()
	out.Data = make([]match, 0, limit)
	for rows.Next() {
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		var m match
		if m, last, err = scanMatch(rows); err != nil {
			return out, 0, err
		}
		out.Data = append(out.Data, m)
	}
	return out, last, rows.Err()
}

func (s *matchesServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	after, mark, asOf, limit, err := asked(r, s.last)
	if err != nil {
		http.Error(w, fmt.Sprint("bad request: ", err), http.StatusBadRequest)
		return
	}
	out, last, err := s.read(after, limit)
	if err == nil {
		out.Meta.AsOf = asOf
		if out.HasMore {
			out.Next, out.NextCursor = next(r, last, mark, limit)
			// dlt reads each page twice when it finds the next one's address in the body alone.
			w.Header().Set("Link", "<"+*out.Next+`>; rel="next"`)
		}
		err = answer(w, out)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

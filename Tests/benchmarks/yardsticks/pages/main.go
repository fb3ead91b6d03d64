// The yardstick in Go: the candidates' and the matches' lists on the same file, as a Go service of this kind is commonly
// written: net/http, database/sql with mattn/go-sqlite3, a struct a row, encoding/json. The query is the same keyset page;
// there are no keys, no limiter, no filters, no compression and no ETag.
package main

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

const query = `SELECT change, id, external_id, version, created_at, first_name, last_name, full_name, headline, location,
 source, status, skills, years_experience, email, phone, profile_url, share_url, external_user_id, resume_file_name,
 resume_media_type, resume_size, custom FROM candidates WHERE change > ? ORDER BY change LIMIT ?`

type resume struct {
	FileName  *string `json:"file_name"`
	MediaType *string `json:"media_type"`
	Size      *int64  `json:"size"`
}

type candidate struct {
	ID              string           `json:"id"`
	ExternalID      *string          `json:"external_id"`
	Version         int64            `json:"version"`
	CreatedAt       string           `json:"created_at"`
	UpdatedAt       string           `json:"updated_at"`
	DeletedAt       *string          `json:"deleted_at"`
	FirstName       *string          `json:"first_name"`
	LastName        *string          `json:"last_name"`
	FullName        *string          `json:"full_name"`
	Headline        *string          `json:"headline"`
	Location        *string          `json:"location"`
	Source          *string          `json:"source"`
	Status          *string          `json:"status"`
	Skills          *json.RawMessage `json:"skills"`
	YearsExperience *float64         `json:"years_experience"`
	Email           *string          `json:"email"`
	Phone           *string          `json:"phone"`
	ProfileURL      *string          `json:"profile_url"`
	ShareURL        *string          `json:"share_url"`
	ExternalUserID  *string          `json:"external_user_id"`
	Resume          *resume          `json:"resume"`
	Custom          *json.RawMessage `json:"custom"`
}

type meta struct {
	AsOf string `json:"as_of"`
}

type page struct {
	Data       []candidate `json:"data"`
	HasMore    bool        `json:"has_more"`
	Meta       meta        `json:"meta"`
	Next       *string     `json:"next"`
	NextCursor *string     `json:"next_cursor"`
}

const (
	changeBits = 51
	layout     = "2006-01-02T15:04:05.000000Z"
	digits     = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func updatedAt(change int64) string {
	return time.UnixMicro(epoch + change&(1<<changeBits-1)).UTC().Format(layout)
}

func printedTime(at int64) string {
	return time.UnixMicro(at).UTC().Format(layout)
}

// A ULID's 26 digits, five bits each from the lowest up.
func printedID(prefix string, raw []byte) string {
	var buffer [32]byte
	out := buffer[:len(prefix)+26]
	copy(out, prefix)
	bits, held, at := uint(0), uint(0), len(out)-1
	for i := 15; i >= 0; i-- {
		held |= uint(raw[i]) << bits
		for bits += 8; bits >= 5; bits -= 5 {
			out[at] = digits[held&31]
			held >>= 5
			at--
		}
	}
	out[at] = digits[held]
	return string(out)
}

func raw(text sql.NullString) *json.RawMessage {
	if !text.Valid {
		return nil
	}
	message := json.RawMessage(text.String)
	return &message
}

type server struct {
	page, last *sql.Stmt
}

// The page after a change, and the change of its last row.
func (s *server) read(after int64, limit int) (out page, last int64, err error) {
	rows, err := s.page.Query(after, limit+1)
	if err != nil {
		return out, 0, err
	}
	defer rows.Close()
	out.Data = make([]candidate, 0, limit)
	for rows.Next() {
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		var c candidate
		var r resume
		var change, created int64
		var id sql.RawBytes
		var skills, custom sql.NullString
		if err = rows.Scan(&change, &id, &c.ExternalID, &c.Version, &created, &c.FirstName, &c.LastName, &c.FullName,
			&c.Headline, &c.Location, &c.Source, &c.Status, &skills, &c.YearsExperience, &c.Email, &c.Phone, &c.ProfileURL,
			&c.ShareURL, &c.ExternalUserID, &r.FileName, &r.MediaType, &r.Size, &custom); err != nil {
			return out, 0, err
		}
		c.ID, c.UpdatedAt = printedID("cand_", id), updatedAt(change)
		c.CreatedAt = printedTime(created)
		c.Skills, c.Custom = raw(skills), raw(custom)
		if r.FileName != nil || r.MediaType != nil || r.Size != nil {
			c.Resume = &r
		}
		out.Data = append(out.Data, c)
		last = change
	}
	return out, last, rows.Err()
}

// A cursor is the last change of the page before and the walk's high-water mark.
func position(cursor string) (after int64, mark, asOf string, err error) {
	change, mark, found := strings.Cut(cursor, ".")
	if !found {
		return 0, "", "", fmt.Errorf("no cursor: %q", cursor)
	}
	after, err = strconv.ParseInt(change, 36, 64)
	if err != nil {
		return 0, "", "", err
	}
	high, err := strconv.ParseInt(mark, 36, 64)
	return after, mark, updatedAt(high), err
}

// What both lists' requests say: where to go on from, the walk's high-water mark, also as printed, and how many.
func asked(r *http.Request, highest *sql.Stmt) (after int64, mark, asOf string, limit int, err error) {
	parameters := r.URL.Query()
	if limit, err = strconv.Atoi(parameters.Get("limit")); err != nil || limit < 1 || limit > 1000 {
		return 0, "", "", 0, fmt.Errorf("limit is %q", parameters.Get("limit"))
	}
	if cursor := parameters.Get("cursor"); cursor != "" {
		after, mark, asOf, err = position(cursor)
		return after, mark, asOf, limit, err
	}
	var high int64
	err = highest.QueryRow().Scan(&high)
	return math.MinInt64, strconv.FormatInt(high+1, 36), updatedAt(high + 1), limit, err
}

func next(r *http.Request, last int64, mark string, limit int) (link, cursor *string) {
	place := strconv.FormatInt(last, 36) + "." + mark
	address := fmt.Sprintf("%s?limit=%d&cursor=%s", r.URL.Path, limit, place)
	return &address, &place
}

func answer(w http.ResponseWriter, page any) error {
	body, err := json.Marshal(page)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		}
		err = answer(w, out)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func main() {
	file := flag.String("database", "", "the file to read")
	port := flag.Int("port", 0, "the port to listen on")
	connections := flag.Int("connections", 8, "connections to the database, kept open")
	flag.Parse()
	database, err := sql.Open("sqlite3", "file:"+*file+"?mode=ro&_query_only=1&_mutex=no")
	if err != nil {
		log.Fatal(err)
	}
	database.SetMaxOpenConns(*connections)
	database.SetMaxIdleConns(*connections)
	prepare := func(query string) *sql.Stmt {
		statement, err := database.Prepare(query)
		if err != nil {
			log.Fatal(err)
		}
		return statement
	}
	http.Handle("/api/v1/candidates", &server{prepare(query), prepare("SELECT coalesce(max(change), 0) FROM candidates")})
	http.Handle("/api/v1/matches", &matchesServer{prepare(matchesQuery), prepare("SELECT coalesce(max(change), 0) FROM matches")})
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), nil))
}

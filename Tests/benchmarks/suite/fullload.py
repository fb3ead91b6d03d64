"""A full load of 100,000 matches with candidate and job whole, by dlt: from us, from the Go program and from Datasette."""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import statistics
import sys

from . import processes, yardsticks
from .digest import CANDIDATE, JOB, digest
from .expected import CHANGE_BITS, EPOCH, Stored
from .processes import Broken, progress
from .table import rate_row

HERE = pathlib.Path(__file__).parent
START = int((EPOCH - type(EPOCH)(1970, 1, 1)).total_seconds()) * 1_000_000
UPDATED = f"({{0}}change & {(1 << CHANGE_BITS) - 1}) + {START}"


def printed(microseconds):
    return f"strftime('%Y-%m-%dT%H:%M:%S', ({microseconds}) / 1000000, 'unixepoch') || printf('.%06dZ', ({microseconds}) % 1000000)"


def common(alias):
    """The columns that every record begins with: the same texts as ours, but ids as plain digits."""
    yield from {
        "id": f"hex({alias}id)", "external_id": f"{alias}external_id", "version": f"{alias}version",
        "created_at": printed(f"{alias}created_at"), "updated_at": printed(UPDATED.format(alias)), "deleted_at": "NULL"}.items()


def whole(number):
    """20, not 20.0, where it is."""
    return f"CASE WHEN {number} = CAST({number} AS INTEGER) THEN CAST({number} AS INTEGER) ELSE {number} END"


def fields(alias, *names, lists=(), numbers=()):
    for name in names:
        column = f"{alias}{name}"
        yield name, f"json({column})" if name in lists else whole(column) if name in numbers else column


def json_object(pairs):
    return "json_object(" + ", ".join(f"'{name}', {expression}" for name, expression in pairs) + ")"


def view():
    """What the Go program's query gives, as Datasette can: its pages follow the outer table's key."""
    candidate = json_object([
        *common("c."),
        *fields("c.", "first_name", "last_name", "full_name", "headline", "location", "source", "status", "skills",
                "years_experience", "email", "phone", "profile_url", "share_url", "external_user_id", "resume_file_name",
                "resume_media_type", "resume_size", "custom", lists=("skills", "custom"), numbers=("years_experience",))])
    job = json_object([
        *common("j."),
        *fields("j.", "title", "department", "location", "employment_type", "status", "description", "salary_min", "salary_max",
                "salary_currency", "salary_interval", "required_skills", "openings", "posted_at", "closes_at", "custom",
                lists=("required_skills", "custom"))])
    columns = [
        ("change", "m.change"), *common("m."), ("candidate_id", "hex(m.candidate_id)"), ("job_id", "hex(m.job_id)"),
        ("score", "m.score"), ("rank", "NULL"), *fields("m.", "reasons", "status", "scored_at"), ("candidate", candidate), ("job", job)]
    return (f"CREATE VIEW expanded AS SELECT {', '.join(f'{expression} AS {name}' for name, expression in columns)} "
            "FROM matches m JOIN candidates c ON c.id = m.candidate_id JOIN jobs j ON j.id = m.job_id")


class Source:
    """A server to load from, and the rates that the loads reached."""

    def __init__(self, name, server, path, key=None):
        self.name, self.port, self.path, self.key = name, server.port, path, key
        self.taken = []

    def load(self, bench, expected):
        folder = bench.work / "fullload"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        key = ["--key", self.key] if self.key else []
        out = processes.run(
            [bench.dlt, "-B", HERE / "dlt_load.py", "--url", f"http://127.0.0.1:{self.port}", "--path", self.path, *key,
             "--folder", folder],
            timeout=1800, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"})
        shutil.rmtree(folder)
        made = json.loads(out.strip().splitlines()[-1])
        if (made["rows"], made["digest"]) != expected:
            raise Broken(f"a full load from {self.name} made {made['rows']:,} rows, or not what is stored, instead of {expected[0]:,}")
        self.taken.append(made["seconds"])

    def seconds(self, part):
        return statistics.median(taken[part] for taken in self.taken)


class Part:
    """Rows a second of the whole, or of a part, for the table."""

    def __init__(self, source, part, rows):
        self.rates = [rows / taken[part] for taken in source.taken]
        self.rate = statistics.median(self.rates)


def stored_digest(database, count):
    """Made from the file alone."""
    columns = [f"c.{name}" for name in CANDIDATE] + [f"j.{name}" for name in JOB]
    with contextlib.closing(Stored(database)) as stored:
        rows = stored.rows(
            f"SELECT m.external_id, m.score, {UPDATED.format('m.')}, {', '.join(columns)} "
            "FROM matches m JOIN candidates c ON c.id = m.candidate_id JOIN jobs j ON j.id = m.job_id")
    if len(rows) != count:
        raise Broken(f"{database} has {len(rows):,} matches with candidate and job")
    return count, digest(map(parsed, rows))


def parsed(row):
    external, score, updated, *values = row
    candidate, job = dict(zip(CANDIDATE, values)), dict(zip(JOB, values[len(CANDIDATE) :]))
    for one, name in ((candidate, "skills"), (candidate, "custom"), (job, "required_skills")):
        one[name] = one[name] and json.loads(one[name])
    if candidate["years_experience"] is not None and candidate["years_experience"].is_integer():
        candidate["years_experience"] = int(candidate["years_experience"])
    return external, score, updated, candidate, job


def fullload(bench):
    data = bench.expanded.load()
    count = data.counts()["matches"]
    expected = stored_digest(data.database, count)
    viewed = data.copy("datasette.db")
    with contextlib.closing(sqlite3.connect(viewed)) as database:
        database.execute(view())
    with contextlib.ExitStack() as servers:
        ours = Source(
            "hirewire", servers.enter_context(data.serve()), "/api/v1/matches?expand=candidate,job&sort=updated_at&limit=1000",
            data.keys()[0])
        go = Source(
            "Go", servers.enter_context(yardsticks.go_pages(bench.pages, data.database, bench.log)), "/api/v1/matches?limit=1000")
        datasette = Source(
            "Datasette", servers.enter_context(yardsticks.datasette(bench.datasette, viewed, bench.log)),
            f"/{viewed.stem}/expanded.json?_sort=change&_size=max&_shape=objects&_nocount=1&_json=candidate&_json=job&_json=reasons")
        sources, rounds = (ours, go, datasette), 1 if bench.quick else 3
        for number in range(rounds):
            for source in sources:
                source.load(bench, expected)
            progress(f"round {number + 1} of {rounds}: " + ", ".join(
                f"{one.name} {one.taken[-1]['whole']:.1f} s, extract {one.taken[-1]['extract']:.1f} s" for one in sources))
    rows = []
    for part, title, required in (
        ("whole", f"a dlt full load of {count:,} matches with candidate and job into DuckDB, rows/s", 1),
        ("extract", "for information: of that dlt's extract, in which the servers have their part", None),
    ):
        for other in (go, datasette):
            row = rate_row(f"{title} / {other.name}", Part(ours, part, count), Part(other, part, count), required)
            row.notes.append(f"{ours.seconds(part):.1f} s, {other.name} {other.seconds(part):.1f} s")
            rows.append(row)
    return rows

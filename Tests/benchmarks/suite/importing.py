"""A million rows from a file: against sqlite3's own import, and what the others notice of it."""

import json
import subprocess
import time

from . import people, processes
from .client import Client
from .dataset import check_summary
from .expected import COLUMNS, Places, Stored, record, ulid
from .load import prepare
from .processes import Broken, progress
from .table import Row, ratio_row

"""The words that the full-text index holds of a row, as SQL: a JSON array splits into the same words as its texts, and
personal words carry a mark. The tokens of whole skills are left out, to sqlite3's advantage."""
MARK = "char(0xE003)"
SEARCHED = (
    "full_name || ' . ' || headline || ' . ' || location || ' . ' || source || ' . ' || skills || ' . ' || "
    f"{MARK} || replace(replace(email, '@', '@' || {MARK}), '.', '.' || {MARK}) || ' . ' || "
    f"{MARK} || replace(phone, '-', '-' || {MARK})")
"""16 characters that sort as the 16 bytes of an id do: the time's part and a part of the chance."""
TEXT_ID = "substr(hex(id), 5, 8) || substr(hex(id), 25, 8)"


def imports(bench):
    data = bench.big.load(fresh=True)
    seconds, rows = import_by_sqlite(bench, data)
    rate = data.count / data.seconds
    notes = [f"{data.seconds:.1f} s; sqlite3: rows and indices {rows:.1f} s, full text {seconds - rows:.1f} s"]
    return [ratio_row(f"import of {data.count:,} candidates / sqlite3 .import", rate, data.count / seconds, 0.5, unit=" rows/s", notes=notes)]


def import_by_sqlite(bench, data):
    """Seconds for the same rows by the shell's `.import` into the same table with the same indices, then the index of
    words in one go; and the part of them before the words."""
    csv, file = bench.work / "candidates.csv", bench.work / "sqlite-import.db"
    for path in bench.work.glob(file.name + "*"):
        path.unlink()
    stored = Stored(data.database)
    columns = [row[1] for row in stored.rows("PRAGMA table_info(candidates)")]
    shown = [f"{TEXT_ID} AS id" if column == "id" else column for column in columns]
    progress("writing the same rows as CSV")
    with open(csv, "wb") as out:
        processes.run(
            ["sqlite3", "-readonly", "-csv", data.database, f"SELECT {', '.join(shown)} FROM candidates ORDER BY change"],
            stdout=out)
    words = ["engineer", people.RARE[0], "python", "se*"]
    schema = stored.rows("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND (tbl_name = 'candidates' OR name = 'candidates_search')")
    script = [f"{sql};" for name, sql in schema if not is_empty_index(stored, name, sql)]
    progress("sqlite3 .import")
    began = time.monotonic()
    shell(file, script + [f'.import --csv "{csv}" candidates'])
    rows = time.monotonic() - began
    shell(file, [f"INSERT INTO candidates_search (rowid, text) SELECT change, {SEARCHED} FROM candidates;"])
    seconds = time.monotonic() - began
    other = Stored(file)
    same = ["SELECT count(*), sum(change & 1048575), min(external_id), max(email), sum(length(skills)) FROM candidates"]
    same += [f"SELECT count(*), max(rowid) FROM candidates_search WHERE candidates_search MATCH '{word}'" for word in words]
    for query in same:
        if stored.rows(query) != other.rows(query):
            raise Broken(f"the two imports differ in {query}: {stored.rows(query)}, {other.rows(query)}")
    stored.close()
    other.close()
    for path in [csv, *bench.work.glob(file.name + "*")]:
        path.unlink()
    return seconds, rows


def is_empty_index(stored, name, sql):
    """A partial index that no row is in: CSV has no NULL, so the shell would fill it with empty texts for nothing."""
    if not sql.startswith("CREATE INDEX") or " WHERE " not in sql:
        return False
    return stored.one(f"SELECT NOT EXISTS (SELECT 1 FROM candidates INDEXED BY {name} WHERE {sql.split(' WHERE ')[1]})")


def shell(file, lines):
    """The sqlite3 shell with its own settings, but for a cache that holds the indices as they grow."""
    command = ["sqlite3", "-bail", file]
    process = processes.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate("PRAGMA cache_size = -65536;\n" + "\n".join(lines) + "\n", timeout=3600)
    finally:
        processes.end(process)
    if process.returncode != 0 or errors:
        raise Broken(f"sqlite3: exit code {process.returncode}\n{errors[-2000:]}")


# MARK: Others while it runs


class Paced:
    """A steady stream of requests in a process of its own."""

    def __init__(self, bench, port, requests):
        self.process = processes.start(
            [bench.paced, "--port", port, "--requests", requests, "--connections", 16, "--rate", 200],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        out, _ = self.process.communicate(timeout=60)
        processes.end(self.process)
        result = json.loads(out)
        if result["wrong"] or not result["count"]:
            raise Broken(f"{result['wrong']} of {result['count']} paced requests failed: {result['first_wrong']}")
        return result


def others(bench):
    """The small database takes in the large file while it goes on answering."""
    small = bench.small.load()
    database, keys = small.copy("others.db"), small.keys()
    large = bench.big
    command = large.import_command("candidates", database)
    with small.serve(database) as server:
        stored = Stored(database)
        progress("walking through all candidates for their cursors")
        places = Places(stored, server.port, keys[0], 25)
        pages = places.targets(25)
        requests = prepare(bench.work / "paced.requests", pages + other_targets(stored), keys)

        def check():
            # The last cursors gain rows behind them; what is before stays as it was.
            places.check(server.port, keys, pages, 25)
            check_single(stored, server.port, keys)

        check()
        progress(f"200 requests/s for {bench.seconds * 5} s")
        alone = Paced(bench, server.port, requests)
        time.sleep(bench.seconds * 5)
        alone = alone.stop()
        progress(f"the same during the import of {large.count:,} rows")
        process = processes.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        beside = Paced(bench, server.port, requests)
        time.sleep(1)
        check()
        check_summary(processes.finish(process, command, 3600), large.count)
        beside = beside.stop()
        check()
        stored.close()
    for path in bench.work.glob("others.db*"):
        path.unlink()
    ratio = beside["p99"] / alone["p99"]
    described = [
        f"{name}: " + ", ".join(f"{at} {result[at] / 1000:.2f} ms" for at in ("p50", "p95", "p99", "max"))
        + f" of {result['count']:,} requests" for name, result in (("none", alone), ("during the import", beside))]
    return [Row(
        "others' requests during an import, p99 / p99 with none", f"{beside['p99'] / 1000:.2f} ms",
        f"{alone['p99'] / 1000:.2f} ms", f"{ratio:.2f} ×", "≤ 3 ×", "", ratio <= 3, None, described)]


def other_targets(stored):
    """Single candidates, searches and filters, about as many as the pages."""
    ids = [row[0] for row in stored.rows("SELECT id FROM candidates ORDER BY id LIMIT 1000")]
    targets = [f"/api/v1/candidates/cand_{ulid(raw)}" for raw in ids]
    targets += [f"/api/v1/candidates?limit=25&status={status}" for status in people.STATUSES] * 40
    targets += [f"/api/v1/candidates?limit=25&q={word}" for word in ("nurse", "designer", "beck*", *people.RARE)] * 40
    return targets + ["/api/v1/jobs?limit=25", "/api/v1/matches?limit=25"] * 100


def check_single(stored, port, keys):
    rows = stored.rows(f"SELECT {', '.join(COLUMNS)} FROM candidates ORDER BY id LIMIT 10")
    with Client(port) as client:
        for row in rows:
            expected = record(row)
            got = client.get(f"/api/v1/candidates/{expected['id']}", keys[0]).page()
            expected.pop("resume")
            if any(got[name] != value for name, value in expected.items()):
                raise Broken(f"{got} instead of {expected}")

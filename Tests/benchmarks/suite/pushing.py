"""Records pushed in: one by one, each durable before it is answered, and in batches."""

import contextlib
import json
import sqlite3
import statistics
import time

from .client import Client
from .load import Load, alternate
from .processes import Broken, Hirewire, run
from .table import Row, rate_row

CLIENTS = 16
BATCH = 1_000


class Pushed:
    """A server on a new database, and a key that may push."""

    def __init__(self, bench, name):
        self.bench, self.database = bench, bench.work / f"{name}.db"
        for suffix in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        made = run([bench.hirewire, "keys", "create", "--name", "push", "--scope", "ingest", "--rate-limit", "1000000000",
                    "--json", "--database", self.database])
        self.key = json.loads(made)["key"]
        self.server = Hirewire(bench.hirewire, self.database, bench.work / "push.log", "--access-log", "off")
        self.runs = 0

    def stop(self):
        self.server.stop()

    def count(self, table):
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def candidate(number):
    return {
        "full_name": f"Pat Example {number}", "email": f"pat{number}@example.com", "location": "Utrecht", "source": "referral",
        "status": "screening", "skills": ["Swift", "SQL"], "headline": "Builds small services that stay up", "years_experience": 7}


def raw(method, path, key, body):
    text = json.dumps(body, separators=(",", ":"))
    return (f"{method} /operator/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}")


class Puts(Load):
    """PUTs of candidates that are new, by so many clients."""

    def __init__(self, pushed):
        super().__init__(f"PUT by {CLIENTS} clients", pushed.server.operator_port, pushed.bench.work / "puts.requests")
        self.pushed, self.connections, self.made = pushed, CLIENTS, 0

    def run(self, seconds, counted=True):
        count, self.made = 12_000 * seconds, self.made + 12_000 * seconds
        lines = (raw("PUT", f"/candidates/p{self.made + number}", self.pushed.key, candidate(number)) for number in range(count))
        self.requests.write_text("\n".join(line.replace("\r\n", "\t") for line in lines) + "\n")
        before = self.pushed.count("candidates")
        rate = super().run(seconds, counted)
        stored = self.pushed.count("candidates") - before
        if stored < rate * seconds * 0.97:
            raise Broken(f"{stored:,} candidates are stored of {rate * seconds:,.0f} that were acknowledged")
        return rate


class Inserts:
    """One insert a transaction in a bare table, with the settings of hirewire's database."""

    name = "one-insert transactions"

    def __init__(self, bench):
        path = bench.work / "inserts.db"
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 4000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        self.body = json.dumps(candidate(1))
        self.rates = []

    def run(self, seconds, counted=True):
        done, began = 0, time.monotonic()
        while (spent := time.monotonic() - began) < seconds:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("INSERT INTO rows (body) VALUES (?)", (self.body,))
            self.connection.execute("COMMIT")
            done += 1
        if counted:
            self.rates.append(done / spent)
        return done / spent

    @property
    def rate(self):
        return statistics.median(self.rates)


def push(bench):
    """PUT of one record, with its event and index, against an insert into a bare table; both durable."""
    inserts, pushed = Inserts(bench), Pushed(bench, "push")
    try:
        puts = Puts(pushed)
        alternate([puts, inserts], bench.rounds, bench.seconds)
    finally:
        pushed.stop()
        inserts.connection.close()
    return [rate_row(f"PUT of a candidate, durable, {CLIENTS} clients / bare one-insert transactions", puts, inserts, 0.4)]


def records(number):
    """A thousand mixed records that belong together: a new company's week."""
    base = f"b{number}-"
    made = [{"kind": "job", "external_id": f"{base}j{i}", "data": {"title": f"Engineer {i}", "location": "Utrecht"}} for i in range(20)]
    for i in range(250):
        made.append({"kind": "candidate", "external_id": f"{base}c{i}", "data": candidate(i)})
    for kind, count in (("application", 300), ("match", 350)):
        for i in range(count):
            data = {"candidate_external_id": f"{base}c{i % 250}", "job_external_id": f"{base}j{i % 20}"}
            data |= {"stage": "screen"} if kind == "application" else {"score": 40 + i % 50}
            made.append({"kind": kind, "external_id": f"{base}{kind}{i}", "data": data})
    for i in range(BATCH - len(made)):
        data = {"candidate_external_id": f"{base}c{i}", "purpose": "screening", "status": "completed", "duration_seconds": 300}
        made.append({"kind": "call", "external_id": f"{base}k{i}", "data": data})
    return made


def batch(bench):
    """Batches of 1,000 mixed new records, one after the other, events included."""
    pushed = Pushed(bench, "batch")
    count = 10 if bench.quick else 60
    bodies = [raw("POST", "/batch", pushed.key, {"records": records(number)}).encode() for number in range(count)]
    taken = []
    try:
        with Client(pushed.server.operator_port) as client:
            for body in bodies:
                answer = client.send(body)
                taken.append(answer.seconds)
                if answer.status != 200 or len(json.loads(answer.body)["results"]) != BATCH:
                    raise Broken(f"a batch was answered {answer.status}: {answer.body[:300]!r}")
        if pushed.count("candidates") != 250 * count:
            raise Broken("not all that was acknowledged is stored")
    finally:
        pushed.stop()
    rate = BATCH / statistics.median(taken)
    return [Row(
        f"batches of {BATCH:,} mixed new records", f"{rate:,.0f} records/s", "", f"{rate:,.0f}/s", "≥ 30,000/s", "", rate >= 30_000, None,
        [f"a batch takes {statistics.median(taken) * 1000:.0f} ms, the slowest {max(taken) * 1000:.0f} ms"])]

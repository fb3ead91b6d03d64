"""The two databases: generated as NDJSON, loaded by `hirewire import`, and kept for the next run of the same program."""

import hashlib
import json
import pathlib
import random
import shutil
import time

from . import people, processes
from .expected import Stored
from .processes import Broken, progress

"""Goes into every kept file's name: counts up when the records change."""
EDITION = 3


class Dataset:
    KEYS = 200

    def __init__(self, name, prefix, candidates, matched, each, applied, work, binary):
        """`matched`: a range of the candidates' numbers that have `each` matches."""
        self.name, self.prefix, self.count = name, prefix, candidates
        self.matched, self.each, self.applied = matched, each, applied
        self.work, self.binary = work, binary
        self.database = work / f"{name}.db"
        self.seconds = None
        self.ready = False

    @staticmethod
    def small(candidates, work, binary):
        return Dataset("small", "S", candidates, range(candidates), 10, False, work, binary)

    @staticmethod
    def big(candidates, work, binary):
        """The newer half has two matches each, as where scoring began some day; every second one has applied."""
        return Dataset("big", "B", candidates, range(candidates // 2, candidates), 2, True, work, binary)

    @staticmethod
    def expanded(candidates, work, binary):
        """Five matches each."""
        return Dataset("expanded", "E", candidates, range(candidates), 5, False, work, binary)

    # MARK: Files

    def file(self, kind):
        path = self.work / f"{self.name}-{kind}-{self.count}-{EDITION}.ndjson"
        if not path.exists():
            progress(f"writing {path.name}")
            people.write(path, self.records(kind))
        return path

    def records(self, kind):
        if kind == "candidates":
            return people.candidates(self.count, self.prefix)
        if kind == "jobs":
            return people.jobs(self.prefix)
        if kind == "matches":
            return people.matches(self.matched, self.each, self.prefix)
        return people.applications(self.count, self.prefix)

    def counts(self):
        counts = {"jobs": people.JOB_COUNT, "matches": len(self.matched) * self.each}
        if self.applied:
            counts["applications"] = (self.count + 1) // 2
        return counts

    # MARK: The database

    def import_command(self, kind, database=None):
        return [self.binary, "import", kind, self.file(kind), "--no-events", "--json", "--database", database or self.database]

    def import_file(self, kind, count):
        """Seconds that the import took, from the command's start to its end."""
        command = self.import_command(kind)
        progress(f"hirewire import {kind}: {count:,} rows")
        began = time.monotonic()
        out = processes.run(command, timeout=3600)
        seconds = time.monotonic() - began
        check_summary(out, count)
        self.check_clock()
        progress(f"{count / seconds:,.0f} rows/s")
        return seconds

    def check_clock(self):
        """However many rows came however fast: no `updated_at` is later than now."""
        now = time.time_ns() // 1_000
        stored = Stored(self.database)
        last = stored.one("SELECT max(last) FROM clocks")
        stored.close()
        if last > now:
            raise Broken(f"updated_at is {last - now:,} microseconds ahead of the clock")

    def stamp(self):
        digest = hashlib.sha256(self.binary.read_bytes()).hexdigest()[:16]
        return f"{digest} {self.count} {EDITION}"

    def files(self, stem=None):
        """The database's file and those beside it."""
        return [path for path in self.work.glob((stem or self.database.name) + "*")]

    def load(self, fresh=False):
        """Loads the database, unless this very program has loaded the same records before."""
        stamp = self.work / f"{self.name}.stamp"
        if self.ready and not fresh:
            return self
        if not fresh and stamp.exists() and stamp.read_text() == self.stamp() and self.database.exists():
            self.ready = True
            return self
        stamp.unlink(missing_ok=True)
        for path in self.files():
            path.unlink()
        self.seconds = self.import_file("candidates", self.count)
        for kind, count in self.counts().items():
            self.import_file(kind, count)
        self.make_keys()
        self.check()
        stamp.write_text(self.stamp())
        self.ready = True
        return self

    def make_keys(self):
        progress(f"making {self.KEYS} keys")
        keys = {"read:pii": [], "read": []}
        for scope, count in (("read:pii", self.KEYS), ("read", 8)):
            for number in range(count):
                out = processes.run(
                    [self.binary, "keys", "create", "--name", f"{scope} {number}", "--scope", scope, "--rate-limit",
                     100_000_000, "--json", "--database", self.database])
                keys[scope].append(json.loads(out.strip().splitlines()[-1])["key"])
        (self.work / f"{self.name}.keys").write_text(json.dumps(keys))

    def keys(self, scope="read:pii"):
        return json.loads((self.work / f"{self.name}.keys").read_text())[scope]

    def check(self):
        """A sample of the file's rows must stand in the database as they were given."""
        stored = Stored(self.database)
        for kind, count in {"candidates": self.count, **self.counts()}.items():
            if stored.one(f"SELECT count(*) FROM {kind}") != count:
                raise Broken(f"{self.database}: not {count} {kind}")
        wanted = set(random.Random().sample(range(self.count), min(500, self.count)))
        with open(self.file("candidates"), encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number in wanted:
                    check_stored(stored, json.loads(line))
        stored.close()

    def copy(self, name):
        """A copy of the database under another name, with what lies beside it."""
        for path in self.work.glob(f"{name}*"):
            path.unlink()
        for path in self.files():
            shutil.copy(path, self.work / path.name.replace(self.database.name, name, 1))
        return self.work / name

    def serve(self, database=None):
        return processes.Hirewire(self.binary, database or self.database, self.work / "hirewire.log")


def check_summary(out, created):
    summary = json.loads(out.strip().splitlines()[-1])
    got = {name: summary.get(name) for name in ("created", "updated", "unchanged", "rejected")}
    if got != {"created": created, "updated": 0, "unchanged": 0, "rejected": 0}:
        raise Broken(f"the import of {created} new rows says {got}")


def check_stored(stored, given):
    names = [name for name in given if name not in ("skills", "custom")]
    rows = stored.rows(
        f"SELECT {', '.join(names)}, skills, custom FROM candidates WHERE external_id = ?", given["external_id"])
    if len(rows) != 1:
        raise Broken(f"{given['external_id']} is stored {len(rows)} times")
    *values, skills, custom = rows[0]
    held = {**dict(zip(names, values)), "skills": json.loads(skills)}
    if custom is not None:
        held["custom"] = json.loads(custom)
    if held != given:
        raise Broken(f"{given} is stored as {held}")


def default_work():
    import tempfile

    return pathlib.Path(tempfile.gettempdir()) / "hirewire-benchmarks"

"""What every client's test does: run a recipe as it stands, and hold what it read against the database, field by field."""

import collections
import pathlib
import subprocess
import sys
import time

from . import stored, values
from .program import Broken, bare_environment

RECIPES = pathlib.Path(__file__).resolve().parent.parent / "recipes"

Row = collections.namedtuple("Row", "client expected got requests limited lines seconds note")

"""Records of a kind that a client has, and how their values are held against the stored ones."""
Part = collections.namedtuple("Part", "kind records agree", defaults=[values.exact])


def lines_of(recipe):
    """Lines that somebody has to write: all but the empty ones and the comments."""
    text = (RECIPES / recipe).read_text(encoding="utf-8")
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", "//", "--")))


class Client:
    """A client with a key and a folder of its own; what it asked for is counted by the server's access log."""

    def __init__(self, bench, name, recipe, rate_limit=1_000_000):
        self.bench, self.program, self.name, self.recipe = bench, bench.program, name, recipe
        self.key = self.program.key(name, rate_limit)
        self.folder = bench.folder / name.replace(" ", "-")
        while self.folder.exists():
            self.folder = self.folder.with_name(self.folder.name + "-again")
        self.folder.mkdir()
        self.environment = {
            **bare_environment(), "HIREWIRE_URL": self.program.public, "HIREWIRE_KEY": self.key["key"],
            "HOME": str(self.folder), "DLT_DATA_DIR": str(self.folder / ".dlt-data"),
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "NO_PROXY": "127.0.0.1"}
        self.began = time.monotonic()

    def python(self, *words, timeout=1800):
        """Standard output of a Python of the clients' environment."""
        return self.run(sys.executable, *words, timeout=timeout)

    def run(self, *words, timeout=1800):
        """Standard output; what it printed is kept in the folder, even when it hangs."""
        out, problems = self.folder / "stdout.txt", self.folder / "stderr.txt"
        with open(out, "wb") as stdout, open(problems, "wb") as stderr:
            done = subprocess.run(
                list(map(str, words)), cwd=self.folder, env=self.environment, timeout=timeout, stdin=subprocess.DEVNULL,
                stdout=stdout, stderr=stderr)
        said = out.read_text(encoding="utf-8")
        if done.returncode != 0:
            raise Broken(f"{self.name}: exit code {done.returncode}\n{problems.read_text()[-3000:]}\n{said[-3000:]}")
        return said

    def row(self, expected, got, note="", lines=None):
        counts = self.program.requests(self.key["key_id"])
        return Row(
            self.name, expected, got, sum(counts.values()), counts[429], lines if lines is not None else self.recipe and lines_of(self.recipe),
            time.monotonic() - self.began, note)

    def walk(self, read, fits=lambda row: True, fields=None, lines=None, once=False):
        """The table's row for a walk under changes: `read` gives the parts that came, of each the records in any order.
        What stood still came exactly once, what moved at least once, and nothing else came; each as it was at the time
        that it tells. `fits` says which rows were asked for, `fields` which fields; `once` holds for what moved, too."""
        before = self.stored()
        parts = read()
        return self.judged(before, parts, self.stored(), fits, fields, lines, once)

    def judged(self, before, parts, after, fits=lambda row: True, fields=None, lines=None, once=False):
        expected = got = moved = again = 0
        for part in parts:
            first, last = before[part.kind], after[part.kind]
            counts = collections.Counter(record["id"] for record in part.records)
            staying = {one for one in first.keys() & last.keys() if fits(first[one]) and fits(last[one])}
            still = {one for one in staying if first[one]["version"] == last[one]["version"]}
            self.hold(not (staying - counts.keys()), f"{part.kind} never came", staying - counts.keys())
            twice = {one for one in (counts if once else still) if counts[one] != 1}
            self.hold(not twice, f"{part.kind} came twice", twice)
            strange = counts.keys() - first.keys() - last.keys() - stored.deleted(self.program.database, part.kind)
            self.hold(not strange, f"{part.kind} came that there never were", strange)
            differ = [fault for record in part.records if (fault := difference(record, first, last, fields, part.agree))]
            self.hold(not differ, f"{part.kind} differ", differ)
            expected, got = expected + len(staying), got + len(staying & counts.keys())
            moved, again = moved + len(staying) - len(still), again + len(part.records) - len(counts)
        return self.row(expected, got, f"{moved} moved meanwhile, {again} came again", lines)

    def snapshot(self, read, **options):
        """The same for an export: no row comes twice, moved or not."""
        return self.walk(read, once=True, **options)

    def stored(self):
        return {kind: stored.records(self.program.database, kind) for kind in stored.KINDS}

    def same(self, parts, note="", skip=(), stored=None):
        """The table's row for a copy that should be what the database holds (or what is given), but for the fields to skip."""
        expected = got = 0
        stored = stored or self.stored()
        for kind, records, agree in parts:
            copy = {record["id"]: record for record in records}
            self.hold(len(copy) == len(records), f"{kind} came twice")
            there = stored[kind]
            self.hold(not (there.keys() - copy.keys()), f"{kind} are missing", there.keys() - copy.keys())
            self.hold(not (copy.keys() - there.keys()), f"{kind} should be gone", copy.keys() - there.keys())
            fields = [name for name in next(iter(there.values())) if name not in skip]
            differ = [fault for one in there if (fault := unequal(there[one], copy[one], fields, agree))]
            self.hold(not differ, f"{kind} differ", differ)
            expected, got = expected + len(there), got + len(copy)
        others = ", ".join(f"{len(part.records):,} {part.kind}" for part in parts)
        return self.row(expected, got, note or others)

    def hold(self, condition, what, which=()):
        if not condition:
            raise Broken(f"{self.name}: {len(which)} {what}, such as {list(which)[:3]}")


def difference(record, before, after, fields, agree):
    """What is wrong with a record that came while things changed. `updated_at` says of which moment it tells: of one that
    is known from before or after, it is that in each field; else it lies between them."""
    told = values.moment(record["updated_at"])
    known = [rows[record["id"]] for rows in (before, after) if record["id"] in rows]
    for one in known:
        if one["updated_at"] == told:
            return unequal(one, record, fields or one, agree)
    first, last = before.get(record["id"]), after.get(record["id"])
    if first and told < first["updated_at"] or last and told > last["updated_at"]:
        return record["id"], "updated_at", told, [one["updated_at"] for one in known]


def unequal(there, record, fields, agree):
    """The first field that is not the stored one."""
    for name in fields:
        if name not in record:
            return record["id"], name, "missing"
        if not agree(name, there[name], record[name]):
            return record["id"], name, record[name], there[name]

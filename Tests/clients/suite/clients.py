"""What every client's test does: run a recipe as it stands, and hold what it read against the database."""

import collections
import pathlib
import subprocess
import sys
import time

from . import stored
from .program import Broken, bare_environment

RECIPES = pathlib.Path(__file__).resolve().parent.parent / "recipes"

Row = collections.namedtuple("Row", "client expected got requests limited lines seconds note")


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
        self.folder.mkdir()
        self.environment = {
            **bare_environment(), "HIREWIRE_URL": self.program.public, "HIREWIRE_KEY": self.key["key"],
            "HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "NO_PROXY": "127.0.0.1"}
        self.began = time.monotonic()

    def python(self, *words, timeout=240):
        """Standard output of a Python of the clients' environment."""
        return self.run(sys.executable, *words, timeout=timeout)

    def run(self, *words, timeout=240, stdin=None):
        done = subprocess.run(
            list(map(str, words)), cwd=self.folder, env=self.environment, timeout=timeout, capture_output=True, text=True,
            input=stdin)
        (self.folder / "stderr.txt").write_text(done.stderr, encoding="utf-8")
        (self.folder / "stdout.txt").write_text(done.stdout, encoding="utf-8")
        if done.returncode != 0:
            raise Broken(f"{self.name}: exit code {done.returncode}\n{done.stderr[-3000:]}\n{done.stdout[-1000:]}")
        return done.stdout

    def row(self, expected, got, note="", lines=None):
        counts = self.program.requests(self.key["key_id"])
        return Row(
            self.name, expected, got, sum(counts.values()), counts[429], lines if lines is not None else lines_of(self.recipe),
            time.monotonic() - self.began, note)

    def walk(self, read, fits=lambda row: True, lines=None):
        """The table's row for a walk under changes: `read` gives the ids that came, in any order. What stood still came
        exactly once, what moved at least once, and nothing else came. `fits` says which rows were asked for."""
        before = stored.candidates(self.program.database)
        ids = read()
        after = stored.candidates(self.program.database)
        counts = collections.Counter(ids)
        staying = {one for one in before.keys() & after.keys() if fits(before[one]) and fits(after[one])}
        still = {one for one in staying if before[one].version == after[one].version}
        self.hold(not (staying - counts.keys()), "rows never came", staying - counts.keys())
        twice = {one for one in still if counts[one] != 1}
        self.hold(not twice, "rows that did not change came twice", twice)
        strange = {one for one in counts.keys() - before.keys() - after.keys() if not self.known(one)}
        self.hold(not strange, "rows came that there never were", strange)
        moved = len(staying) - len(still)
        note = f"{moved} moved meanwhile, {len(ids) - len(counts)} came again"
        return self.row(len(staying), len(staying & counts.keys()), note, lines)

    def snapshot(self, read, lines=None):
        """The same for an export: no row comes twice, moved or not."""
        ids = []

        def reading():
            nonlocal ids
            ids = read()
            return ids

        row = self.walk(reading, lines=lines)
        self.hold(len(ids) == len(set(ids)), "rows came twice in one snapshot", ids[:0])
        return row

    def known(self, one):
        """Made and deleted during the walk."""
        return one in stored.deleted(self.program.database)

    def same(self, copy, note=""):
        """The table's row for a copy that should be what the database holds; by id, the rows as `stored.Row`."""
        there = stored.candidates(self.program.database)
        self.hold(not (there.keys() - copy.keys()), "rows are missing", there.keys() - copy.keys())
        self.hold(not (copy.keys() - there.keys()), "rows should be gone", copy.keys() - there.keys())
        differ = [one for one in there if tuple(there[one]) != tuple(copy[one])]
        self.hold(not differ, "rows differ", [(copy[one], there[one]) for one in differ])
        return self.row(len(there), len(copy), note)

    def hold(self, condition, what, which=()):
        if not condition:
            raise Broken(f"{self.name}: {len(which)} {what}, such as {list(which)[:3]}")

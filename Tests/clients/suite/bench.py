"""The server, the changes and the table."""

import contextlib
import pathlib
import signal
import sys
import tempfile
import time

from . import bi, contract, dataset, doubts, etl, manners, postgresql, readme
from .changes import Changer
from .program import Broken, Program

CLIENTS = {
    "dlt": etl.dlt_paginate,
    "dlt-copy": etl.dlt_copy,
    "airbyte": etl.airbyte,
    "singer": etl.singer,
    "copy": etl.keep_a_copy,
    "duckdb": bi.duckdb_table,
    "pandas": bi.pandas_frames,
    "postgresql": postgresql.postgresql,
    "infinity": bi.infinity,
    "power-query": bi.power_query,
    "generated": contract.generated,
    "manners": manners.all_at_once,
    "schemathesis": contract.schemathesis,
}


class Bench:
    examples = 60

    def __init__(self, binary, folder, schemathesis):
        self.folder, self.program, self.schemathesis = folder, Program(binary, folder), schemathesis
        self.bin = pathlib.Path(sys.prefix) / "bin"

    def start(self):
        began = time.monotonic()
        said = dataset.load(self.program)
        self.program.start()
        key = self.program.key("changer", scopes=("ingest", "read:pii"))
        self.changer = Changer(self.program, key["key"])
        print(f"== {said}, in {time.monotonic() - began:.0f} s", flush=True)

    def changes(self, per_second=80):
        self.changer.size = max(4, per_second // 4)
        return self.changer

    def change_once(self):
        """Between two runs of a client: what was deleted while it read comes back in part, too."""
        for revive in (False, True, False):
            self.changer.change(revive)


def main(options, schemathesis):
    if options.list:
        print("\n".join(CLIENTS))
        return 0
    unknown = [name for name in options.only or [] if name not in CLIENTS]
    if unknown:
        print(f"no such client: {', '.join(unknown)}; there are {', '.join(CLIENTS)}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with work_folder(options.keep) as folder:
        bench = Bench(options.binary, folder, schemathesis)
        try:
            readme.check()
            bench.start()
            doubts.check(bench)
            return run(bench, options.only or CLIENTS)
        except Broken as problem:
            print(f"FAILED {problem}", file=sys.stderr)
            return 1
        finally:
            bench.program.stop()


@contextlib.contextmanager
def work_folder(kept):
    if kept:
        kept.mkdir(parents=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="hirewire-clients-", ignore_cleanup_errors=True) as folder:
            yield pathlib.Path(folder)


def run(bench, names):
    rows, problems = [], []
    for name in names:
        try:
            rows += CLIENTS[name](bench)
            print(f"  {name}", flush=True)
        except Exception as problem:  # whatever it is, the other clients are tried, and it is told
            problems.append(f"{name}: {type(problem).__name__}: {problem}")
            print(f"  {problems[-1]}", flush=True)
    problems += [f"the server answered {entry['status']} to {entry['path']}" for entry in bench.program.failures()]
    show(rows)
    for problem in problems:
        print(f"FAILED {problem}", file=sys.stderr)
    return 1 if problems or any(row.got != row.expected for row in rows) else 0


def show(rows):
    print(f"\n{'client':24} {'rows expected':>13} {'rows got':>9} {'requests':>9} {'429s':>5} {'lines':>5} {'s':>4}  notes")
    for row in rows:
        lines = "" if row.lines is None else row.lines
        print(
            f"{row.client:24} {row.expected:13,} {row.got:9,} {row.requests:9,} {row.limited:5,} {lines:>5}"
            f" {row.seconds:4.0f}  {row.note}")

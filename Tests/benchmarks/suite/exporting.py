"""Exports of every candidate, read to their end, next to sqlite3's own shell printing the same columns."""

import contextlib
import csv
import json
import os
import socket
import statistics
import subprocess
import time

from . import processes, serving
from .bodies import Body, Stream
from .client import Client, request
from .expected import FIELDS, LIST, OBJECT, Stored, record
from .load import alternate
from .processes import Broken
from .table import most_row, rate_row

FORMATS = {"ndjson": "json", "csv": "csv"}
REQUIRED = {"ndjson": 1.0, "csv": 0.8}
"""Of so many rows in the checked export one is compared with what is stored, value by value."""
SAMPLED = 997

"""What the export has, in its order. An id's 16 bytes as digits, as the export has them too: as they are they would end
the cell at their first zero. Times and numbers as the file holds them, which costs the shell less than ours costs us."""
SHELL_COLUMNS = ["hex(id) AS id", "external_id", "version", "created_at", "change AS updated_at", "NULL AS deleted_at"] + [
    name.replace(".", "_") for name, _ in FIELDS]


class Rates:
    """What `alternate` takes turns with: runs that end by themselves, in rows a second."""

    def __init__(self, name):
        self.name, self.rates = name, []

    @property
    def rate(self):
        return statistics.median(self.rates)

    def run(self, _, counted=True):
        began = time.perf_counter()
        rows = self.once(Body() if counted else self.checking())
        if counted:
            self.rates.append(rows / (time.perf_counter() - began))


class Export(Rates):
    """`export=all` over a socket of its own."""

    def __init__(self, data, stored, port, form, key):
        super().__init__(f"export as {form}")
        self.stored, self.port, self.form, self.key, self.total = stored, port, form, key, data.count
        self.first, self.last = (
            stored.candidates(f"change = (SELECT {which}(change) FROM candidates)")[0] for which in ("min", "max"))

    def checking(self):
        return Checking(self.form, self.stored, self.total)

    @contextlib.contextmanager
    def begun(self):
        """The stream behind the head of the answer, whose chunks are to be read."""
        target = f"/api/v1/candidates?export=all&format={self.form}"
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.sendall(request(target, self.key))
            stream = Stream(connection.recv_into)
            status = stream.line()
            head = {}
            while line := stream.line():
                name, _, value = line.decode().partition(": ")
                head[name.lower()] = value
            wanted = {"transfer-encoding": "chunked", "x-total-count": str(self.total), "content-encoding": None}
            if status != b"HTTP/1.1 200 OK" or any(head.get(name) != value for name, value in wanted.items()):
                raise Broken(f"{target}: {status} with {head}")
            yield stream

    def once(self, body):
        with self.begun() as stream:
            stream.chunks(body)
        self.check(body)
        return self.total

    def check(self, body):
        headings = 1 if self.form == "csv" else 0
        if body.lines != self.total + headings or not body.last.endswith(b"\n"):
            raise Broken(f"{self.name}: {body.lines:,} lines for {self.total:,} rows, ending in {body.last[-40:]!r}")
        heading, first = ([b""] + body.first_lines(1)) if not headings else body.first_lines(2)
        for line, row in ((first, self.first), (body.last_line(), self.last)):
            check_line(self.form, line, row, heading)


def check_line(form, line, row, heading=b""):
    """A line is the record of a stored row; in CSV below the documented names."""
    expected = record(row)
    if form == "csv":
        expected = flat(expected)
        names, cells = next(csv.reader([heading.decode()])), next(csv.reader([line.decode()]))
        got = dict(zip(names, cells))
    else:
        got = json.loads(line)
    if got != expected or list(got) != list(expected):
        different = [key for key in expected if got.get(key) != expected[key]] or "the order"
        raise Broken(f"an export as {form} differs in {different}:\n{got}\ninstead of\n{expected}")


def flat(one):
    """A record's cells, by the contract's rules for CSV."""
    cells, forms = {}, dict(FIELDS)
    for name in [*list(one)[:6], *forms]:
        outer, _, inner = name.partition(".")
        value = one[outer]
        if inner:
            value = value and value[inner]
        if value is None:
            cells[name] = ""
        elif forms.get(name) == LIST and not any(";" in text for text in value):
            cells[name] = ";".join(value)
        elif forms.get(name) in (LIST, OBJECT):
            cells[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        else:
            text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
            cells[name] = "'" + text if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text
    return cells


class Checking(Body):
    """Besides counting: each line is a candidate's, each later than the one before, so none comes twice; and one in
    many is compared."""

    def __init__(self, form, stored, total):
        super().__init__()
        self.form, self.stored, self.total = form, stored, total
        self.rest, self.heading, self.number, self.shown = b"", None if form == "csv" else b"", 0, b""
        self.rows = stored.each_candidate("1")

    def take(self, buffer, start, end):
        super().take(buffer, start, end)
        *lines, self.rest = (self.rest + buffer[start:end]).split(b"\n")
        for line in lines:
            if self.heading is None:
                self.heading = bytes(line)
            else:
                self.see(bytes(line))

    def see(self, line):
        row = next(self.rows)
        external = row[2].encode()
        shown = line.split(b'"updated_at":"', 1)[1][:27] if self.form == "ndjson" else line.split(b",", 5)[4]
        if external not in line or shown <= self.shown:
            raise Broken(f"line {self.number} as {self.form} is not {row[2]}, or not later than {self.shown}: {line[:300]}")
        self.shown = shown
        if self.number % SAMPLED == 0:
            check_line(self.form, line, row, self.heading)
        self.number += 1


class Shell(Rates):
    """sqlite3's shell on the same file, printing into a pipe that is as wide as one may be."""

    def __init__(self, data, mode, last):
        super().__init__(f"sqlite3 -{mode}")
        self.total, self.last = data.count, last
        self.command = ["sqlite3", "-readonly", "-bail", f"-{mode}", data.database,
                        f"SELECT {', '.join(SHELL_COLUMNS)} FROM candidates ORDER BY change"]

    checking = Body

    def once(self, body):
        process = processes.start(self.command, stdout=subprocess.PIPE, pipesize=1 << 20)
        pipe = process.stdout.fileno()
        Stream(lambda view: os.readv(pipe, [view])).to_the_end(body)
        code = process.wait(60)
        processes.end(process)
        process.stdout.close()
        identity, external = self.last[1].hex().upper().encode(), self.last[2].encode()
        line = body.last_line()
        if code != 0 or body.lines != self.total or identity not in line or external not in line:
            raise Broken(f"{self.name}: exit code {code}, {body.lines:,} lines, the last is {line!r}")
        return self.total


def export(bench):
    """As NDJSON and as CSV, each in turns with the shell; and what the server's memory grows by meanwhile."""
    data = bench.big.load()
    rows, peaks, notes = [], [], []
    with contextlib.closing(Stored(data.database)) as stored, data.serve() as server:
        warm_up(data, stored, server)
        idle = server.memory()
        for form, mode in FORMATS.items():
            ours = Export(data, stored, server.port, form, data.keys()[1])
            shell = Shell(data, mode, ours.last)
            server.forget_peak()
            alternate([ours, shell], bench.rounds, bench.seconds)
            held = server.memory()
            peaks.append(held["VmHWM"] - idle["VmRSS"])
            notes.append(
                f"{form}: most resident {held['VmHWM']:.1f} MB, {peaks[-1]:+.1f}; own memory now {held['RssAnon']:.1f} MB, "
                f"files {held['RssFile']:.1f} MB")
            title = f"export of {data.count:,} candidates as {form}, rows/s / sqlite3 -{mode}"
            rows.append(rate_row(title, ours, shell, REQUIRED[form]))
    notes.append(f"idle: resident {idle['VmRSS']:.1f} MB, own memory {idle['RssAnon']:.1f} MB, files {idle['RssFile']:.1f} MB")
    return [*rows, most_row("memory during either export, most resident above idle", max(peaks), 40, "MB", notes=notes)]


def warm_up(data, stored, server):
    """Pages of several kinds, so that idle is a server that has served; no export."""
    targets = serving.mixed_targets(stored, 1_000)
    with Client(server.port) as client:
        for number, target in enumerate(targets):
            serving.check_mixed(client.get(target, data.keys()[number % 10]), target)

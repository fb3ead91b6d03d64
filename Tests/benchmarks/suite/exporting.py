"""Exports of every candidate, read to their end, next to sqlite3's own shell printing the same columns; and beside pages."""

import contextlib
import csv
import json
import os
import socket
import statistics
import subprocess
import threading
import time

from . import processes, serving
from .bodies import Body, Stream
from .client import Client, request
from .expected import FIELDS, LIST, OBJECT, Places, Stored, record
from .load import Load, alternate, prepare
from .processes import Broken, progress
from .table import most_row, rate_row

FORMATS = {"ndjson": "json", "csv": "csv"}
REQUIRED = {"ndjson": 1.0, "csv": 0.8}
LIMIT = 25
"""Cursors are taken this many rows apart: many more pages than any cache of answers holds."""
STEP = 50
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

    def __init__(self, bench, data, stored, port, form, key):
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
            raise Broken(f"line {self.number} of an export as {self.form} is not {row[2]}, or not later than {self.shown}: {line[:300]}")
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
            ours = Export(bench, data, stored, server.port, form, data.keys()[1])
            shell = Shell(data, mode, ours.last)
            server.forget_peak()
            alternate([ours, shell], bench.rounds, bench.seconds)
            held = server.memory()
            peaks.append(held["VmHWM"] - idle["VmRSS"])
            notes.append(
                f"{form}: most resident {held['VmHWM']:.1f} MB, {peaks[-1]:+.1f}; own memory now {held['RssAnon']:.1f} MB, "
                f"files {held['RssFile']:.1f} MB")
            rows.append(rate_row(f"export as {form}, rows/s / sqlite3 -{mode}, {data.count:,} candidates", ours, shell, REQUIRED[form]))
    notes.append(f"idle: resident {idle['VmRSS']:.1f} MB, own memory {idle['RssAnon']:.1f} MB, files {idle['RssFile']:.1f} MB")
    return [*rows, most_row("memory during either export, most resident above idle", max(peaks), 40, "MB", notes=notes)]


def warm_up(data, stored, server):
    """Pages of several kinds, so that idle is a server that has served; no export."""
    targets = serving.mixed_targets(stored, 1_000)
    with Client(server.port) as client:
        for number, target in enumerate(targets):
            serving.check_mixed(client.get(target, data.keys()[number % 10]), target)


class Beside(Load):
    """A load while one export after the other is read as fast as it comes, by a key of its own."""

    def __init__(self, alone, export):
        super().__init__("beside an export", alone.port, alone.requests, alone.answer_size)
        self.export, self.export_rates = export, []

    def run(self, seconds, counted=True):
        reading = Reading(self.export)
        try:
            rate = super().run(seconds, counted)
        finally:
            read = reading.stop()
        if counted:
            self.export_rates.append(read)
        return rate


class Reading:
    """Exports in a loop, on a thread, until it is told to stop."""

    def __init__(self, export):
        self.export, self.stopping, self.error = export, False, None
        self.whole, self.lines, self.body = 0, 0, Body()
        self.began = time.perf_counter()
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()
        while self.body.lines == 0 and self.thread.is_alive():
            time.sleep(0.005)

    def loop(self):
        try:
            while not self.stopping:
                self.body = Body()
                with self.export.begun() as stream:
                    stream.chunks(Stoppable(self))
                self.export.check(self.body)
                self.lines += self.body.lines
                self.body = Body()
        except Stopped:
            pass
        except Exception as error:
            self.error = error

    def stop(self):
        """Rows a second that were read meanwhile."""
        at_end, taken = self.lines + self.body.lines, time.perf_counter() - self.began
        self.stopping = True
        self.thread.join(60)
        if self.error or at_end == 0:
            raise Broken(f"the export beside pages: {self.error or 'no row came'}")
        return at_end / taken


class Stopped(Exception):
    pass


class Stoppable:
    def __init__(self, reading):
        self.reading = reading

    @property
    def lines(self):
        return self.reading.body.lines

    def take(self, *part):
        if self.reading.stopping:
            raise Stopped
        self.reading.body.take(*part)


def exportbeside(bench):
    data = bench.big.load()
    key, *others = data.keys()
    with contextlib.closing(Stored(data.database)) as stored, data.serve() as server:
        progress("walking through all candidates for their cursors")
        places = Places(stored, server.port, key, STEP)
        targets = places.targets(LIMIT)
        size, body = places.check(server.port, others, targets, LIMIT)
        alone = Load("alone", server.port, prepare(bench.work / "exportbeside.requests", targets, others), size)
        beside = Beside(alone, Export(bench, data, stored, server.port, "ndjson", key))
        alternate([alone, beside], bench.rounds, bench.seconds)
        places.check(server.port, others, targets, LIMIT)
    row = rate_row(f"pages of {LIMIT} at random cursors while one export runs / none", beside, alone, 0.5)
    row.notes.append(
        f"the export gave {statistics.median(beside.export_rates):,.0f} rows/s meanwhile; 99 of 100 pages within "
        f"{statistics.median(beside.p99):.1f} ms, without it {statistics.median(alone.p99):.1f} ms")
    return [row]

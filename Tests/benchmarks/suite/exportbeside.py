"""Pages while one export runs, next to pages while none does."""

import contextlib
import statistics
import threading
import time

from .bodies import Body
from .expected import Places, Stored
from .exporting import Export
from .load import Load, alternate, prepare
from .processes import Broken, progress
from .table import rate_row

LIMIT = 25
"""Cursors are taken this many rows apart: many more pages than any cache of answers holds."""
STEP = 50


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


class Stopped(Exception):
    pass


class Stoppable(Body):
    stopping = False

    def take(self, *part):
        if self.stopping:
            raise Stopped
        super().take(*part)


class Reading:
    """Exports in a loop, on a thread, until it is told to stop; those that come to their end are checked."""

    def __init__(self, export):
        self.export, self.error = export, None
        self.whole, self.body = 0, Stoppable()
        self.began = time.perf_counter()
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()
        while self.body.lines == 0 and self.thread.is_alive():
            time.sleep(0.005)

    def loop(self):
        try:
            while True:
                self.export.once(self.body)
                self.whole, self.body = self.whole + 1, Stoppable()
        except Stopped:
            pass
        except Exception as error:
            self.error = error

    def stop(self):
        """Rows a second that were read meanwhile."""
        read, taken = self.whole * self.export.total + self.body.lines, time.perf_counter() - self.began
        while self.thread.is_alive():
            self.body.stopping = True
            self.thread.join(0.01)
        if self.error or read == 0:
            raise Broken(f"the export beside pages: {self.error or 'no row came'}")
        return read / taken


def exportbeside(bench):
    data = bench.big.load()
    key, *others = data.keys()
    with contextlib.closing(Stored(data.database)) as stored, data.serve() as server:
        progress("walking through all candidates for their cursors")
        places = Places(stored, server.port, key, STEP)
        targets = places.targets(LIMIT)
        size, _ = places.check(server.port, others, targets, LIMIT)
        alone = Load("alone", server.port, prepare(bench.work / "exportbeside.requests", targets, others), size)
        beside = Beside(alone, Export(data, stored, server.port, "ndjson", key))
        alternate([alone, beside], bench.rounds, bench.seconds)
        places.check(server.port, others, targets, LIMIT)
    row = rate_row(f"pages of {LIMIT} at random cursors while one export runs / none", beside, alone, 0.5)
    row.notes.append(
        f"the export gave {statistics.median(beside.export_rates):,.0f} rows/s meanwhile; 99 of 100 pages within "
        f"{statistics.median(beside.p99):.1f} ms, without it {statistics.median(alone.p99):.1f} ms")
    return [row]

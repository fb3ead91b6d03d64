"""Deliveries that wait and deliveries that were made: what they cost a writer, a claim, the memory and the readers."""

import contextlib
import statistics
import time

from .client import Client
from .delivering import Rates
from .expected import Places, Stored
from .load import Load, prepare
from .outbox import Changes, Outbox, Receiver, add_endpoint, files, kept
from .processes import Broken, progress
from .table import Row, most_row, rate_row
from .throughput import LIMIT, STEP

ENDPOINTS = 10


def writer(bench):
    """New candidates with events, for ten endpoints and for none, nobody sending: in an import, and one by one."""
    count = 4_000 if bench.quick else 40_000
    rates = {way: {number: Rates() for number in (ENDPOINTS, 0)} for way in ("import", "single")}
    for _ in range(2 if bench.quick else 3):
        for number in (ENDPOINTS, 0):
            with Outbox(bench, "writer", [9] * number) as outbox:
                rates["import"][number].rates.append(count / outbox.load("W", count))
            with Outbox(bench, "writer", [9] * number) as outbox:
                single = Changes(bench, outbox.database, "W1", count // 20).finish()
                rates["single"][number].rates.append(single["count"] / single["seconds"])
    return [
        rate_row(f"changes by import with {ENDPOINTS} endpoints / with none", *rates["import"].values(), 0.5),
        rate_row("for information: each change a transaction of its own", *rates["single"].values(), None),
    ]


def waiting(bench, events):
    """A database in which each of the events waits for each endpoint."""

    def make(path):
        progress(f"{events * ENDPOINTS:,} deliveries that wait")
        with Outbox(bench, "making", [9] * ENDPOINTS) as outbox:
            seconds = outbox.load("P", events)
            progress(f"{events / seconds:,.0f} candidates/s")
            for made in files(outbox.database):
                made.rename(path.with_name(made.name.replace(outbox.database.name, path.name, 1)))

    return kept(bench, f"waiting-{events}", make)


def pending(bench):
    """The most that is ever resident while a million deliveries wait: nine endpoints hang, the tenth gets what it is owed."""
    events = 10_000 if bench.quick else 100_000
    path = waiting(bench, events)
    seconds = 5 if bench.quick else 20
    with Receiver(bench, ENDPOINTS, ENDPOINTS - 1) as receiver, Outbox.at(bench, path, receiver.ports).copy("pending") as outbox:
        with outbox.serve() as server:
            time.sleep(seconds)
            scrape = scraped(server, events * ENDPOINTS)
            held = server.memory()
            arrived, hung = receiver.ask("count"), receiver.ask("report")["hanging"]["received"]
        left = outbox.rows("SELECT count(*) FROM deliveries WHERE status = 0")[0][0]
        receiver.report(receiver.ask("count"))
    if not arrived or not hung or left < events * (ENDPOINTS - 1):
        raise Broken(f"{arrived:,} deliveries arrived, {hung:,} hung and {left:,} were left")
    notes = [
        f"after {seconds} s: resident {held['VmRSS']:.0f} MB, of that files {held['RssFile']:.0f} MB and own memory "
        f"{held['RssAnon']:.0f} MB; {arrived:,} had been delivered, {hung} requests hung, {left:,} deliveries still wait; "
        f"a scrape of the metrics took {scrape:.0f} ms"]
    return [most_row(f"memory with {events * ENDPOINTS:,} deliveries pending, most resident", held["VmHWM"], 150, "MB", notes=notes)]


def scraped(server, most):
    """Milliseconds that the metrics took; they count what waits."""
    with Client(server.operator_port) as client:
        answer = client.get("/metrics")
    pending = [float(line.split()[1]) for line in answer.body.decode().splitlines() if line.startswith("hirewire_webhook_pending ")]
    if answer.status != 200 or len(pending) != 1 or not most * 0.8 < pending[0] <= most:
        raise Broken(f"the metrics say that {pending} of {most:,} deliveries are pending")
    return answer.seconds * 1000


def delivered(bench, events):
    """A database in which all of that has been delivered."""

    def make(path):
        source = waiting(bench, events)
        progress(f"{events * ENDPOINTS:,} deliveries made, in the log")
        with Outbox.at(bench, source, [9] * ENDPOINTS).copy("delivering") as outbox:
            outbox.change(
                ("PRAGMA cache_size = -200000", ()),
                ("INSERT INTO attempts (delivery, started_at, duration, request_headers, response_status, response_headers,"
                 " response_body, is_cut) SELECT number, created_at, 900, ?, 200, '[[\"Content-Length\",\"17\"]]',"
                 " CAST('{\"received\":true}' AS BLOB), 0 FROM deliveries ORDER BY number", ('[["webhook-id","' + "x" * 200 + '"]]',)),
                ("UPDATE deliveries SET status = 1, attempts = 1, due_at = NULL, finished_at = created_at + 1000", ()))
            for made in files(outbox.database):
                made.rename(path.with_name(made.name.replace(outbox.database.name, path.name, 1)))

    return kept(bench, f"delivered-{events}", make)


def log(bench):
    """A delivery's time, from claim to claim, to an endpoint with a long log, and to one with a short one."""
    long, short = (10_000, 10) if bench.quick else (100_000, 100)
    count = 1_000 if bench.quick else 5_000
    taken = {events: ([], []) for events in (long, short)}
    with Receiver(bench, ENDPOINTS) as receiver:
        paths = {events: delivered(bench, events) for events in (long, short)}
        outboxes = {events: Outbox.at(bench, path, receiver.ports).copy(f"log-{events}") for events, path in paths.items()}
        for events, outbox in outboxes.items():
            others = "SELECT number FROM endpoints ORDER BY number LIMIT -1 OFFSET 1"
            outbox.change((f"UPDATE endpoints SET types = '[\"job.status_changed\"]' WHERE number IN ({others})", ()))
            outbox.count = 1
        for number in range(2 if bench.quick else 3):
            for events, outbox in outboxes.items():
                outbox.load(f"L{number}", count)
                receiver.reset()
                with outbox.serve():
                    receiver.wait(count, 60)
                    taken[events][0].append(1e6 / receiver.rate(count))
                    receiver.reset()
                    paced = Changes(bench, outbox.database, f"LP{number}", 100, 50).finish()["count"]
                    receiver.wait(paced, 30)
                    taken[events][1].append(receiver.report(paced)[0]["p50"] / 1000)
        for outbox in outboxes.values():
            outbox.remove()
    many, few = (statistics.median(taken[events][0]) for events in (long, short))
    ratio = statistics.median(one / other for one, other in zip(taken[long][0], taken[short][0]))
    late, soon = (statistics.median(taken[events][1]) for events in (long, short))
    return [Row(
        f"a delivery's time with {long * ENDPOINTS:,} in the log / with {short * ENDPOINTS:,}", f"{many:.0f} µs", f"{few:.0f} µs",
        f"{ratio:.2f} ×", "≤ 1.5 ×", "", ratio <= 1.5, None,
        [f"commit to arrival of one event at a time, p50: {late:.2f} ms, {soon:.2f} ms"])]


class Beside(Load):
    """A load while deliveries go out."""

    def __init__(self, load, bench, outbox, receiver, rate):
        super().__init__(f"{load.name} beside deliveries", load.port, load.requests, load.answer_size)
        self.bench, self.outbox, self.receiver, self.rate_of_events = bench, outbox, receiver, rate
        self.runs, self.slowest = 0, None

    def run(self, seconds, counted=True):
        self.runs += 1
        self.receiver.reset()
        changes = Changes(
            self.bench, self.outbox.database, f"B{self.runs}", self.rate_of_events * (seconds + 5), self.rate_of_events)
        time.sleep(0.5)
        before, began = self.receiver.ask("count"), time.monotonic()
        super().run(seconds, counted)
        sent = (self.receiver.ask("count") - before) / (time.monotonic() - began)
        self.slowest = min(sent, self.slowest or sent)
        written = changes.stop()["count"]
        self.receiver.wait(written * ENDPOINTS, 30)
        self.receiver.report(written * ENDPOINTS)


def beside(bench):
    """Pages of 25 at random cursors while 500 deliveries a second go out: 50 changes a second for ten endpoints."""
    data = bench.small.load()
    path = data.copy("beside.db")
    for _ in range(ENDPOINTS):
        add_endpoint(bench, path)
    with contextlib.ExitStack() as servers:
        receiver = servers.enter_context(Receiver(bench, ENDPOINTS))
        outbox = servers.enter_context(Outbox.at(bench, path, receiver.ports))
        stored = servers.enter_context(contextlib.closing(Stored(path)))
        with outbox.serve() as server:
            progress("walking through all candidates for their cursors")
            places = Places(stored, server.port, data.keys()[0], STEP)
            targets = places.targets(LIMIT)

            def check():
                # The last cursors gain rows behind them; what is before stays as it was.
                return places.check(server.port, data.keys(), targets, LIMIT)

            size, _ = check()
            alone = Load("pages", server.port, prepare(bench.work / "beside.requests", targets, data.keys()), size)
            busy = Beside(alone, bench, outbox, receiver, 500 // ENDPOINTS)
            alone.run(1, counted=False)
            busy.run(1, counted=False)
            for number in range(bench.rounds):
                alone.run(bench.seconds)
                busy.run(bench.seconds)
                progress(f"round {number + 1} of {bench.rounds}: {alone.rates[-1]:,.0f}/s, {busy.rates[-1]:,.0f}/s")
            check()
    row = rate_row(f"pages of {LIMIT} while 500 deliveries/s go out / while none do", busy, alone, 0.7)
    row.notes.append(f"at least {busy.slowest:,.0f} deliveries/s arrived meanwhile")
    return [row]

"""Webhooks on their way: deliveries a second, and how long after its commit an event arrives."""

import json
import statistics
import time

from . import processes
from .outbox import Changes, Outbox, Receiver
from .processes import Broken, progress
from .table import Row, rate_row

"""Requests in flight to one endpoint."""
EACH = 4


class Rates:
    def __init__(self):
        self.rates = []

    @property
    def rate(self):
        return statistics.median(self.rates)


def deliveries(bench):
    """What waits for one endpoint, and for 16, goes out; AsyncHTTPClient posts the same to the same receiver."""
    count = 2_000 if bench.quick else 20_000
    with Receiver(bench, 16) as receiver:
        one = drained(bench, receiver, 1, count)
        many = drained(bench, receiver, 16, count // 16)
    return [
        rate_row("deliveries to one endpoint, durable / AsyncHTTPClient with no database", *one, 0.5),
        rate_row("for information: to 16 endpoints, 64 in flight / the same", *many, None),
    ]


def drained(bench, receiver, endpoints, events):
    ports, count = receiver.ports[:endpoints], endpoints * events
    ours, bare = Rates(), Rates()
    with Outbox(bench, "drain", ports) as outbox:
        outbox.load("D", events)
        messages = outbox.messages(bench.work / "messages.tsv")
        for number in range(2 if bench.quick else 3):
            with outbox.copy("drained") as copy:
                receiver.reset()
                with copy.serve():
                    receiver.wait(count, 120)
                    copy.check_delivered(count)
                ours.rates.append(receiver.rate(count))
            receiver.reset()
            post(bench, messages, ports, count)
            bare.rates.append(receiver.rate(count))
            progress(f"round {number + 1}: {ours.rates[-1]:,.0f}/s, AsyncHTTPClient {bare.rates[-1]:,.0f}/s to {endpoints}")
    return ours, bare


def post(bench, messages, ports, count):
    command = [bench.post, "--bodies", messages, "--in-flight", EACH]
    out = processes.run(command + [part for port in ports for part in ("--port", port)])
    result = json.loads(out)
    if result["count"] != count or result["refused"]:
        raise Broken(f"AsyncHTTPClient was to post {count:,} bodies: {result}")


def arrival(bench):
    """200 events a second to 20 endpoints, 4 of which never answer."""
    endpoints, hanging, rate = 20, 4, 200
    seconds = 5 if bench.quick else 20
    events = rate * seconds
    with Receiver(bench, endpoints, hanging) as receiver, Outbox(bench, "arrival", receiver.ports) as outbox:
        with outbox.serve():
            progress(f"{rate} events/s to {endpoints} endpoints for {seconds} s")
            written = Changes(bench, outbox.database, "A", events, rate).finish(seconds * 4)
            receiver.wait(events * (endpoints - hanging), 60)
            outbox.check_delivered(events * (endpoints - hanging))
            got, hung = receiver.report(events * (endpoints - hanging))
    p50, p95, p99, most = (got[at] / 1000 for at in ("p50", "p95", "p99", "max"))
    notes = [
        f"p99 {p99:.1f} ms, slowest {most:.0f} ms of {got['received']:,} deliveries; {hung['received']} requests hung; "
        f"{written['count'] / written['seconds']:,.0f} events/s were written"]
    name = f"commit to arrival at {rate} events/s, {hanging} of {endpoints} endpoints hanging"
    return [
        Row(f"{name}, p50", f"{p50:.2f} ms", "", f"{p50:.2f} ms", "≤ 10 ms", "", p50 <= 10, None, notes),
        Row("the same, p95", f"{p95:.2f} ms", "", f"{p95:.2f} ms", "≤ 100 ms", "", p95 <= 100),
    ]


def fanout(bench):
    """One event to a thousand endpoints: from its commit to the last arrival, several times."""
    count = 100 if bench.quick else 1_000
    taken = []
    with Receiver(bench, count) as receiver, Outbox(bench, "fanout", receiver.ports) as outbox:
        with outbox.serve():
            time.sleep(1)
            for number in range(5):
                receiver.reset()
                Changes(bench, outbox.database, f"F{number}", 1).finish()
                receiver.wait(count, 30)
                got, _ = receiver.report(count)
                taken.append(got["max"] / 1000)
            outbox.check_delivered(count * 5)
    notes = [f"slowest of {len(taken)}; the first, with no connections yet, {taken[0]:.0f} ms; best {min(taken):.0f} ms"]
    return [Row(
        f"one event to {count:,} endpoints, until the last has it", f"{max(taken):.0f} ms", "", f"{max(taken):.0f} ms",
        "≤ 1000 ms", "", max(taken) <= 1_000, None, notes)]

"""Endpoints, what is owed to them, and the receivers that get it."""

import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import sqlite3
import subprocess
import time
import urllib.request

from . import people, processes
from .dataset import check_summary
from .processes import Broken, progress

KEY = b"the benchmarks' own signing key."
SECRET = "whsec_" + base64.b64encode(KEY).decode()
SERVE = ["--webhook-allow-http", "--webhook-allow-cidr", "127.0.0.0/8"]


class Receiver:
    """Many ports in one process, of which the last `hang` never answer."""

    def __init__(self, bench, ports, hang=0):
        self.process = processes.start(
            [bench.receiver, "--ports", ports, "--hang", hang, "--secret", SECRET], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE)
        ready = json.loads(processes.read_line(self.process, 10))
        self.control, self.ports = ready["control"], ready["ports"]

    def ask(self, what):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/{what}", timeout=60) as answer:
            return json.load(answer)

    def wait(self, count, timeout):
        """Until the ports that answer have so many deliveries."""
        deadline = time.monotonic() + timeout
        while (arrived := self.ask("count")) < count:
            if time.monotonic() > deadline:
                raise Broken(f"{arrived:,} of {count:,} deliveries arrived in {timeout} s")
            time.sleep(0.05)

    def report(self, count, repeats=False):
        """What the ports that answer have got: each of `count` deliveries, and each but once."""
        report = self.ask("report")
        got, hung = report["healthy"], report["hanging"]
        if got["wrong"] or hung["wrong"]:
            raise Broken(f"{got['wrong'] + hung['wrong']} deliveries were wrong: {got['first_wrong'] or hung['first_wrong']}")
        if got["distinct"] != count or not (repeats or got["received"] == count) or (count and not got["checked"]):
            raise Broken(f"of {count:,} deliveries {got['distinct']:,} arrived, in {got['received']:,} requests")
        return got, hung

    def rate(self, count):
        """Deliveries a second between the first and the last."""
        got, _ = self.report(count)
        return (count - 1) / max(1, got["to"] - got["from"]) * 1e6

    def reset(self):
        self.ask("reset")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self.process)
        self.process.stdout.close()


class Outbox:
    """A database with endpoints for some ports, each subscribed to new candidates."""

    def __init__(self, bench, name, ports):
        self.bench, self.database, self.count = bench, bench.work / f"{name}.db", len(ports)
        copy(endpoints(bench, len(ports)), self.database)
        self.point(ports)

    @classmethod
    def at(cls, bench, database, ports):
        """A database that has its endpoints already."""
        outbox = cls.__new__(cls)
        outbox.bench, outbox.database, outbox.count = bench, database, len(ports)
        outbox.point(ports)
        return outbox

    def copy(self, name):
        path = self.bench.work / f"{name}.db"
        copy(self.database, path)
        other = Outbox.__new__(Outbox)
        other.bench, other.database, other.count = self.bench, path, self.count
        return other

    def point(self, ports):
        self.change(*(
            ("UPDATE endpoints SET url = ? WHERE number = (SELECT number FROM endpoints ORDER BY number LIMIT 1 OFFSET ?)",
             (f"http://127.0.0.1:{port}/", number)) for number, port in enumerate(ports)))

    def change(self, *statements):
        with contextlib.closing(sqlite3.connect(self.database, timeout=60)) as database, database:
            for statement, values in statements:
                database.execute(statement, values)

    def rows(self, query, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60)) as database:
            return database.execute(query, values).fetchall()

    def load(self, prefix, count):
        """Seconds in which `count` new candidates came in, with events."""
        file = candidates(self.bench, prefix, count)
        command = [self.bench.hirewire, "import", "candidates", file, "--json", "--database", self.database]
        began = time.monotonic()
        out = processes.run(command)
        seconds = time.monotonic() - began
        check_summary(out, count)
        if (owed := self.rows("SELECT count(*) FROM deliveries WHERE status = 0")[0][0]) < count * self.count:
            raise Broken(f"{owed:,} deliveries wait for {count:,} new candidates and {self.count} endpoints")
        return seconds

    def serve(self):
        log = self.bench.work / f"{self.database.stem}.log"
        # A line for each attempt: what earlier runs wrote goes.
        log.unlink(missing_ok=True)
        return processes.Hirewire(self.bench.hirewire, self.database, log, *SERVE)

    def check_delivered(self, count, timeout=10):
        """So many are recorded as delivered, each at its first attempt."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.rows(
                "SELECT count(*) FROM deliveries d JOIN attempts a ON a.delivery = d.number"
                " WHERE d.status = 1 AND d.attempts = 1 AND a.response_status = 200")[0][0]
            if found == count:
                return
            if time.monotonic() > deadline:
                raise Broken(f"{found:,} of {count:,} deliveries are recorded as delivered at once")
            time.sleep(0.1)

    def messages(self, path):
        """Writes each event as it is sent to the first endpoint: its id, a time, the signature and the body."""
        rows = self.rows("SELECT bytes FROM bodies ORDER BY number")
        with open(path, "wb") as out:
            for (body,) in rows:
                identity, moment = json.loads(body)["id"], str(int(time.time()))
                code = hmac.digest(KEY, f"{identity}.{moment}.".encode() + body, hashlib.sha256)
                signature = b"v1," + base64.b64encode(code)
                out.write(b"\t".join([identity.encode(), moment.encode(), signature, body]) + b"\n")
        return path

    def remove(self):
        for path in files(self.database):
            path.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def files(database):
    return list(database.parent.glob(database.name + "*"))


def copy(source, target):
    for path in files(target):
        path.unlink()
    for path in files(source):
        shutil.copy(path, path.with_name(path.name.replace(source.name, target.name, 1)))


def kept(bench, name, make):
    """A database that is made once for this very program, and what `make` does with its path."""
    path, stamp = bench.work / f"{name}.db", bench.work / f"{name}.stamp"
    if not (stamp.exists() and stamp.read_text() == bench.digest and path.exists()):
        stamp.unlink(missing_ok=True)
        for old in files(path):
            old.unlink()
        make(path)
        stamp.write_text(bench.digest)
    return path


def endpoints(bench, count):
    """A database with so many endpoints and nothing else."""

    def make(path):
        processes.run(
            [bench.hirewire, "import", "candidates", "-", "--format", "ndjson", "--database", path], stdin=subprocess.DEVNULL)
        progress(f"adding {count:,} endpoints")
        for _ in range(count):
            add_endpoint(bench, path)

    return kept(bench, f"endpoints-{count}", make)


def add_endpoint(bench, database, port=9):
    processes.run(
        [bench.hirewire, "webhooks", "add", "--url", f"http://127.0.0.1:{port}/", "--events", "candidate.created",
         "--secret", SECRET, "--json", "--database", database])


def candidates(bench, prefix, count):
    path = bench.work / f"new-{prefix}-{count}.ndjson"
    if not path.exists():
        people.write(path, people.candidates(count, prefix))
    return path


class Changes:
    """New candidates at a steady rate, or as fast as it goes, each in a transaction of its own."""

    def __init__(self, bench, database, prefix, count, rate=None):
        pace = ["--rate", rate] if rate else []
        self.rate, self.asked = rate, count
        self.process = processes.start(
            [bench.changes, "--database", database, "--rows", candidates(bench, prefix, count), *pace],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, timeout=120):
        """Waits for the last of them; `stop` ends them before."""
        while self.process.poll() is None:
            if (timeout := timeout - 0.05) < 0:
                raise Broken(f"{self.asked:,} changes at {self.rate}/s never ended")
            time.sleep(0.05)
        return self.stop()

    def stop(self):
        out = processes.finish(self.process, self.process.args, 60)
        return json.loads(out)

"""dlt, Airbyte, the Singer SDK, and the plain loop: full loads, and copies kept in step."""

import json
import sqlite3

import duckdb

from . import stored
from .clients import RECIPES, Client

LISTS = ["candidates", "jobs", "applications", "interviews", "matches", "calls"]


def dlt_paginate(bench):
    client = Client(bench, "dlt paginate", "dlt_paginate.py")
    with bench.changes():
        return [client.walk(lambda: ids(client.python(RECIPES / client.recipe)))]


def ids(text):
    return [json.loads(line)["id"] for line in text.splitlines()]


def dlt_copy(bench):
    """Twice: while things change, and once more after they have."""
    client = Client(bench, "dlt rest_api", "dlt_copy.py")
    with bench.changes():
        client.python(RECIPES / client.recipe)
    bench.change_once()
    client.python(RECIPES / client.recipe)
    with duckdb.connect(str(client.folder / "hirewire.duckdb"), read_only=True) as copy:
        rows = copy.execute(
            "SELECT id, version, strftime(updated_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), full_name, status"
            " FROM recruiting.candidates").fetchall()
        others = {name: copy.execute(f"SELECT count(*) FROM recruiting.{name}").fetchone()[0] for name in LISTS}
    return [whole(client, rows, others)]


def whole(client, rows, others):
    """The copy of the candidates, with the number of rows of the other lists beside it."""
    client.hold(len(rows) == len({row[0] for row in rows}), "rows came twice")
    note = ", ".join(f"{number:,} {name}" for name, number in others.items() if name != "candidates")
    row = client.same({one: stored.Row(*rest) for one, *rest in rows}, note)
    for name, number in others.items():
        client.hold(number == stored.count(client.program.database, name), f"{name} are not all of them", [number])
    return row


def singer(bench):
    """The tap three times as a target would have it called, each with the state of the run before."""
    client = Client(bench, "Singer tap", "tap_hirewire.py")
    copy = SingerCopy()
    write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    with bench.changes():
        copy.take(client.python(RECIPES / client.recipe, "--config", "config.json"))
    bench.change_once()
    write(client.folder / "state.json", copy.state)
    copy.take(client.python(RECIPES / client.recipe, "--config", "config.json", "--state", "state.json"))
    return [whole(client, *copy.rows())]


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


class SingerCopy:
    """What a target makes of a tap's messages: the last record of a key counts, and so does the last state."""

    def __init__(self):
        self.streams, self.state = {name: {} for name in LISTS}, None

    def take(self, text):
        for line in text.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                self.keep(message["stream"], message["record"])
            elif message["type"] == "STATE":
                self.state = message["value"]

    def keep(self, stream, record):
        if record.get("deleted_at"):
            self.streams[stream].pop(record["id"], None)
        else:
            self.streams[stream][record["id"]] = record

    def rows(self):
        candidates = [
            (record["id"], int(record["version"]), record["updated_at"].replace("+00:00", "Z"), record["full_name"], record["status"])
            for record in self.streams["candidates"].values()]
        return candidates, {name: len(records) for name, records in self.streams.items()}


def airbyte(bench):
    """check, discover and read, as the platform calls a source, and read once more with the state."""
    client = Client(bench, "Airbyte manifest", "airbyte.yaml")
    copy = AirbyteCopy()
    write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    status = [one for one in call(client, "check") if one["type"] == "CONNECTION_STATUS"]
    client.hold(status[0]["connectionStatus"]["status"] == "SUCCEEDED", "the check failed", status)
    catalog, = [one["catalog"] for one in call(client, "discover") if one["type"] == "CATALOG"]
    write(client.folder / "catalog.json", {"streams": [
        {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"} for stream in catalog["streams"]]})
    with bench.changes():
        copy.take(call(client, "read", "--catalog", "catalog.json"))
    bench.change_once()
    write(client.folder / "state.json", list(copy.states.values()))
    copy.take(call(client, "read", "--catalog", "catalog.json", "--state", "state.json"))
    return [whole(client, *copy.rows())]


def call(client, verb, *options):
    return messages(client.run(
        client.bench.bin / "source-declarative-manifest", verb, "--config", "config.json", *options,
        "--manifest-path", RECIPES / "airbyte.yaml"))


def messages(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class AirbyteCopy(SingerCopy):
    def __init__(self):
        super().__init__()
        self.states = {}

    def take(self, messages):
        for message in messages:
            if message["type"] == "RECORD":
                self.keep(message["record"]["stream"], message["record"]["data"])
            elif message["type"] == "STATE":
                state = message["state"]
                self.states[state["stream"]["stream_descriptor"]["name"]] = {"type": state["type"], "stream": state["stream"]}


def keep_a_copy(bench):
    """The README's loop, again and again while things change, and once more."""
    client = Client(bench, "Python, a copy", "keep_a_copy.py")
    with bench.changes():
        for _ in range(4):
            client.python(RECIPES / client.recipe)
    bench.change_once()
    client.python(RECIPES / client.recipe)
    with sqlite3.connect(client.folder / "copy.db") as copy:
        records = [json.loads(text) for text, in copy.execute("SELECT record FROM candidates")]
    return [client.same({
        one["id"]: stored.Row(*(one[name] for name in stored.Row._fields)) for one in records}, "5 polls")]

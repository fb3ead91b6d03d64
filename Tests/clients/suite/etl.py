"""dlt, Airbyte, the Singer SDK, and the plain loop: full loads, and copies kept in step."""

import json
import sqlite3

import duckdb

from . import stored
from .clients import RECIPES, Client, Part
from .values import exact, flat

"""Lists of texts, which dlt puts into tables of their own."""
LISTS = {"candidates": "skills", "jobs": "required_skills", "matches": "reasons"}


def dlt_paginate(bench):
    client = Client(bench, "dlt paginate", "dlt_paginate.py")
    with bench.changes():
        return [client.walk(lambda: lines(client.python(RECIPES / client.recipe)))]


def lines(text):
    return [Part("candidates", [flat(json.loads(line)) for line in text.splitlines()])]


def dlt_copy(bench):
    """Twice: while things change, and once more after they have."""
    client = Client(bench, "dlt rest_api", "dlt_copy.py")
    with bench.changes():
        client.python(RECIPES / client.recipe)
    bench.change_once()
    client.python(RECIPES / client.recipe)
    with duckdb.connect(str(client.folder / "hirewire.duckdb"), read_only=True) as copy:
        tables = [Part(kind, table(copy, kind, client.program.database), dlt_value) for kind in stored.KINDS]
    # dlt makes columns and tables of their members.
    return [client.same(tables, skip=("custom", "interviewers"))]


def table(copy, kind, database):
    """dlt's table of a kind, with a list of texts put together again from its own table; it has no column for a field that
    never had a value."""
    found = copy.execute(f"SELECT * FROM recruiting.{kind}")
    names = [column[0].replace("__", ".") for column in found.description]
    records = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    lists = {}
    if kind in LISTS:
        for parent, value in copy.execute(
                f"SELECT _dlt_parent_id, value FROM recruiting.{kind}__{LISTS[kind]} ORDER BY _dlt_list_idx").fetchall():
            lists.setdefault(parent, []).append(value)
    for one in records:
        if kind in LISTS:
            one[LISTS[kind]] = lists.get(one["_dlt_id"])
    never = dict.fromkeys(stored.fields(database, kind))
    return [never | one for one in records]


def dlt_value(field, there, got):
    """A list of nothing has no rows in the table of its own, as none has."""
    return exact(field, None if there == [] else there, got)


def singer(bench):
    """The tap as a target would have it called: while things change, and once more with the state of that run."""
    client = Client(bench, "Singer tap", "tap_hirewire.py")
    copy = SingerCopy()
    write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    with bench.changes():
        copy.take(messages(client.python(RECIPES / client.recipe, "--config", "config.json")))
    bench.change_once()
    write(client.folder / "state.json", copy.state)
    copy.take(messages(client.python(RECIPES / client.recipe, "--config", "config.json", "--state", "state.json")))
    return [client.same(copy.tables())]


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def messages(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class SingerCopy:
    """What a target makes of a tap's messages: the last record of a key counts, and so does the last state."""

    def __init__(self):
        self.streams, self.state = {name: {} for name in stored.KINDS}, None

    def take(self, messages):
        for message in messages:
            if message["type"] == "RECORD":
                self.keep(message["stream"], message["record"])
            elif message["type"] == "STATE":
                self.state = message["value"]

    def keep(self, stream, record):
        if record.get("deleted_at"):
            self.streams[stream].pop(record["id"], None)
        else:
            self.streams[stream][record["id"]] = flat(record)

    def tables(self):
        return [Part(name, list(records.values())) for name, records in self.streams.items()]


def airbyte(bench):
    """check, discover and read, as the platform calls a source, and read once more with the state."""
    client = Client(bench, "Airbyte manifest", "airbyte.yaml")
    copy = AirbyteCopy(client.program.database)
    write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    status = [one for one in call(client, "check") if one["type"] == "CONNECTION_STATUS"]
    client.hold(status[0]["connectionStatus"]["status"] == "SUCCEEDED", "the check failed", status)
    write(client.folder / "catalog.json", {"streams": [
        {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"} for stream in discovered(client)]})
    with bench.changes():
        copy.take(call(client, "read", "--catalog", "catalog.json"))
    bench.change_once()
    write(client.folder / "state.json", list(copy.states.values()))
    copy.take(call(client, "read", "--catalog", "catalog.json", "--state", "state.json"))
    return [client.same(copy.tables())]


def call(client, verb, *options):
    return messages(client.run(
        client.bench.bin / "source-declarative-manifest", verb, "--config", "config.json", *options,
        "--manifest-path", RECIPES / "airbyte.yaml"))


def discovered(client):
    catalog, = [one["catalog"] for one in call(client, "discover") if one["type"] == "CATALOG"]
    return catalog["streams"]


class AirbyteCopy(SingerCopy):
    def __init__(self, database):
        super().__init__()
        self.states = {}
        self.fields = {kind: dict.fromkeys(stored.fields(database, kind)) for kind in stored.KINDS}

    def take(self, messages):
        for message in messages:
            if message["type"] == "RECORD":
                # Airbyte's messages leave out what is null.
                kind = message["record"]["stream"]
                self.keep(kind, self.fields[kind] | message["record"]["data"])
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
        records = [flat(json.loads(text)) for text, in copy.execute("SELECT record FROM candidates")]
    return [client.same([Part("candidates", records)], "5 polls")]

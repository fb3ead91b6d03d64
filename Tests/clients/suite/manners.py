"""Rate-limit manners: unmodified clients at twice what their key allows come to their end, with every row once."""

import concurrent.futures

from . import etl
from .clients import RECIPES, Client

"""About half of the requests that each of them needs, a minute: so a good half minute has to be waited for."""
ONE_LIST, SIX_LISTS = 100, 180


def all_at_once(bench):
    """Side by side, because all that they do is wait."""
    with bench.changes(per_second=16), concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(run, bench) for run in (dlt, singer, airbyte)]
        rows = [run.result() for run in runs]
    for row in rows:
        if row.limited == 0:
            raise ValueError(f"{row.client} never met its limit")
    return rows


def dlt(bench):
    client = Client(bench, "dlt, limited", "dlt_paginate.py", ONE_LIST)
    return client.walk(lambda: etl.ids(client.python(RECIPES / client.recipe)))


def singer(bench):
    client = Client(bench, "Singer, limited", "tap_hirewire.py", SIX_LISTS)
    etl.write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})

    def read():
        messages = etl.messages(client.python(RECIPES / client.recipe, "--config", "config.json"))
        return living(one for one in messages if one["type"] == "RECORD" and one["stream"] == "candidates")

    return client.walk(read)


def airbyte(bench):
    client = Client(bench, "Airbyte, limited", "airbyte.yaml", SIX_LISTS)
    etl.write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    catalog, = [one["catalog"] for one in etl.call(client, "discover") if one["type"] == "CATALOG"]
    etl.write(client.folder / "catalog.json", {"streams": [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"} for stream in catalog["streams"]]})

    def read():
        records = [one["record"] for one in etl.call(client, "read", "--catalog", "catalog.json") if one["type"] == "RECORD"]
        return [record["data"]["id"] for record in records if record["stream"] == "candidates" and not record["data"].get("deleted_at")]

    return client.walk(read)


def living(messages):
    return [one["record"]["id"] for one in messages if not one["record"].get("deleted_at")]

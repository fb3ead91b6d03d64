"""Rate-limit manners: unmodified clients at twice what their key allows come to their end, with every row once."""

import concurrent.futures

from . import etl, stored, values
from .clients import RECIPES, Client, Part

"""About half of the requests that each of them needs, a minute: so a good half minute has to be waited for."""
ONE_LIST, SIX_LISTS = 100, 180


def all_at_once(bench):
    """Side by side, because all that they do is wait."""
    with bench.changes(per_second=16), concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(limited, *one) for one in ((dlt, bench, ONE_LIST), (singer, bench, SIX_LISTS), (airbyte, bench, SIX_LISTS))]
        return [run.result() for run in runs]


def limited(run, bench, limit):
    """On a machine so slow that a client is no faster than its limit, it is tried with a smaller one."""
    for smaller in (limit, limit // 2, limit // 4):
        row = run(bench, smaller)
        if row.limited > 0:
            return row
    raise ValueError(f"{row.client} never met its limit, {smaller} a minute: {row.requests} requests in {row.seconds} s")


def dlt(bench, limit):
    client = Client(bench, "dlt, limited", "dlt_paginate.py", limit)
    return client.walk(lambda: etl.lines(client.python(RECIPES / client.recipe)))


def singer(bench, limit):
    client = Client(bench, "Singer, limited", "tap_hirewire.py", limit)
    etl.write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})

    def read():
        said = etl.messages(client.python(RECIPES / client.recipe, "--config", "config.json"))
        return living((one["stream"], one["record"]) for one in said if one["type"] == "RECORD")

    return client.walk(read)


def airbyte(bench, limit):
    client = Client(bench, "Airbyte, limited", "airbyte.yaml", limit)
    etl.write(client.folder / "config.json", {"url": client.program.public, "key": client.key["key"]})
    etl.write(client.folder / "catalog.json", {"streams": [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"} for stream in etl.discovered(client)]})

    def read():
        said = [one["record"] for one in etl.call(client, "read", "--catalog", "catalog.json") if one["type"] == "RECORD"]
        return living((one["stream"], etl.whole(client, one)) for one in said)

    return client.walk(read)


def living(rows):
    """By kind, without tombstones."""
    parts = {kind: [] for kind in stored.KINDS}
    for kind, record in rows:
        if not record["deleted_at"]:
            parts[kind].append(values.flat(record))
    return [Part(kind, records) for kind, records in parts.items()]

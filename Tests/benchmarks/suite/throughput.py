"""Requests a second with 32 connections, next to what the yardsticks reach with answers of the same size."""

import contextlib
import random

from . import yardsticks
from .client import Client
from .expected import Places, Stored
from .load import Load, alternate, prepare
from .processes import Broken, progress
from .table import rate_row

LIMIT = 25
"""Cursors are taken this many rows apart, so that many more pages are asked for than any cache of answers holds."""
STEP = 5
BULK = 1000


def bare_load(bench, servers, name, size, like):
    """Bare Hummingbird, answering `size` bytes to the very requests that `like` gets."""
    server = servers.enter_context(yardsticks.bare_hummingbird(bench.bare, size, bench.log))
    with Client(server.port) as client:
        answer = client.get("/api/v1/candidates?limit=25")
    if answer.status != 200 or len(answer.body) != size:
        raise Broken(f"bare Hummingbird answers {answer.status} with {len(answer.body)} bytes instead of {size}")
    return Load(name, server.port, like.requests, answer.size)


class Candidates:
    """Our server and the Go program on the small database, with the cursors of one whole walk through each."""

    def __init__(self, bench, servers):
        data = bench.small.load()
        self.bench, self.data, self.keys = bench, data, data.keys()
        self.stored = servers.enter_context(contextlib.closing(Stored(data.database)))
        self.ours = servers.enter_context(data.serve())
        self.go = servers.enter_context(yardsticks.go_pages(bench.pages, data.database, bench.log))
        progress("walking through all candidates for their cursors")
        self.our_places = Places(self.stored, self.ours.port, self.keys[0], STEP)
        self.go_places = Places(self.stored, self.go.port, None, STEP)

    def load(self, name, limit, count=None):
        """A load of pages at random cursors, and how to check it again."""
        mine = name == "ours"
        places, port = (self.our_places, self.ours.port) if mine else (self.go_places, self.go.port)
        keys, targets = self.keys if mine else [], places.targets(limit, count)

        def check():
            return places.check(port, keys, targets, limit, 20 if limit < 100 else 4)

        size, body = check()
        requests = prepare(self.bench.work / f"{name}-{limit}.requests", targets, keys, 20_000 if limit < 100 else 2_000)
        return Load(name, port, requests, size), round(body), check


def pages(bench):
    with contextlib.ExitStack() as servers:
        candidates = Candidates(bench, servers)
        ours, body, check_ours = candidates.load("ours", LIMIT)
        go, _, check_go = candidates.load("Go", LIMIT)
        bare = bare_load(bench, servers, "bare Hummingbird", body, ours)
        alternate([ours, bare, go], bench.rounds, bench.seconds)
        check_ours()
        check_go()
        rows = [
            rate_row(f"pages of {LIMIT} at random cursors / bare Hummingbird, {body:,} B", ours, bare, 0.65, 1.2),
            rate_row("the same / Go, net/http + go-sqlite3", ours, go, 2.0, 3.5),
        ]
        return rows + [against_datasette(bench, candidates, servers, ours), matches(bench, candidates, servers)]


def against_datasette(bench, candidates, servers, ours):
    data = candidates.data
    server = servers.enter_context(yardsticks.datasette(bench.datasette, data.database, bench.log))
    changes = bench.random.sample(candidates.stored.changes()[:-LIMIT], 2_000)
    table = yardsticks.DatasettePages(candidates.stored, changes, LIMIT)
    table.check(server.port, table.targets[:5])
    load = Load("Datasette", server.port, prepare(bench.work / "datasette.requests", table.targets, []))
    alternate([load], 1, bench.seconds)
    table.check(server.port, table.targets[5:10])
    return rate_row("the same / Datasette", ours, load, None)


def matches(bench, candidates, servers):
    """For information: matches, best first, each with its brief candidate and job."""
    port, keys = candidates.ours.port, candidates.keys
    cursors, seen, last = [], set(), 101
    with Client(port) as client:
        cursor = None
        while True:
            target = f"/api/v1/matches?limit={BULK}" + (f"&cursor={cursor}" if cursor else "")
            page = client.get(target, keys[0]).page(target)
            scores = [last] + [match["score"] for match in page["data"]]
            if scores != sorted(scores, reverse=True):
                raise Broken(f"{target}: not best first")
            last = scores[-1]
            seen.update(match["id"] for match in page["data"])
            cursor = page["next_cursor"]
            if cursor is None:
                break
            cursors.append(cursor)
        if len(seen) != candidates.data.counts()["matches"]:
            raise Broken(f"the walk through all matches gave {len(seen)} of them")
        targets = [f"/api/v1/matches?limit={LIMIT}&cursor={cursor}" for cursor in cursors]
        sample = [client.get(target, keys[0]) for target in random.sample(targets, min(20, len(targets)))]
    for answer in sample:
        for match in answer.page()["data"]:
            if match["id"] not in seen or match["candidate"]["id"] != match["candidate_id"] or match["job"] is None:
                raise Broken(f"a match without its candidate and job: {match}")
    body = round(sum(len(answer.body) for answer in sample) / len(sample))
    size = sum(answer.size for answer in sample) / len(sample)
    ours = Load("ours", port, prepare(bench.work / "matches.requests", targets, keys), size)
    bare = bare_load(bench, servers, "bare Hummingbird", body, ours)
    alternate([ours, bare], 1, bench.seconds)
    return rate_row(f"for information: matches, best first / bare Hummingbird, {body:,} B", ours, bare, None)


def polled(bench):
    """One page, asked for again and again: whole, and as 304."""
    data = bench.small.load()
    target = f"/api/v1/candidates?limit={LIMIT}"
    with contextlib.ExitStack() as servers:
        stored = servers.enter_context(contextlib.closing(Stored(data.database)))
        ours = servers.enter_context(data.serve())
        keys = data.keys()
        first = stored.changes()[0] - 1

        def check(tag=None):
            """Several keys' answers, whole or as nothing new: the mean size of one."""
            with Client(ours.port) as client:
                whole = [client.get(target, key) for key in keys[:10]]
                for answer in whole:
                    stored.check_page(answer.page(target), first, LIMIT, target)
                if tag is None:
                    return whole[0]
                empty = [client.get(target, key, f"If-None-Match: {tag}") for key in keys[:10]]
            if any(answer.status != 304 or answer.body or answer.header("ETag") != tag for answer in empty):
                raise Broken(f"{target} with {tag}: {[answer.status for answer in empty]}, not 304 and empty")
            return empty[0]

        answer = check()
        tag = answer.header("ETag")
        whole = Load("200", ours.port, prepare(bench.work / "polled.requests", [target], keys, 2_000), answer.size)
        same = prepare(bench.work / "unchanged.requests", [target], keys, 2_000, [f"If-None-Match: {tag}"])
        unchanged = Load("304", ours.port, same, check(tag).size)
        bare = bare_load(bench, servers, "bare, as many bytes", len(answer.body), whole)
        empty = bare_load(bench, servers, "bare, no bytes", 0, unchanged)
        alternate([whole, bare, unchanged, empty], bench.rounds, bench.seconds)
        check(tag)
        return [
            rate_row(f"the same page again and again, 200 / bare Hummingbird, {len(answer.body):,} B", whole, bare, 0.75, 1.5),
            rate_row("the same, 304 / bare Hummingbird, 0 B", unchanged, empty, 0.75, 1.5),
        ]


def bulk(bench):
    with contextlib.ExitStack() as servers:
        candidates = Candidates(bench, servers)
        ours, _, check_ours = candidates.load("ours", BULK, 200)
        go, _, check_go = candidates.load("Go", BULK, 200)
        alternate([ours, go], bench.rounds, bench.seconds)
        check_ours()
        check_go()
        return [rate_row(f"rows/s with limit={BULK} / Go", ours, go, 3.0, 5, BULK)]

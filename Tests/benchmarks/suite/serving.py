"""A million candidates: pages deep in a walk, every filter, memory under load, and the start."""

import gc
import random
import statistics
import time
import urllib.parse

from . import filters as filter_cases
from . import people
from .client import Client, request
from .expected import Stored, ulid, updated_at
from .load import Load, alternate, prepare
from .processes import Broken, progress
from .table import Row, most_row

DEPTH = 1_000
LIMIT = 100


def filters(bench):
    data = bench.big.load()
    with data.serve() as server:
        return filter_cases.rows(filter_cases.measure(data, server.port, 4 if bench.quick else 10))


def deep(bench):
    """Pages beside the 1,000th against pages beside the first, one request at a time, in each order of the list."""
    data = bench.big.load()
    key, depth = data.keys()[0], DEPTH // 10 if bench.quick else DEPTH
    ratios = []
    with data.serve() as server, Client(server.port) as client:
        for target in ("candidates?sort=updated_at", "candidates?sort=-created_at", "candidates?sort=full_name", "matches?sort=-score"):
            cursor = walk(client, key, f"/api/v1/{target}", depth, data)
            first, late = compare(client, key, f"/api/v1/{target}", cursor, 100 if bench.quick else 400)
            ratios.append((late / first, target, first, late))
    ratio, target, first, late = max(ratios)
    notes = [f"{target}: first {first:.3f} ms, deep {late:.3f} ms, {ratio:.2f} ×" for ratio, target, first, late in ratios]
    return [Row(
        f"latency of page {depth:,} / of the first", f"{late:.3f} ms", f"{first:.3f} ms", f"{ratio:.2f} ×", "≤ 1.2 ×", "",
        ratio <= 1.2, None, notes)]


def walk(client, key, target, depth, data):
    """The cursor after `depth` - 1 pages, with nothing seen twice on the way."""
    progress(f"walking to page {depth:,} of {target}")
    cursor, seen = None, set()
    for number in range(depth - 1):
        asked = f"{target}&limit={LIMIT}" + (f"&cursor={cursor}" if cursor else "")
        page = client.get(asked, key).page(asked)
        seen.update(one["id"] for one in page["data"])
        cursor = page["next_cursor"]
        if len(seen) != (number + 1) * LIMIT or cursor is None:
            raise Broken(f"{asked}: {len(seen)} distinct rows after {number + 1} pages of {LIMIT}")
    return cursor


def compare(client, key, target, cursor, count):
    """Median milliseconds of the first and of the deep page, each request with a limit of its own: none is repeated,
    so nothing answers from a cache of answers."""
    times = {"": [], f"&cursor={cursor}": []}
    limits = random.Random(5).sample(range(LIMIT - 50, LIMIT - 50 + count), count)
    gc.disable()
    for limit in limits:
        for place, taken in times.items():
            answer = client.send(request(f"{target}&limit={limit}{place}", key))
            if answer.status != 200 or answer.body.count(b'"version":') != limit:
                raise Broken(f"{target}&limit={limit}{place}: status {answer.status}, or not {limit} rows")
            taken.append(answer.seconds * 1000)
    gc.enable()
    return [statistics.median(taken) for taken in times.values()]


def start(bench):
    """From the process's start to the end of its first answer, with the file in the system's cache."""
    data = bench.big.load()
    key, stored = data.keys()[0], Stored(data.database)
    first = stored.changes()[0] - 1
    taken = []
    target = "/api/v1/candidates?limit=25"
    for _ in range(3 if bench.quick else 7):
        with data.serve() as server:
            with Client(server.port) as client:
                answer = client.get(target, key)
                taken.append((time.perf_counter() - server.started) * 1000)
            stored.check_page(answer.page(target), first, 25, target)
    stored.close()
    notes = [f"best {min(taken):.0f} ms, slowest {max(taken):.0f} ms of {len(taken)}"]
    return [most_row("start to first answer", statistics.median(taken), 300, "ms", notes=notes)]


def memory(bench):
    """The most that was ever resident while many kinds of requests came from 32 connections."""
    data = bench.big.load()
    stored = Stored(data.database)
    targets = mixed_targets(stored, 4_000)
    with data.serve() as server:
        with Client(server.port) as client:
            key = data.keys()[0]
            for target in random.sample(targets, 50):
                check_mixed(client.get(target, key), target)
            load = Load("mixed", server.port, prepare(bench.work / "mixed.requests", targets, data.keys()))
            alternate([load], 2, bench.seconds)
            large = [f"/api/v1/candidates?limit=1000&updated_after={moment}" for moment in moments(stored, 200)]
            requests = prepare(bench.work / "large.requests", large, data.keys(), 2_000)
            alternate([Load("pages of 1,000", server.port, requests)], 1, bench.seconds)
            held = server.memory()
            for target in random.sample(targets, 50):
                check_mixed(client.get(target, key), target)
    stored.close()
    notes = [
        f"after it: resident {held['VmRSS']:.0f} MB, of that files {held['RssFile']:.0f} MB and own memory "
        f"{held['RssAnon']:.0f} MB; {load.rate:,.0f} mixed requests/s"]
    return [most_row("memory under load, most resident", held["VmHWM"], 150, "MB", notes=notes)]


def moments(stored, count):
    """Times all over the change order, as values of `updated_after`, with a thousand rows after each."""
    changes = stored.changes()
    return [updated_at(change) for change in random.Random(9).sample(changes[: -2_000], count)]


def mixed_targets(stored, count):
    """Pages anywhere, filters, searches, single records and matches."""
    rng = random.Random(13)
    names = [row[0] for row in stored.rows("SELECT full_name FROM candidates LIMIT 500")]
    ids = [row[0] for row in stored.rows("SELECT id FROM candidates WHERE change % 101 = 7 LIMIT ?", count)]
    places = moments(stored, count // 2)
    targets = [f"/api/v1/candidates?limit={rng.choice((25, 25, 100))}&updated_after={moment}" for moment in places]
    targets += [f"/api/v1/candidates/cand_{ulid(raw)}" for raw in ids[: count // 5]]
    for _ in range(count - len(targets)):
        parameters = rng.choice([
            {"status": rng.choice(people.STATUSES)}, {"location": rng.choice(people.LOCATIONS)},
            {"skill": rng.choice(people.SKILLS)}, {"q": rng.choice(names)}, {"q": rng.choice(people.RARE)},
            {"min_experience": rng.randrange(41)}, {"sort": "full_name"},
        ])
        targets.append("/api/v1/candidates?limit=25&" + urllib.parse.urlencode(parameters))
    return targets


def check_mixed(answer, target):
    page = answer.page(target)
    if "data" not in page:
        if page["id"] != target.rsplit("/", 1)[1]:
            raise Broken(f"{target} answers another record")
        return
    after = urllib.parse.parse_qs(target.partition("?")[2]).get("updated_after", [""])[0]
    shown = [one["updated_at"] for one in page["data"]]
    if after and (shown != sorted(set(shown)) or shown[0] != after):
        raise Broken(f"{target}: not the rows from that moment on")

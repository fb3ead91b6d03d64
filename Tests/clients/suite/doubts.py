"""The comparison itself is tried first: what it must not take is put before it."""

from .clients import Client, Part
from .program import Broken


def check(bench):
    """Each of these is a fault that a server or a recipe could have; one that is not noticed ends the run."""
    client = Client(bench, "doubts", None)
    there = {kind: dict(list(rows.items())[:100]) for kind, rows in client.stored().items()}
    rows = list(there["candidates"].values())
    one = rows[7]
    faults = {
        "a row is left out": rows[1:],
        "a row comes twice": [*rows, one],
        "a row is invented": [*rows, one | {"id": "cand_00000000000000000000000000"}],
        "a row is newer than the newest": [*rows[:7], one | {"updated_at": "2099-01-01T00:00:00.000000Z"}, *rows[8:]],
        "a row is older than it was": [*rows[:7], one | {"updated_at": "2021-01-01T00:00:00.000000Z"}, *rows[8:]],
        **{f"{name} is another": [*rows[:7], one | {name: "another" if one[name] != "another" else None}, *rows[8:]]
            for name in one if name not in ("id", "updated_at")},
        **{f"{name} is missing": [*rows[:7], {key: value for key, value in one.items() if key != name}, *rows[8:]]
            for name in ("version", "deleted_at", "full_name")},
    }
    for fault, records in faults.items():
        parts = [Part("candidates", records)]
        refused(fault, lambda: client.judged(there, parts, there))
        refused(fault, lambda: client.same(parts, stored=there))
    client.judged(there, [Part("candidates", rows)], there)
    client.same([Part("candidates", rows)], stored=there)


def refused(fault, judge):
    try:
        judge()
    except (Broken, ValueError):
        return
    raise Broken(f"the comparison did not notice that {fault}")

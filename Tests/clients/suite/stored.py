"""What the clients should have read, from the database's file by Python's own sqlite3: nothing of the API in between."""

import datetime
import json
import re
import sqlite3

"""The lists, the prefix of each one's ids, and its number among the tombstones."""
KINDS = {
    "candidates": ("cand", 1), "jobs": ("job", 2), "applications": ("app", 3), "interviews": ("int", 4),
    "matches": ("match", 5), "calls": ("call", 6)}
REFERENCES = {"candidate_id": "cand", "job_id": "job", "application_id": "app"}
JSON_FIELDS = {"skills", "required_skills", "reasons", "interviewers", "custom"}

"""Columns that are the storage's own, and those that only a single record shows."""
HIDDEN = re.compile(r"change|organization|candidate_change|best_score|resume_text|transcript|result_.*|.*_folded")

"""Changes count microseconds from here, below the organization's bits."""
EPOCH, CHANGE_EPOCH = datetime.datetime(1970, 1, 1), datetime.datetime(2020, 1, 1)
CHANGE_BITS = 51
ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(raw):
    number = int.from_bytes(raw, "big")
    return "".join(ULID_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def moment(microseconds, epoch=EPOCH):
    return (epoch + datetime.timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def records(database, kind="candidates"):
    """What is alive: by id, every field that a list shows of it but for what is joined in or counted. The members of a
    résumé have names with a dot, as in CSV."""
    names, rows = query(database, f"SELECT * FROM {kind}")
    found = (record(kind, dict(zip(names, row, strict=True))) for row in rows)
    return {one["id"]: one for one in found}


def record(kind, row):
    one = {"deleted_at": None, "updated_at": moment(row["change"] & (1 << CHANGE_BITS) - 1, CHANGE_EPOCH)}
    for name, value in row.items():
        if HIDDEN.fullmatch(name):
            continue
        if value is None:
            pass
        elif name == "id" or name in REFERENCES:
            value = f"{REFERENCES.get(name, KINDS[kind][0])}_{ulid(value)}"
        elif name.endswith("_at"):
            value = moment(value)
        elif name in JSON_FIELDS:
            value = json.loads(value)
        one[re.sub("^resume_", "resume.", name)] = value
    return one


def fields(database, kind):
    return list(next(iter(records(database, kind).values())))


def deleted(database, kind="candidates"):
    """The ids of the kind's tombstones."""
    prefix, number = KINDS[kind]
    return {f"{prefix}_{ulid(raw)}" for raw, in query(database, f"SELECT id FROM tombstones WHERE kind = {number}")[1]}


def query(database, sql):
    """The names of the columns, and the rows."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        connection.close()

"""What the clients should have read, from the database's file by Python's own sqlite3: nothing of the API in between."""

import collections
import datetime
import sqlite3

"""Changes count microseconds from here, below the organization's bits."""
EPOCH = datetime.datetime(2020, 1, 1)
CHANGE_BITS = 51
ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Row = collections.namedtuple("Row", "version updated_at full_name status")


def ulid(raw):
    number = int.from_bytes(raw, "big")
    return "".join(ULID_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def updated_at(change):
    moment = EPOCH + datetime.timedelta(microseconds=change & (1 << CHANGE_BITS) - 1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def candidates(database):
    """What is alive, by id."""
    rows = query(database, "SELECT id, version, change, full_name, status FROM candidates")
    return {f"cand_{ulid(raw)}": Row(version, updated_at(change), *rest) for raw, version, change, *rest in rows}


def deleted(database):
    """The ids of the candidates' tombstones."""
    return {f"cand_{ulid(raw)}" for raw, in query(database, "SELECT id FROM tombstones WHERE kind = 1")}


def count(database, table):
    return query(database, f"SELECT count(*) FROM {table}")[0][0]


def query(database, sql):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()

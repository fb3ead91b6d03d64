"""What an answer should say, read from the database's file by Python's own sqlite3 and put together here again."""

import datetime
import json
import random
import sqlite3

from .client import Client
from .processes import Broken

"""Changes count microseconds from here, below the organization's bits."""
EPOCH = datetime.datetime(2020, 1, 1)
CHANGE_BITS = 51
ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

TEXT, NUMBER, LIST, OBJECT = "text", "number", "list", "object"
FIELDS = [
    ("first_name", TEXT), ("last_name", TEXT), ("full_name", TEXT), ("headline", TEXT), ("location", TEXT),
    ("source", TEXT), ("status", TEXT), ("skills", LIST), ("years_experience", NUMBER), ("email", TEXT), ("phone", TEXT),
    ("profile_url", TEXT), ("share_url", TEXT), ("external_user_id", TEXT), ("resume.file_name", TEXT),
    ("resume.media_type", TEXT), ("resume.size", NUMBER), ("custom", OBJECT),
]
COLUMNS = ["change", "id", "external_id", "version", "created_at"] + [name.replace(".", "_") for name, _ in FIELDS]


def ulid(raw):
    number = int.from_bytes(raw, "big")
    return "".join(ULID_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def printed_time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def updated_at(change):
    return printed_time(EPOCH + datetime.timedelta(microseconds=change & (1 << CHANGE_BITS) - 1))


def record(row):
    """A candidate as lists show it to a key with `read:pii`, from its row in the order of `COLUMNS`."""
    change, identity, external, version, created, *values = row
    result = {
        "id": "cand_" + ulid(identity),
        "external_id": external,
        "version": version,
        "created_at": printed_time(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=created)),
        "updated_at": updated_at(change),
        "deleted_at": None,
    }
    resume = {}
    for (name, form), value in zip(FIELDS, values):
        if form in (LIST, OBJECT) and value is not None:
            value = json.loads(value)
        if name.startswith("resume."):
            resume[name.removeprefix("resume.")] = value
            if len(resume) == 3:
                result["resume"] = resume if any(v is not None for v in resume.values()) else None
        else:
            result[name] = value
    return result


class Stored:
    def __init__(self, path):
        self.path = path
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)

    def rows(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()

    def one(self, sql, *values):
        return self.connection.execute(sql, values).fetchone()[0]

    def candidates(self, condition="1", *values, limit=-1):
        """Rows as `COLUMNS`, in the order of their changes."""
        return list(self.each_candidate(condition, *values, limit=limit))

    def each_candidate(self, condition, *values, limit=-1):
        return self.connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM candidates WHERE {condition} ORDER BY change LIMIT {limit}", values)

    def changes(self):
        return [row[0] for row in self.rows("SELECT change FROM candidates ORDER BY change")]

    def check_page(self, page, after, limit, name):
        """A page by `updated_at`: the `limit` rows that follow the change `after`, whole and in order."""
        rows = self.candidates("change > ?", after, limit=limit + 1)
        check_records(page, [record(row) for row in rows[:limit]], name)
        check_frame(page, len(rows) > limit, name)

    def close(self):
        self.connection.close()


def check_records(page, expected, name):
    got = page["data"]
    if len(got) != len(expected):
        raise Broken(f"{name}: {len(got)} rows instead of {len(expected)}")
    for place, (one, other) in enumerate(zip(got, expected)):
        if one != other or list(one) != list(other):
            different = [key for key in other if one.get(key) != other[key]] or "the order of the keys"
            raise Broken(f"{name}: row {place} differs in {different}:\n{one}\ninstead of\n{other}")


def check_frame(page, has_more, name):
    if list(page) != ["data", "has_more", "meta", "next", "next_cursor"]:
        raise Broken(f"{name}: a page with the keys {list(page)}")
    if page["has_more"] is not has_more or (page["next_cursor"] is not None) is not has_more:
        raise Broken(f"{name}: has_more {page['has_more']}, next_cursor {page['next_cursor']!r}; there is more: {has_more}")
    if has_more and page["next_cursor"] not in page["next"]:
        raise Broken(f"{name}: next {page['next']!r} does not hold the cursor {page['next_cursor']!r}")


class Places:
    """The cursors of a whole walk, each with the change it stands after."""

    def __init__(self, stored, port, key, limit):
        changes = stored.changes()
        self.stored, self.pairs = stored, []
        with Client(port) as client:
            seen, cursor = 0, None
            while True:
                target = f"/api/v1/candidates?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
                page = client.get(target, key).page(target)
                ids = len(page["data"])
                if page["data"] and page["data"][-1]["updated_at"] != updated_at(changes[seen + ids - 1]):
                    raise Broken(f"{target}: the walk is not where it should be after {seen + ids} rows")
                seen, cursor = seen + ids, page["next_cursor"]
                if cursor is None:
                    break
                self.pairs.append((cursor, changes[seen - 1], len(changes) - seen))
        if seen != len(changes):
            raise Broken(f"the walk with limit={limit} gave {seen} of {len(changes)} rows")

    def targets(self, limit, count=None):
        """Addresses of whole pages of `limit` rows at random places."""
        whole = [cursor for cursor, _, left in self.pairs if left > limit]
        if count and count < len(whole):
            whole = random.Random(3).sample(whole, count)
        return [f"/api/v1/candidates?limit={limit}&cursor={cursor}" for cursor in whole]

    def check(self, port, keys, targets, limit, count=20):
        """Reads a sample of the same addresses and compares every value; gives the mean size of an answer."""
        after = {cursor: change for cursor, change, _ in self.pairs}
        sample = random.Random().sample(targets, min(count, len(targets)))
        sizes, bodies = [], []
        with Client(port) as client:
            for number, target in enumerate(sample):
                answer = client.get(target, keys[number % len(keys)] if keys else None)
                self.stored.check_page(answer.page(target), after[target.rsplit("cursor=", 1)[1]], limit, target)
                sizes.append(answer.size)
                bodies.append(len(answer.body))
        return sum(sizes) / len(sizes), sum(bodies) / len(bodies)

"""Each single filter of the candidates' list, and `q`, with values that many, some and no rows have."""

import gc
import itertools
import re
import unicodedata
import urllib.parse

from . import people
from .client import Client, percentile, request
from .expected import EPOCH, FIELDS, Stored, check_records, record, ulid, updated_at
from .processes import Broken, progress
from .table import most_row

PAGES = 5
LIMIT = 100
SHOWN = 12
"""What `q` looks into for every key, and for those with `read:pii`."""
OPEN = ["full_name", "headline", "location", "source", "skills"]
PERSONAL = ["email", "phone"]


class Case:
    """One query: its parameters, and a condition on the stored rows that must give the same."""

    def __init__(self, name, parameters, condition, *values, keep=None, scope="read:pii", counted=True):
        self.name, self.scope, self.counted = name, scope, counted
        self.query = urllib.parse.urlencode(parameters, doseq=True)
        self.condition, self.values, self.keep = condition, values, keep
        self.pages, self.seconds, self.first = [], [], []

    def expected(self, stored, count):
        if self.keep is None:
            return stored.candidates(self.condition, *self.values, limit=count)
        rows = stored.each_candidate(self.condition, *self.values)
        return list(itertools.islice(filter(self.keep, rows), count))


def words(text):
    """As the full-text index splits: letters and digits, `+` and `#`, without accents and case."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.findall(r"[^\W_](?:[^\W_]|[+#])*|[+#]+", plain.lower())


def search_case(query, scope="read:pii"):
    terms = re.findall(r'"[^"]*"|\S+', query)

    def has(texts, term):
        wanted = words(term)
        if term.endswith("*"):
            return any(word.startswith(wanted[0]) for text in texts for word in text)
        size = len(wanted)
        return any(text[i : i + size] == wanted for text in texts for i in range(len(text) - size + 1))

    searched = OPEN + (PERSONAL if scope == "read:pii" else [])

    def keep(row):
        held = dict(zip((name for name, _ in FIELDS), row[-len(FIELDS) :]))
        texts = [words(held[name] or "") for name in searched]
        return all(has(texts, term) for term in terms)

    # A coarse sieve first, since reading a million rows into Python takes its time.
    text = " || ' ' || ".join(f"ifnull({name}, '')" for name in searched)
    stems = [word for term in terms for word in words(term)]
    sieve = " AND ".join(f"({text}) LIKE ?" for _ in stems)
    name = f"q={query}" + ("" if scope == "read:pii" else " (key without read:pii)")
    return Case(name, {"q": query}, sieve, *(f"%{stem}%" for stem in stems), keep=keep, scope=scope)


def cases(stored):
    def simple(parameter, column, *values):
        for value in values:
            yield Case(f"{parameter}={value}", {parameter: value}, f"{column} = ?", value)

    yield from simple("status", "status", *people.STATUSES)
    yield Case("status=hired,offer", {"status": "hired,offer"}, "status IN ('hired', 'offer')")
    yield from simple("source", "source", people.SOURCES[0], people.SOURCES[-1], "No such source")
    places = people.LOCATIONS
    yield from simple("location", "location", places[0], places[40], places[-1], "Atlantis")
    yield Case("location twice", {"location": [places[0], places[-1]]}, "location IN (?, ?)", places[0], places[-1])
    skills = people.SKILLS
    for chosen in ([skills[0]], [skills[20]], [skills[-1]], ["C++"], [skills[0], skills[1]], [skills[0], skills[-1]],
                   ["training"], ["No such skill"]):
        condition = " AND ".join("instr(skills, ?) > 0" for _ in chosen)
        yield Case("skill=" + " and ".join(chosen), {"skill": chosen}, condition, *(f'"{skill}"' for skill in chosen))
    yield from related(stored)
    for years in (0, 20, 35, 39, 40, 41):
        yield Case(f"min_experience={years}", {"min_experience": years}, "years_experience >= ?", years)
    yield from times(stored)
    for query in ("engineer", "com", people.RARE[0], "ja*", "se*", '"senior software engineer"',
                  '"engineer senior"', f"engineer {people.RARE[1]}", "nurse electrician", "c++", "nosuchwordatall"):
        yield search_case(query)
    for query in ("engineer", people.RARE[0], "se*", '"senior software engineer"', "com"):
        yield search_case(query, "read")


def related(stored):
    """Filters by other records: the first job has most applicants, the last a handful."""
    for job in ("0000000", "0000007", f"{people.JOB_COUNT - 1:07d}"):
        raw = stored.one("SELECT id FROM jobs WHERE external_id LIKE ?", f"%J-{job}")
        identity = "job_" + ulid(raw)
        yield Case(
            f"job_id of job {int(job)}", {"job_id": identity},
            "id IN (SELECT candidate_id FROM applications WHERE job_id = ?)", raw)
        yield Case(
            f"min_score=90 and job_id of job {int(job)}", {"min_score": 90, "job_id": identity},
            "id IN (SELECT candidate_id FROM applications WHERE job_id = ?) AND "
            "id IN (SELECT candidate_id FROM matches WHERE job_id = ? AND score >= 90)", raw, raw, counted=False)
    for score in (0, 50, 90, 95.2, 99.9, 100):
        yield Case(
            f"min_score={score}", {"min_score": score}, "id IN (SELECT candidate_id FROM matches WHERE score >= ?)", score)


def times(stored):
    count = stored.one("SELECT count(*) FROM candidates")
    for share in (50, 97):
        change, created = stored.rows(
            "SELECT change, created_at FROM candidates ORDER BY change LIMIT 1 OFFSET ?", count * share // 100)[0]
        at = updated_at(change)
        yield Case(f"updated_after at {share} %", {"updated_after": at}, "change >= ?", change)
        yield Case(f"updated_before at {share} %", {"updated_before": at}, "change < ?", change)
        # Created times are printed as updated ones are, from another start.
        shifted = updated_at(created - int((EPOCH - type(EPOCH)(1970, 1, 1)).total_seconds()) * 1_000_000)
        yield Case(f"created_after at {share} %", {"created_after": shifted}, "created_at >= ?", created)
        yield Case(f"created_before at {share} %", {"created_before": shifted}, "created_at < ?", created)
    ids = [row[0] for row in stored.rows("SELECT id FROM candidates WHERE change % 997 = 3 LIMIT 100")]
    if ids:
        marks = ", ".join("?" * len(ids))
        yield Case("ids", {"ids": ",".join("cand_" + ulid(one) for one in ids)}, f"id IN ({marks})", *ids)


def check(case, stored, client, key):
    """Walks up to `PAGES` pages, compares all of it, and keeps their addresses with the bytes of their rows."""
    rows = case.expected(stored, PAGES * LIMIT + 1)
    cursor, seen = "", 0
    while len(case.pages) < PAGES:
        target = f"/api/v1/candidates?{case.query}{cursor}"
        answer = client.get(f"{target}&limit={LIMIT}", key)
        case.first.append(answer.seconds * 1000)
        page, expected = answer.page(target), rows[seen : seen + LIMIT]
        if case.scope == "read:pii":
            check_records(page, [record(row) for row in expected], target)
        elif [one["id"] for one in page["data"]] != ["cand_" + ulid(row[1]) for row in expected]:
            raise Broken(f"{target}: other rows than expected, or in another order")
        case.pages.append((target, answer.body[: answer.body.rindex(b'],"has_more"')]))
        seen += len(page["data"])
        if page["has_more"] is not (seen < len(rows)):
            raise Broken(f"{target}: has_more is {page['has_more']} after {seen} of {len(rows)} rows or more")
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"


def measure(data, port, rounds):
    """Every case's pages in turn, one request at a time over one connection, after all of them have been checked. That
    first time, when nothing is known of a search yet, has a row of its own.

    Each round asks for a row more than the one before: no request is ever repeated, so nothing answers from a cache of
    answers; and each answer must begin with the rows that were checked.
    """
    stored = Stored(data.database)
    all_cases = list(cases(stored))
    keys = {scope: data.keys(scope) for scope in ("read:pii", "read")}
    with Client(port) as client:
        progress(f"checking the answers of {len(all_cases)} queries")
        for case in all_cases:
            check(case, stored, client, keys[case.scope][0])
        stored.close()
        progress(f"{rounds} rounds of {sum(len(case.pages) for case in all_cases)} requests")
        gc.collect()
        gc.disable()
        for number in range(1, rounds + 1):
            for case in all_cases:
                key = keys[case.scope][number % len(keys[case.scope])]
                for target, checked in case.pages:
                    answer = client.send(request(f"{target}&limit={LIMIT + number}", key))
                    if answer.status != 200 or not answer.body.startswith(checked):
                        raise Broken(f"{target}: status {answer.status}, or other rows than before")
                    case.seconds.append(answer.seconds * 1000)
        gc.enable()
    return all_cases


def rows(all_cases):
    counted = [case for case in all_cases if case.counted]
    slow = max(counted, key=lambda case: percentile(case.seconds, 95))
    worst = max(counted, key=lambda case: max(case.seconds))
    notes = [
        f"{case.name}: p50 {percentile(case.seconds, 50):.2f}, p95 {percentile(case.seconds, 95):.2f}, "
        f"worst {max(case.seconds):.2f} ms" + ("" if case.counted else " (two filters: not counted)")
        for case in sorted(all_cases, key=lambda case: -percentile(case.seconds, 95))
    ]
    first = most_row(
        "any one filter and q, p95 of the slowest", percentile(slow.seconds, 95), 10, "ms", slow.name, notes[:SHOWN])
    new = max(counted, key=lambda case: max(case.first))
    asked = [seconds for case in counted for seconds in case.first]
    slowest = sorted(counted, key=lambda case: -max(case.first))[:4]
    return [
        first, most_row("any one filter and q, worst answer", max(worst.seconds), 20, "ms", worst.name),
        most_row(
            "the same asked for the first time, worst answer", max(new.first), 20, "ms", new.name,
            [f"p95 of all {percentile(asked, 95):.2f} ms; " + ", ".join(f"{case.name}: {max(case.first):.2f} ms" for case in slowest)])]


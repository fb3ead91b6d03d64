"""Clients from the contract: one that openapi-python-client generates, and schemathesis against every word of it."""

import json
import pathlib
import re

import yaml

from . import stored, values
from .clients import RECIPES, Client, Part
from .program import ROOT

SUITE = pathlib.Path(__file__).resolve().parent

"""As a file: an address that the contract is loaded from would be left out itself."""
CONTRACT = ROOT / "openapi/public.yaml"

"""Calls of the other addresses, with what they promise of types; as generated."""
CALLS = """
import datetime, os
from hirewire_public_api_client import AuthenticatedClient, models
from hirewire_public_api_client.api.applications import list_applications
from hirewire_public_api_client.api.calls import get_call, list_calls
from hirewire_public_api_client.api.candidates import get_candidate, list_candidates
from hirewire_public_api_client.api.events import list_event_types, list_events
from hirewire_public_api_client.api.interviews import get_interview, list_interviews
from hirewire_public_api_client.api.jobs import get_job, list_jobs
from hirewire_public_api_client.api.matches import get_match, list_matches
from hirewire_public_api_client.api.service import get_key, get_service

client = AuthenticatedClient(os.environ["HIREWIRE_URL"], os.environ["HIREWIRE_KEY"], raise_on_unexpected_status=True)

def same(value, kind):
    assert isinstance(value, kind), (value, kind)
    return value

same(get_service.sync(client=client), models.Service)
assert same(get_key.sync(client=client), models.Key).rate_limit.requests > 0
listed = same(list_candidates.sync(
    client=client, limit=5, status="new,screening", source=["Referral", "Agency"], count=models.ListCandidatesCount.EXACT,
    updated_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)), models.CandidatePage)
assert {one.source.lower() for one in listed.data} <= {"referral", "agency"}
both = ",".join(one.id for one in listed.data[:2])
assert len(same(list_candidates.sync(client=client, ids=both), models.CandidatePage).data) == 2
assert len(listed.data) == 5 and listed.meta.total > 5 and same(listed.data[0].updated_at, datetime.datetime)
candidate = same(get_candidate.sync(listed.data[0].id, client=client), models.CandidateDetail)
assert candidate.id == listed.data[0].id
for listing, one, page, whole in [
        (list_jobs, get_job, models.JobPage, models.JobDetail),
        (list_interviews, get_interview, models.InterviewPage, models.InterviewDetail),
        (list_calls, get_call, models.CallPage, models.CallDetail),
        (list_matches, get_match, models.MatchPage, models.MatchDetail)]:
    found = same(listing.sync(client=client), page)
    assert found.data and same(one.sync(found.data[0].id, client=client), whole).id == found.data[0].id
whole = same(list_applications.sync(client=client, expand="candidate,job"), models.ApplicationPage).data[0]
assert isinstance(whole.candidate, models.Candidate) and isinstance(whole.job, models.Job)
assert same(list_events.sync(client=client, limit=10), models.EventPage).meta.last_sequence
assert same(list_event_types.sync(client=client), models.EventTypePage).data
assert same(get_candidate.sync("cand_00000000000000000000000000", client=client), models.Problem).code == "not_found"
"""

"""Every list, typed and back again."""
LISTS = """
import importlib, json, os
from hirewire_public_api_client import AuthenticatedClient
from hirewire_public_api_client.types import UNSET

client = AuthenticatedClient(os.environ["HIREWIRE_URL"], os.environ["HIREWIRE_KEY"])
for kind in ("candidates", "jobs", "applications", "interviews", "matches", "calls"):
    listing, cursor = importlib.import_module(f"hirewire_public_api_client.api.{kind}.list_{kind}"), UNSET
    while cursor is not None:
        page = listing.sync(client=client, cursor=cursor, limit=1000)
        for record in page.data:
            print(json.dumps([kind, record.to_dict()]))
        cursor = page.next_cursor
"""


def generated(bench):
    client = Client(bench, "generated client", "generated_client.py")
    said = client.run(bench.bin / "openapi-python-client", "generate", "--url", f"{client.program.public}/openapi.json")
    # A YAML document is nothing that it makes a type of.
    faults = [line for line in re.findall(r"^(?:WARNING|ERROR|Unable).*$", said, re.M) if "/openapi.yaml" not in line]
    client.hold(not faults, "parts of the contract were left out", faults)
    client.environment["PYTHONPATH"] = str(client.folder / "hirewire-public-api-client")
    with bench.changes():
        row = client.walk(lambda: printed(client.python(RECIPES / client.recipe)), fields=["id", "updated_at", "full_name"])
        client.walk(lambda: every_list(client.python("-c", LISTS)))
    client.python("-c", CALLS)
    return [row]


def every_list(text):
    parts = {kind: [] for kind in stored.KINDS}
    for kind, record in map(json.loads, text.splitlines()):
        parts[kind].append(values.flat(record))
    return [Part(kind, records) for kind, records in parts.items()]


def printed(text):
    rows = [line.split(" ", 3) for line in text.splitlines()]
    return [Part("candidates", [{"id": one, "updated_at": f"{day} {time}", "full_name": name} for one, day, time, name in rows])]


def schemathesis(bench):
    """All checks, over examples, borders of every value, random ones, and links from answer to answer."""
    client = Client(bench, "schemathesis", None)
    resume, = stored.query(client.program.database, "SELECT id FROM candidates WHERE resume_size > 0 LIMIT 1")[1][0]
    client.environment["HIREWIRE_RESUME"] = f"cand_{stored.ulid(resume)}"
    client.environment["SCHEMATHESIS_HOOKS"] = str(SUITE / "schemathesis_hooks.py")
    said = client.run(
        bench.schemathesis / "bin/schemathesis", "--config-file", SUITE / "schemathesis.toml",
        "run", CONTRACT, "--url", client.program.public, "--header", f"Authorization: Bearer {client.key['key']}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", bench.examples,
        "--seed", 20261121, "--request-timeout", 600, "--suppress-health-check", "all", "--continue-on-failure", timeout=3600)
    cases, passed = map(int, re.search(r"(\d+) generated, (\d+) passed", said).groups())
    selected, total = map(int, re.search(r"Operations: +(\d+) selected / (\d+) total", said).groups())
    paths = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["paths"]
    client.hold(len(paths) == selected == total and f"Tested: {total}" in said, "operations were left out", [selected, total])
    client.hold(cases > 2_000, "cases are too few", [cases])
    return [client.row(cases, passed, f"cases, not rows: {total} operations, none outside the contract", lines=0)]

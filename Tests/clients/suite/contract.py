"""Clients from the contract: one that openapi-python-client generates, and schemathesis against every word of it."""


import pathlib
import re

from . import stored
from .clients import RECIPES, Client

SUITE = pathlib.Path(__file__).resolve().parent

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
    client=client, limit=5, status=[models.ListCandidatesStatusItem.NEW], count=models.ListCandidatesCount.EXACT,
    updated_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)), models.CandidatePage)
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
whole = [models.ListApplicationsExpandItem.CANDIDATE]
assert same(list_applications.sync(client=client, expand=whole), models.ApplicationPage).data[0].candidate.full_name
assert same(list_events.sync(client=client, limit=10), models.EventPage).meta.last_sequence
assert same(list_event_types.sync(client=client), models.EventTypePage).data
assert same(get_candidate.sync("cand_00000000000000000000000000", client=client), models.Problem).code == "not_found"
"""


def generated(bench):
    client = Client(bench, "generated client", "generated_client.py")
    said = client.run(bench.bin / "openapi-python-client", "generate", "--url", f"{client.program.public}/openapi.json")
    # A YAML document is nothing that it makes a type of.
    faults = [line for line in re.findall(r"^(?:WARNING|ERROR|Unable).*$", said, re.M) if "/openapi.yaml" not in line]
    client.hold(not faults, "parts of the contract were left out", faults)
    client.environment["PYTHONPATH"] = str(client.folder / "hirewire-public-api-client")
    with bench.changes():
        row = client.walk(lambda: [line.split()[0] for line in client.python(RECIPES / client.recipe).splitlines()])
    client.python("-c", CALLS)
    return [row]


def schemathesis(bench):
    """All checks, over examples, borders of every value, random ones, and links from answer to answer."""
    client = Client(bench, "schemathesis", None)
    resume, = stored.query(client.program.database, "SELECT id FROM candidates WHERE resume_size > 0 LIMIT 1")[0]
    client.environment["HIREWIRE_RESUME"] = f"cand_{stored.ulid(resume)}"
    client.environment["SCHEMATHESIS_HOOKS"] = str(SUITE / "schemathesis_hooks.py")
    said = client.run(
        bench.schemathesis / "bin/schemathesis", "--config-file", SUITE / "schemathesis.toml", "run", f"{client.program.public}/openapi.json", "--header", f"Authorization: Bearer {client.key['key']}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", bench.examples,
        "--seed", 20261121, "--request-timeout", 40, "--suppress-health-check", "all", "--continue-on-failure", timeout=400)
    cases, passed = map(int, re.search(r"(\d+) generated, (\d+) passed", said).groups())
    return [client.row(cases, passed, "cases, not rows; none outside the contract", lines=0)]

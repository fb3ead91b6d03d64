"""What the contract says in words only, for requests that are meant to be right: OpenAPI has no way to tell that one
parameter excludes another, or that a cursor has to be one that the server gave."""

import itertools
import os

import schemathesis
import urllib3.util.connection

"""`next_cursor` of the answers so far."""
GIVEN = set()

"""Hardly any candidate has a résumé: every other request for one is for one that there is."""
TURNS = itertools.count()

"""Wrong keys are limited by the caller's address, and the check of authentication sends many: each connection comes from
another address of this machine."""
ADDRESSES = (f"127.1.{number // 250 % 250}.{number % 250 + 1}" for number in itertools.count())
connect = urllib3.util.connection.create_connection


def connect_from_another(address, timeout=None, source_address=None, socket_options=None):
    return connect(address, timeout, (next(ADDRESSES), 0), socket_options)


urllib3.util.connection.create_connection = connect_from_another


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.path.endswith("/resume") and next(TURNS) % 2:
        case.path_parameters = {"id": os.environ["HIREWIRE_RESUME"]}
    if not case.query:
        return
    query = case.query
    if "cursor" in query:
        if query["cursor"] in GIVEN:
            case.query = {"cursor": query["cursor"]}
            return
        del query["cursor"]
    if query.get("export") == "all":
        query.pop("limit", None)
        query.pop("wait", None)
        if query.get("format", "json") == "json":
            query["format"] = "ndjson"
    if isinstance(query.get("wait"), int):
        query["wait"] = min(query["wait"], 1)  # the client's patience, not the contract's
    if "include_deleted" in query or "updated_after" in query:
        query.pop("sort", None)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and response.headers.get("content-type", [""])[0].startswith("application/json"):
        cursor = response.json().get("next_cursor") if isinstance(response.json(), dict) else None
        if cursor:
            GIVEN.add(cursor)

"""Whether what a client has in a field is what is stored: the same value, in whatever type the client keeps such values."""

import datetime
import json
import math


def exact(field, stored, got):
    """Of JSON: the same value, or a date, a decimal and the like that is equal to it."""
    if nothing(got):
        return stored is None
    if field.endswith("_at"):
        return stored == moment(got)
    if isinstance(got, dict) and isinstance(stored, dict):
        return bare(got) == bare(stored)
    if isinstance(stored, (int, float)) and not isinstance(got, str):
        return stored == float(got)
    if isinstance(stored, list):
        return stored == list(got)
    return stored == got


def cell(field, stored, got):
    """Of CSV, by the rules that the contract's document gives. Readers take an empty text for none."""
    stored = written(stored)
    if nothing(got) or got == "":
        return stored in (None, "")
    if stored is None:
        return False
    if field.endswith("_at"):
        return stored == moment(got)
    if isinstance(stored, (int, float)):
        return stored == float(got)
    if isinstance(stored, str):
        return stored == str(got)
    return stored == json.loads(got)


def written(value):
    """A value as its cell: numbers stay, objects and what is no list of plain texts will be JSON."""
    if isinstance(value, list) and all(isinstance(one, str) and ";" not in one for one in value):
        value = ";".join(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and value:
        return "'" + value
    return value


def nothing(value):
    """None, and what pandas has in its place."""
    return value is None or value != value or isinstance(value, float) and math.isnan(value)


def moment(value):
    """A time in the API's own form; one without an offset is UTC."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    if value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc)
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def bare(value):
    """Without the members that are null, which columns have where another row has a value; with dates as they were written."""
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if one is not None}
    return value.isoformat() if isinstance(value, datetime.date) else value


def flat(record):
    """A JSON record with the names of `stored.records`."""
    if "resume" not in record:
        return record
    resume = record.pop("resume") or {}
    return record | {f"resume.{name}": resume.get(name) for name in ("file_name", "media_type", "size")}

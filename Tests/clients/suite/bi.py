"""DuckDB and pandas on the addresses of exports; Grafana's Infinity and Power Query by their own rules."""

import base64
import csv
import io
import json
import os
import pathlib
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import duckdb
import duckdb_extensions
import pandas
import yaml
from pandas._libs.parsers import STR_NA_VALUES

from . import values
from .clients import RECIPES, Client, Part, lines_of


def duckdb_table(bench):
    client = Client(bench, "DuckDB", "duckdb_table.py")
    # What DuckDB fetches by itself from its own site where it may: the same extension, from PyPI.
    home = os.environ.get("HOME")
    os.environ["HOME"] = str(client.folder)
    try:
        duckdb_extensions.import_extension("httpfs")
    finally:
        os.environ["HOME"] = home or "/"

    def rows(database, table):
        found = database.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in found.description]
        return [values.flat(dict(zip(names, row, strict=True))) for row in found.fetchall()]

    def read():
        client.python(RECIPES / client.recipe)
        with duckdb.connect(str(client.folder / "recruiting.duckdb"), read_only=True) as database:
            return [Part("candidates", rows(database, "candidates")), Part("jobs", rows(database, "jobs"), values.cell)]

    with bench.changes():
        return [client.snapshot(read)]


PICKLED = """
import pathlib, runpy, sys
found = runpy.run_path(sys.argv[1])
for name in ("candidates", "same"):
    found[name].to_pickle(pathlib.Path(name + ".pickle"))
"""


def pandas_frames(bench):
    """The recipe as it stands; its frames are then taken as they are."""
    client = Client(bench, "pandas", "pandas_frames.py")

    def read():
        client.python("-c", PICKLED, RECIPES / client.recipe)
        lines, csv = [pandas.read_pickle(client.folder / f"{name}.pickle").to_dict("records") for name in ("candidates", "same")]
        return [Part("candidates", [values.flat(one) for one in lines]), Part("candidates", csv, pandas_cell)]

    with bench.changes():
        return [client.snapshot(read)]


def pandas_cell(field, value, got):
    """pandas takes these texts for missing ones, unless it is told `keep_default_na=False`."""
    text = values.written(value)
    return values.cell(field, None if isinstance(text, str) and text in STR_NA_VALUES else value, got)


class Infinity:
    """Grafana's Infinity data source, its backend parser: what it sends, and when it asks for another page. From
    https://grafana.com/docs/plugins/yesoreyeram-infinity-datasource and the behaviour of its pagination."""

    def __init__(self, environment):
        text = (RECIPES / "infinity_source.yaml").read_text(encoding="utf-8")
        # Grafana's provisioning puts variables of the environment in.
        source, = yaml.safe_load(re.sub(r"\$(\w+)", lambda match: environment[match[1]], text))["datasources"]
        self.url, self.allowed = source["url"], source["jsonData"]["allowedHosts"]
        self.token = source["secureJsonData"]["bearerToken"]

    def get(self, query, extra=()):
        """A parameter is added to those in the address, and all are sent in the order of their names."""
        address = self.url + query["url"]
        assert any(address.startswith(host) for host in self.allowed)
        parts = urllib.parse.urlsplit(address)
        parameters = sorted([*urllib.parse.parse_qsl(parts.query), *extra], key=lambda pair: pair[0])
        address = urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(parameters)))
        accept = {"json": "application/json;q=0.9,text/plain", "csv": "text/csv; charset=utf-8"}[query["type"]]
        request = urllib.request.Request(address, headers={
            "Accept": accept, "Authorization": f"Bearer {self.token}", "User-Agent": "Grafana"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read().decode()

    def pages(self, query):
        """Until the cursor is empty, and one page more than it is told at most, which is never more than five."""
        most, cursor, count, rows = min(max(query.get("pagination_max_pages", 1), 1), 5), "", 0, []
        while count <= most and (count == 0 or cursor):
            page = json.loads(self.get(query, [(query["pagination_param_cursor_field_name"], cursor)] if cursor else ()))
            rows += page[query["root_selector"]]
            cursor = page[query["pagination_param_cursor_extraction_path"]] or ""
            count += 1
        return rows

    def table(self, query):
        header, *rows = csv.reader(io.StringIO(self.get(query)))
        return [dict(zip(header, row, strict=True)) for row in rows]


def infinity(bench):
    rows = []
    source = lines_of("infinity_source.yaml")
    with bench.changes():
        client = Client(bench, "Infinity, pages", "infinity_pages.json")
        query = json.loads((RECIPES / client.recipe).read_text())
        reader = Infinity(client.environment)
        rows.append(client.walk(
            lambda: [Part("candidates", [values.flat(row) for row in reader.pages(query)])],
            fits=lambda row: row["status"] == "interviewing",
            lines=source + lines_of(client.recipe)))
        client = Client(bench, "Infinity, export", "infinity_export.json")
        query = json.loads((RECIPES / client.recipe).read_text())
        reader = Infinity(client.environment)
        rows.append(client.snapshot(
            lambda: [Part("candidates", reader.table(query), values.cell)], lines=source + lines_of(client.recipe)))
    return rows


class PowerQuery:
    """What Power Query's engine does with the script: the parts of the address, the credentials of the dialog, and the
    tries again, from https://learn.microsoft.com/powerquery-m/web-contents and /power-query/handling-status-codes."""

    AGAIN = (408, 429, 503, 504, 509)

    def __init__(self, public, key):
        script = (RECIPES / "power_query.pq").read_text(encoding="utf-8")
        self.base = public + urllib.parse.urlsplit(re.search(r'Web\.Contents\("([^"]+)"', script)[1]).path
        self.path = re.search(r'RelativePath = "([^"]+)"', script)[1]
        self.query = dict(re.findall(r'(\w+) = "([^"]*)"', re.search(r"Query = \[([^\]]*)\]", script)[1]))
        self.cursor = re.search(r"\[(\w+) = cursor\]", script)[1]
        self.next = re.search(r"Page\(\[(\w+)\]\)", script)[1]
        self.rows = re.search(r"List\.Transform\(Pages, each \[(\w+)\]\)", script)[1]
        # The dialog's Basic: the key's public half as the user name, its secret as the password.
        _, name, secret = key.split("_", 2)
        self.credentials = base64.b64encode(f"{name}:{secret}".encode()).decode()

    def contents(self, query, path=""):
        address = self.base.rstrip("/") + ("/" + path if path else "") + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {"Authorization": f"Basic {self.credentials}", "User-Agent": "Microsoft.Data.Mashup"}
        for attempt in range(4):
            try:
                with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=600) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in self.AGAIN or attempt == 3:
                    raise
                time.sleep(min(max(float(error.headers.get("Retry-After", 2 ** attempt)), 0.5), 120))

    def table(self):
        """Table.FromRecords takes the columns of the first row; another row that has not all of them is an error."""
        self.contents({})  # the refresh of the Power BI service tries the bare address first
        rows, page = [], self.contents(self.query, self.path)
        while page is not None:
            rows += page[self.rows]
            page = self.contents({**self.query, self.cursor: page[self.next]}, self.path) if page[self.next] is not None else None
        assert all(row.keys() == rows[0].keys() for row in rows)
        return rows


def power_query(bench):
    client = Client(bench, "Power Query", "power_query.pq", rate_limit=60)
    reader = PowerQuery(client.program.public, client.key["key"])
    with bench.changes():
        return [client.walk(lambda: [Part("candidates", [values.flat(row) for row in reader.table()])])]

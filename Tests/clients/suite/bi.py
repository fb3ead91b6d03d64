"""DuckDB, pandas and PostgreSQL on the addresses of exports; Grafana's Infinity and Power Query by their own rules."""

import base64
import contextlib
import csv
import io
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import duckdb
import duckdb_extensions
import yaml

from . import stored
from .clients import RECIPES, Client, lines_of
from .program import Broken


def duckdb_table(bench):
    client = Client(bench, "DuckDB", "duckdb_table.py")
    # What DuckDB fetches by itself from its own site where it may: the same extension, from PyPI.
    home = os.environ.get("HOME")
    os.environ["HOME"] = str(client.folder)
    try:
        duckdb_extensions.import_extension("httpfs")
    finally:
        os.environ["HOME"] = home or "/"

    def read():
        client.python(RECIPES / client.recipe)
        with duckdb.connect(str(client.folder / "recruiting.duckdb"), read_only=True) as database:
            jobs = database.execute("SELECT count(DISTINCT id) FROM jobs").fetchone()[0]
            client.hold(jobs == stored.count(client.program.database, "jobs"), "jobs are not all of them", [jobs])
            return [row[0] for row in database.execute("SELECT id FROM candidates").fetchall()]

    with bench.changes():
        return [client.snapshot(read)]


def pandas_frames(bench):
    client = Client(bench, "pandas", "pandas_frames.py")
    with bench.changes():
        first, second = None, None

        def read():
            nonlocal second
            first, second = [json.loads(line) for line in client.python(RECIPES / client.recipe).splitlines()]
            return first

        row = client.snapshot(read)
        client.hold(len(second) == len(set(second)) and abs(len(second) - row.got) < 200, "rows of the CSV are others", second[:0])
        return [row]


def postgresql(bench):
    """A cluster of its own, in a folder of its own, reached by its socket only, by a user who is not root."""
    client = Client(bench, "PostgreSQL", "postgresql.sql")
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise Broken("PostgreSQL is not installed: apt-get install postgresql")
    with cluster(client, programs[-1]) as psql, bench.changes():
        def read():
            psql("-f", RECIPES / client.recipe)
            return psql("-c", "SELECT id FROM candidates").split()

        read()
        return [client.snapshot(read)]


@contextlib.contextmanager
def cluster(client, programs):
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    become = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hirewire-pg-"))
    if become:
        shutil.chown(folder, user)
    folder.chmod(0o700)
    options = f"-c listen_addresses= -c fsync=off -k {folder}"

    def run(*words):
        done = subprocess.run(
            [*become, *map(str, words)], cwd=folder, env={**client.environment, "HOME": str(folder)}, capture_output=True,
            text=True, timeout=120)
        if done.returncode != 0:
            raise Broken(f"{client.name}: {words[0]}: {done.stderr[-1500:]}{done.stdout[-500:]}")
        return done.stdout

    def psql(*words):
        # The recipe is read by us: the cluster's user may not look into this folder.
        text = pathlib.Path(words[1]).read_text(encoding="utf-8") if words[0] == "-f" else words[1]
        path = folder / "script.sql"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        return run(programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-d", "postgres", "-f", path)

    try:
        run(programs / "initdb", "-D", folder / "data", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        run(programs / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield psql
        finally:
            run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
        with urllib.request.urlopen(request, timeout=60) as answer:
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
            lambda: [row["id"] for row in reader.pages(query)], lambda row: row.status == "interviewing",
            lines=source + lines_of(client.recipe)))
        client = Client(bench, "Infinity, export", "infinity_export.json")
        query = json.loads((RECIPES / client.recipe).read_text())
        reader = Infinity(client.environment)
        rows.append(client.snapshot(
            lambda: [row["id"] for row in reader.table(query)], lines=source + lines_of(client.recipe)))
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
                with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=100) as answer:
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
        return [client.walk(lambda: [row["id"] for row in reader.table()])]

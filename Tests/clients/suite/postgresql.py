"""PostgreSQL, by `COPY … FROM PROGRAM`: a cluster of its own, in a folder of its own, reached by its socket only."""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from . import values
from .clients import RECIPES, Client, Part
from .program import ROOT, Broken

COLUMNS = ["id", "version", "updated_at", "full_name", "status", "skills", "years_experience"]


def postgresql(bench):
    client = Client(bench, "PostgreSQL", "postgresql.sql")
    with cluster(client) as psql, bench.changes():
        def read():
            psql((RECIPES / client.recipe).read_text(encoding="utf-8"))
            rows = psql("SELECT row_to_json(candidates) FROM candidates").splitlines()
            return [Part("candidates", [json.loads(row) for row in rows], values.cell)]

        read()
        return [client.snapshot(read, fields=COLUMNS)]


def installed():
    """Where Debian's packages lie: unpacked by `Tests/run`, else installed; the newest version. None if nowhere."""
    for usr in (ROOT / ".tools/usr", pathlib.Path("/usr")):
        versions = sorted((usr / "lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
        if versions:
            return usr, versions[-1].parent.parent.name
    raise Broken("PostgreSQL is not there: Tests/run unpacks it")


@contextlib.contextmanager
def cluster(client):
    """Gives a function that runs SQL by psql. PostgreSQL refuses to run as root, so root is `nobody` here, who may not look
    into every checkout: the programs are copied to the cluster's folder."""
    root = os.geteuid() == 0
    become = ["runuser", "-u", "nobody", "--"] if root else []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hirewire-pg-"))
    usr, version = installed()
    if root and usr != pathlib.Path("/usr"):
        usr = copied(usr, folder / "usr")
    if root:
        shutil.chown(folder, "nobody")
    environment = {**client.environment, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(str(path.parent) for path in (usr / "lib").glob("*/libpq.so.5"))

    def run(program, *words, text=None):
        done = subprocess.run(
            [*become, usr / "lib/postgresql" / version / "bin" / program, *map(str, words)], cwd=folder, env=environment,
            capture_output=True, text=True, input=text, timeout=1800)
        if done.returncode != 0:
            raise Broken(f"{client.name}: {program}: {done.stderr[-1500:]}{done.stdout[-500:]}")
        return done.stdout

    def psql(sql):
        return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-d", "postgres", "-f", "-", text=sql)

    try:
        run("initdb", "-D", folder / "data", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses= -c fsync=off -c jit=off -k {folder}"
        run("pg_ctl", "-D", folder / "data", "-l", folder / "log", "-o", options, "-t", 600, "-w", "start")
        try:
            yield psql
        finally:
            run("pg_ctl", "-D", folder / "data", "-m", "immediate", "-t", 600, "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copied(usr, to):
    for part in ("lib/postgresql", "share/postgresql"):
        shutil.copytree(usr / part, to / part, symlinks=True, ignore=shutil.ignore_patterns("bitcode", "llvmjit*", "locale"))
    for library in (usr / "lib").glob("*/libpq.so.5*"):
        (to / library.relative_to(usr)).parent.mkdir(exist_ok=True)
        shutil.copy(library, to / library.relative_to(usr), follow_symlinks=False)
    return to

"""What the server is measured against, built here and kept in the work folder."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from . import processes
from .processes import Broken, progress

HERE = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = HERE.parent.parent
DATASETTE = "datasette==0.65.*"


def build_swift(product):
    """A release build of one of the package's products, and its path."""
    progress(f"swift build -c release --product {product}")
    processes.run(
        ["swift", "build", "-c", "release", "--product", product, "--package-path", PACKAGE], timeout=3600,
        stdout=sys.stderr, stderr=sys.stderr)
    return swift_binary(product)


def swift_binary(product):
    path = PACKAGE / ".build" / "release" / product
    if not path.exists():
        raise Broken(f"{path} is not there: build it, or leave out --no-build")
    return path


def build_go(tools, name):
    """One of the Go programs, from Debian's packages alone: nothing is fetched."""
    source = HERE / "yardsticks" / name
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.glob("*.go")))).hexdigest()[:12]
    binary = tools / f"{name}-{digest}"
    if not binary.exists():
        progress(f"go build {name}")
        environment = {**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "", "CGO_ENABLED": "1"}
        processes.run(["go", "build", "-o", binary, "."], timeout=600, cwd=source, env=environment)
    return binary


def install(tools, name, requirement):
    """The folder of programs of a virtual environment that has one package from PyPI."""
    folder = tools / name
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != requirement:
        progress(f"installing {requirement} into a venv of its own")
        processes.run([sys.executable, "-m", "venv", "--clear", folder])
        processes.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", requirement])
        installed.write_text(requirement)
    return folder / "bin"


def install_datasette(tools):
    return install(tools, "datasette", DATASETTE) / "datasette"


def install_dlt(tools):
    """The Python that has dlt, of the version that the recipes are tried with."""
    pinned = (PACKAGE / "Tests" / "clients" / "requirements.txt").read_text().splitlines()
    return install(tools, "dlt", next(line for line in pinned if line.startswith("dlt["))) / "python"


class Server:
    """A yardstick that listens on a port of its choice among the free ones."""

    def __init__(self, command, log):
        self.port = processes.free_port()
        with open(log, "ab") as errors:
            self.process = processes.start(
                [*command, "--port", self.port], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        processes.wait_for_port(self.port, self.process)

    def stop(self):
        processes.end(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def bare_hummingbird(binary, size, log):
    return Server([binary, "--bytes", size], log)


def go_pages(binary, database, log):
    return Server([binary, "--database", database], log)


def datasette(binary, database, log):
    return Server(
        [binary, "serve", database, "--host", "127.0.0.1", "--setting", "suggest_facets", "off",
         "--setting", "facet_time_limit_ms", "1", "--setting", "cache_size_kb", "0"], log)


class DatasettePages:
    """Datasette's own pages of the candidates' table: uncounted, 25 rows after a random change."""

    def __init__(self, stored, changes, limit):
        self.stored, self.limit = stored, limit
        self.path = f"/{stored.path.stem}/candidates.json?_size={limit}&_nocount=1&_shape=objects&_next="
        self.targets = [self.path + str(change) for change in changes]

    def check(self, port, sample):
        for target in sample:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=30) as answer:
                rows = json.load(answer)["rows"]
            expected = self.stored.rows(
                "SELECT change, external_id, email FROM candidates WHERE change > ? ORDER BY change LIMIT ?",
                int(target.rsplit("=", 1)[1]), self.limit)
            if [(row["change"], row["external_id"], row["email"]) for row in rows] != expected:
                raise Broken(f"Datasette's {target} gave other rows")

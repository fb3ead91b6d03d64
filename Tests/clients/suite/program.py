"""A `hirewire serve` on free ports, its keys, and what its own access log says of each key."""

import collections
import json
import os
import pathlib
import subprocess
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


class Broken(Exception):
    """Something did not work, or a client read something else than it should have."""


class Program:
    def __init__(self, binary, folder):
        self.binary, self.folder = str(binary), folder
        self.database = folder / "clients.db"
        self.process = None

    def command(self, *words, timeout=1800, codes=(0,)):
        """What the command prints with `--json`, a dictionary a line."""
        done = subprocess.run(
            [self.binary, *map(str, words), "--database", str(self.database), "--json"],
            capture_output=True, text=True, timeout=timeout, env=bare_environment())
        if done.returncode not in codes:
            raise Broken(f"hirewire {' '.join(map(str, words))}: {done.stderr[-1000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def key(self, name, rate_limit=1_000_000, scopes=("read:pii",)):
        """A key as `keys create` shows it, this once."""
        words = [word for scope in scopes for word in ("--scope", scope)]
        return self.command("keys", "create", "--name", name, "--rate-limit", rate_limit, *words)[0]

    def start(self):
        self.log = open(self.folder / "serve.log", "wb")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--database", str(self.database), "--port", "0", "--operator-port", "0", "--json",
             "--log-format", "json", "--access-log", "on"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=bare_environment(),
            start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            raise Broken(f"serve ended at its start: {self.log_text()[-1000:]}")
        ready = json.loads(line)
        self.public, self.operator = ready["public"].rstrip("/"), ready["operator"].rstrip("/")

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def log_text(self):
        return (self.folder / "serve.log").read_text(encoding="utf-8", errors="replace")

    def requests(self, key_id):
        """How many requests came with that key, by status, as the access log has them."""
        counts = collections.Counter()
        for line in self.log_text().splitlines():
            if f'"key_id":"{key_id}"' in line:
                entry = json.loads(line)
                if entry["message"] == "request":
                    counts[entry["status"]] += 1
        return counts

    def failures(self):
        """The log's lines that tell of an answer of 500 or more."""
        entries = [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry.get("status", 0) >= 500]

    def push(self, key, records):
        """One batch on the operator listener: all of it or nothing."""
        return self.send("POST", "/operator/v1/batch", key, {"records": records})

    def send(self, method, path, key, body=None):
        request = urllib.request.Request(
            self.operator + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def bare_environment():
    """The environment without settings of hirewire's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HIREWIRE_")}

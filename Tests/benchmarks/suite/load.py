"""Throughput: wrk with one thread and 32 connections, sending requests that were prepared and shuffled beforehand."""

import json
import pathlib
import random
import statistics

from . import processes
from .client import request
from .processes import Broken

CONNECTIONS = 32
SCRIPT = pathlib.Path(__file__).with_name("requests.lua")


def prepare(path, targets, keys, count=20_000, headers=()):
    """Writes `count` requests: every target equally often, each with another of the keys (none for a server without)."""
    rng = random.Random(7)
    lines = []
    for number in range(max(count, len(targets))):
        key = keys[rng.randrange(len(keys))] if keys else None
        raw = request(targets[number % len(targets)], key, *headers).decode()
        lines.append(raw.replace("\r\n", "\t"))
    rng.shuffle(lines)
    path.write_text("\n".join(lines) + "\n")
    return path


class Load:
    """One server under one load, and the rates its runs reached."""

    def __init__(self, name, port, requests, answer_size=None):
        self.name, self.port, self.requests, self.answer_size = name, port, requests, answer_size
        self.connections = CONNECTIONS
        self.rates = []
        self.p99 = []

    def run(self, seconds, counted=True):
        out = processes.run(
            ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "30s", "-s", SCRIPT,
             f"http://127.0.0.1:{self.port}", "--", self.requests],
            timeout=seconds + 60,
        )
        result = json.loads(out.strip().rsplit("\n", 1)[1])
        errors = {name: result[name] for name in ("connect", "read", "write", "status", "timeout") if result[name]}
        if errors or not result["requests"]:
            raise Broken(f"{self.name}: wrk saw {errors or 'no answer'} in {result['requests']} requests")
        self.check_size(result["bytes"], result["requests"])
        rate = result["requests"] / (result["microseconds"] / 1e6)
        if counted:
            self.rates.append(rate)
            self.p99.append(result["p99"] / 1000)
        return rate

    def check_size(self, total, count):
        """The samples that were read and checked must stand for what wrk was given: the same bytes on the average.

        The answers that were under way when the time was over are in wrk's bytes and not in its count.
        """
        if self.answer_size is None:
            return
        slack = 0.03 * self.answer_size + 16 + self.connections * self.answer_size / count
        if abs(total / count - self.answer_size) > slack:
            raise Broken(
                f"{self.name}: {total / count:.0f} bytes an answer under load, {self.answer_size:.0f} in the checked sample")

    @property
    def rate(self):
        return statistics.median(self.rates)


def alternate(loads, rounds, seconds):
    """All servers in turn, `rounds` times, so that a slow moment of the machine meets every one."""
    for load in loads:
        load.run(max(1, seconds // 3), counted=False)
    for number in range(rounds):
        for load in loads:
            load.run(seconds)
        processes.progress(
            f"round {number + 1} of {rounds}: " + ", ".join(f"{load.name} {load.rates[-1]:,.0f}/s" for load in loads))

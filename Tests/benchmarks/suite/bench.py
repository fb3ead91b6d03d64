"""What all rows share: the options, the programs and the two databases, each made when it is first asked for."""

import functools
import hashlib
import os
import random
import resource
import time

from . import yardsticks
from .dataset import Dataset


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.tools = options.work.parent
        self.quick = options.quick
        self.seconds = options.seconds or (2 if options.quick else 5)
        self.rounds = 2 if options.quick else 5
        self.log = self.work / "yardsticks.log"
        self.random = random.Random(11)

    def program(self, product):
        if self.options.no_build:
            return yardsticks.swift_binary(product)
        return yardsticks.build_swift(product)

    @functools.cached_property
    def hirewire(self):
        return self.options.binary or self.program("hirewire")

    @functools.cached_property
    def digest(self):
        """Tells one hirewire from another."""
        return hashlib.sha256(self.hirewire.read_bytes()).hexdigest()

    @functools.cached_property
    def bare(self):
        return self.options.bare or self.program("BareHummingbird")

    @functools.cached_property
    def post(self):
        return self.options.post or self.program("PostYardstick")

    @functools.cached_property
    def changes(self):
        return self.options.changes or self.program("PacedChanges")

    @functools.cached_property
    def receiver(self):
        return yardsticks.build_go(self.tools, "receiver")

    @functools.cached_property
    def pages(self):
        return yardsticks.build_go(self.tools, "pages")

    @functools.cached_property
    def paced(self):
        return yardsticks.build_go(self.tools, "paced")

    @functools.cached_property
    def datasette(self):
        return yardsticks.install_datasette(self.tools)

    @functools.cached_property
    def dlt(self):
        return yardsticks.install_dlt(self.tools)

    @functools.cached_property
    def small(self):
        return Dataset.small(10_000 if self.quick else 100_000, self.work, self.hirewire)

    @functools.cached_property
    def big(self):
        return Dataset.big(100_000 if self.quick else 1_000_000, self.work, self.hirewire)

    @functools.cached_property
    def expanded(self):
        return Dataset.expanded(2_000 if self.quick else 20_000, self.work, self.hirewire)


def two_cores():
    """Everything runs on two cores, as many as the figures are stated for; what is started inherits it."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    return len(os.sched_getaffinity(0))


class Others:
    """How much of the two cores somebody else used meanwhile: above a few percent a row is to be measured again."""

    def __init__(self):
        self.began = self.reading()

    @staticmethod
    def reading():
        """Seconds: of the clock, that the cores were busy, and of those that were ours."""
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, interrupts, soft = map(int, file.readline().split()[1:8])
        busy = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
        usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.monotonic(), busy, sum(used.ru_utime + used.ru_stime for used in usage)

    def share(self):
        clock, busy, ours = (now - before for now, before in zip(self.reading(), self.began))
        return max(0, busy - ours) / (clock * os.cpu_count())

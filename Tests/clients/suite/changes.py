"""Changes while others read: candidates move, come, go, and come back."""

import random
import threading
import time


class Changer:
    """Pushes a batch every quarter of a second from a thread of its own. What went wrong there is raised at the end."""

    def __init__(self, program, key, per_second=80):
        self.program, self.key, self.size = program, key, max(4, per_second // 4)
        self.rng, self.made, self.gone = random.Random(7), 0, 0
        self.ended, self.problem, self.thread = threading.Event(), None, None

    def __enter__(self):
        self.ended.clear()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(60)
        if self.problem:
            raise self.problem

    def run(self):
        try:
            while not self.ended.is_set():
                began = time.monotonic()
                self.change()
                self.ended.wait(max(0, 0.25 - (time.monotonic() - began)))
        except Exception as problem:
            self.problem = problem

    def change(self, revive=False):
        """One new candidate, one deleted, an earlier one back if asked, and the rest moved. Candidates with numbers that
        no move takes stay as they are."""
        self.made += 1
        self.gone += 1
        records = [put(f"late-{self.made}", years_experience=1), {**candidate(invented(self.gone * 4 + 1)), "method": "DELETE"}]
        if revive:
            records.append(put(invented((self.gone - 1) * 4 + 1), years_experience=2))
        while len(records) < self.size:
            name = invented(self.rng.randrange(3_500) * 4)
            if all(record["external_id"] != name for record in records):
                records.append(put(name, years_experience=self.rng.randrange(50)))
        self.program.push(self.key, records)


def invented(number):
    return f"made-{number:05}"


def candidate(name):
    return {"kind": "candidate", "external_id": name}


def put(name, **data):
    return {**candidate(name), "method": "PUT", "data": {"full_name": f"Moved {name}", **data}}

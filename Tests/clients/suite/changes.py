"""Changes while others read: records of every kind are made, moved, deleted, and come back."""

import random
import threading
import time

"""Seconds from batch to batch. The invented candidates are used up after some 3,700 of them."""
PAUSE = 0.5

"""For how many batches a job and what hangs on it lives."""
LIFE = 8


class Changer:
    """Pushes a batch every half second from a thread of its own. What went wrong there is raised at the end."""

    def __init__(self, program, key, per_second=80):
        self.program, self.key, self.size = program, key, max(4, int(per_second * PAUSE))
        self.rng, self.batches = random.Random(7), 0
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
                self.ended.wait(max(0, PAUSE - (time.monotonic() - began)))
        except Exception as problem:
            self.problem = problem

    def change(self, revive=False):
        """What follows on another is later in the batch: it is one transaction."""
        self.batches += 1
        records = [*self.people(revive), *self.hiring(self.batches, revive), *self.others()]
        self.program.push(self.key, records)

    def people(self, revive):
        """One new candidate, one deleted, an earlier one back if asked, and the rest moved. Candidates with numbers that
        no move takes stay as they are."""
        records = [put("candidate", f"late-{self.batches}", full_name="Late", years_experience=1), gone("candidate", made(self.batches * 4 + 1))]
        if revive:
            records.append(put("candidate", made(self.batches * 4 - 3), full_name="Back", years_experience=2))
        while len(records) < self.size:
            number = self.rng.randrange(3_500)
            name = made(number * 4)
            if all(record["external_id"] != name for record in records):
                # A replaced one has the first status again; another keeps its own.
                write = put if number % 2 else patch
                records.append(write("candidate", name, full_name=f"Moved {name}", years_experience=self.rng.randrange(100) / 2))
        return records

    def hiring(self, number, revive):
        """A job with all that hangs on it; one moves on; and an old one goes, and takes everything with it but the call,
        which goes by itself."""
        records = [
            put("job", f"late-{number}", title="Baker", status="open", openings=1),
            put("application", f"late-{number}", candidate_external_id=made(number * 4 + 2), job_external_id=f"late-{number}", stage="new"),
            put("interview", f"late-{number}", application_external_id=f"late-{number}", status="scheduled"),
            put("match", f"late-{number}", candidate_external_id=made(number * 4 + 3), job_external_id=f"late-{number}", score=50),
            put("call", f"late-{number}", candidate_external_id=made(number * 4 + 3), purpose="screening", summary="-")]
        if number > LIFE // 2:
            name = f"late-{number - LIFE // 2}"
            records += [
                patch("job", name, openings=2), patch("application", name, stage="onsite"), patch("match", name, score=90.5),
                patch("interview", name, status="in_progress"), patch("call", name, ai_score=77)]
        if number > LIFE:
            records += [gone("job", f"late-{number - LIFE}"), gone("call", f"late-{number - LIFE}")]
        if revive and number > LIFE + 1:
            records.append(put("job", f"late-{number - LIFE - 1}", title="Baker again", status="open"))
        return records

    def others(self):
        """Of the demo's records, which are there from the start."""
        number = self.batches
        return [
            patch("job", f"j-{number % 20 + 1:02}", openings=number % 9 + 1),
            patch("application", f"a-{number % 100 + 1:03}", stage=f"step {number % 7}"),
            patch("match", f"m-{number % 100 + 1:03}", score=number % 101),
            patch("interview", f"i-{number % 50 + 1:03}", title=f"Talk {number % 11}"),
            patch("call", f"k-{number % 20 + 1:02}", summary=f"={number % 13}")]


def made(number):
    """One of the invented candidates."""
    return f"made-{number:05}"


def record(kind, name, method, **rest):
    return {"kind": kind, "external_id": name, "method": method, **rest}


def put(kind, name, **data):
    return record(kind, name, "PUT", data=data)


def patch(kind, name, **data):
    return record(kind, name, "PATCH", data=data)


def gone(kind, name):
    return record(kind, name, "DELETE")

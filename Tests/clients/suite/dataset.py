"""20,000 candidates and what belongs to them: the demo's, real ones where ../shared/data lies beside the checkout, and
invented ones, always the same, up to the number."""

import json
import random

from .program import ROOT, Broken

CANDIDATES = 20_000
REAL = ROOT.parent / "shared" / "data"

"""What a reader of JSON lines or of CSV might stumble over."""
HARD = [
    'says "hello", twice', "two\nlines", "semicolons; commas, and 'quotes'", "=1+2", "+47 22 00 00 00", "@home", "-dash",
    "Zoë Ångström 李雷 🦉", "tab\there", " spaces around ", "null", "NaN", "007", "1e5", "true", "\\N", "a\\b", "",
]
FIRST = "Ada Bogdan Chiara Deepa Emeka Fatima Greta Hiroshi Imani José Kwame Lucía Marta Nadia Oleg Priya Rosa Sven".split()
LAST = "Abebe Bauer Costa Dubois Eriksen Fischer García Hansen Ito Jansen Khan López Müller Novak O'Brien Patel Roux".split()
SKILLS = "Python Swift Go SQL Excel Welding Nursing C++ C# Logistics".split()
STATUSES = ["new", "screening", "interviewing", "offer", "hired", "rejected", "withdrawn"]
DEMO = ["jobs", "candidates", "applications", "interviews", "matches", "calls", "trainings", "broadcasts"]


def load(program, rows=CANDIDATES):
    """Puts it all into the program's database, and says what."""
    for kind in DEMO:
        take(program, kind, ROOT / "seed" / f"{kind}.ndjson")
    real = 0
    if REAL.is_dir():
        file = REAL / "resume-callback" / "ResumeNames.csv"
        for kind in ["jobs", "candidates", "applications", "matches"]:
            made = take(program, kind, file, "--mapping", ROOT / f"Tests/mappings/resume-callback-{kind}.json")
            real += made if kind == "candidates" else 0
        take(program, "jobs", REAL / "nyc-jobs/nyc-jobs_2019-03-19.csv", "--mapping", ROOT / "Tests/mappings/nyc-jobs.json")
    rest = rows - real - 200
    path = program.folder / "candidates.ndjson"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in invented(rest))
    if take(program, "candidates", path) != rest:
        raise Broken("not all of the invented candidates were taken")
    return f"{rows:,} candidates: 200 of the demo, {real:,} real, {rest:,} invented"


def take(program, kind, file, *options):
    """How many were created. The city's file has one row that can't be taken, and the exit code says so."""
    return program.command("import", kind, file, *options, "--rejects", program.folder / "rejects", codes=(0, 1))[0]["created"]


def invented(number, seed=20261121):
    rng = random.Random(seed)
    for index in range(number):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        yield {
            "external_id": f"made-{index:05}", "first_name": first, "last_name": last, "full_name": f"{first} {last}",
            "headline": HARD[index % len(HARD)] if index % 3 == 0 else f"{rng.choice(SKILLS)} for {index % 40} years",
            "location": rng.choice(["Austin, TX", "Malmö", "Gdańsk", "大阪"]), "source": rng.choice(["Referral", "Agency"]),
            "status": rng.choice(STATUSES), "skills": rng.sample(SKILLS, index % 4), "years_experience": index % 40,
            "email": f"{index}@example.com", "custom": {"note": HARD[index % len(HARD)], "n": index} if index % 5 == 0 else None,
        }

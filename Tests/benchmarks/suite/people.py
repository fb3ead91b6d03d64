"""Invented people, jobs and matches: the same numbers always give the same records."""

import itertools
import json
import random

FIRST = (
    "Ada Aisha Akira Alejandro Alice Amara Amina Anders Andrea Anita Anna Antonio Arjun Astrid Ayumi Beatriz Benjamin "
    "Bianca Birgit Bogdan Camille Carlos Carmen Catherine Cem Chen Chiara Chloe Christian Claire Daniel Daria David "
    "Deepa Diego Dmitri Dorothy Edith Elena Eliza Emeka Emil Emma Enzo Erik Esther Fatima Felix Fernanda Fiona "
    "Francesca Frida Gabriel Georg Grace Greta Hana Hans Hassan Helena Henrik Hiroshi Hugo Ibrahim Ida Imani Ines "
    "Ingrid Isaac Ivan Jakub James Jana Javier Jing Joanna Johan Jonas José Julia Kamal Karin Kenji Kwame Lars Laura "
    "Leila Leo Lina Linh Lucas Lucía Magnus Maja Marco Margaret María Marta Mateo Maya Mei Michael Mina Mohammed Nadia "
    "Naomi Nikolai Nina Noah Nora Olga Oliver Omar Oscar Pablo Patricia Paul Pedro Petra Priya Rafael Rania Ravi "
    "Rebecca René Rosa Ruth Sami Samuel Sana Sara Selma Sergei Simone Sofia Stefan Sunita Susan Sven Tariq Tatiana "
    "Thandi Theo Thomas Tomás Ulrich Uma Valentina Vera Viktor Wanjiru Wei William Xin Yara Yasmin Youssef Yuki Zainab Zoë"
).split()

LAST = (
    "Abebe Adeyemi Ahmed Almeida Andersson Bauer Becker Bianchi Bondar Brown Castillo Chang Chaudhry Costa Cruz Davies "
    "Dlamini Dubois Eriksen Esposito Evans Fernández Fischer Fontaine Fujita García Ghosh Giordano González Greco Gupta "
    "Haddad Hansen Hernández Hoffmann Horvat Hughes Hussain Ito Ivanova Jackson Jansen Jensen Johansson Jones Kamau "
    "Kapoor Karlsson Keller Khan Kim Kobayashi Kovács Kowalski Kumar Larsen Laurent Lee Lewandowski Lindberg López "
    "Malik Marino Martin Martínez Mbeki Mehta Mendoza Meyer Molina Moreau Moretti Müller Murphy Nakamura Navarro "
    "Nguyen Nielsen Novak Nowak O'Brien Okafor Okonkwo Olsen Ortiz Osman Özdemir Papadopoulos Park Patel Pereira "
    "Petersen Petrov Popescu Ramos Reyes Ricci Rivera Rodríguez Romano Rossi Roux Ruiz Sánchez Santos Sato Schmidt "
    "Schneider Sharma Silva Singh Smith Sokolov Sousa Suzuki Svensson Takahashi Tanaka Taylor Thomas Torres Tran "
    "Valdez Vargas Vasquez Virtanen Vogel Volkov Wagner Walker Wang Weber Williams Wilson Wong Wright Yamamoto Yilmaz "
    "Young Zhang Zhao Ziegler Zimmermann"
).split()

CITIES = (
    "Amsterdam Athens Atlanta Austin Baltimore Bangalore Barcelona Belgrade Berlin Bern Birmingham Bogotá Boston Bristol "
    "Brussels Bucharest Budapest Cairo Calgary Chicago Cleveland Cologne Copenhagen Dallas Delhi Denver Detroit Dublin "
    "Edinburgh Florence Geneva Glasgow Hamburg Helsinki Houston Istanbul Johannesburg Kraków Kyiv Lagos Leeds Lima "
    "Lisbon Liverpool London Lyon Madrid Malmö Manchester Melbourne Miami Milan Montreal Munich Nairobi Oslo Paris "
    "Philadelphia Phoenix Porto Prague Rome Seattle Zürich"
).split()
PLACES = ["{}", "{} area", "Greater {}", "{} (remote)", "{}, hybrid"]

SOURCES = (
    "LinkedIn|Careers page|Referral|Indeed|Agency|Job fair|University|Glassdoor|Stack Overflow|Recruiter|Newsletter|Walk-in"
).split("|")
STATUSES = ["new", "screening", "interviewing", "offer", "hired", "rejected", "withdrawn"]
STATUS_WEIGHTS = [40, 22, 12, 2, 4, 16, 4]

SKILL_ROOTS = (
    "Python Java Swift Go Rust C++ C# Kotlin SQL Excel Linux Docker Kubernetes Terraform React Angular Tableau Salesforce "
    "Photoshop Figma Accounting Negotiation Copywriting Recruiting Logistics Welding Nursing Teaching Forecasting Auditing "
    "Budgeting Statistics Scheduling Procurement Translation Editing Carpentry Robotics Compliance Payroll"
).split()
SKILL_KINDS = ["{}", "{} basics", "Advanced {}", "{} training", "{} review"]

LEVELS = ["", "Junior", "Senior", "Lead", "Principal"]
ROLES = (
    "Software Engineer|Data Analyst|Product Manager|Account Executive|Nurse|Designer|Accountant|Warehouse Supervisor|"
    "Recruiter|Mechanical Engineer|Teacher|Project Manager|Sales Representative|Electrician|Research Scientist|Lawyer"
).split("|")
INDUSTRIES = (
    "banking logistics healthcare retail education energy insurance telecoms publishing aerospace agriculture hospitality"
).split()
"""About one in twenty thousand headlines ends in one of these: the rare words of a search."""
RARE = "oceanography falconry cartography horology beekeeping volcanology glaciology typography".split()


def zipf(count, exponent=1.0):
    """Cumulative weights: the first is the commonest."""
    return list(itertools.accumulate(1 / (rank + 1) ** exponent for rank in range(count)))


def vocabulary(roots, kinds):
    """Plain forms first, so that the commonest of a Zipf draw are the plain ones."""
    return [kind.format(root) for kind in kinds for root in roots]


LOCATIONS = vocabulary(CITIES, PLACES)[:300]
SKILLS = vocabulary(SKILL_ROOTS, SKILL_KINDS)


def external_id(prefix, number):
    return f"{prefix}-{number:07d}"


def candidates(count, prefix, seed=1):
    """Yields `(number, record)`; `number` starts at 0."""
    rng = random.Random(f"candidates {prefix} {seed}")
    location_weights, source_weights, skill_weights = zipf(len(LOCATIONS)), zipf(len(SOURCES), 0.8), zipf(len(SKILLS))
    status_weights = list(itertools.accumulate(STATUS_WEIGHTS))
    block = 10_000
    for start in range(0, count, block):
        size = min(block, count - start)
        firsts, lasts = rng.choices(FIRST, k=size), rng.choices(LAST, k=size)
        locations = rng.choices(LOCATIONS, cum_weights=location_weights, k=size)
        sources = rng.choices(SOURCES, cum_weights=source_weights, k=size)
        statuses = rng.choices(STATUSES, cum_weights=status_weights, k=size)
        drawn = rng.choices(SKILLS, cum_weights=skill_weights, k=size * 8)
        levels, roles, fields = rng.choices(LEVELS, k=size), rng.choices(ROLES, k=size), rng.choices(INDUSTRIES, k=size)
        for i in range(size):
            number = start + i
            first, last = firsts[i], lasts[i]
            chance = rng.getrandbits(32)
            headline = f"{levels[i]} {roles[i]} in {fields[i]}".lstrip()
            if chance % 20_011 < 1:
                headline += " and " + RARE[chance % len(RARE)]
            record = {
                "external_id": external_id(prefix, number),
                "first_name": first,
                "last_name": last,
                "full_name": f"{first} {last}",
                "headline": headline,
                "location": locations[i],
                "source": sources[i],
                "status": statuses[i],
                "skills": list(dict.fromkeys(drawn[i * 8 : i * 8 + 8]))[:5],
                "years_experience": (chance >> 8) % 41,
                "email": f"{first}.{last}.{number}@example.com".lower(),
                "phone": f"+1555{number:07d}",
            }
            if chance & 3 == 0:
                record["profile_url"] = f"https://people.example.com/{prefix.lower()}/{number}"
                record["custom"] = {"notice_weeks": (chance >> 4) % 13, "relocates": bool(chance & 16)}
            yield number, record


JOB_COUNT = 25


def jobs(prefix):
    for number in range(JOB_COUNT):
        yield number, {
            "external_id": external_id(prefix + "J", number),
            "title": f"{LEVELS[number % 5]} {ROLES[number % len(ROLES)]}".lstrip(),
            "department": INDUSTRIES[number % len(INDUSTRIES)].title(),
            "location": CITIES[number * 7 % len(CITIES)],
            "employment_type": "full_time" if number % 4 else "contract",
            "status": "open",
            "required_skills": SKILLS[number : number + 4],
            "openings": 1 + number % 5,
        }


def matches(candidates, each, prefix):
    """`each` matches for every candidate of a range of numbers, each with another job."""
    rng = random.Random(f"matches {prefix}")
    order = list(range(JOB_COUNT))
    for candidate in candidates:
        for job in rng.sample(order, each):
            yield candidate * JOB_COUNT + job, {
                "external_id": external_id(prefix + "M", candidate * JOB_COUNT + job),
                "candidate_external_id": external_id(prefix, candidate),
                "job_external_id": external_id(prefix + "J", job),
                "score": rng.randrange(0, 10_001) / 100,
                "reasons": [rng.choice(SKILLS[:60])],
                "status": "suggested",
            }


def applications(candidate_count, prefix):
    """Every second candidate has applied: a third of them to the first job, a handful to the last."""
    rng = random.Random(f"applications {prefix}")
    weights = list(itertools.accumulate([JOB_COUNT * 0.5] + [1] * (JOB_COUNT - 2) + [0.0005]))
    for candidate in range(0, candidate_count, 2):
        job = rng.choices(range(JOB_COUNT), cum_weights=weights)[0]
        yield candidate, {
            "external_id": external_id(prefix + "A", candidate),
            "candidate_external_id": external_id(prefix, candidate),
            "job_external_id": external_id(prefix + "J", job),
            "stage": "applied",
            "status": "active",
        }


def write(path, records):
    """One JSON object a line, in place only when whole."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    partial = path.with_suffix(".partial")
    with open(partial, "w", encoding="utf-8", buffering=1 << 20) as out:
        for _, record in records:
            out.write(encode(record))
            out.write("\n")
    partial.rename(path)

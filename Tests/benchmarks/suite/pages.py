"""The Developer Tools' pages at a million candidates, one after the other, as one person asks for them."""

import json
import re
import statistics
import urllib.parse

from .client import Client, request
from .processes import Broken, run
from .table import Row

PAGES = [
    "/", "/?over=day", "/keys", "/webhooks", "/webhooks/new", "/deliveries", "/events", "/organizations", "/docs",
    *(f"/data/{kind}" for kind in ("candidates", "jobs", "applications", "interviews", "matches", "calls")),
    "/data/candidates?q=engineer", "/data/candidates?status=new", "/data/candidates?sort=-created_at", "/data/candidates?min_score=80",
    "/data/candidates?skill=Python&sort=full_name",
]


def sign_in(client, token):
    """The cookie of a session."""
    page = client.get("/")
    cookie = page.header("Set-Cookie").split(";", 1)[0]
    name, value = re.search(r'type="hidden" name="([^"]+)" value="([^"]+)"', page.body.decode()).groups()
    body = urllib.parse.urlencode({name: value, "operator_token": token}).encode()
    head = (f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n")
    answer = client.send(head.encode() + body)
    if answer.status != 303:
        raise Broken(f"signing in was answered {answer.status}: {answer.body[:500]!r}")
    return answer.header("Set-Cookie").split(";", 1)[0]


def tools(bench):
    data = bench.big.load()
    path = data.copy("tools.db")
    made = run([bench.hirewire, "operator-token", "--rotate", "--json", "--database", path])
    token = json.loads(made)["operator_token"]
    slowest, notes = 0, []
    with data.serve(path) as server, Client(server.operator_port) as client:
        cookie = sign_in(client, token)
        records = []
        for kind in ("candidates", "jobs", "applications", "matches"):
            listed = re.search(rf'href="(/data/{kind}/[a-z]+_[^"?]+)"', client.get(f"/data/{kind}", None, f"Cookie: {cookie}").body.decode())
            if not listed:
                raise Broken(f"the page of {kind} names none")
            records.append(listed[1])
        for page in [*PAGES, *records]:
            taken = []
            for _ in range(20):
                answer = client.send(request(page, None, f"Cookie: {cookie}"))
                if answer.status != 200 or b"</html>" not in answer.body:
                    raise Broken(f"{page} was answered {answer.status}")
                taken.append(answer.seconds * 1000)
            slowest = max(slowest, statistics.median(taken))
            notes.append((statistics.median(taken), f"{page}: {statistics.median(taken):.1f} ms, at most {max(taken):.1f} ms"))
    shown = [text for _, text in sorted(notes, reverse=True)[:4]]
    return [Row(
        "every page of the Developer Tools, the slowest's median", f"{slowest:.1f} ms", "", f"{slowest:.1f} ms", "≤ 50 ms", "",
        slowest <= 50, None, shown)]

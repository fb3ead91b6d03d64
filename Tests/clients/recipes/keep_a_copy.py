import json
import os
import sqlite3
import urllib.parse
import urllib.request

URL, KEY = os.environ["HIREWIRE_URL"], os.environ["HIREWIRE_KEY"]

copy = sqlite3.connect("copy.db")
copy.execute("CREATE TABLE IF NOT EXISTS candidates (id TEXT PRIMARY KEY, record TEXT)")
copy.execute("CREATE TABLE IF NOT EXISTS place (as_of TEXT)")


def get(path):
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


place = copy.execute("SELECT as_of FROM place").fetchone()
asked = {"include_deleted": "true", "limit": 1000, **({"updated_after": place[0]} if place else {})}
path = "/api/v1/candidates?" + urllib.parse.urlencode(asked)
while path:
    page = get(path)
    for record in page["data"]:
        if record["deleted_at"]:
            copy.execute("DELETE FROM candidates WHERE id = ?", [record["id"]])
        else:
            copy.execute("REPLACE INTO candidates VALUES (?, ?)", [record["id"], json.dumps(record)])
    path = page["next"]
copy.execute("DELETE FROM place")
copy.execute("INSERT INTO place VALUES (?)", [page["meta"]["as_of"]])
copy.commit()

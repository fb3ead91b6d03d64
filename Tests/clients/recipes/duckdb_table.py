import os

import duckdb

URL, KEY = os.environ["HIREWIRE_URL"], os.environ["HIREWIRE_KEY"]

database = duckdb.connect("recruiting.duckdb")
database.execute(f"CREATE SECRET hirewire (TYPE http, SCOPE '{URL}', BEARER_TOKEN '{KEY}')")
database.execute("SET unsafe_disable_etag_checks = true")
database.execute(f"CREATE TABLE candidates AS FROM read_json('{URL}/api/v1/candidates?export=all&format=ndjson')")
database.execute(f"CREATE TABLE jobs AS FROM read_csv('{URL}/api/v1/jobs?export=all&format=csv')")

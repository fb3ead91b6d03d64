"""Every match with its candidate and its job into a new DuckDB, as one writes it with dlt: prints the seconds that it
took, and a digest of what is there then.

It runs in the virtual environment that has dlt, as a program of its own. Objects and lists stay columns of JSON, and rows
go over as lines of JSON: else dlt spends minutes on a million rows of child tables and on INSERT statements, whoever sent
them, and nothing is seen of the servers.
"""

import argparse
import json
import pathlib
import time

import dlt
from digest import digest
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True, help="the server")
parser.add_argument("--path", required=True, help="the list, with its parameters")
parser.add_argument("--key")
parser.add_argument("--folder", required=True, type=pathlib.Path, help="for the pipeline and its matches.duckdb")
chosen = parser.parse_args()


@dlt.resource(name="matches", write_disposition="replace", max_table_nesting=0, file_format="jsonl")
def matches():
    client = RESTClient(base_url=chosen.url, auth=BearerTokenAuth(chosen.key) if chosen.key else None)
    yield from client.paginate(chosen.path)


pipeline = dlt.pipeline(
    pipeline_name="matches", pipelines_dir=str(chosen.folder / "pipeline"), dataset_name="recruiting",
    destination=dlt.destinations.duckdb(str(chosen.folder / "matches.duckdb")))
times = [time.perf_counter()]
for step in (lambda: pipeline.extract(matches), pipeline.normalize, pipeline.load):
    step()
    times.append(time.perf_counter())
with pipeline.sql_client() as client:
    rows = client.execute_sql("SELECT external_id, score, epoch_us(updated_at), candidate, job FROM matches")
print(json.dumps({
    "seconds": {
        "whole": times[-1] - times[0],
        **{name: times[number + 1] - times[number] for number, name in enumerate(("extract", "normalize", "load"))}},
    "rows": len(rows),
    "digest": digest((*row[:3], json.loads(row[3]), json.loads(row[4])) for row in rows)}))

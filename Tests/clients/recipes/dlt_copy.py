import os

import dlt
from dlt.sources.rest_api import rest_api_source

hirewire = rest_api_source({
    "client": {
        "base_url": os.environ["HIREWIRE_URL"] + "/api/v1/",
        "auth": {"type": "bearer", "token": os.environ["HIREWIRE_KEY"]},
    },
    "resource_defaults": {
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": {
            "updated_at": {"dedup_sort": "desc"},
            "deleted_at": {"data_type": "timestamp", "hard_delete": True},
        },
        "endpoint": {
            "params": {"include_deleted": "true"},
            "incremental": {"cursor_path": "updated_at", "start_param": "updated_after", "initial_value": "2020-01-01T00:00:00Z"},
        },
    },
    "resources": ["candidates", "jobs", "applications", "interviews", "matches", "calls"],
})
pipeline = dlt.pipeline(pipeline_name="hirewire", destination="duckdb", dataset_name="recruiting")
print(pipeline.run(hirewire))

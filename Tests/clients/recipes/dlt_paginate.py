import json
import os

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

client = RESTClient(base_url=os.environ["HIREWIRE_URL"] + "/api/v1", auth=BearerTokenAuth(os.environ["HIREWIRE_KEY"]))
for page in client.paginate("candidates"):
    for candidate in page:
        print(json.dumps(candidate))

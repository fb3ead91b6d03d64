import os

from hirewire_public_api_client import AuthenticatedClient
from hirewire_public_api_client.api.candidates import list_candidates
from hirewire_public_api_client.types import UNSET

client, cursor = AuthenticatedClient(os.environ["HIREWIRE_URL"], os.environ["HIREWIRE_KEY"]), UNSET
while cursor is not None:
    page = list_candidates.sync(client=client, cursor=cursor)
    for candidate in page.data:
        print(candidate.id, candidate.updated_at, candidate.full_name)
    cursor = page.next_cursor

import os

import pandas

URL, headers = os.environ["HIREWIRE_URL"], {"Authorization": f"Bearer {os.environ['HIREWIRE_KEY']}"}

candidates = pandas.read_json(f"{URL}/api/v1/candidates?export=all&format=ndjson", lines=True, storage_options=headers)
same = pandas.read_csv(f"{URL}/api/v1/candidates?export=all&format=csv", storage_options=headers)

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.schema.source import OpenAPISchema


class HirewireStream(RESTStream):
    records_jsonpath = "$.data[*]"
    next_page_token_jsonpath = "$.next_cursor"
    primary_keys = ("id",)
    replication_key = "updated_at"
    is_sorted = True

    @property
    def url_base(self):
        return self.config["url"] + "/api/v1"

    @property
    def authenticator(self):
        return BearerTokenAuthenticator(token=self.config["key"])

    def get_url_params(self, context, next_page_token):
        if next_page_token:
            return {"cursor": next_page_token}
        return {"include_deleted": "true", "updated_after": self.get_starting_replication_key_value(context)}


class TapHirewire(Tap):
    name = "tap-hirewire"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("key", th.StringType, required=True, secret=True),
    ).to_dict()

    def discover_streams(self):
        contract = OpenAPISchema(self.config["url"] + "/openapi.json")
        for kind in ("Candidate", "Job", "Application", "Interview", "Match", "Call"):
            path = f"/{kind.lower()}s" if kind != "Match" else "/matches"
            yield HirewireStream(self, path[1:], contract.get_schema(kind, key_properties=("id",)), path)


if __name__ == "__main__":
    TapHirewire.cli()

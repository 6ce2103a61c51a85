"""How many documents the differential tests make: a few in `make test`, `JSON_EXAMPLES` of them in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "json",
    max_examples=int(os.environ.get("JSON_EXAMPLES", "150")),
    deadline=None,
    database=None,
    derandomize="JSON_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("json")

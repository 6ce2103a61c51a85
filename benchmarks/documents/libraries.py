"""The libraries under test, each with one call for reading and one for writing. Imported where they are measured.

Every writer gives `bytes`, as a server needs them; the standard library's gets the separators and the encoding that the
others have anyway.
"""

import importlib
from collections.abc import Callable
from typing import Any

Call = Callable[[Any], Any]

#: By the direction: "loads" and "dumps"; "respond", into a connection's output where the library can, else `bytes`; and
#: "models", Pydantic's.
Calls = dict[str, Call]


def _standard() -> Calls:
    import json

    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return {"loads": json.loads, "dumps": lambda value: encode(value).encode()}


def _orjson() -> Calls:
    module = importlib.import_module("orjson")
    return {"loads": module.loads, "dumps": module.dumps, "respond": module.dumps}


def _msgspec() -> Calls:
    module = importlib.import_module("msgspec.json")
    return {"loads": module.Decoder().decode, "dumps": module.Encoder().encode}


def _pydantic_core() -> Calls:
    module = importlib.import_module("pydantic_core")
    return {"loads": module.from_json, "dumps": module.to_json, "models": module.to_json}


def _pydantic() -> Calls:
    """A type's serialiser, as FastAPI uses it."""
    from benchmarks.documents.models import Model

    adapter = importlib.import_module("pydantic").TypeAdapter(list[Model])
    return {"models": adapter.dump_json}


def _data_bridge() -> Calls:
    module = importlib.import_module("data_bridge.json")
    native = importlib.import_module("data_bridge._native")
    calls = {"loads": module.loads, "dumps": module.dumps, "models": module.dumps}
    # Only in a build with the feature `testing`.
    return calls | ({"respond": native.testing.respond} if hasattr(native, "testing") else {})


#: Library by the name that tables show: what gives its calls.
LIBRARIES: dict[str, Callable[[], Calls]] = {
    "data_bridge": _data_bridge,
    "orjson": _orjson,
    "msgspec": _msgspec,
    "pydantic_core": _pydantic_core,
    "pydantic": _pydantic,
    "json": _standard,
}

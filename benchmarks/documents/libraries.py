"""The libraries under test, each with one call for reading and one for writing. Imported where they are measured.

Every writer gives `bytes`, as a server needs them; the standard library's gets the separators and the encoding that the
others have anyway.
"""

import importlib
from collections.abc import Callable
from typing import Any

Call = Callable[[Any], Any]


def _standard() -> tuple[Call, Call]:
    import json

    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return json.loads, lambda value: encode(value).encode()


def _orjson() -> tuple[Call, Call]:
    module = importlib.import_module("orjson")
    return module.loads, module.dumps


def _msgspec() -> tuple[Call, Call]:
    module = importlib.import_module("msgspec.json")
    return module.Decoder().decode, module.Encoder().encode


def _pydantic() -> tuple[Call, Call]:
    module = importlib.import_module("pydantic_core")
    return module.from_json, module.to_json


def _data_bridge() -> tuple[Call, Call]:
    module = importlib.import_module("data_bridge.json")
    return module.loads, getattr(module, "dumps", None) or _absent


def _absent(_: Any) -> Any:
    raise NotImplementedError


#: Library by the name that tables show: what gives its reader and its writer.
LIBRARIES: dict[str, Callable[[], tuple[Call, Call]]] = {
    "data_bridge": _data_bridge,
    "orjson": _orjson,
    "msgspec": _msgspec,
    "pydantic_core": _pydantic,
    "json": _standard,
}

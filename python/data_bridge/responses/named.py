"""Responses by a named JSON library, which FastAPI keeps for the apps that have them. Each is optional."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from typing_extensions import deprecated

from data_bridge.exceptions import FastAPIDeprecationWarning

from .base import JSONResponse


def _installed(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


ujson = _installed("ujson")
orjson = _installed("orjson")

_TEXT = (
    "{} is deprecated, FastAPI now serializes data directly to JSON bytes via Pydantic when a return type or response "
    "model is set, which is faster and doesn't need a custom response class. Read more in the FastAPI docs: "
    "https://fastapi.tiangolo.com/advanced/custom-response/#orjson-or-response-model "
    "and https://fastapi.tiangolo.com/tutorial/response-model/"
)


@deprecated(_TEXT.format("UJSONResponse"), category=FastAPIDeprecationWarning, stacklevel=2)
class UJSONResponse(JSONResponse):
    """JSON by ujson, which must be installed."""

    def render(self, content: Any) -> bytes:
        """Serialise the content."""
        if ujson is None:
            raise AssertionError("ujson must be installed to use UJSONResponse")
        text: str = ujson.dumps(content, ensure_ascii=False)
        return text.encode("utf-8")


@deprecated(_TEXT.format("ORJSONResponse"), category=FastAPIDeprecationWarning, stacklevel=2)
class ORJSONResponse(JSONResponse):
    """JSON by orjson, which must be installed."""

    def render(self, content: Any) -> bytes:
        """Serialise the content."""
        if orjson is None:
            raise AssertionError("orjson must be installed to use ORJSONResponse")
        body: bytes = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
        return body

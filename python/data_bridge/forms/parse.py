"""A form's body, as it arrives, to a form's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .data import FormData
from .options import parse_options_header

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from data_bridge.datastructures.headers import Headers


class MultiPartException(Exception):
    """A form that cannot be parsed, or that has too much; answered with 400."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


async def parse_form(
    headers: Headers,
    stream: AsyncIterable[bytes],
    *,
    max_files: float = 1000,
    max_fields: float = 1000,
    max_part_size: int = 1024 * 1024,
) -> FormData:
    """Parse a body by its type; one that is no form gives an empty form. Raises :class:`MultiPartException`."""
    media_type, _ = parse_options_header(headers.get("content-type"))
    if media_type == b"multipart/form-data":
        raise NotImplementedError("the multipart parser is being written")
    if media_type == b"application/x-www-form-urlencoded":
        from urllib.parse import parse_qsl  # noqa: PLC0415

        body = b"".join([chunk async for chunk in stream])
        return FormData(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    return FormData()

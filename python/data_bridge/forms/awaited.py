"""What `request.form()` gives: awaited, or entered, which closes the form's files at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from .data import FormData


class Form:
    """A form that is being parsed."""

    __slots__ = ("_data", "_parsing")

    _data: FormData

    def __init__(self, parsing: Coroutine[Any, Any, FormData]) -> None:
        self._parsing = parsing

    def __await__(self) -> Generator[Any, Any, FormData]:
        return self._parsing.__await__()

    async def __aenter__(self) -> FormData:
        self._data = await self._parsing
        return self._data

    async def __aexit__(self, *_error: object) -> None:
        await self._data.close()

"""A form's fields and files, by name."""

from __future__ import annotations

from data_bridge.datastructures.multidict import ImmutableMultiDict

from .upload import UploadFile


class FormData(ImmutableMultiDict[str, UploadFile | str]):
    """The pairs of a form: texts, and :class:`UploadFile` for files."""

    async def close(self) -> None:
        """Close all files."""
        for _, value in self.multi_items():
            if isinstance(value, UploadFile):
                await value.close()

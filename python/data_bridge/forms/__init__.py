"""Forms: what they are parsed to, and their parsing. Imported when a request is asked for its form."""

from __future__ import annotations

from .data import FormData
from .parse import MultiPartException, parse_form
from .upload import UploadFile

__all__ = ["FormData", "MultiPartException", "UploadFile", "parse_form"]
